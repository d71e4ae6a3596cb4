// Do the counts add up, and whose losses are they? C6: conservation, and where requests were lost.
// C10: what was waited for. C11: every sample has its place. C14: only answers were taken for such.
#include <fmt/format.h>

#include <algorithm>

#include "reports/judge/checklist.hpp"
#include "reports/measure/units.hpp"

namespace volley {
namespace {

double own_drops(const RunRecord& record) {
  for (const auto& [key, value] : record.protocol_figures)
    if (key == "socket_drops") return value.value_or(0);
  return 0;
}

void conservation(Checklist& list) {
  constexpr const char* name = "conservation";
  const std::string broken = broken_identity(list.run.requests);
  list.add("C6a", name, broken.empty() ? 0 : 1, {0, 0}, "count", published_numbers(list.run),
           broken.empty() ? "Every request was judged once: the counts add up."
                          : broken + ": a mistake of volley.");
}

// Without the target's counts, or with copies that may have made up for losses, what has no place
// is a doubt, not a contradiction.
void attribution(Checklist& list, double lost, double drops) {
  constexpr const char* name = "losses by place";
  const std::optional<LossPlaces>& places = list.record.loss_places;
  const bool is_sighted = places && places->target_heard && !places->bounded;
  const double all = places ? static_cast<double>(places->lost) : lost;
  const double unplaced =
      places ? static_cast<double>(places->unattributed) : std::max(0.0, lost - drops);
  const double share = all > 0 ? unplaced / all : 0;
  const auto limits = is_sighted ? Limits{0.001, 0.05} : Limits{0.001, {}};
  std::string text = "Nothing was lost.";
  if (all > 0 && unplaced > 0)
    text =
        fmt::format("{} of {:.0f} lost requests were lost at no place that this run can see{}.",
                    format_ratio(share), all, is_sighted ? "" : ": on the way, or in the target");
  else if (all > 0)
    text = fmt::format("All {:.0f} losses have their place.", all);
  list.add("C6b", name, share, limits, "ratio", {"loss_ratio"}, text);
}

// Over TCP nothing is lost between the two sockets: who gives no answer there is slow.
void places_of_loss(Checklist& list) {
  if (list.record.protocol != "udp" || !list.run.requests.lost) {
    list.not_applicable("C6b", "losses by place",
                        "TCP repeats what is lost; what is left is slow.");
    list.not_applicable("C6c", "losses of our own", "TCP repeats what is lost.");
    return;
  }
  const auto lost = static_cast<double>(list.record.counters.lost);
  const double drops = own_drops(list.record);
  attribution(list, lost, drops);
  std::vector<std::string> affects = percentiles_of(list.run, kP99_9);
  affects.emplace_back("loss_ratio");
  const double share = drops > 0 ? (lost > 0 ? std::min(1.0, drops / lost) : 0.01) : 0;
  list.add("C6c", "losses of our own", share, {0, 0.01}, "ratio", std::move(affects),
           drops > 0
               ? fmt::format("{:.0f} answers were dropped by the generator's own sockets, for "
                             "want of room: those losses are not the target's.",
                             drops)
               : "The generator's own sockets had room for every answer.");
}

void waiting_time(Checklist& list) {
  constexpr const char* name = "timeout long enough";
  const Histogram& service = list.record.latencies.service;
  const Nanos half = list.record.timeout / 2;
  if (list.record.protocol != "udp") {
    list.not_applicable("C6d", name, "TCP repeats what is lost; what is left is slow.");
    return;
  }
  if (service.empty() || half <= Nanos(0) || half.count() > Histogram::kHighest) {
    list.not_applicable("C6d", name, "There are no service times.");
    return;
  }
  std::uint64_t slow = 0;
  for (std::size_t i = Histogram::index_of(half.count()) + 1; i < Histogram::kCounters; ++i)
    slow += service.counters()[i];
  const double share = static_cast<double>(slow) / std::max(1.0, list.sent());
  list.add("C6d", name, share, {0, 0.01}, "ratio", {"loss_ratio"},
           slow > 0
               ? fmt::format("{} requests were answered between half of the timeout and all of "
                             "it: a shorter one would have called them lost, and a longer one "
                             "may find others.",
                             format_count(slow))
               : "Half of the timeout would have counted the same losses.");
}

void drained(Checklist& list) {
  constexpr const char* name = "drain";
  const std::uint64_t open = list.run.requests.in_flight.value_or(0);
  const std::uint64_t late = list.record.counters.late;
  std::vector<std::string> affects = percentiles_of(list.run, kP99_9);
  affects.emplace_back("loss_ratio");
  if (open > 0)
    list.add(
        "C10", name, CheckStatus::fail, std::move(affects),
        fmt::format("{} requests were still under way when the run was cut.", format_count(open)));
  else
    list.add("C10", name, static_cast<double>(late), {0, {}}, "count", std::move(affects),
             late > 0 ? fmt::format("{} answers came after the timeout: their requests count as "
                                    "lost.",
                                    format_count(late))
                      : "Every answer was waited for, and none came too late.");
}

void histograms_whole(Checklist& list) {
  constexpr const char* name = "histograms whole";
  const RunReport& run = list.run;
  const std::uint64_t outside = run.response.out_of_range + run.service.out_of_range +
                                run.send_lag.out_of_range + run.connect.out_of_range;
  const Histogram& response = list.record.latencies.response;
  const bool has_each =
      !list.record.has_response || !list.record.has_answers ||
      response.count() + response.below() + response.above() == list.record.counters.completed;
  if (!has_each) {
    list.add("C11", name, CheckStatus::fail, percentiles_of(run, kP50),
             fmt::format("{} answers, but {} response times: a mistake of volley.",
                         list.record.counters.completed, response.count()));
    return;
  }
  const double share = static_cast<double>(outside) / std::max(1.0, list.sent());
  list.add("C11", name, share, {0, 1e-6}, "ratio", percentiles_of(run, kP50),
           outside > 0 ? fmt::format("{} times lie below 0 or above 1 h, where no histogram has a "
                                     "place for them.",
                                     format_count(outside))
                       : "Every time has its place in a histogram.");
}

void only_answers(Checklist& list) {
  constexpr const char* name = "only answers came";
  std::uint64_t strange =
      list.record.counters.errors[static_cast<std::size_t>(ErrorKind::malformed)];
  for (const SocketEvent& event : list.record.socket_events)
    if (event.kind == ErrorKind::unexpected || event.kind == ErrorKind::malformed)
      strange += event.count;
  const double share = static_cast<double>(strange) / std::max(1.0, list.sent());
  list.add("C14", name, share, {0, 0.01}, "ratio", published_numbers(list.run),
           strange > 0 ? fmt::format("{} messages came that are no answers to this run's requests.",
                                     format_count(strange))
                       : "Nothing came but answers to this run's requests.");
}

}  // namespace

void check_counts(Checklist& list) {
  conservation(list);
  places_of_loss(list);
  waiting_time(list);
  drained(list);
  histograms_whole(list);
  only_answers(list);
}

}  // namespace volley
