#include "reports/render/html_escape.hpp"

#include <algorithm>

#include "reports/render/words.hpp"

namespace volley {
namespace {

void append_text(std::string& html, std::string_view clean) {
  for (const char c : clean) {
    switch (c) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      case '"':
        html += "&quot;";
        break;
      case '\'':
        html += "&#39;";
        break;
      default:
        html += c;
    }
  }
}

// What stands at `at` within a string of JSON and must not stand in a page: its escape, and how
// many bytes it replaces. Empty: nothing.
std::string_view escape_at(std::string_view json, std::size_t at, std::size_t& length) {
  length = 1;
  if (json[at] == '<') return "\\u003c";
  if (json[at] == '>') return "\\u003e";
  if (json[at] == '&') return "\\u0026";
  const std::string_view three = json.substr(at, 3);
  length = 3;
  if (three == "\xE2\x80\xA8") return "\\u2028";
  if (three == "\xE2\x80\xA9") return "\\u2029";
  return {};
}

}  // namespace

std::string html_text(std::string_view text) {
  std::string html;
  append_text(html, printable(text));
  return html;
}

std::string html_lines(std::string_view text) {
  std::string html;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    html += html_text(text.substr(0, end)) + '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return html;
}

std::string html_island(std::string_view json) {
  std::string island;
  island.reserve(json.size());
  bool in_string = false;
  for (std::size_t at = 0; at < json.size(); ++at) {
    const char c = json[at];
    if (!in_string && (c == ' ' || c == '\n' || c == '\r' || c == '\t')) continue;
    std::size_t length = 1;
    const std::string_view escape = escape_at(json, at, length);
    if (!escape.empty()) {
      island += escape;
      at += length - 1;
      continue;
    }
    island += c;
    if (in_string && c == '\\')
      island += json[++at];  // a quote behind it ends nothing
    else if (c == '"')
      in_string = !in_string;
  }
  return island;
}

}  // namespace volley
