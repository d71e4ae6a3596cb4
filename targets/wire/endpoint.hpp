// "udp://host:port" as a value. Pure: names are not resolved here (socket.hpp does that).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace volley {

enum class Protocol : std::uint8_t { udp, tcp };
[[nodiscard]] std::string_view to_string(Protocol protocol);

inline constexpr std::uint16_t kDefaultPort = 2924;

struct HostPort {
  std::string
      host;  // a name, an IPv4 address, or an IPv6 address without brackets ("fe80::1%eth0")
  std::uint16_t port = kDefaultPort;
  friend bool operator==(const HostPort&, const HostPort&) = default;
};

struct Endpoint {
  Protocol protocol = Protocol::udp;
  HostPort where;
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

// "host", "host:port", "[::1]", "[::1]:port"; without a port it is `port`. An IPv6 address needs
// its brackets. Port 0 is allowed: a listener lets the kernel pick one. Throws UsageError that
// names `subject`.
[[nodiscard]] HostPort parse_host_port(std::string_view subject, std::string_view text,
                                       std::uint16_t port = kDefaultPort);
// "udp://" or "tcp://" and a host and port, which is not 0. Throws UsageError.
[[nodiscard]] Endpoint parse_endpoint(std::string_view subject, std::string_view text);

// With brackets where needed; parses back.
[[nodiscard]] std::string to_string(const HostPort& where);
[[nodiscard]] std::string to_string(const Endpoint& endpoint);

}  // namespace volley
