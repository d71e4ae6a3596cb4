// The parts of the text report that are about one run.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "reports/judge/summary.hpp"

namespace volley {

// The whole of a single run.
[[nodiscard]] std::string run_text(const RunReport& run);

// What several runs of one plan have in common, in a line.
[[nodiscard]] std::string several_runs_heading(const RunReport& run);

// Failures, odd socket events, warnings and broken counts, with what to do: wrapped lines.
[[nodiscard]] std::vector<std::string> trouble_lines(const RunReport& run);

// A figure of `f`: its time, "lost" where it lies among the lost requests, "-" where there is none.
[[nodiscard]] std::string latency_cell(const LatencyFigures& f,
                                       const std::optional<std::int64_t>& figure);

// The same of a percentile: "few" where it is withheld.
[[nodiscard]] std::string percentile_cell(const LatencyFigures& f, const PercentileKey& key);

// "505 B", "-" where there is no figure.
[[nodiscard]] std::string bytes_or_dash(const std::optional<double>& bytes);

}  // namespace volley
