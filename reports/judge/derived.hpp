// Figures that several formats and metrics need and that follow from others in the report.
#pragma once

#include <optional>

#include "reports/judge/summary.hpp"

namespace volley {

// The share of its threads' time that the generator spent on a CPU: 1 means that every thread was
// busy all the time, and that the generator may have been the limit.
[[nodiscard]] std::optional<double> generator_cpu_ratio(const GeneratorSide& generator);

// System calls that sent or received, per message sent or received.
[[nodiscard]] std::optional<double> calls_per_message(const RunReport& run);

}  // namespace volley
