// The lines of the text report that say under which conditions a run ran.
#pragma once

#include <string>

#include "reports/judge/summary.hpp"

namespace volley {

// What there was in fact; what was asked is beside it where the two differ.
[[nodiscard]] std::string conditions_text(const RunReport& run);

}  // namespace volley
