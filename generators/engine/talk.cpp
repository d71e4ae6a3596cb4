// The way into talking by hand: finds the server and hands over to its protocol.
#include "generators/engine/talk.hpp"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "generators/engine/talk_line.hpp"
#include "reports/measure/ensure.hpp"

namespace volley {
namespace {

// The bytes of the UTF-8 sequence at the start of `text`; 1 when there is no valid one, or it is a
// control character (C1) or a long form.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  std::size_t length = 1;
  if (byte(0) >= 0xC2) length = byte(0) < 0xE0 ? 2 : byte(0) < 0xF0 ? 3 : byte(0) < 0xF5 ? 4 : 1;
  if (length > text.size()) return 1;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return 1;
  }
  if (length == 2 && byte(0) == 0xC2 && byte(1) < 0xA0) return 1;
  const bool long_form = (byte(0) == 0xE0 && length > 1 && byte(1) < 0xA0) ||
                         (byte(0) == 0xF0 && length > 1 && byte(1) < 0x90);
  return long_form ? 1 : length;
}

}  // namespace

std::string escape_for_terminal(std::string_view bytes) {
  std::string text;
  while (!bytes.empty()) {
    const auto first = static_cast<unsigned char>(bytes.front());
    std::size_t length = utf8_length(bytes);
    if (bytes.starts_with("\r\n")) {
      length = 2;
      text += '\n';
    } else if (length > 1 || first == '\n' || first == '\t' || (first >= 0x20 && first < 0x7F)) {
      text += bytes.substr(0, length);
    } else {
      text += fmt::format("\\x{:02X}", first);
    }
    bytes.remove_prefix(length);
  }
  return text;
}

int talk(const TalkOptions& options, std::ostream& out, std::ostream& notes) {
  std::vector<Address> addresses;
  try {
    addresses = resolve(options.endpoint.where, options.family);
  } catch (const RunError& error) {
    if (error.code() != "unresolvable") throw;
    throw RunError(
        error.code(), error.phase(),
        fmt::format("{}: improper host name; {}", to_string(options.endpoint), error.what()));
  }
  try {
    TalkLine line(options, std::move(addresses), out, notes);
    options.endpoint.protocol == Protocol::udp ? talk_udp(line) : talk_tcp(line);
  } catch (const Interrupted& interrupted) {
    return interrupted.signal;
  }
  return 0;
}

}  // namespace volley
