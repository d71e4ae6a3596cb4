// --fail-if 'p99>2ms': a condition under which a run counts as failed for a pipeline
// (docs/thresholds.md). How it is written stands in judge/threshold_parser. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "reports/judge/metrics.hpp"
#include "reports/judge/summary.hpp"

namespace volley {

enum class Comparator : std::uint8_t { above, at_least, below, at_most, equal, unequal };

// A limit that hangs on the same run: 0.99 * intended.
struct MetricMultiple {
  double factor = 1;
  MetricKind metric;
};

// A parsed condition.
struct Threshold {
  std::string expr;   // as typed, without the blanks that mean nothing
  std::string scope;  // a protocol or a scenario's id ("udp", "udp-rr"); empty: every run
  MetricKind metric;
  Comparator comparator = Comparator::above;
  std::variant<double, MetricMultiple> limit = 0.0;  // in the metric's unit
};

// The verdict of a run as a number that grows the better it is: 0 INVALID, 1 NOT_CLAIMABLE,
// 2 DEGRADED, 3 TRUSTED. Its path is "verdict", and so is its unit.
[[nodiscard]] MetricKind verdict_metric();
// The number of a verdict.
[[nodiscard]] double rank_of(Verdict verdict);

// Judges the condition over all runs of a report that its scope names; a metric of one protocol
// ("udp.jitter_ns") is asked of that protocol's runs only. It is met when one run meets it, and it
// could not be evaluated when one run lacks the metric, or there is no run: neither passes. The
// value is that of the first run that met it or, when none did, of the one that came closest (for
// == and !=, of the first).
[[nodiscard]] ThresholdResult evaluate(const Threshold& threshold, const Report& report);

// A value in a metric's unit, for a person: "158 us", "0.300 %", "TRUSTED".
[[nodiscard]] std::string value_text(double value, std::string_view unit);

// What came of it, for a person: "it is 158 us", "it is 980/s against 990/s, in run 2 of udp rr",
// "it could not be evaluated: response_p99_9 is withheld: …".
[[nodiscard]] std::string result_text(const ThresholdResult& result);

}  // namespace volley
