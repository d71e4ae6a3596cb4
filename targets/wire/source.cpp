#include "targets/wire/source.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>

#include "reports/measure/ensure.hpp"

namespace volley {
namespace {

using Bytes = std::array<std::uint8_t, 16>;

constexpr unsigned kMostHostBits = 32;

unsigned width_of(int family) { return family == AF_INET ? 32 : 128; }

// The bytes of an address in network order, IPv4 in the first four.
Bytes bytes_of(const Address& address) {
  Bytes bytes{};
  if (address.family() == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, address.data(), sizeof v4);
    std::memcpy(bytes.data(), &v4.sin_addr, sizeof v4.sin_addr);
  } else {
    sockaddr_in6 v6{};
    std::memcpy(&v6, address.data(), sizeof v6);
    std::memcpy(bytes.data(), &v6.sin6_addr, sizeof v6.sin6_addr);
  }
  return bytes;
}

Address address_of(int family, const Bytes& bytes) {
  if (family == AF_INET) {
    std::uint32_t ip = 0;
    std::memcpy(&ip, bytes.data(), sizeof ip);
    return Address::v4(ntohl(ip), 0);
  }
  in6_addr ip{};
  std::memcpy(&ip, bytes.data(), sizeof ip);
  return Address::v6(ip, 0);
}

std::optional<Address> literal(std::string_view text) {
  const std::string whole(text);
  Bytes bytes{};
  for (const int family : {AF_INET, AF_INET6})
    if (inet_pton(family, whole.c_str(), bytes.data()) == 1) return address_of(family, bytes);
  return std::nullopt;
}

[[noreturn]] void refuse(std::string_view subject, std::string_view what, std::string_view text) {
  throw UsageError(
      fmt::format("{}: {} ({}) [ADDR or ADDR/BITS]; write it like 127.0.0.2, "
                  "127.0.0.0/16 or 2001:db8::/64",
                  subject, what, text));
}

}  // namespace

SourceRange::SourceRange(const Address& any, unsigned bits) : bits_(bits) {
  const unsigned width = width_of(any.family());
  ensure(bits <= width, "a prefix is no longer than its address");
  Bytes bytes = bytes_of(any);
  for (unsigned bit = bits; bit < width; ++bit)
    bytes[bit / 8] &= static_cast<std::uint8_t>(~(0x80U >> bit % 8));
  network_ = address_of(any.family(), bytes);
  const unsigned host_bits = width - bits;
  count_ = std::uint64_t{1} << std::min(host_bits, kMostHostBits);
  if (host_bits < 2) return;
  first_ = 1;
  if (any.family() == AF_INET)
    count_ -= 2;
  else if (host_bits <= kMostHostBits)
    count_ -= 1;
}

Address SourceRange::at(std::uint64_t n) const {
  Bytes bytes = bytes_of(network_);
  // Added from the last byte on; the host part is zero, so that nothing is carried.
  std::uint64_t host = first_ + n % count_;
  for (std::size_t i = width_of(family()) / 8; host != 0 && i-- > 0; host >>= 8U)
    bytes[i] |= static_cast<std::uint8_t>(host);
  return address_of(family(), bytes);
}

std::string SourceRange::text() const {
  if (bits_ == width_of(family())) return network_.ip();
  return fmt::format("{}/{}", network_.ip(), bits_);
}

SourceRange parse_source(std::string_view subject, std::string_view text) {
  const auto slash = text.find('/');
  const auto address = literal(text.substr(0, slash));
  if (!address) refuse(subject, "not an address", text);
  const unsigned width = width_of(address->family());
  if (slash == std::string_view::npos) return {*address, width};
  const std::string_view digits = text.substr(slash + 1);
  unsigned bits = 0;
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  if (error != std::errc() || stop != digits.data() + digits.size() || bits > width)
    refuse(subject, fmt::format("the length of the prefix is no number from 0 to {}", width), text);
  return {*address, bits};
}

}  // namespace volley
