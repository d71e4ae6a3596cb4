#include "reports/render/html_table.hpp"

#include <fmt/format.h>

#include "reports/render/html_escape.hpp"

namespace volley {
namespace {

// Sentences in columns a few letters wide are nothing to read: on a narrow page the cells of a row
// stand one below the other, each behind the head of its column. The style takes the row's display
// for that, with which some browsers forget that it is one; hence the roles.
bool is_stacked(const HtmlTable& table) { return !table.numbers && table.head.size() > 3; }

std::string role(const HtmlTable& table, std::string_view name) {
  return is_stacked(table) ? fmt::format(" role=\"{}\"", name) : std::string();
}

// An empty corner is no head of anything.
std::string head_html(const HtmlTable& table) {
  std::string html = fmt::format("<tr{}>", role(table, "row"));
  for (const std::string& cell : table.head)
    html += cell.empty()
                ? fmt::format("<td{}></td>", role(table, "cell"))
                : fmt::format("<th scope=\"col\"{}>{}</th>", role(table, "columnheader"), cell);
  return html + "</tr>";
}

std::string row_html(const HtmlTable& table, const std::vector<std::string>& cells) {
  std::string html = fmt::format("<tr{}>", role(table, "row"));
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::string head = i > 0 && is_stacked(table)
                                 ? fmt::format(" data-head=\"{}: \"", table.head[i])
                                 : std::string();
    html += i == 0 ? fmt::format("<th scope=\"row\"{}>{}</th>", role(table, "rowheader"), cells[i])
                   : fmt::format("<td{}{}>{}</td>", role(table, "cell"), head, cells[i]);
  }
  return html + "</tr>\n";
}

}  // namespace

std::string html_table(const HtmlTable& table) {
  if (table.rows.empty()) return {};
  const std::string more = table.css_class.empty() ? "" : " " + table.css_class;
  const char* const kind = table.numbers       ? "numbers"
                           : is_stacked(table) ? "words stacked"
                                               : "words";
  std::string html = fmt::format(
      "<div class=\"scroll{0}\" role=\"group\" tabindex=\"0\" aria-label=\"{1}\">"
      "<table class=\"{2}{0}\"{3}>\n<caption><span>{1}</span></caption>\n<thead{4}>{5}</thead>\n"
      "<tbody{4}>\n",
      more, html_text(table.caption), kind, role(table, "table"), role(table, "rowgroup"),
      head_html(table));
  for (const auto& row : table.rows) html += row_html(table, row);
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
