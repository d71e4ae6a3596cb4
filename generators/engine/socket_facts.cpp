#include "generators/engine/socket_facts.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

namespace volley {
namespace {

template <class T>
std::optional<T> option(const Descriptor& socket, int level, int name) {
  T value{};
  socklen_t size = sizeof value;
  if (getsockopt(socket.get(), level, name, &value, &size) != 0 || size != sizeof value)
    return std::nullopt;
  return value;
}

}  // namespace

SocketFacts socket_facts(const Descriptor& socket) {
  SocketFacts facts;
  facts.local = local_address(socket);
  const bool v6 = facts.local.family() == AF_INET6;
  const int level = v6 ? IPPROTO_IPV6 : IPPROTO_IP;
  const auto mtu = option<int>(socket, level, v6 ? IPV6_MTU : IP_MTU);
  if (mtu && *mtu > 0) facts.mtu_bytes = static_cast<std::uint64_t>(*mtu);
  const auto field = option<int>(socket, level, v6 ? IPV6_TCLASS : IP_TOS);
  if (field && *field >= 0) facts.dscp = (static_cast<unsigned>(*field) & 0xFFU) >> 2U;
  facts.pacing_bytes_per_s = option<std::uint64_t>(socket, SOL_SOCKET, SO_MAX_PACING_RATE);
  return facts;
}

}  // namespace volley
