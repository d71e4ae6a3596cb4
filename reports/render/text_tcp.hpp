// The lines of the text report that only TCP has.
#pragma once

#include <string>

#include "reports/judge/summary.hpp"

namespace volley {

// How TCP fared, what held it up, and handshakes that waited; as far as it is known.
[[nodiscard]] std::string tcp_text(const RunReport& run);

}  // namespace volley
