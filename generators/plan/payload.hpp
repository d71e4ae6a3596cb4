// Which bytes a request is made of: its size and its filler. Pure and seeded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "generators/plan/options.hpp"

namespace volley {

// Chooses message sizes by their weights: the size of request n of a flow depends on nothing but
// the seed, the flow and n.
class SizeChooser {
 public:
  SizeChooser(std::vector<SizeShare> shares, std::uint64_t seed);
  [[nodiscard]] std::uint32_t size_of(std::uint32_t flow, std::uint64_t n) const {
    return shares_.size() == 1 ? shares_.front().bytes : choose(flow, n);
  }
  [[nodiscard]] std::uint32_t largest() const;
  [[nodiscard]] std::uint32_t smallest() const;

 private:
  [[nodiscard]] std::uint32_t choose(std::uint32_t flow, std::uint64_t n) const;
  std::vector<SizeShare> shares_;
  std::uint64_t total_weight_ = 0;
  std::uint64_t seed_;
};

// "64:7,576:4,1400:1" -> shares; a bare size has weight 1. Throws UsageError.
[[nodiscard]] std::vector<SizeShare> parse_size_mix(std::string_view subject,
                                                    std::string_view text);

// TEXT with C escapes (\n \r \t \0 \\ \" \' \a \b \f \v \e \xHH \OOO), hex:4f4b or @FILE -> bytes.
// Throws UsageError (a bad escape, an odd number of hex digits) or RunError (an unreadable file).
[[nodiscard]] std::string parse_bytes(std::string_view subject, std::string_view text);
// C escapes only.
[[nodiscard]] std::string unescape(std::string_view subject, std::string_view text);

// The whole content of a file, at most 64 MiB. Throws UsageError (larger) or
// RunError{"unreadable_file", "plan"}.
[[nodiscard]] std::string read_file(std::string_view subject, const std::string& path);

// length:N  until:TEXT  close  any. Throws UsageError.
[[nodiscard]] ReplyRule parse_reply(std::string_view subject, std::string_view text);

// Seeded filler that no text protocol mistakes for its own and no link compresses: printable bytes.
void fill_payload(std::span<std::byte> to, std::uint64_t seed);

}  // namespace volley
