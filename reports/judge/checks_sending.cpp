// Did the generator do what it was asked to, when it was asked to? C1: the schedule was held. C9:
// which kind of loop it was in truth.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "reports/judge/checklist.hpp"
#include "reports/judge/trend.hpp"
#include "reports/measure/units.hpp"

namespace volley {
namespace {

std::string percent(double ratio) { return format_ratio(ratio); }

// The send lag at p of what the generator had in its own hands: a request that was held back (a
// cap, a full socket) did not wait for the generator, so it counts as sent in time.
std::optional<Nanos> own_lag_at(const Latencies& latencies, Percentile p) {
  const Histogram& all = latencies.send_lag;
  if (!latencies.held_lag || latencies.held_lag->empty()) return all.at(p);
  const Histogram& held = *latencies.held_lag;
  const auto wanted =
      static_cast<std::uint64_t>(std::ceil(static_cast<double>(all.count()) * p.ppm / 1e6));
  std::uint64_t below = held.count();
  for (std::size_t i = 0; i < Histogram::kCounters; ++i) {
    if (below >= wanted) return Nanos(i == 0 ? 0 : Histogram::highest_of(i - 1));
    below += all.counters()[i] - std::min(all.counters()[i], held.counters()[i]);
  }
  return all.max();
}

void offered_load(Checklist& list) {
  constexpr const char* name = "offered load reached";
  if (!list.open_loop()) {
    list.not_applicable("C1a", name, "A closed loop has no rate to reach.");
    return;
  }
  const RequestFigures& r = list.run.requests;
  const std::uint64_t due =
      r.planned.value_or(0) - std::min(r.planned.value_or(0), r.skipped.value_or(0));
  std::optional<double> missing;
  if (r.planned && due > 0) missing = std::abs(list.sent() / static_cast<double>(due) - 1);
  list.add("C1a", name, missing, {0.005, 0.02}, "ratio", published_numbers(list.run),
           missing
               ? fmt::format("{} of the requests that were due were not sent.", percent(*missing))
               : "How many requests were due is not known.");
}

// Requests that left more than `limit` late, those that were held back aside. Of send_lag, whose
// counters are a 1024th wide.
double later_than(const Latencies& latencies, Nanos limit) {
  const std::size_t first = Histogram::index_of(std::min(limit.count(), Histogram::kHighest)) + 1;
  const auto beyond = [&](const Histogram& lags) {
    const auto counters = lags.counters().subspan(std::min(first, lags.counters().size()));
    return std::accumulate(counters.begin(), counters.end(), lags.above());
  };
  const std::uint64_t all = beyond(latencies.send_lag);
  return static_cast<double>(all -
                             (latencies.held_lag ? std::min(all, beyond(*latencies.held_lag)) : 0));
}

void late_sends(Checklist& list) {
  constexpr const char* name = "late sends";
  if (!list.open_loop() || list.sent() <= 0) {
    list.not_applicable("C1b", name, "Nothing was due by a schedule.");
    return;
  }
  const Published* published = main_distribution(list.run);
  if (published == nullptr) {
    list.not_applicable("C1b", name, "There is no response time.");
    return;
  }
  // They may all lie beyond a percentile: a tenth of what does is noise, as much as that is all.
  // One that is late by less than a twentieth of it does not move it by more than C1c lets the lag.
  for (const PercentileKey& key : kPercentiles) {
    const std::string at = fmt::format("late sends at {}", key.words);
    if (!list.has_tail(*published, key)) {
      list.not_applicable("C1b", at, list.no_tail(key));
      continue;
    }
    const Nanos usual = list.record.conduct.late_beyond;
    const Nanos harmless = least_at(list.record.latencies, key.percentile).value_or(usual) / 20;
    const double late = harmless <= usual ? static_cast<double>(list.record.counters.sent_late)
                                          : later_than(list.record.latencies, harmless);
    const double share = late / list.sent();
    const double beyond = tail_share(key.percentile);
    list.add("C1b", at, share, {beyond / 10, beyond}, "ratio", {number_name(published->name, key)},
             fmt::format("{} of the requests left more than {} after they were due, by the "
                         "generator's own doing.",
                         percent(share), format_duration(std::max(usual, harmless))));
  }
}

void lag_against_claim(Checklist& list) {
  const Published* published = main_distribution(list.run);
  if (published == nullptr) {
    list.not_applicable("C1c", "send lag in the response", "There is no response time.");
    return;
  }
  const LatencyFigures& figures = list.run.*published->figures;
  bool compared = false;
  for (const PercentileKey& key : kPercentiles) {
    const auto& figure = figures.*key.figure;
    if (!figure || *figure <= 0) continue;  // withheld already, or among the lost
    compared = true;
    const auto lag = own_lag_at(list.record.latencies, key.percentile);
    std::optional<double> part;
    if (lag) part = static_cast<double>(lag->count()) / static_cast<double>(*figure);
    list.add("C1c", fmt::format("send lag in {}", key.words), part, {0.05, 0.2}, "ratio",
             {number_name(published->name, key)},
             lag ? fmt::format("The generator's own lag at {} is {}, {} of the {} it reports.",
                               key.words, format_duration(*lag), percent(*part),
                               format_duration(Nanos(*figure)))
                 : "The generator's own lag is not known.");
  }
  if (!compared)
    list.not_applicable("C1c", "send lag in the response", "No percentile of it is printed.");
}

// Medians of a distribution, slice by slice, where there are samples.
std::vector<double> medians(const RunRecord& record, SparseHistogram Slice::*of) {
  std::vector<double> medians;
  for (const Slice& slice : record.slices.all())
    if (const auto median = (slice.*of).at(kP50))
      medians.push_back(static_cast<double>(median->count()));
  return medians;
}

void falling_behind(Checklist& list) {
  constexpr const char* name = "falling behind";
  const double held = static_cast<double>(list.record.counters.held_back);
  if (!list.open_loop()) {
    list.not_applicable("C1d", name, "A closed loop cannot fall behind.");
    return;
  }
  if (held > 0.01 * list.sent()) {
    list.not_applicable("C1d", name, "Requests were held back: C9b says how many.");
    return;
  }
  const std::vector<double> lags = medians(list.record, &Slice::send_lag);
  const auto slope = theil_sen_slope(lags);
  std::optional<double> grown;
  if (slope) grown = std::max(0.0, *slope * static_cast<double>(lags.size()));
  const double pass =
      std::max(100e3, 2 * static_cast<double>(list.record.conduct.late_beyond.count()));
  list.add("C1d", name, grown, {pass, std::max(1e6, pass)}, "ns", published_numbers(list.run),
           grown ? fmt::format("The usual send lag grew by {} from the beginning to the end.",
                               format_duration(Nanos(static_cast<std::int64_t>(*grown))))
                 : "Too few slices of time have requests to tell whether the send lag grew.");
}

void headroom(Checklist& list) {
  constexpr const char* name = "generator headroom";
  if (list.open_loop()) {
    list.not_applicable("C1e", name, "An open loop that is too busy sends late: C1b and C1c.");
    return;
  }
  const auto& busy = list.record.conduct.busy_ratio;
  list.add("C1e", name, busy, {0.8, {}}, "ratio", {"achieved_per_s"},
           busy ? fmt::format("A sending thread was at work for {} of the time{}.", percent(*busy),
                              *busy > 0.8 ? ": the rate may be the generator's own limit, and the "
                                            "target's at least this"
                                          : "")
                : "How busy the sending threads were is not known.");
}

void mode(Checklist& list) {
  list.add(
      "C9a", "kind of loop", CheckStatus::pass, {},
      list.open_loop()
          ? "Open loop: requests were due by a schedule that waits for no answer."
          : "Closed loop: times at whatever rate the target allowed; not comparable with those "
            "of an open loop.");
}

void held_back(Checklist& list) {
  constexpr const char* name = "held back";
  if (!list.open_loop() || list.sent() <= 0) {
    list.not_applicable("C9b", name, "Nothing was due by a schedule.");
    return;
  }
  const double share = static_cast<double>(list.record.counters.held_back) / list.sent();
  list.add("C9b", name, share, {0, {}}, "ratio", percentiles_of(list.run, "service"),
           share > 0 ? fmt::format("{} of the requests waited for room on their flow: beyond this "
                                   "load the loop is closed, and service times are those of fewer "
                                   "requests at a time.",
                                   percent(share))
                     : "No request waited for room on its flow.");
}

// Little's law: what was in flight, added up over time, is the sum of the times.
void little(Checklist& list) {
  constexpr const char* name = "Little's law";
  const RunRecord& record = list.record;
  const bool audited = record.workload == "rr" && total(record.counters.errors) == 0 &&
                       list.run.requests.in_flight.value_or(0) == 0 && list.sent() > 0;
  if (!audited) {
    list.not_applicable("C9c", name, "Only whole runs of rr without errors keep the second count.");
    return;
  }
  const Histogram& service = record.latencies.service;
  const double times =
      service.mean_ns().value_or(0) * static_cast<double>(service.count()) +
      static_cast<double>(record.counters.lost) * static_cast<double>(record.timeout.count());
  std::optional<double> apart;
  if (record.conduct.in_flight_ns && times > 0)
    apart = std::abs(*record.conduct.in_flight_ns / times - 1);
  list.add("C9c", name, apart, {0.02, 0.05}, "ratio", published_numbers(list.run),
           apart ? fmt::format("What was in flight over time and the sum of the service times are "
                               "{} apart.",
                               percent(*apart))
                 : "What was in flight over time is not known.");
}

void waiting_in_front(Checklist& list) {
  constexpr const char* name = "waiting before sending";
  const auto response = list.record.latencies.response.at(kP99);
  const auto service = list.record.latencies.service.at(kP99);
  if (!list.open_loop() || !response || !service || service->count() <= 0) {
    list.not_applicable("C9d", name, "There are no response times by a schedule.");
    return;
  }
  const double ratio =
      static_cast<double>(response->count()) / static_cast<double>(service->count());
  const bool held = list.record.counters.held_back > 0;
  list.add("C9d", name, ratio, {1.1, {}}, "ratio", {},
           fmt::format("p99 of the response is {:.2f} times that of service{}.", ratio,
                       ratio <= 1.1 ? ""
                       : held       ? ": requests waited for room, which the target owes"
                                    : ": requests left late, which C1b and C1c judge"));
}

}  // namespace

void check_sending(Checklist& list) {
  offered_load(list);
  late_sends(list);
  lag_against_claim(list);
  falling_behind(list);
  headroom(list);
  mode(list);
  held_back(list);
  little(list);
  waiting_in_front(list);
}

}  // namespace volley
