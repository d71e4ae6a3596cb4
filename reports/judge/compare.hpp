// Is one report worse than another? Figure by figure, against limits that a person chose. It is
// arithmetic, no statistics: nothing here knows whether a difference is more than chance, and every
// result says so. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reports/judge/metrics.hpp"
#include "reports/judge/summary.hpp"

namespace volley {

// How much worse a metric may become before that is called a regression.
struct RegressionLimit {
  MetricKind metric;  // one with a direction
  // Of the base's value: 0.1 lets 100 us become 110 us. Of a metric that is a ratio itself it is
  // the difference: 0.001 lets a loss of 0.2 % become 0.3 %, because the base is often 0.
  double most = 0.1;
  bool asked = false;  // by name, so that nothing is passed over in silence
};

// What is limited when nobody says otherwise: achieved, goodput, response p50 and p99, connect p50
// and p99, each by `share` of the base, and the loss by a difference of 0.001.
[[nodiscard]] std::vector<RegressionLimit> default_limits(double share = 0.1);

// The defaults, changed by what was typed: "5%" sets the share of them all but the loss,
// "p99:25%" that of one metric, named as in a --fail-if, 0% to 10000%. What is said later counts.
// Throws UsageError that names `subject`.
[[nodiscard]] std::vector<RegressionLimit> parse_regression_limits(
    std::string_view subject, const std::vector<std::string>& values);

enum class Change : std::uint8_t {
  within,          // neither better nor worse by more than the limit
  improved,        // better by more than the limit
  regressed,       // worse by more than the limit, or gone though it has one
  unlimited,       // it has no limit
  not_comparable,  // one side has no such figure, or one that its own verdict calls INVALID
};
[[nodiscard]] std::string_view to_string(Change change);  // "within" "improved" …

struct FigureChange {
  std::string metric;  // its path
  std::string name;
  std::string unit;
  std::optional<double> base, latest;        // missing: see the reason
  std::string base_missing, latest_missing;  // in the words of judge/missing; empty: not missing
  std::optional<double> difference;          // latest - base, in `unit`
  std::optional<double> change_ratio;        // latest / base - 1; none for a base of 0
  std::optional<double> limit;               // see RegressionLimit::most; none: no limit
  Change change = Change::unlimited;
};

// A value of a run's configuration that the two do not share. Missing: that side has no such key.
struct LoadDifference {
  std::string key;
  std::optional<std::string> base, latest;
};

struct ScenarioChange {
  std::string id;
  std::size_t base_rounds = 0, latest_rounds = 0;  // that ran to their end
  std::optional<Verdict> base_verdict, latest_verdict;
  std::vector<LoadDifference> load;  // not empty: it was not the same load
  std::vector<FigureChange> figures;
};

struct ComparedReport {
  std::string tool_version, tool_commit, started_at, status;
  std::optional<Verdict> verdict;
};

struct ReportChange {
  ComparedReport base, latest;
  std::vector<ScenarioChange> scenarios;  // of both, matched by their id, in the base's order
  std::vector<std::string> gone, added;   // scenarios of one side only; gone is a regression
  bool regressed = false;
  std::size_t limited = 0;  // figures with a limit that could be held to it
  std::string sentence;     // for a person; says that no significance was tested
};

// Rounds of a scenario are put together first (judge/scenarios). A figure with a limit that the
// latest report lacks is a regression, unless it is INVALID: a number that cannot be trusted is
// never called one.
[[nodiscard]] ReportChange compare_reports(const Report& base, const Report& latest,
                                           const std::vector<RegressionLimit>& limits);

}  // namespace volley
