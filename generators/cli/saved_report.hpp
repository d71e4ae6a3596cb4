// A report that an earlier run saved, given to a command by its name.
#pragma once

#include <string>

#include "reports/judge/summary.hpp"

namespace volley {

// Reads and checks a JSON report; "-" is stdin. Throws RunError{"bad_report", "report"} that names
// the file: it cannot be read, is larger than 256 MiB, or is no report.
[[nodiscard]] Report read_report(const std::string& file);

}  // namespace volley
