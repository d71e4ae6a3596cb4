// Local addresses that flows come from, in turn: one address, or all hosts of a prefix.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "targets/wire/address.hpp"

namespace volley {

// The addresses of "127.0.0.0/16". Without those that no host has: in IPv4 the first and the last
// of a prefix shorter than /31 (network and broadcast), in IPv6 the first of a prefix shorter than
// /127 (the routers' anycast address).
class SourceRange {
 public:
  // `any` is an address of the prefix, `bits` 0..32 or 0..128 of its family.
  SourceRange(const Address& any, unsigned bits);

  [[nodiscard]] int family() const { return network_.family(); }
  // How many addresses there are; prefixes with more than 2^32 use the first 2^32 of them.
  [[nodiscard]] std::uint64_t count() const { return count_; }
  // Address number `n`, starting again after the last one; its port is 0.
  [[nodiscard]] Address at(std::uint64_t n) const;
  // "127.0.0.0/16"; a single address without its bits.
  [[nodiscard]] std::string text() const;

 private:
  Address network_;
  unsigned bits_;
  std::uint64_t first_ = 0;  // of the addresses that hosts have, counted from the network's
  std::uint64_t count_ = 1;
};

// "127.0.0.1", "127.0.0.0/16", "2001:db8::/64". Throws UsageError.
[[nodiscard]] SourceRange parse_source(std::string_view subject, std::string_view text);

}  // namespace volley
