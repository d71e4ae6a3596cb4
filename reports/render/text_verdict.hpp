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

// The verdict of one run, and what each check says that did not pass: once for all percentiles of
// which it says the same (fail, warn or unknown). Empty: it has none.
[[nodiscard]] std::string verdict_text(const RunReport& run);

// "merge of 2 reports", whose texts speak of "part 1"; empty: the report is no merge.
[[nodiscard]] std::string merge_words(const Report& report);

// Of several runs: the worst, and what each check says that did not pass, in how many of them.
[[nodiscard]] std::string verdict_text(std::span<const RunReport> runs);

}  // namespace volley
