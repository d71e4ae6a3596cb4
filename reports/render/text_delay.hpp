// The lines of the text report about where requests spent their time.
#pragma once

#include <string>

#include "reports/judge/summary.hpp"

namespace volley {

// A table of the places by percentile and the one-way delays; empty without stamps.
[[nodiscard]] std::string delay_text(const RunReport& run);

}  // namespace volley
