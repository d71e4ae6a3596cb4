#include "targets/serve/console.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <iterator>

namespace volley {
namespace {

bool is_space(std::byte b) {
  return b == std::byte{' '} || (b >= std::byte{'\t'} && b <= std::byte{'\r'});
}

struct CodePoint {
  std::uint32_t value = 0;
  std::size_t bytes = 0;  // 0: not UTF-8
};

CodePoint decode(std::span<const std::byte> from) {
  const auto lead = std::to_integer<std::uint32_t>(from[0]);
  if (lead < 0x80) return {.value = lead, .bytes = 1};
  const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || from.size() < size) return {};
  std::uint32_t value = lead & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    const auto next = std::to_integer<std::uint32_t>(from[i]);
    if ((next & 0xC0U) != 0x80) return {};
    value = (value << 6U) | (next & 0x3FU);
  }
  constexpr std::uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (value < kSmallest[size] || value > 0x10FFFF || surrogate) return {};
  return {.value = value, .bytes = size};
}

// Characters that steer a terminal or turn the direction of a text around.
bool steers(std::uint32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || (c >= 0x200B && c <= 0x200F) ||
         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

void escape(std::byte b, std::string& to) {
  switch (std::to_integer<char>(b)) {
    case '\n':
      to += "\\n";
      break;
    case '\r':
      to += "\\r";
      break;
    case '\t':
      to += "\\t";
      break;
    default:
      fmt::format_to(std::back_inserter(to), "\\x{:02x}", std::to_integer<unsigned>(b));
  }
}

}  // namespace

std::string printable(std::span<const std::byte> bytes, bool keep_lines) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    const CodePoint c = decode(bytes);
    const bool kept = keep_lines && (c.value == '\n' || c.value == '\t');
    const std::size_t size = c.bytes == 0 ? 1 : c.bytes;
    if (c.bytes != 0 && (kept || !steers(c.value))) {
      for (const std::byte b : bytes.first(size)) text += std::to_integer<char>(b);
    } else {
      for (const std::byte b : bytes.first(size)) escape(b, text);
    }
    bytes = bytes.subspan(size);
  }
  return text;
}

std::span<const std::byte> stripped(std::span<const std::byte> bytes) {
  while (!bytes.empty() && is_space(bytes.front())) bytes = bytes.subspan(1);
  while (!bytes.empty() && is_space(bytes.back())) bytes = bytes.first(bytes.size() - 1);
  return bytes;
}

void Console::line(std::string_view text) {
  const std::lock_guard lock(mutex_);
  std::fwrite(text.data(), 1, text.size(), to_);
  if (!text.ends_with('\n')) std::fputc('\n', to_);
  std::fflush(to_);
}

void Console::data(std::span<const std::byte> bytes) { line(printable(bytes, true)); }

void Console::message(const Address& peer, std::span<const std::byte> bytes) {
  line(fmt::format("Token message[{}] - {}", peer.text(), printable(stripped(bytes), false)));
}

void Console::connection(const Address& peer) {
  line(fmt::format("Connection established with {}", peer.text()));
}

}  // namespace volley
