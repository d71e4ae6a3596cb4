// Tables and sections of the HTML report. Cells are HTML already: text goes through html_text().
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace volley {

// A table that a screen reader can walk: a caption, column heads and, in the first column, row
// heads.
struct HtmlTable {
  std::string caption;                         // plain text
  std::vector<std::string> head;               // HTML; where not `numbers`, without tags
  std::vector<std::vector<std::string>> rows;  // HTML; as many cells as the head has
  bool numbers = true;                         // all but the first column flush right
  std::string css_class = {};                  // besides that
};

// Empty without rows. It scrolls by itself where the page is too narrow for it.
[[nodiscard]] std::string html_table(const HtmlTable& table);

// A place for page.js to draw the chart `kind` ("curve-response") in, with the table that says the
// same. Without JavaScript the table stands open and nothing else is seen. `label` says in words
// what the chart shows.
[[nodiscard]] std::string html_chart(std::string_view kind, std::string_view label,
                                     std::string_view caption, std::string_view table);

[[nodiscard]] std::string html_paragraph(std::string_view text, std::string_view css_class = {});

// <details>, shut.
[[nodiscard]] std::string html_details(std::string_view summary, std::string_view html);

}  // namespace volley
