// --fail-if 'p99>2ms': a condition under which a run counts as failed for a pipeline. Pure.
//
//   METRIC    p50 p90 p99 p99_9 p99_99 max     response times
//             loss                             lost / sent
//             achieved offered intended        loads
//             errors late duplicates reordered counts
//   OPERATOR  > >= < <= == !=
//   LIMIT     a number with the metric's unit: 2ms, 0.1%, 10k/s, 0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reports/judge/summary.hpp"

namespace volley {

enum class Comparator : std::uint8_t { above, at_least, below, at_most, equal, unequal };

// A parsed condition.
struct Threshold {
  std::string expr;    // without blanks
  std::string metric;  // one of the words above
  Comparator comparator = Comparator::above;
  double limit = 0;  // in `unit`
  std::string unit;  // "ns", "ratio", "per_s" or "count"
};

// Throws UsageError that names `subject`: an unknown metric, no operator, a limit in another unit.
[[nodiscard]] Threshold parse_threshold(std::string_view subject, std::string_view text);

// The metric's value in a run; none when the run has no such figure (no sample, a percentile that
// falls among the lost or is withheld, a closed loop's intended load).
[[nodiscard]] std::optional<double> metric_of(const RunReport& run, std::string_view metric);

// Judges the condition over all runs of a report: it is met when one run meets it, and it could not
// be evaluated when one run lacks the figure (or there is no run). The value is that of the run
// that decided.
[[nodiscard]] ThresholdResult evaluate(const Threshold& threshold,
                                       const std::vector<RunReport>& runs);

}  // namespace volley
