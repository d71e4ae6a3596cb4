#include "targets/wire/address.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <net/if.h>

#include <array>
#include <cstddef>
#include <cstring>

namespace volley {
namespace {

// A copy instead of a cast: a sockaddr_in read through a cast of sockaddr_in6 breaks the language's
// aliasing rules, and the compiler turns the copy into plain loads anyway.
sockaddr_in as_v4(const sockaddr_in6& storage) {
  sockaddr_in v4{};
  std::memcpy(&v4, &storage, sizeof v4);
  return v4;
}

// Spreads every input bit over all output bits: a multiplication and two shifts.
std::uint64_t mix(std::uint64_t x) {
  x ^= x >> 32U;
  x *= 0x9E3779B97F4A7C15U;
  x ^= x >> 29U;
  return x;
}

}  // namespace

Address::Address(const sockaddr* from, socklen_t size) {
  if (from == nullptr) return;
  const bool is_v4 = from->sa_family == AF_INET && size >= sizeof(sockaddr_in);
  const bool is_v6 = from->sa_family == AF_INET6 && size >= sizeof(sockaddr_in6);
  if (!is_v4 && !is_v6) return;
  size_ = is_v4 ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  std::memcpy(&storage_, from, size_);
}

Address Address::v4(std::uint32_t host_order_ip, std::uint16_t port) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  v4.sin_addr.s_addr = htonl(host_order_ip);
  Address result;
  std::memcpy(&result.storage_, &v4, sizeof v4);
  result.size_ = sizeof v4;
  return result;
}

Address Address::v6(const in6_addr& ip, std::uint16_t port, std::uint32_t scope) {
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  v6.sin6_addr = ip;
  v6.sin6_scope_id = scope;
  Address result;
  std::memcpy(&result.storage_, &v6, sizeof v6);
  result.size_ = sizeof v6;
  return result;
}

// Family and port lie at the same place in both, so one access serves both.
static_assert(offsetof(sockaddr_in, sin_family) == offsetof(sockaddr_in6, sin6_family));
static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));

std::uint16_t Address::port() const { return ntohs(storage_.sin6_port); }
void Address::set_port(std::uint16_t port) { storage_.sin6_port = htons(port); }

bool Address::is_loopback() const {
  if (family() == AF_INET) return (ntohl(as_v4(storage_).sin_addr.s_addr) >> 24U) == 127;
  if (family() != AF_INET6) return false;
  const in6_addr ip = storage_.sin6_addr;
  return IN6_IS_ADDR_LOOPBACK(&ip) || (IN6_IS_ADDR_V4MAPPED(&ip) && ip.s6_addr[12] == 127);
}

bool Address::is_wildcard() const {
  if (family() == AF_INET) return as_v4(storage_).sin_addr.s_addr == INADDR_ANY;
  if (family() != AF_INET6) return false;
  const in6_addr ip = storage_.sin6_addr;
  return IN6_IS_ADDR_UNSPECIFIED(&ip);
}

bool Address::is_broadcast() const {
  if (family() != AF_INET) return false;
  const std::uint32_t ip = ntohl(as_v4(storage_).sin_addr.s_addr);
  return ip == INADDR_BROADCAST || ip == (INADDR_LOOPBACK | 0x00FFFFFFU);
}

const sockaddr* Address::data() const { return reinterpret_cast<const sockaddr*>(&storage_); }
sockaddr* Address::data() { return reinterpret_cast<sockaddr*>(&storage_); }

std::string Address::ip() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (family() == AF_INET) {
    const in_addr ip = as_v4(storage_).sin_addr;
    inet_ntop(AF_INET, &ip, text.data(), text.size());
    return text.data();
  }
  if (family() != AF_INET6) return "(no address)";
  const sockaddr_in6 v6 = storage_;
  inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
  if (v6.sin6_scope_id == 0) return text.data();
  std::array<char, IF_NAMESIZE> name{};
  if (if_indextoname(v6.sin6_scope_id, name.data()) == nullptr) {
    return fmt::format("{}%{}", text.data(), v6.sin6_scope_id);
  }
  return fmt::format("{}%{}", text.data(), name.data());
}

std::string Address::text() const {
  if (!valid()) return ip();
  if (family() == AF_INET6) return fmt::format("[{}]:{}", ip(), port());
  return fmt::format("{}:{}", ip(), port());
}

std::uint64_t Address::hash() const {
  if (family() != AF_INET6) {
    const sockaddr_in v4 = as_v4(storage_);
    return mix((std::uint64_t{v4.sin_addr.s_addr} << 16U) | v4.sin_port);
  }
  const sockaddr_in6 v6 = storage_;
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  std::memcpy(&high, &v6.sin6_addr, sizeof high);
  std::memcpy(&low, v6.sin6_addr.s6_addr + sizeof high, sizeof low);
  // The odd constant keeps an IPv6 address from hashing like an IPv4 one.
  const std::uint64_t rest = (std::uint64_t{v6.sin6_scope_id} << 16U) | v6.sin6_port;
  return mix(mix(mix(high ^ 0xA0761D6478BD642FU) ^ low) ^ rest);
}

bool operator==(const Address& a, const Address& b) {
  if (a.valid() != b.valid() || a.family() != b.family()) return false;
  if (!a.valid()) return true;
  if (a.family() == AF_INET) {
    const sockaddr_in x = as_v4(a.storage_);
    const sockaddr_in y = as_v4(b.storage_);
    return x.sin_addr.s_addr == y.sin_addr.s_addr && x.sin_port == y.sin_port;
  }
  // The flow label is a property of a packet, not of who sent it.
  const sockaddr_in6 x = a.storage_;
  const sockaddr_in6 y = b.storage_;
  return std::memcmp(&x.sin6_addr, &y.sin6_addr, sizeof x.sin6_addr) == 0 &&
         x.sin6_port == y.sin6_port && x.sin6_scope_id == y.sin6_scope_id;
}

}  // namespace volley
