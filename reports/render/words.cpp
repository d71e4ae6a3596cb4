// Text for a terminal: cleaned, wrapped, in columns.
#include "reports/render/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "reports/measure/units.hpp"

namespace volley {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

unsigned byte_at(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

// How many bytes the UTF-8 character at `at` has; 0: none begins there (RFC 3629 table 3-7).
std::size_t character_length(std::string_view text, std::size_t at) {
  const unsigned lead = byte_at(text, at);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (text.size() - at < length) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte_at(text, at + i) & 0xC0U) != 0x80) return 0;
  const unsigned second = byte_at(text, at + 1);
  const bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
  const bool outside = (lead == 0xED && second > 0x9F) || (lead == 0xF4 && second > 0x8F);
  return overlong || outside ? 0 : length;
}

// C0, DEL, C1 (U+0080 to U+009F).
bool is_control(std::string_view character) {
  const unsigned lead = byte_at(character, 0);
  return lead < 0x20 || lead == 0x7F || (lead == 0xC2 && byte_at(character, 1) < 0xA0);
}

std::size_t display_width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80;
  }));
}

}  // namespace

std::string printable(std::string_view text) {
  std::string clean;
  bool replaced_before = false;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = character_length(text, at);
    const std::string_view character = text.substr(at, length);
    at += std::max<std::size_t>(length, 1);
    const bool replace = length == 0 || is_control(character) || character == kReplacement;
    if (!replace)
      clean += character;
    else if (!replaced_before)
      clean += kReplacement;
    replaced_before = replace;
  }
  return clean;
}

std::string without_commands(std::string_view text) {
  std::string out;
  bool at_start = true;  // of a line, but for blanks
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    const std::string_view rest = text.substr(at);
    if (at_start && rest.starts_with("::")) out += '|';
    out += c;
    if (rest.starts_with("##[")) out += '|';  // it is looked for anywhere: "#|#["
    const bool line_break = c == '\n' || c == '\r';
    at_start = line_break || (at_start && (c == ' ' || c == '\t' || c == '\v' || c == '\f'));
  }
  return out;
}

std::string wrapped(std::string_view first, std::string_view words, std::size_t width) {
  std::string text(first);
  std::size_t column = display_width(first);
  const std::size_t indent = column;
  while (!words.empty()) {
    const std::size_t end = std::min(words.find(' '), words.size());
    const std::string_view word = words.substr(0, end);
    words.remove_prefix(std::min(end + 1, words.size()));
    if (column > indent && column + 1 + display_width(word) > width) {
      text += '\n' + std::string(indent, ' ');
      column = indent;
    }
    if (column > indent) {
      text += ' ';
      ++column;
    }
    text += word;
    column += display_width(word);
  }
  return text + '\n';
}

std::string columns(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], display_width(row[i]));
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string padding(widths[i] - display_width(row[i]), ' ');
      line += i == 0 ? row[i] + padding : "  " + padding + row[i];
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  return text;
}

std::string counted(std::uint64_t n, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", format_count(n), n == 1 ? one : many);
}

}  // namespace volley
