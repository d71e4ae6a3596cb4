// Pieces of text that a terminal can take, whoever wrote them: names, endpoints and messages may
// come from a file or a peer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace volley {

// The text with every control character (an escape sequence could rewrite the screen) and every run
// of bytes that is no UTF-8 shown as one U+FFFD, which is also what the JSON keeps of them.
[[nodiscard]] std::string printable(std::string_view text);

// The text with a "|" in whatever a CI runner would take for a command of its own: "|::" at the
// beginning of a line (behind blanks, too) and "#|#[" anywhere.
[[nodiscard]] std::string without_commands(std::string_view text);

// "first" and the words behind it, broken into lines of at most `width` columns; lines after the
// first are indented as deep as `first` is long. Ends with a line feed.
[[nodiscard]] std::string wrapped(std::string_view first, std::string_view words,
                                  std::size_t width = 100);

// Rows of cells in columns: the first flush left, the others flush right, two spaces between.
[[nodiscard]] std::string columns(const std::vector<std::vector<std::string>>& rows);

// "1 round", "3 rounds": with thousands separated.
[[nodiscard]] std::string counted(std::uint64_t n, std::string_view one, std::string_view many);

}  // namespace volley
