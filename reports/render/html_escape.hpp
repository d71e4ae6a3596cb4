// Text and data made safe to stand in an HTML page, whoever wrote them.
#pragma once

#include <string>
#include <string_view>

namespace volley {

// The text for an element or a quoted attribute: printable() (no control characters, valid UTF-8),
// and & < > " ' as entities.
[[nodiscard]] std::string html_text(std::string_view text);

// The same for several lines: line feeds stay.
[[nodiscard]] std::string html_lines(std::string_view text);

// JSON for a <script type="application/json">: the same value without the white space between its
// tokens, and with < > & and the line separators U+2028 and U+2029 in strings as escapes, so that
// no string can end the element or begin a comment. `json` must be valid JSON.
[[nodiscard]] std::string html_island(std::string_view json);

}  // namespace volley
