// Bytes of requests: sizes drawn by weight, text with escapes, filler.
#include "generators/plan/payload.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <optional>
#include <utility>

#include "generators/plan/schedule.hpp"
#include "reports/measure/ensure.hpp"
#include "reports/measure/units.hpp"

namespace volley {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr std::uint64_t kMostMessageBytes = 64U << 20U;  // as the frame's largest payload
constexpr std::size_t kMostShares = 64;
constexpr std::size_t kMostPatternBytes = 4096;

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10U;
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10U;
  return std::nullopt;
}

std::optional<char> simple_escape(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'a':
      return '\a';
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'v':
      return '\v';
    case 'e':
      return '\x1b';
    case '\\':
    case '"':
    case '\'':
      return c;
    default:
      return std::nullopt;
  }
}

[[noreturn]] void refuse_escape(std::string_view subject, std::string_view escape) {
  throw UsageError(
      fmt::format("{}: not an escape ({}) [\\n \\r \\t \\0 \\a \\b \\f \\v \\e \\\\ "
                  "\\\" \\' \\xHH \\OOO]; write \\\\ for a backslash",
                  subject, escape));
}

// Reads up to `most` digits of a base from `text` at `at`, and moves `at` behind them. None when
// there is no digit or the number does not fit a byte.
std::optional<char> read_byte(std::string_view text, std::size_t& at, unsigned base,
                              std::size_t most) {
  unsigned value = 0;
  std::size_t digits = 0;
  for (; digits < most && at < text.size(); ++digits, ++at) {
    const auto digit = hex_digit(text[at]);
    if (!digit || *digit >= base) break;
    value = value * base + *digit;
  }
  if (digits == 0 || value > 255) return std::nullopt;
  return static_cast<char>(static_cast<unsigned char>(value));
}

std::string from_hex(std::string_view subject, std::string_view digits) {
  if (digits.size() % 2 != 0)
    throw UsageError(
        fmt::format("{}: half a byte (hex: with {} digits) [an even number]; write "
                    "two digits for every byte",
                    subject, digits.size()));
  std::string bytes;
  bytes.reserve(digits.size() / 2);
  for (std::size_t at = 0; at < digits.size(); at += 2) {
    const auto high = hex_digit(digits[at]);
    const auto low = hex_digit(digits[at + 1]);
    if (!high || !low)
      throw UsageError(
          fmt::format("{}: not hex digits ({}) [0-9 a-f A-F]; write two for every "
                      "byte, like hex:4f4b",
                      subject, digits.substr(at, 2)));
    bytes.push_back(static_cast<char>(static_cast<unsigned char>(*high * 16 + *low)));
  }
  return bytes;
}

}  // namespace

SizeChooser::SizeChooser(std::vector<SizeShare> shares, std::uint64_t seed)
    : shares_(std::move(shares)), seed_(seed) {
  ensure(!shares_.empty(), "a size chooser needs a size");
  for (const SizeShare& share : shares_) total_weight_ += share.weight;
  ensure(total_weight_ > 0, "a size chooser needs a weight");
}

// The high half of draw * total is equally spread below total, without a division.
std::uint32_t SizeChooser::choose(std::uint32_t flow, std::uint64_t n) const {
  const std::uint64_t draw = seeded(seeded(seed_, flow), n);
  auto rest = static_cast<std::uint64_t>((static_cast<Wide>(draw) * total_weight_) >> 64U);
  for (const SizeShare& share : shares_) {
    if (rest < share.weight) return share.bytes;
    rest -= share.weight;
  }
  return shares_.back().bytes;
}

std::uint32_t SizeChooser::largest() const {
  return std::max_element(shares_.begin(), shares_.end(),
                          [](const auto& a, const auto& b) { return a.bytes < b.bytes; })
      ->bytes;
}

std::uint32_t SizeChooser::smallest() const {
  return std::min_element(shares_.begin(), shares_.end(),
                          [](const auto& a, const auto& b) { return a.bytes < b.bytes; })
      ->bytes;
}

