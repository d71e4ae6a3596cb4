// Under which conditions it ran, and the report in its other forms.
#include <fmt/format.h>

#include <algorithm>

#include "reports/render/html_escape.hpp"
#include "reports/render/html_figures.hpp"
#include "reports/render/html_sections.hpp"
#include "reports/render/html_table.hpp"
#include "reports/render/renderer.hpp"

namespace volley {
namespace {

constexpr std::size_t kMostSides = 8;

HtmlTable pairs_table(std::string caption, const TextPairs& pairs) {
  HtmlTable table{std::move(caption), {"what", "value"}, {}, false, {}};
  for (const auto& [key, value] : pairs) table.rows.push_back({html_text(key), html_text(value)});
  return table;
}

std::string conditions_table(const RunReport& run) {
  HtmlTable table{fmt::format("{}: what was asked, and what there was in fact", run.name),
                  {"condition", "asked", "in fact"},
                  {},
                  false,
                  {}};
  for (const Condition& condition : run.conditions)
    table.rows.push_back(
        {html_text(condition.name), condition.asked ? html_text(*condition.asked) : "nothing",
         condition.effective ? html_text(*condition.effective) : "unknown, or there is none"});
  return html_table(table);
}

}  // namespace

std::string html_conditions(const Report& report) {
  std::string html;
  if (!report.argv.empty())
    html = fmt::format("<p>Command line: {}</p>\n", html_command_line(report.argv));
  html += html_table(pairs_table("The machine of the generator", report.host));
  html += html_table(pairs_table("Labels", report.labels));
  const std::vector<HtmlSide> sides = html_sides(report);
  for (std::size_t i = 0; i < std::min(sides.size(), kMostSides); ++i) {
    const RunReport& run = *sides[i].runs.front();
    html += conditions_table(run);
    const std::string caption = fmt::format("{}: options in force", run.name);
    html += html_details(caption, html_table(pairs_table(caption, run.config)));
  }
  if (sides.size() > kMostSides)
    html += html_paragraph(
        fmt::format("The first {} of {} runs; the JSON has all.", kMostSides, sides.size()));
  return html;
}

std::string html_data(const Report& report) {
  return "<p id=\"download-place\">This page carries the whole report as JSON (the element with "
         "the "
         "id <code>volley-report</code>): <code>volley report</code> renders it again.</p>\n" +
         html_details(
             "The report as text",
             fmt::format("<pre tabindex=\"0\" aria-label=\"The report as text\">{}</pre>\n",
                         html_lines(render_text(report))));
}

}  // namespace volley
