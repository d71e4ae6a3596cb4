// The lines of the text report that say where datagrams were lost.
#pragma once

#include <string>

#include "reports/judge/summary.hpp"

namespace volley {

// Place by place, those where something was lost, in the order of a round trip; nothing where
// nothing was.
[[nodiscard]] std::string loss_text(const RunReport& run);

}  // namespace volley
