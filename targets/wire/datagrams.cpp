// What a UDP socket is told once: what to say beside each datagram, and whether to join and divide;
// and what it has dropped.
#include "targets/wire/datagrams.hpp"

#include <linux/sock_diag.h>
#include <netinet/udp.h>

#include <array>
#include <cerrno>

namespace volley {
namespace {

int switch_on(const Descriptor& socket, int level, int name) {
  const int on = 1;
  return setsockopt(socket.get(), level, name, &on, sizeof on) == 0 ? 0 : errno;
}

}  // namespace

std::optional<std::uint64_t> dropped_datagrams(const Descriptor& socket) {
  std::array<std::uint32_t, SK_MEMINFO_VARS> figures{};
  socklen_t size = sizeof figures;
  if (getsockopt(socket.get(), SOL_SOCKET, SO_MEMINFO, figures.data(), &size) != 0)
    return std::nullopt;
  return figures[SK_MEMINFO_DROPS];
}

// An IPv6 socket may receive IPv4 datagrams, of which only IPv4's options tell.
int tell_local_address(const Descriptor& socket, int family) {
  if (const int error = switch_on(socket, IPPROTO_IP, IP_PKTINFO)) return error;
  return family == AF_INET6 ? switch_on(socket, IPPROTO_IPV6, IPV6_RECVPKTINFO) : 0;
}

int tell_ttl(const Descriptor& socket, int family) {
  if (const int error = switch_on(socket, IPPROTO_IP, IP_RECVTTL)) return error;
  return family == AF_INET6 ? switch_on(socket, IPPROTO_IPV6, IPV6_RECVHOPLIMIT) : 0;
}

int join_datagrams(const Descriptor& socket) { return switch_on(socket, IPPROTO_UDP, UDP_GRO); }

bool can_divide(const Descriptor& socket) {
  int each = 0;
  socklen_t size = sizeof each;
  return getsockopt(socket.get(), IPPROTO_UDP, UDP_SEGMENT, &each, &size) == 0;
}

bool refuses_division(int errno_value) {
  return errno_value == EINVAL || errno_value == EIO || errno_value == EMSGSIZE ||
         errno_value == EOPNOTSUPP;
}

}  // namespace volley
