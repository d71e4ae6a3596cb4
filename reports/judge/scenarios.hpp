// What a dashboard keeps a line of: the runs of one name, put together. A single run is itself; the
// rounds of a duel are one scenario a protocol. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "reports/judge/summary.hpp"

namespace volley {

struct Scenario {
  // Its identity, the same in every report of the same plan: the run's name in [a-z0-9._-], as
  // "udp-rr". Different names that come out alike are numbered.
  std::string id;
  std::string name;      // as the runs have it: "udp rr"
  std::string protocol;  // udp tcp
  // Those that ran to their end, in their order: half a round has not met the same machine as a
  // whole one. May be empty. They point into the report.
  std::vector<const RunReport*> rounds;
  std::size_t unfinished = 0;  // interrupted or failed
};

// In the order in which their first runs stand in the report, which must outlive them.
[[nodiscard]] std::vector<Scenario> scenarios_of(const Report& report);

// The figures of the rounds together; none without any. Of one round: its own. Of several: counts,
// bytes and seconds are sums, rates are medians, histograms are merged, and a percentile stands
// where the rounds together have enough behind it (judge/claims, hold_together) and the generator
// spoiled it in none; it has no interval. What cannot be put together (intervals, checks, delay and
// loss by place, a protocol's own figures, conditions) is left empty, the verdict is the worst.
[[nodiscard]] std::optional<RunReport> together(std::span<const RunReport* const> rounds);

}  // namespace volley
