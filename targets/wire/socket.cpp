#include "targets/wire/socket.hpp"

#include <fcntl.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <limits>
#include <system_error>

namespace volley {
namespace {

constexpr auto kMostInt = static_cast<std::uint64_t>(std::numeric_limits<int>::max());

int set_option(const Descriptor& socket, int level, int name, int value) {
  return setsockopt(socket.get(), level, name, &value, sizeof value) == 0 ? 0 : errno;
}

// -1 when the socket does not know the option.
int get_option(const Descriptor& socket, int level, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  return getsockopt(socket.get(), level, name, &value, &size) == 0 ? value : -1;
}

int set_buffer(const Descriptor& socket, int name, std::optional<std::uint64_t> bytes,
               Protocol protocol) {
  // TCP sizes its buffers by what the connection needs, and a fixed size switches that off; UDP
  // starts with room for some 256 datagrams, and what does not fit is lost.
  if (!bytes && protocol == Protocol::tcp) return 0;
  const std::uint64_t wanted = std::min(bytes.value_or(kMostInt), kMostInt);
  return set_option(socket, SOL_SOCKET, name, static_cast<int>(wanted));
}

int set_dscp(const Descriptor& socket, unsigned dscp) {
  const auto field = static_cast<int>((dscp & 63U) << 2U);
  // An IPv6 socket may carry IPv4 too, with a field of its own.
  if (get_option(socket, SOL_SOCKET, SO_DOMAIN) == AF_INET6) {
    if (const int error = set_option(socket, IPPROTO_IPV6, IPV6_TCLASS, field)) return error;
  }
  return set_option(socket, IPPROTO_IP, IP_TOS, field);
}

int open_bound(Protocol protocol, const Address& where, const BindOptions& options,
               Descriptor& into) {
  Descriptor socket;
  if (const int error = open_socket(protocol, where.family(), socket)) return error;
  if (where.family() == AF_INET6) {
    // Set either way: the default is the machine's (net.ipv6.bindv6only).
    const int error = set_option(socket, IPPROTO_IPV6, IPV6_V6ONLY, options.v6_only ? 1 : 0);
    if (error != 0) return error;
  }
  if (protocol == Protocol::tcp) {
    // Connections of an earlier run may still be in TIME_WAIT. Never for UDP, where the same
    // option would let two processes have the port.
    if (const int error = set_option(socket, SOL_SOCKET, SO_REUSEADDR, 1)) return error;
  }
  if (options.reuse_port) {
    if (const int error = set_option(socket, SOL_SOCKET, SO_REUSEPORT, 1)) return error;
  }
  if (bind(socket.get(), where.data(), where.size()) != 0) return errno;
  into = std::move(socket);
  return 0;
}

using NameCall = int (*)(int, sockaddr*, socklen_t*);

Address named_by(NameCall call, const Descriptor& socket) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  auto* raw = reinterpret_cast<sockaddr*>(&storage);
  return call(socket.get(), raw, &size) == 0 ? Address(raw, size) : Address();
}

}  // namespace

void Descriptor::close() {
  if (is_open()) ::close(std::exchange(fd_, -1));
}

int open_socket(Protocol protocol, int family, Descriptor& into) {
  const int type = protocol == Protocol::udp ? SOCK_DGRAM : SOCK_STREAM;
  Descriptor opened(::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!opened.is_open()) return errno;
  into = std::move(opened);
  return 0;
}

