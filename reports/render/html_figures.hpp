// Figures of the HTML report in words: what is missing says why, and is never 0.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reports/judge/summary.hpp"

namespace volley {

// "UDP", "TCP"; HTML, as everything below unless it says otherwise.
[[nodiscard]] std::string html_protocol(std::string_view protocol);

// "udp rr", of several runs "3 udp rr"; plain text.
[[nodiscard]] std::string html_run_label(const Report& report, std::size_t run);

// The time of a percentile with its 95 % interval; or "withheld" and what there is of what it takes
// ("3 tail events of 10 needed"); or that the generator spoiled it, or that it lies among the lost.
[[nodiscard]] std::string html_percentile(const LatencyFigures& figures, const PercentileKey& key);

// "12 of 4,000 (0.30 %)", "unknown".
[[nodiscard]] std::string html_loss(const std::optional<std::uint64_t>& lost, std::uint64_t sent,
                                    const std::optional<double>& ratio);

// Each with a word instead of a missing value.
[[nodiscard]] std::string html_time(const std::optional<std::int64_t>& ns);
[[nodiscard]] std::string html_seconds(double seconds);  // from 0 on
[[nodiscard]] std::string html_count(const std::optional<std::uint64_t>& count);
[[nodiscard]] std::string html_rate(const std::optional<double>& per_s);

// What a workload makes, in the plural: "round trips", "connections", "messages".
[[nodiscard]] std::string_view html_product(const Report& report);

// The distribution that a report of this workload is about: connect for connects, else response.
[[nodiscard]] const LatencyFigures& html_main_latency(const RunReport& run);
[[nodiscard]] std::string_view html_main_latency_words(const RunReport& run);

// Its words, as code.
[[nodiscard]] std::string html_command_line(const std::vector<std::string>& words);

// Runs that are shown as one: a side of a comparison, or a run by itself.
struct HtmlSide {
  std::string label;  // HTML
  std::string protocol;
  std::size_t first = 0;  // of its runs in the report
  std::vector<const RunReport*> runs;
};
// Of a comparison its sides with the rounds that ran to their end; else each run.
[[nodiscard]] std::vector<HtmlSide> html_sides(const Report& report);

}  // namespace volley
