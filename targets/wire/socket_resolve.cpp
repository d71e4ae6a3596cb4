// Names to addresses, by asio's resolver (the C library's getaddrinfo, with asio's error texts).
#include <arpa/inet.h>
#include <fmt/format.h>
#include <net/if.h>

#include <algorithm>
#include <asio/io_context.hpp>
#include <asio/ip/udp.hpp>
#include <charconv>

#include "reports/measure/ensure.hpp"
#include "targets/wire/socket.hpp"

namespace volley {
namespace {

[[noreturn]] void refuse(const std::string& text) {
  throw RunError("unresolvable", "resolve", text);
}

bool takes(Family family, const Address& address) {
  if (family == Family::any) return true;
  return address.family() == (family == Family::v4 ? AF_INET : AF_INET6);
}

// An interface by name or by number; 0: there is none of that name.
std::uint32_t scope_index(const std::string& scope) {
  std::uint32_t index = 0;
  const char* end = scope.data() + scope.size();
  const auto [stop, error] = std::from_chars(scope.data(), end, index);
  if (error == std::errc{} && stop == end) return index;
  return if_nametoindex(scope.c_str());
}

// Not getaddrinfo with AI_NUMERICHOST: it takes "010.0.0.1" for an address in octal. An invalid
// Address when the host is a name.
Address literal(const HostPort& where) {
  in_addr v4{};
  if (inet_pton(AF_INET, where.host.c_str(), &v4) == 1) {
    return Address::v4(ntohl(v4.s_addr), where.port);
  }
  const std::size_t percent = where.host.find('%');
  in6_addr v6{};
  if (inet_pton(AF_INET6, where.host.substr(0, percent).c_str(), &v6) != 1) return {};
  if (percent == std::string::npos) return Address::v6(v6, where.port);
  const std::string scope = where.host.substr(percent + 1);
  const std::uint32_t index = scope_index(scope);
  if (index == 0) {
    refuse(fmt::format("{}: no such network interface ({}); list them with `ip link`", where.host,
                       scope));
  }
  return Address::v6(v6, where.port, index);
}

asio::ip::udp::resolver::results_type ask_resolver(const HostPort& where, Family family,
                                                   asio::error_code& error) {
  asio::io_context context(1);
  asio::ip::udp::resolver resolver(context);
  // No flags: asio's default (AI_ADDRCONFIG) hides ::1 where only loopback has an IPv6 address.
  const asio::ip::resolver_base::flags none{};
  const std::string port = std::to_string(where.port);
  if (family == Family::any) return resolver.resolve(where.host, port, none, error);
  const auto protocol = family == Family::v4 ? asio::ip::udp::v4() : asio::ip::udp::v6();
  return resolver.resolve(protocol, where.host, port, none, error);
}

}  // namespace

std::vector<Address> resolve(const HostPort& where, Family family) {
  if (const Address address = literal(where); address.valid()) {
    if (takes(family, address)) return {address};
    refuse(fmt::format("{}: not an {} address; give one, or do not restrict the family", where.host,
                       family == Family::v4 ? "IPv4" : "IPv6"));
  }
  asio::error_code error;
  const auto results = ask_resolver(where, family, error);
  std::vector<Address> addresses;
  for (const auto& entry : results) {
    const auto endpoint = entry.endpoint();
    const Address address(endpoint.data(), static_cast<socklen_t>(endpoint.size()));
    // A hosts file may name the same address twice.
    if (std::find(addresses.begin(), addresses.end(), address) == addresses.end()) {
      addresses.push_back(address);
    }
  }
  if (addresses.empty()) {
    refuse(fmt::format("{}: the name does not resolve ({}); check its spelling, or give an address",
                       where.host, error ? error.message() : "no address"));
  }
  return addresses;
}

}  // namespace volley
