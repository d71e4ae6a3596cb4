// From checks to verdicts: a number is as good as the worst check that decides on it. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "reports/judge/summary.hpp"
#include "reports/judge/verdict.hpp"

namespace volley {

// fail: INVALID; else, of a percentile with too little behind it: NOT CLAIMABLE; warn or unknown:
// DEGRADED.
[[nodiscard]] RunVerdict conclude(const RunReport& run, const std::vector<Check>& checks);

// Takes the percentiles and the loss ratio that the verdict calls INVALID out of the figures.
// Counts, rates and histograms stay: they are what happened, and claim nothing.
void withhold_invalid(RunReport& run);

// Whether all that a check decides on is withheld for want of samples anyway, while the run has
// percentiles that are not: then it is no news, unless it failed on a number that the verdict of
// the run looks at.
[[nodiscard]] bool is_moot(const RunReport& run, const Check& check);

// That of all runs: the worst. None: no run has one.
struct OverallVerdict {
  Verdict overall = Verdict::trusted;
  std::string headline;
};
[[nodiscard]] std::optional<OverallVerdict> overall_verdict(std::span<const RunReport> runs);

}  // namespace volley
