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

// The verdict of one run, and a line for each check that did not pass. Empty: it has none.
[[nodiscard]] std::string verdict_text(const RunReport& run);

// Of several runs: the worst, and for each check that did not pass everywhere in how many.
[[nodiscard]] std::string verdict_text(std::span<const RunReport> runs);

}  // namespace volley
