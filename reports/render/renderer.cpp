// The formats there are: one line each.
#include "reports/render/renderer.hpp"

namespace volley {

const std::vector<Format>& formats() {
  static const std::vector<Format> all{
      {"text", "the table a person reads", {{"", "", render_text}}},
      {"html", "a page with charts", {{"", "", render_html}}},
      {"markdown", "a job summary", {{"", "", render_markdown}}},
      {"json", "everything, by the published schema", {{"", "", render_json}}},
      {"csv", "a line per run", {{"", "", render_csv}}},
      {"ndjson", "a stream of lines", {{"", "", render_ndjson}}},
      {"junit", "tests passed and failed", {{"", "", render_junit}}},
      {"github-benchmark",
       "charts: two files",
       {{"smaller", ".json", render_github_smaller}, {"bigger", ".json", render_github_bigger}}},
      {"googlebench", "Google Benchmark JSON", {{"", "", render_googlebench}}},
      {"bencher", "Bencher Metric Format", {{"", "", render_bencher}}},
      {"prometheus", "Prometheus text 0.0.4", {{"", "", render_prometheus}}},
      {"openmetrics", "OpenMetrics 1.0", {{"", "", render_openmetrics}}},
      {"openmetrics-timestamped", "for backfill", {{"", "", render_openmetrics_timestamped}}},
      {"gitlab", "GitLab browser_performance", {{"", "", render_gitlab}}},
      {"hdr",
       "HdrHistogram's files",
       {{"", ".hlog", render_hdr_log},
        {"udp", ".hgrm", render_hgrm_udp},
        {"tcp", ".hgrm", render_hgrm_tcp}}},
  };
  return all;
}

const Format* find_format(std::string_view name) {
  for (const Format& format : formats())
    if (format.name == name) return &format;
  return nullptr;
}

std::vector<std::string> format_names() {
  std::vector<std::string> names;
  for (const Format& format : formats()) names.emplace_back(format.name);
  return names;
}

}  // namespace volley