std::vector<SizeShare> parse_size_mix(std::string_view subject, std::string_view text) {
  std::vector<SizeShare> shares;
  while (true) {
    const auto comma = text.find(',');
    const auto part = text.substr(0, comma);
    const auto colon = part.find(':');
    SizeShare share;
    share.bytes = static_cast<std::uint32_t>(
        parse_size(subject, part.substr(0, colon), 1, kMostMessageBytes));
    if (colon != std::string_view::npos)
      share.weight =
          static_cast<std::uint32_t>(parse_count(subject, part.substr(colon + 1), 1, 1'000'000));
    shares.push_back(share);
    if (shares.size() > kMostShares)
      throw UsageError(
          fmt::format("{}: too many sizes (more than {}) [at most {}]; leave out the "
                      "rarest",
                      subject, kMostShares, kMostShares));
    if (comma == std::string_view::npos) return shares;
    text.remove_prefix(comma + 1);
  }
}

std::string unescape(std::string_view subject, std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] != '\\') {
      bytes.push_back(text[at++]);
      continue;
    }
    const std::size_t begin = at++;
    if (at == text.size()) refuse_escape(subject, "\\ at the end");
    std::optional<char> byte;
    if (text[at] == 'x') {
      byte = read_byte(text, ++at, 16, 2);
    } else if (text[at] >= '0' && text[at] <= '7') {
      byte = read_byte(text, at, 8, 3);
    } else {
      byte = simple_escape(text[at++]);
    }
    if (!byte) refuse_escape(subject, text.substr(begin, std::max<std::size_t>(at - begin, 2)));
    bytes.push_back(*byte);
  }
  return bytes;
}

// Reads one byte more than is allowed, so that an endless file (/dev/zero) ends here too.
std::string read_file(std::string_view subject, const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes;
  std::array<char, 65'536> block{};
  while (file && bytes.size() <= kMostMessageBytes) {
    file.read(block.data(), static_cast<std::streamsize>(block.size()));
    bytes.append(block.data(), static_cast<std::size_t>(file.gcount()));
  }
  if (!file.eof() && bytes.size() <= kMostMessageBytes)
    throw RunError("unreadable_file", "plan",
                   fmt::format("{}: cannot read the file ({}); check its name and permissions",
                               subject, path));
  if (bytes.size() > kMostMessageBytes)
    throw UsageError(fmt::format("{}: too large a file ({}) [at most {} bytes]; send less at once",
                                 subject, path, kMostMessageBytes));
  return bytes;
}

std::string parse_bytes(std::string_view subject, std::string_view text) {
  constexpr std::string_view hex = "hex:";
  if (text.substr(0, hex.size()) == hex) return from_hex(subject, text.substr(hex.size()));
  if (!text.empty() && text.front() == '@') return read_file(subject, std::string(text.substr(1)));
  return unescape(subject, text);
}

ReplyRule parse_reply(std::string_view subject, std::string_view text) {
  constexpr std::string_view length = "length:";
  constexpr std::string_view until = "until:";
  ReplyRule rule;
  if (text == "any") {
    rule.kind = ReplyRule::Kind::any;
  } else if (text == "close") {
    rule.kind = ReplyRule::Kind::close;
  } else if (text.substr(0, length.size()) == length) {
    rule.kind = ReplyRule::Kind::length;
    rule.length = parse_size(subject, text.substr(length.size()), 1, kMostMessageBytes);
  } else if (text.substr(0, until.size()) == until) {
    rule.kind = ReplyRule::Kind::until;
    rule.text = unescape(subject, text.substr(until.size()));
    if (rule.text.empty() || rule.text.size() > kMostPatternBytes)
      throw UsageError(
          fmt::format("{}: a text of the wrong length (until: with {} bytes) [1 to {} "
                      "bytes]; name the bytes that end an answer, like until:'\\r\\n'",
                      subject, rule.text.size(), kMostPatternBytes));
  } else {
    throw UsageError(
        fmt::format("{}: not a rule for the end of an answer ({}) [length:N until:TEXT "
                    "close any]; choose one of these",
                    subject, text));
  }
  return rule;
}

void fill_payload(std::span<std::byte> to, std::uint64_t seed) {
  constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  static_assert(alphabet.size() == 64);
  std::uint64_t draw = 0;
  for (std::size_t i = 0; i < to.size(); ++i) {
    // Ten characters of six bits from every draw.
    if (i % 10 == 0) draw = seeded(seed, i / 10);
    to[i] = static_cast<std::byte>(alphabet[draw & 63U]);
    draw >>= 6U;
  }
}

}  // namespace volley
