// From a Report to words and files: one function and one file per format. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reports/judge/summary.hpp"

namespace volley {

// The table a person reads.
[[nodiscard]] std::string render_text(const Report& report);
// The JSON of reports/schema/report.schema.json: strict, never NaN, keys in a fixed order, ends
// with a line feed.
[[nodiscard]] std::string render_json(const Report& report);
// One line per run, with a header line; RFC 4180 quoting, LF.
[[nodiscard]] std::string render_csv(const Report& report);
// For the formats below see docs/formats.md. Each ends with a line feed.
[[nodiscard]] std::string render_markdown(const Report& report);        // GFM, below 1 MiB
[[nodiscard]] std::string render_ndjson(const Report& report);          // see ndjson.hpp
[[nodiscard]] std::string render_junit(const Report& report);           // XML
[[nodiscard]] std::string render_github_smaller(const Report& report);  // JSON; empty: no entry
[[nodiscard]] std::string render_github_bigger(const Report& report);   // JSON; empty: no entry
[[nodiscard]] std::string render_googlebench(const Report& report);     // JSON
[[nodiscard]] std::string render_bencher(const Report& report);         // JSON
// Of each scenario: Prometheus' text 0.0.4; OpenMetrics 1.0, plain and with times (timeline.hpp).
[[nodiscard]] std::string render_prometheus(const Report& report);
[[nodiscard]] std::string render_openmetrics(const Report& report);
[[nodiscard]] std::string render_openmetrics_timestamped(const Report& report);
// GitLab's browser_performance: an array of subjects.
[[nodiscard]] std::string render_gitlab(const Report& report);
// HdrHistogram's log 1.3 and its percentile tables; empty: no samples.
[[nodiscard]] std::string render_hdr_log(const Report& report);
[[nodiscard]] std::string render_hgrm_udp(const Report& report);
[[nodiscard]] std::string render_hgrm_tcp(const Report& report);
// One page with everything in it, for a browser without a network: docs/html.md.
[[nodiscard]] std::string render_html(const Report& report);

// Text of one file of a format; empty: this report has nothing for that file.
using Renderer = std::string (*)(const Report&);

// A format of one file has one entry without part and extension: its file has the name that was
// given. Of several, each is named after that name: "bench.json" becomes "bench.smaller.json" by
// the part "smaller" and the extension ".json".
struct FormatFile {
  std::string_view part;
  std::string_view extension;
  Renderer render;
};

struct Format {
  std::string_view name;  // as in --report NAME:FILE
  std::string_view what;  // for a person, in a few words
  std::vector<FormatFile> files;
};

// All formats; those a person reads come first.
[[nodiscard]] const std::vector<Format>& formats();
// A format by its word ("text", "json", "csv"); null when there is no such format.
[[nodiscard]] const Format* find_format(std::string_view name);
[[nodiscard]] std::vector<std::string> format_names();

// A saved JSON report. Hostile input is expected: throws RunError{"bad_report", "report"} that
// names the place (a JSON pointer) and what is wrong there.
[[nodiscard]] Report parse_report(std::string_view json);

}  // namespace volley
