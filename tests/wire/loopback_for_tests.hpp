// What the socket tests share: addresses on loopback, sockets bound to them, and bounded waiting.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <string_view>

#include "targets/wire/poller.hpp"
#include "targets/wire/socket.hpp"

namespace volley::tests {

// Far more than loopback needs, so that only a datagram or connection that never comes ends it.
inline constexpr Nanos kPatience = std::chrono::seconds(10);

inline Address loopback4(std::uint16_t port = 0) { return Address::v4(0x7F000001, port); }
inline Address loopback6(std::uint16_t port = 0) { return Address::v6(in6addr_loopback, port); }
inline Address any4(std::uint16_t port = 0) { return Address::v4(0, port); }
inline Address any6(std::uint16_t port = 0) { return Address::v6(in6addr_any, port); }

// False in a container without IPv6; such tests are skipped there.
inline bool has_ipv6() {
  Descriptor socket;
  return open_listener(Protocol::udp, loopback6(), {}, socket) == 0;
}

inline Descriptor listener(Protocol protocol, const Address& where,
                           const BindOptions& options = {}) {
  Descriptor socket;
  EXPECT_EQ(open_listener(protocol, where, options, socket), 0) << where.text();
  return socket;
}

inline std::uint16_t port_of(const Descriptor& socket) { return local_address(socket).port(); }

// True once the socket is ready, false when that did not happen within kPatience.
inline bool wait_for(const Descriptor& socket, bool write = false) {
  Poller poller;
  EXPECT_EQ(poller.add(socket.get(), 0, !write, write), 0);
  return !poller.wait(kPatience).empty();
}

inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

inline std::string text_of(std::span<const std::byte> bytes) {
  std::string text(bytes.size(), '\0');
  if (!bytes.empty()) std::memcpy(text.data(), bytes.data(), bytes.size());
  return text;
}

}  // namespace volley::tests