int apply(const SocketOptions& options, Protocol protocol, const Descriptor& socket) {
  if (int e = set_buffer(socket, SO_RCVBUF, options.rcvbuf_bytes, protocol)) return e;
  if (int e = set_buffer(socket, SO_SNDBUF, options.sndbuf_bytes, protocol)) return e;
  if (options.dscp) {
    if (const int error = set_dscp(socket, *options.dscp)) return error;
  }
  if (protocol == Protocol::udp) return 0;
  if (options.pacing_bits_per_s) {
    const std::uint64_t bytes_per_s = *options.pacing_bits_per_s / 8;
    if (setsockopt(socket.get(), SOL_SOCKET, SO_MAX_PACING_RATE, &bytes_per_s,
                   sizeof bytes_per_s) != 0)
      return errno;
  }
  if (options.nodelay) {
    if (const int error = set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1)) return error;
  }
  if (options.congestion.empty()) return 0;
  const std::string& name = options.congestion;
  const int result = setsockopt(socket.get(), IPPROTO_TCP, TCP_CONGESTION, name.data(),
                                static_cast<socklen_t>(name.size()));
  return result == 0 ? 0 : errno;
}

int let_receive_wait(const Descriptor& socket, Nanos patience) {
  const auto us = std::chrono::ceil<std::chrono::microseconds>(patience);
  const timeval limit{.tv_sec = us / std::chrono::seconds(1),
                      .tv_usec = (us % std::chrono::seconds(1)).count()};
  if (setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) != 0) return errno;
  const int flags = fcntl(socket.get(), F_GETFL);
  if (flags < 0 || fcntl(socket.get(), F_SETFL, flags & ~O_NONBLOCK) != 0) return errno;
  return 0;
}

BufferSizes buffer_sizes(const Descriptor& socket) {
  // The kernel doubles what it is asked for, to pay for its own bookkeeping, and reports the
  // double.
  const auto half = [](int bytes) { return static_cast<std::uint64_t>(std::max(bytes, 0)) / 2; };
  return {.receive_bytes = half(get_option(socket, SOL_SOCKET, SO_RCVBUF)),
          .send_bytes = half(get_option(socket, SOL_SOCKET, SO_SNDBUF))};
}

void close_by_reset(Descriptor& socket) {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  socket.close();
}

int bind_source(const Descriptor& socket, const Address& source) {
  // An IPv6 socket takes the option at this level as well.
  if (const int error = set_option(socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)) return error;
  return change_source(socket, source);
}

int change_source(const Descriptor& socket, const Address& source) {
  return bind(socket.get(), source.data(), source.size()) == 0 ? 0 : errno;
}

int start_connect(const Descriptor& socket, const Address& peer) {
  if (connect(socket.get(), peer.data(), peer.size()) == 0) return 0;
  // Interrupted, a connection goes on being made.
  return errno == EINTR ? EINPROGRESS : errno;
}

int disconnect(const Descriptor& socket) {
  sockaddr nobody{};
  nobody.sa_family = AF_UNSPEC;
  return connect(socket.get(), &nobody, sizeof nobody) == 0 ? 0 : errno;
}

int socket_error(const Descriptor& socket) {
  int value = 0;
  socklen_t size = sizeof value;
  return getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &value, &size) == 0 ? value : errno;
}

Address local_address(const Descriptor& socket) { return named_by(&getsockname, socket); }
Address peer_address(const Descriptor& socket) { return named_by(&getpeername, socket); }

int probe_port(Protocol protocol, const Address& where, const BindOptions& options) {
  if (where.port() == 0) return 0;
  BindOptions alone = options;
  alone.reuse_port = false;
  Descriptor probe;
  return open_bound(protocol, where, alone, probe);
}

int open_listener(Protocol protocol, const Address& where, const BindOptions& options,
                  Descriptor& into) {
  Descriptor socket;
  if (const int error = open_bound(protocol, where, options, socket)) return error;
  if (protocol == Protocol::tcp && listen(socket.get(), options.backlog) != 0) return errno;
  into = std::move(socket);
  return 0;
}

std::string error_text(int errno_value) {
  std::string text = std::generic_category().message(errno_value);
  // "No route to host" begins a sentence; "RFS specific error" begins with a name.
  const auto is = [&](int (*test)(int), std::size_t i) {
    return test(static_cast<unsigned char>(text[i])) != 0;
  };
  if (text.size() > 1 && is(&std::isupper, 0) && !is(&std::isupper, 1)) {
    text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  }
  return text;
}

}  // namespace volley
