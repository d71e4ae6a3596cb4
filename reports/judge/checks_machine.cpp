// What was under the generator? C7: the clock. C8: the CPUs. C16: who else used them.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "reports/judge/checklist.hpp"
#include "reports/measure/units.hpp"

namespace volley {
namespace {

std::string or_unknown(const std::optional<double>& value, const std::string& text) {
  return value ? text : "It could not be read on this machine.";
}

std::string ratio_or_dash(const std::optional<double>& value) {
  return value ? format_ratio(*value) : "-";
}

void clock_source(Checklist& list) {
  constexpr const char* name = "clock source";
  constexpr std::array good{"tsc", "kvm-clock", "arch_sys_counter"};
  constexpr std::array bad{"hpet", "acpi_pm", "jiffies"};
  const Conduct& conduct = list.record.conduct;
  const auto is = [&](const char* source) { return conduct.clock_source == source; };
  if (conduct.clock_source.empty()) {
    list.add("C7a", name, CheckStatus::unknown, percentiles_of(list.run, kP50),
             "What the kernel takes the time from is not known.");
    return;
  }
  const bool coarse = conduct.clock_resolution_ns.value_or(1e9) > 100;
  const CheckStatus status = std::any_of(bad.begin(), bad.end(), is) ? CheckStatus::fail
                             : !std::any_of(good.begin(), good.end(), is) || coarse
                                 ? CheckStatus::warn
                                 : CheckStatus::pass;
  list.add("C7a", name, status, percentiles_of(list.run, kP50),
           fmt::format("The clock is {}, in steps of {:.0f} ns.", conduct.clock_source,
                       conduct.clock_resolution_ns.value_or(0)));
  list.done.back().value = conduct.clock_resolution_ns;
  list.done.back().threshold = 100;
  list.done.back().unit = "ns";
}

void causality(Checklist& list) {
  const Latencies& l = list.record.latencies;
  const std::uint64_t negative =
      l.response.below() + l.service.below() + l.send_lag.below() + l.connect.below();
  list.add("C7b", "nothing before its cause", static_cast<double>(negative), {0, 0}, "count",
           published_numbers(list.run),
           negative > 0 ? fmt::format("{} times are negative: the clock stepped back.",
                                      format_count(negative))
                        : "No time is negative.");
}

void clock_steady(Checklist& list) {
  const Conduct& conduct = list.record.conduct;
  list.add("C7c", "clock steady", conduct.clock_drift_ppm, {50, 500}, "ppm",
           percentiles_of(list.run, kP50),
           or_unknown(conduct.clock_drift_ppm,
                      fmt::format("The clock ran {:.1f} ppm off the hardware's; the wall clock "
                                  "moved {} against it.",
                                  conduct.clock_drift_ppm.value_or(0),
                                  format_duration(Nanos(static_cast<std::int64_t>(
                                      std::min(conduct.clock_step_ns.value_or(0), 9e18)))))));
}

// Of stamped requests, if there are any.
void stamps_in_order(Checklist& list) {
  const auto& delay = list.record.delay_by_place;
  if (!delay || delay->samples == 0) return;
  list.add("C7b", "stamps in order", static_cast<double>(delay->order_violations), {0, 0}, "count",
           {},
           delay->order_violations > 0
               ? fmt::format("{} of {} stamped requests went back in time, by up to {}.",
                             format_count(delay->order_violations), format_count(delay->samples),
                             format_duration(delay->worst_violation))
               : "No stamped request was anywhere before it had been there.");
}

void one_way_clocks(Checklist& list) {
  constexpr const char* name = "one clock for both ways";
  const auto& delay = list.record.delay_by_place;
  if (!delay || !delay->one_way_forward) {
    list.not_applicable("C7d", name, "No request was stamped on its way (--stamps).");
    return;
  }
  const bool same = delay->same_clock;
  list.add(
      "C7d", name, same ? CheckStatus::pass : CheckStatus::warn, {},
      same ? "Both ends go by one clock."
           : fmt::format("The clocks of the two ends differ, so one-way delays are right within "
                         "{} only: half of the quickest round trip.",
                         format_duration(delay->clock_error)));
  list.done.back().value = static_cast<double>(delay->clock_error.count());
  list.done.back().unit = "ns";
}

void cpus(Checklist& list) {
  const Conduct& conduct = list.record.conduct;
  const std::vector<std::string> tails = percentiles_of(list.run, kP99_9);
  list.add("C8a", "steal", conduct.steal_ratio, {0.001, 0.01}, "ratio", tails,
           or_unknown(conduct.steal_ratio,
                      fmt::format("The hypervisor gave {} of the CPU time to others.",
                                  ratio_or_dash(conduct.steal_ratio))));
  std::optional<double> throttled;
  if (conduct.throttled) throttled = static_cast<double>(*conduct.throttled);
  list.add(
      "C8b", "CPU quota", throttled, {0, 0}, "count", published_numbers(list.run),
      or_unknown(throttled,
                 throttled.value_or(0) > 0
                     ? fmt::format("A quota on CPU time held the generator back in {} periods.",
                                   format_count(*conduct.throttled))
                     : std::string("No quota on CPU time held the generator back.")));
  list.add("C8c", "waiting for a CPU", conduct.run_queue_wait_ratio, {0.001, 0.01}, "ratio", tails,
           or_unknown(conduct.run_queue_wait_ratio,
                      fmt::format("A sending thread was ready without a CPU for {} of the time.",
                                  ratio_or_dash(conduct.run_queue_wait_ratio))));
}

// The gaps that are too short to move this percentile of any distribution by more than C1c lets the
// generator's lag: a twentieth.
std::size_t harmless_gap(const Latencies& latencies, Percentile p) {
  return gap_length_within(least_at(latencies, p).value_or(Nanos(0)) / 20);
}

// The share of the requests that gaps of more than that length may have made wait.
std::optional<double> gap_share(const Checklist& list, std::size_t length) {
  const Conduct& conduct = list.record.conduct;
  if (!conduct.gap_ratio) return std::nullopt;
  if (list.open_loop()) return (*conduct.gap_ratio)[length];
  if (!conduct.gap_requests || list.sent() <= 0) return std::nullopt;
  return std::min(1.0, (*conduct.gap_requests)[length] / list.sent());
}

// While the generator is away requests wait for it: in an open loop those that become due, in a
// closed one those that are in flight. Where they are a tenth of what lies beyond a percentile, it
// is the generator's.
void absence(Checklist& list) {
  for (const PercentileKey& key : kPercentiles) {
    const std::string name = fmt::format("absence at {}", key.words);
    const double beyond = tail_share(key.percentile);
    std::vector<std::string> affects;
    bool any = false;
    for (const Published& published : kPublished) {
      any = any || (list.run.*published.figures).claims;
      if (list.has_tail(published, key)) affects.push_back(number_name(published.name, key));
    }
    if (!any) continue;
    if (affects.empty()) {
      list.not_applicable("C8d", name, list.no_tail(key));
      continue;
    }
    const std::size_t length = harmless_gap(list.record.latencies, key.percentile);
    const auto share = gap_share(list, length);
    list.add("C8d", name, share, {beyond / 10, beyond * 3 / 10}, "ratio", std::move(affects),
             or_unknown(share, fmt::format("{} (in gaps of more than {}); {} may have a tenth of "
                                           "{}.",
                                           list.open_loop()
                                               ? fmt::format("The generator was away for {} of the "
                                                             "time",
                                                             ratio_or_dash(share))
                                               : fmt::format("{} of the requests may have waited "
                                                             "while the generator was away",
                                                             ratio_or_dash(share)),
                                           format_duration(gap_length(length)), key.words,
                                           format_ratio(beyond))));
  }
}

void background(Checklist& list) {
  const auto& foreign = list.record.conduct.foreign_ratio;
  list.add("C16", "background load", foreign, {0.02, {}}, "ratio", percentiles_of(list.run, kP50),
           or_unknown(foreign, fmt::format("Programs other than volley (a target that it did not "
                                           "start among them) used {} of the CPU time.",
                                           ratio_or_dash(foreign))));
}

}  // namespace

void check_machine(Checklist& list) {
  clock_source(list);
  causality(list);
  stamps_in_order(list);
  clock_steady(list);
  one_way_clocks(list);
  cpus(list);
  absence(list);
  background(list);
}

}  // namespace volley
