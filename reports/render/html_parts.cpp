// Of a merged report: which generators it is of, in the order in which texts of checks number them.
#include <fmt/format.h>

#include "reports/measure/units.hpp"
#include "reports/render/html_escape.hpp"
#include "reports/render/html_figures.hpp"
#include "reports/render/html_sections.hpp"
#include "reports/render/html_table.hpp"
#include "reports/render/text_verdict.hpp"

namespace volley {
namespace {

constexpr std::size_t kMostRows = 100;

std::string pairs_words(const TextPairs& pairs) {
  std::string words;
  for (const auto& [key, value] : pairs)
    words += fmt::format("{}{} {}", words.empty() ? "" : ", ", key, value);
  return words.empty() ? "–" : html_text(words);
}

// The table, and how many of its `rows` it has when those are not all.
std::string cut_table(const HtmlTable& table, std::size_t rows) {
  std::string html = html_table(table);
  if (table.rows.size() < rows)
    html += html_paragraph(fmt::format("The first {} rows of {}; the JSON has all.",
                                       format_count(table.rows.size()), format_count(rows)));
  return html;
}

std::string figures_table(const Report& report) {
  HtmlTable table{"What each generator contributed",
                  {"part", "run", "sent", "completed", "lost", "verdict", "CPU time"},
                  {},
                  true,
                  {}};
  std::size_t rows = 0;
  for (std::size_t i = 0; i < report.parts.size(); ++i) {
    for (const MergedRun& run : report.parts[i].runs) {
      if (++rows > kMostRows) continue;
      table.rows.push_back({fmt::format("part {}", i + 1), html_text(run.name),
                            format_count(run.sent), html_count(run.completed), html_count(run.lost),
                            run.verdict ? verdict_words(*run.verdict) : "–",
                            html_seconds(run.cpu_s)});
    }
  }
  return cut_table(table, rows);
}

std::string origins_table(const Report& report) {
  HtmlTable table{
      "Who each generator was",
      {"part", "status", "began", "lasted", "command line", "machine", "labels", "version"},
      {},
      false,
      {}};
  for (std::size_t i = 0; i < report.parts.size() && i < kMostRows; ++i) {
    const MergedPart& part = report.parts[i];
    table.rows.push_back(
        {fmt::format("part {}", i + 1), html_text(part.status), html_text(part.started_at),
         html_seconds(part.lasted_s), html_command_line(part.argv), pairs_words(part.host),
         pairs_words(part.labels),
         html_text(fmt::format("volley {} ({})", part.tool_version, part.tool_commit))});
  }
  return cut_table(table, report.parts.size());
}

}  // namespace

std::string html_parts(const Report& report) {
  return figures_table(report) + html_details("Who each generator was", origins_table(report));
}

}  // namespace volley
