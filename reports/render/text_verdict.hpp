// The verdict in words: whether to believe the figures, and what speaks against it.
#pragma once

#include <span>
#include <string>

#include "reports/judge/summary.hpp"

namespace volley {

// "TRUSTED", "NOT CLAIMABLE" …
[[nodiscard]] std::string verdict_words(Verdict verdict);

// The same of a run; "-" of a report that does not judge itself.
[[nodiscard]] std::string verdict_word(const RunReport& run);

// The verdict of one run, and what each check says that did not pass: once where it fails, once
// where it only warns, once where it does not know, in the words of the first percentile of those
// behind it; in a merge, for each part that is quoted. Empty: the run has no verdict.
[[nodiscard]] std::string verdict_text(const RunReport& run);

// "merge of 2 reports", whose texts speak of "part 1"; empty: the report is no merge.
[[nodiscard]] std::string merge_words(const Report& report);

// Of several runs: the worst, and what each check says that did not pass, in the words of the first
// of the runs, and in how many it says so of any of the percentiles behind it.
[[nodiscard]] std::string verdict_text(std::span<const RunReport> runs);

}  // namespace volley
