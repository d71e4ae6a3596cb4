// Sockets: opening, binding, connecting, options, and the errno values people will meet.
#include "targets/wire/socket.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>

#include "tests/wire/loopback_for_tests.hpp"

namespace volley {
namespace {

using namespace tests;

constexpr std::array kProtocols{Protocol::udp, Protocol::tcp};

int option_of(const Descriptor& socket, int level, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  EXPECT_EQ(getsockopt(socket.get(), level, name, &value, &size), 0);
  return value;
}

std::optional<std::uint64_t> number_in(const char* path) {
  std::ifstream file(path);
  std::uint64_t value = 0;
  if (file >> value) return value;
  return std::nullopt;
}

Descriptor opened(Protocol protocol, int family = AF_INET) {
  Descriptor socket;
  EXPECT_EQ(open_socket(protocol, family, socket), 0);
  return socket;
}

Descriptor accepted(const Descriptor& from) {
  EXPECT_TRUE(wait_for(from));
  Descriptor socket(accept4(from.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  EXPECT_TRUE(socket.is_open());
  return socket;
}

// 0 or the error a connection ends with.
int connected(const Descriptor& socket, const Address& peer) {
  const int error = start_connect(socket, peer);
  if (error != EINPROGRESS) return error;
  EXPECT_TRUE(wait_for(socket, true));
  return socket_error(socket);
}

bool is_open_in_kernel(int fd) { return fcntl(fd, F_GETFD) >= 0; }

TEST(Descriptor, ClosesOnceAtTheEndOfItsLifeAndMovesItsDuty) {
  int fd = -1;
  {
    Descriptor first = opened(Protocol::udp);
    fd = first.get();
    Descriptor second = std::move(first);
    EXPECT_TRUE(is_open_in_kernel(fd));
    Descriptor other = opened(Protocol::udp);
    const int replaced = other.get();
    other = std::move(second);
    EXPECT_FALSE(is_open_in_kernel(replaced));
    EXPECT_EQ(other.get(), fd);
  }
  EXPECT_FALSE(is_open_in_kernel(fd));
  Descriptor kept = opened(Protocol::tcp);
  const int released = kept.release();
  EXPECT_FALSE(kept.is_open());
  EXPECT_EQ(::close(released), 0);
}

TEST(Socket, IsNonBlockingAndClosedOnExec) {
  for (const Protocol protocol : kProtocols) {
    const Descriptor socket = opened(protocol);
    EXPECT_NE(fcntl(socket.get(), F_GETFL) & O_NONBLOCK, 0);
    EXPECT_NE(fcntl(socket.get(), F_GETFD) & FD_CLOEXEC, 0);
  }
}

TEST(Socket, OfAnUnknownFamilyIsRefusedWithItsErrno) {
  Descriptor socket;
  EXPECT_EQ(open_socket(Protocol::udp, 250, socket), EAFNOSUPPORT);
  EXPECT_FALSE(socket.is_open());
}

TEST(Connecting, ReachesAListenerAndBothEndsKnowEachOther) {
  const Descriptor server = listener(Protocol::tcp, loopback4());
  const Descriptor client = opened(Protocol::tcp);
  ASSERT_EQ(connected(client, local_address(server)), 0);
  const Descriptor served = accepted(server);
  EXPECT_EQ(peer_address(client), local_address(server));
  EXPECT_EQ(peer_address(served), local_address(client));
  EXPECT_FALSE(peer_address(server).valid());
}

TEST(Connecting, ToAPortWhereNothingListensIsRefused) {
  // Bound and not listening: nobody else can get the port meanwhile.
  const Descriptor holder = opened(Protocol::tcp);
  const Address where = loopback4();
  ASSERT_EQ(bind(holder.get(), where.data(), where.size()), 0);
  const Descriptor client = opened(Protocol::tcp);
  EXPECT_EQ(connected(client, local_address(holder)), ECONNREFUSED);
}

TEST(Connecting, ByUdpToAClosedPortShowsTheRefusalOnTheSocket) {
  // A socket connected to itself takes no datagram of ours, so the kernel calls its port closed.
  const Descriptor holder = listener(Protocol::udp, loopback4());
  ASSERT_EQ(start_connect(holder, local_address(holder)), 0);
  const Descriptor client = opened(Protocol::udp);
  ASSERT_EQ(start_connect(client, local_address(holder)), 0);
  ASSERT_EQ(send(client.get(), "x", 1, 0), 1);
  ASSERT_TRUE(wait_for(client));
  EXPECT_EQ(socket_error(client), ECONNREFUSED);
  EXPECT_EQ(socket_error(client), 0) << "reading the error clears it";
}

TEST(Listener, OnAPortInUseIsRefusedForBothProtocols) {
  for (const Protocol protocol : kProtocols) {
    const Descriptor first = listener(protocol, loopback4());
    Descriptor second;
    EXPECT_EQ(open_listener(protocol, local_address(first), {}, second), EADDRINUSE);
    EXPECT_FALSE(second.is_open());
    EXPECT_EQ(probe_port(protocol, local_address(first)), EADDRINUSE);
  }
}

TEST(Listener, SharesItsPortOnlyWhenBothSidesAskAndTheProbeStillSeesIt) {
  const BindOptions sharing{.reuse_port = true};
  for (const Protocol protocol : kProtocols) {
    const Descriptor first = listener(protocol, loopback4(), sharing);
    const Address where = local_address(first);
    const Descriptor second = listener(protocol, where, sharing);
    EXPECT_EQ(port_of(second), where.port());
    EXPECT_EQ(probe_port(protocol, where, sharing), EADDRINUSE);
    Descriptor alone;
    EXPECT_EQ(open_listener(protocol, where, {}, alone), EADDRINUSE);
  }
}

TEST(Probe, LeavesAFreePortFree) {
  for (const Protocol protocol : kProtocols) {
    EXPECT_EQ(probe_port(protocol, loopback4()), 0);
    Address where;
    { where = local_address(listener(protocol, loopback4())); }
    EXPECT_EQ(probe_port(protocol, where), 0);
    EXPECT_EQ(probe_port(protocol, where), 0);
    EXPECT_TRUE(listener(protocol, where).is_open());
  }
}

TEST(Listener, TakesItsPortBackWhileOldConnectionsAreInTimeWait) {
  Address where;
  {
    const Descriptor server = listener(Protocol::tcp, loopback4());
    where = local_address(server);
    const Descriptor client = opened(Protocol::tcp);
    ASSERT_EQ(connected(client, where), 0);
    Descriptor served = accepted(server);
    served.close();  // the side that closes first keeps TIME_WAIT
    ASSERT_TRUE(wait_for(client));
    char byte = 0;
    EXPECT_EQ(recv(client.get(), &byte, 1, 0), 0);
  }
  EXPECT_EQ(probe_port(Protocol::tcp, where), 0);
  EXPECT_TRUE(listener(Protocol::tcp, where).is_open());
}

TEST(Listener, OnAnAddressThatIsNotOursIsRefused) {
  Descriptor socket;
  // 192.0.2.0/24 is for documentation; the last address of it is nobody's.
  EXPECT_EQ(open_listener(Protocol::udp, Address::v4(0xC00002FF - 1, 0), {}, socket),
            EADDRNOTAVAIL);
}

TEST(Listener, OnALowPortIsRefusedToANobody) {
  if (number_in("/proc/sys/net/ipv4/ip_unprivileged_port_start").value_or(1024) <= 1) {
    GTEST_SKIP() << "here everybody may bind low ports";
  }
  const bool is_root = geteuid() == 0;
  if (is_root) {
    ASSERT_EQ(seteuid(65534), 0);
  }
  for (const Protocol protocol : kProtocols) {
    Descriptor socket;
    EXPECT_EQ(open_listener(protocol, loopback4(1), {}, socket), EACCES);
    EXPECT_EQ(probe_port(protocol, loopback4(1)), EACCES);
  }
  if (is_root) {
    ASSERT_EQ(seteuid(0), 0);
  }
}

TEST(Listener, OnTheIpv6WildcardTakesIpv4TooUnlessToldNot) {
  if (!has_ipv6()) GTEST_SKIP() << "no IPv6 here";
  const Descriptor both = listener(Protocol::tcp, any6());
  const Descriptor client = opened(Protocol::tcp);
  ASSERT_EQ(connected(client, loopback4(port_of(both))), 0);
  EXPECT_EQ(peer_address(accepted(both)).ip(), "::ffff:127.0.0.1");

  const Descriptor v4 = listener(Protocol::tcp, any4());
  Descriptor v6;
  EXPECT_EQ(open_listener(Protocol::tcp, any6(port_of(v4)), {}, v6), EADDRINUSE);
  EXPECT_EQ(open_listener(Protocol::tcp, any6(port_of(v4)), {.v6_only = true}, v6), 0);
}

TEST(Closing, ByResetIsSeenAsAResetByThePeer) {
  const Descriptor server = listener(Protocol::tcp, loopback4());
  Descriptor client = opened(Protocol::tcp);
  ASSERT_EQ(connected(client, local_address(server)), 0);
  const Descriptor served = accepted(server);
  close_by_reset(client);
  EXPECT_FALSE(client.is_open());
  ASSERT_TRUE(wait_for(served));
  char byte = 0;
  EXPECT_EQ(recv(served.get(), &byte, 1, 0), -1);
  EXPECT_EQ(errno, ECONNRESET);
}

TEST(Options, GiveUdpTheLargestBuffersTheKernelGrants) {
  const auto most_receive = number_in("/proc/sys/net/core/rmem_max");
  const auto most_send = number_in("/proc/sys/net/core/wmem_max");
  if (!most_receive || !most_send) GTEST_SKIP() << "the limits cannot be read here";
  const Descriptor socket = opened(Protocol::udp);
  ASSERT_EQ(apply({}, Protocol::udp, socket), 0);
  EXPECT_EQ(buffer_sizes(socket).receive_bytes, *most_receive);
  EXPECT_EQ(buffer_sizes(socket).send_bytes, *most_send);
}

TEST(Options, LeaveTcpBuffersToTheKernelUnlessASizeIsAsked) {
  const Descriptor socket = opened(Protocol::tcp);
  const BufferSizes before = buffer_sizes(socket);
  ASSERT_EQ(apply({}, Protocol::tcp, socket), 0);
  EXPECT_EQ(buffer_sizes(socket).receive_bytes, before.receive_bytes);
  EXPECT_EQ(buffer_sizes(socket).send_bytes, before.send_bytes);
  SocketOptions options;
  options.rcvbuf_bytes = 30'000;
  options.sndbuf_bytes = 40'000;
  ASSERT_EQ(apply(options, Protocol::tcp, socket), 0);
  EXPECT_EQ(buffer_sizes(socket).receive_bytes, 30'000U);
  EXPECT_EQ(buffer_sizes(socket).send_bytes, 40'000U);
}

TEST(Options, CapABufferLargerThanAnIntInsteadOfWrappingIt) {
  SocketOptions options;
  options.rcvbuf_bytes = (std::uint64_t{1} << 32U) + 1;
  const Descriptor huge = opened(Protocol::udp);
  ASSERT_EQ(apply(options, Protocol::udp, huge), 0);
  const Descriptor largest = opened(Protocol::udp);
  ASSERT_EQ(apply({}, Protocol::udp, largest), 0);
  EXPECT_EQ(buffer_sizes(huge).receive_bytes, buffer_sizes(largest).receive_bytes);
}

TEST(Options, SetNodelayAndCongestionControlOnTcp) {
  const Descriptor socket = opened(Protocol::tcp);
  SocketOptions options;
  options.congestion = "reno";  // built into every kernel
  ASSERT_EQ(apply(options, Protocol::tcp, socket), 0);
  EXPECT_EQ(option_of(socket, IPPROTO_TCP, TCP_NODELAY), 1);
  std::array<char, 16> name{};
  socklen_t size = name.size();
  ASSERT_EQ(getsockopt(socket.get(), IPPROTO_TCP, TCP_CONGESTION, name.data(), &size), 0);
  EXPECT_STREQ(name.data(), "reno");
  options.congestion = "nosuchcontrol";
  EXPECT_EQ(apply(options, Protocol::tcp, socket), ENOENT);

  const Descriptor delaying = opened(Protocol::tcp);
  SocketOptions nagle;
  nagle.nodelay = false;
  ASSERT_EQ(apply(nagle, Protocol::tcp, delaying), 0);
  EXPECT_EQ(option_of(delaying, IPPROTO_TCP, TCP_NODELAY), 0);
}

TEST(Options, MarkBothFamiliesWithTheDscpAsked) {
  SocketOptions options;
  options.dscp = 46;
  for (const Protocol protocol : kProtocols) {
    const Descriptor v4 = opened(protocol);
    ASSERT_EQ(apply(options, protocol, v4), 0);
    EXPECT_EQ(option_of(v4, IPPROTO_IP, IP_TOS), 46 << 2);
    if (!has_ipv6()) continue;
    const Descriptor v6 = opened(protocol, AF_INET6);
    ASSERT_EQ(apply(options, protocol, v6), 0);
    EXPECT_EQ(option_of(v6, IPPROTO_IPV6, IPV6_TCLASS), 46 << 2);
    EXPECT_EQ(option_of(v6, IPPROTO_IP, IP_TOS), 46 << 2);
  }
}

TEST(ErrorText, ContinuesASentence) {
  EXPECT_EQ(error_text(ECONNREFUSED), "connection refused");
  EXPECT_EQ(error_text(EADDRINUSE), "address already in use");
  EXPECT_EQ(error_text(EHOSTUNREACH), "no route to host");
  EXPECT_EQ(error_text(EADV), "advertise error");
  EXPECT_EQ(error_text(ENOTUNIQ), "name not unique on network");
  EXPECT_EQ(error_text(EDOTDOT), "RFS specific error");
  EXPECT_EQ(error_text(123456), "unknown error 123456");
}

// The local port and the address of what the listener accepted next.
Address next_peer(const Descriptor& from) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  auto* raw = reinterpret_cast<sockaddr*>(&storage);
  EXPECT_TRUE(wait_for(from));
  const Descriptor peer(accept4(from.get(), raw, &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
  return {raw, size};
}

TEST(Disconnect, ResetsTheConnectionAndLeavesASocketAsGoodAsNew) {
  const Descriptor from = listener(Protocol::tcp, loopback4());
  const Descriptor socket = opened(Protocol::tcp);
  ASSERT_EQ(connected(socket, local_address(from)), 0);
  const Descriptor first = accepted(from);
  const Address first_peer = peer_address(first);
  ASSERT_EQ(send(first.get(), "old", 3, MSG_NOSIGNAL), 3);
  ASSERT_TRUE(wait_for(socket));
  ASSERT_EQ(disconnect(socket), 0);
  std::array<char, 8> buffer{};
  EXPECT_EQ(recv(first.get(), buffer.data(), buffer.size(), 0), -1);
  EXPECT_EQ(errno, ECONNRESET);

  ASSERT_EQ(connected(socket, local_address(from)), 0);
  const Descriptor second = accepted(from);
  EXPECT_NE(peer_address(second).port(), first_peer.port());
  EXPECT_EQ(recv(socket.get(), buffer.data(), buffer.size(), 0), -1);  // nothing of the old one
  EXPECT_EQ(errno, EAGAIN);
  EXPECT_EQ(option_of(socket, SOL_SOCKET, SO_ERROR), 0);
}

TEST(Source, TheNextConnectionOfTheSameSocketMayComeFromElsewhere) {
  const Descriptor from = listener(Protocol::tcp, loopback4());
  const Descriptor socket = opened(Protocol::tcp);
  ASSERT_EQ(bind_source(socket, Address::v4(0x7F000002, 0)), 0);
  EXPECT_EQ(local_address(socket).port(), 0);  // the port waits for the peer
  ASSERT_EQ(connected(socket, local_address(from)), 0);
  EXPECT_EQ(next_peer(from).ip(), "127.0.0.2");
  ASSERT_EQ(disconnect(socket), 0);
  ASSERT_EQ(change_source(socket, Address::v4(0x7F000003, 0)), 0);
  ASSERT_EQ(connected(socket, local_address(from)), 0);
  EXPECT_EQ(next_peer(from).ip(), "127.0.0.3");
}

TEST(Source, IsKnownToUdpAndToIpv6AsWell) {
  const Descriptor server = listener(Protocol::udp, loopback4());
  const Descriptor socket = opened(Protocol::udp);
  ASSERT_EQ(bind_source(socket, Address::v4(0x7F000002, 0)), 0);
  ASSERT_EQ(start_connect(socket, local_address(server)), 0);
  EXPECT_EQ(local_address(socket).ip(), "127.0.0.2");
  EXPECT_NE(local_address(socket).port(), 0);
  if (!has_ipv6()) GTEST_SKIP() << "no IPv6 here";
  for (const Protocol protocol : kProtocols)
    EXPECT_EQ(bind_source(opened(protocol, AF_INET6), loopback6()), 0);
}

TEST(Source, AnAddressOfSomebodyElseIsRefused) {
  EXPECT_EQ(bind_source(opened(Protocol::tcp), Address::v4(0xC0000201, 0)), EADDRNOTAVAIL);
}

}  // namespace
}  // namespace volley
