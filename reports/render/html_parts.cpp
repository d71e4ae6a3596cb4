// Of a merged report: which generators it is of, in the order in which texts of checks number them.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "reports/measure/units.hpp"
#include "reports/render/html_escape.hpp"
#include "reports/render/html_figures.hpp"
#include "reports/render/html_sections.hpp"
#include "reports/render/html_table.hpp"
#include "reports/render/text_verdict.hpp"

namespace volley {
namespace {

constexpr std::size_t kMostRows = 100;

// A file may say anything of how long it was.
std::string seconds_words(double seconds) {
  constexpr double most = 1e9;
  return seconds >= 0 && seconds < most ? format_duration(Nanos(std::llround(seconds * 1e9)))
                                        : fmt::format("{:.6g} s", seconds);
}

std::string pairs_words(const TextPairs& pairs) {
  std::string words;
  for (const auto& [key, value] : pairs)
    words += fmt::format("{}{} {}", words.empty() ? "" : ", ", key, value);
  return words.empty() ? "–" : html_text(words);
}

std::string figures_table(const Report& report) {
  HtmlTable table{
      "What each generator contributed",
      {"part", "run", "sent", "completed", "lost", "verdict", "CPU time", "lasted", "began"},
      {},
      true,
      {}};
  for (std::size_t i = 0; i < report.parts.size(); ++i) {
    const MergedPart& part = report.parts[i];
    for (const MergedRun& run : part.runs) {
      if (table.rows.size() == kMostRows) return html_table(table);
      table.rows.push_back({fmt::format("part {}", i + 1), html_text(run.name),
                            format_count(run.sent), html_count(run.completed), html_count(run.lost),
                            run.verdict ? verdict_words(*run.verdict) : "–",
                            seconds_words(run.cpu_s), seconds_words(part.lasted_s),
                            html_text(part.started_at)});
    }
  }
  return html_table(table);
}

std::string origins_table(const Report& report) {
  HtmlTable table{"Who each generator was",
                  {"part", "version", "command line", "machine", "labels"},
                  {},
                  false,
                  {}};
  for (std::size_t i = 0; i < std::min(report.parts.size(), kMostRows); ++i) {
    const MergedPart& part = report.parts[i];
    table.rows.push_back(
        {fmt::format("part {}", i + 1), "volley " + html_text(part.tool_version),
         fmt::format("<code>{}</code>", html_text(fmt::format("{}", fmt::join(part.argv, " ")))),
         pairs_words(part.host), pairs_words(part.labels)});
  }
  return html_table(table);
}

}  // namespace

std::string html_parts(const Report& report) {
  std::string html =
      figures_table(report) + html_details("Who each generator was", origins_table(report));
  std::size_t rows = 0;
  for (const MergedPart& part : report.parts) rows += part.runs.size();
  if (rows > kMostRows)
    html +=
        html_paragraph(fmt::format("The first {} rows of {}; the JSON has all.", kMostRows, rows));
  return html;
}

}  // namespace volley
