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

// A format by its word ("text", "json", "csv"); null when there is no such format.
using Renderer = std::string (*)(const Report&);
[[nodiscard]] Renderer find_renderer(std::string_view format);
[[nodiscard]] std::vector<std::string> renderer_names();

// A saved JSON report. Hostile input is expected: throws RunError{"bad_report", "report"} that
// names the place (a JSON pointer) and what is wrong there.
[[nodiscard]] Report parse_report(std::string_view json);

}  // namespace volley
