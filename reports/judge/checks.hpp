// The checks a run makes of itself. Each compares one figure of the generator, the machine or the
// record with limits, and names the published numbers that it decides on. docs/method.md has the
// list with formulas, limits and sources. Pure functions over a finished record.
#pragma once

#include <string>
#include <vector>

#include "reports/judge/summary.hpp"
#include "reports/judge/verdict.hpp"
#include "reports/measure/record.hpp"

namespace volley {

// The numbers that `run` publishes, as checks and verdicts name them: loads, loss, and the
// percentiles of each distribution that has samples.
[[nodiscard]] std::vector<std::string> published_numbers(const RunReport& run);

// All checks, in the order of their ids. `run` holds the figures of the record.
[[nodiscard]] std::vector<Check> check(const RunRecord& record, const RunReport& run);

}  // namespace volley
