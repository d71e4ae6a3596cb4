// A report as families of points: what Prometheus and OpenMetrics show of it. Pure.
#pragma once

#include <optional>
#include <vector>

#include "reports/judge/scenarios.hpp"
#include "reports/judge/summary.hpp"
#include "reports/render/exposition.hpp"

namespace volley {

// A scenario with the labels of its points: scenario, protocol, workload and those of the user. Two
// scenarios differ in the first.
struct ScenarioPoints {
  Scenario scenario;
  std::optional<RunReport> whole;  // its finished rounds together; none: none finished
  Labels labels;
};
[[nodiscard]] std::vector<ScenarioPoints> scenario_points(const Report& report);

// The families that have a point, in a fixed order; figures that a report lacks have none. Without
// times.
[[nodiscard]] std::vector<PointFamily> families_of(const Report& report,
                                                   const std::vector<ScenarioPoints>& scenarios);

// The same while its last run is still going: what counts and what is distributed so far, and how
// the last interval of each run was; nothing that only an end can tell. Its runs are tallies
// (judge/summary).
[[nodiscard]] std::vector<PointFamily> families_so_far(const Report& report);

}  // namespace volley
