#include "reports/render/html_table.hpp"

#include <fmt/format.h>

#include "reports/render/html_escape.hpp"

namespace volley {
namespace {

std::string row_html(const std::vector<std::string>& cells) {
  std::string html = "<tr>";
  for (std::size_t i = 0; i < cells.size(); ++i)
    html += i == 0 ? fmt::format("<th scope=\"row\">{}</th>", cells[i])
                   : fmt::format("<td>{}</td>", cells[i]);
  return html + "</tr>\n";
}

// An empty corner is no head of anything.
std::string head_html(const std::vector<std::string>& cells) {
  std::string html = "<tr>";
  for (const std::string& cell : cells)
    html += cell.empty() ? "<td></td>" : fmt::format("<th scope=\"col\">{}</th>", cell);
  return html + "</tr>";
}

// Sentences in columns a few letters wide are nothing to read: on a narrow page the cells of a row
// stand one below the other, each behind the head of its column. The style takes the row's display
// for that, with which some browsers forget that it is one; hence the roles.
bool is_stacked(const HtmlTable& table) { return !table.numbers && table.head.size() > 3; }

std::string stacked_head_html(const std::vector<std::string>& cells) {
  std::string html = "<tr role=\"row\">";
  for (const std::string& cell : cells)
    html += fmt::format("<th scope=\"col\" role=\"columnheader\">{}</th>", cell);
  return html + "</tr>";
}

std::string stacked_row_html(const HtmlTable& table, const std::vector<std::string>& cells) {
  std::string html = "<tr role=\"row\">";
  for (std::size_t i = 0; i < cells.size(); ++i)
    html += i == 0 ? fmt::format("<th scope=\"row\" role=\"rowheader\">{}</th>", cells[i])
                   : fmt::format("<td role=\"cell\" data-head=\"{}: \">{}</td>", table.head[i],
                                 cells[i]);
  return html + "</tr>\n";
}

}  // namespace

std::string html_table(const HtmlTable& table) {
  if (table.rows.empty()) return {};
  const std::string more = table.css_class.empty() ? "" : " " + table.css_class;
  const bool stacked = is_stacked(table);
  const char* const kind = table.numbers ? "numbers" : stacked ? "words stacked" : "words";
  const char* const group = stacked ? " role=\"rowgroup\"" : "";
  std::string html = fmt::format(
      "<div class=\"scroll{0}\" role=\"group\" tabindex=\"0\" aria-label=\"{1}\">"
      "<table class=\"{2}{0}\"{3}>\n<caption><span>{1}</span></caption>\n<thead{4}>{5}</thead>\n"
      "<tbody{4}>\n",
      more, html_text(table.caption), kind, stacked ? " role=\"table\"" : "", group,
      stacked ? stacked_head_html(table.head) : head_html(table.head));
  for (const auto& row : table.rows) html += stacked ? stacked_row_html(table, row) : row_html(row);
  return html + "</tbody>\n</table></div>\n";
}

std::string html_chart(std::string_view kind, std::string_view label, std::string_view caption,
                       std::string_view table) {
  std::string html = fmt::format(
      "<figure class=\"chart\" data-chart=\"{}\">\n"
      "<div class=\"drawing\"><canvas role=\"img\" aria-label=\"{}\"></canvas></div>\n"
      "<figcaption>{}</figcaption>\n",
      html_text(kind), html_text(label), html_text(caption));
  if (!table.empty())
    html += fmt::format(
        "<details class=\"of-chart\" open><summary>The chart as a table</summary>\n{}</details>\n",
        table);
  return html + "</figure>\n";
}

std::string html_paragraph(std::string_view text, std::string_view css_class) {
  if (text.empty()) return {};
  const std::string attribute =
      css_class.empty() ? std::string() : fmt::format(" class=\"{}\"", css_class);
  return fmt::format("<p{}>{}</p>\n", attribute, html_text(text));
}

std::string html_details(std::string_view summary, std::string_view html) {
  if (html.empty()) return {};
  return fmt::format("<details><summary>{}</summary>\n{}</details>\n", html_text(summary), html);
}

}  // namespace volley
