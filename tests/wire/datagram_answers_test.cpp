// A socket on the wildcard answers from the address it was asked at, with the time to live it
// wants.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>

#include <cstdlib>
#include <stdexcept>

#include "targets/wire/datagrams.hpp"
#include "tests/wire/loopback_for_tests.hpp"

namespace volley {
namespace {

using namespace tests;

// A network namespace of the test's own for as long as this lives; needs root and iproute2.
class OwnNetwork {
 public:
  OwnNetwork() : before_(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)) {
    made_ = before_.is_open() && unshare(CLONE_NEWNET) == 0;
  }
  OwnNetwork(const OwnNetwork&) = delete;
  OwnNetwork& operator=(const OwnNetwork&) = delete;
  ~OwnNetwork() {
    if (made_) {
      EXPECT_EQ(setns(before_.get(), CLONE_NEWNET), 0);
    }
  }

  [[nodiscard]] bool has(const std::string& ip_arguments) const {
    const std::string command = "ip " + ip_arguments + " 2>/dev/null";
    return made_ && std::system(command.c_str()) == 0;
  }
  // The kernel adds the route to a new IPv6 address in its own time, and drops what is sent there
  // before. False: that took longer than any machine should.
  [[nodiscard]] bool reaches(const std::string& address) const {
    for (const MonoTime end = mono_now() + kPatience; mono_now() < end;)
      if (has("-6 route show table local | grep -qw " + address)) return true;
    return false;
  }

 private:
  Descriptor before_;
  bool made_ = false;
};

struct Exchanged {
  std::string asked_peer;   // who the server saw
  std::string asked_local;  // where it was asked
  int asked_ttl = -2;
  Address answered_by;  // who the client saw
  int answered_ttl = -2;
};

int tell_all(const Descriptor& socket, int family) {
  const int error = tell_local_address(socket, family);
  return error != 0 ? error : tell_ttl(socket, family);
}

Received next(ReceiveBatch& batch, const Descriptor& socket) {
  EXPECT_TRUE(wait_for(socket));
  const int n = batch.receive(socket);
  EXPECT_EQ(n, 1);
  if (n < 1) throw std::runtime_error("no datagram came");  // at(0) would stop all tests
  return batch.at(0);
}

// The client asks at `ask`, the server answers with the ttl given, from where it was asked.
Exchanged exchange(const Descriptor& server, const Descriptor& client, const Address& ask,
                   int ask_ttl, int answer_ttl) {
  EXPECT_EQ(tell_all(server, local_address(server).family()), 0);
  EXPECT_EQ(tell_all(client, local_address(client).family()), 0);
  Exchanged seen;
  SendBatch sending(4);
  ReceiveBatch receiving(4, 64, Details::all);
  sending.add(bytes_of("question"), &ask, nullptr, ask_ttl);
  EXPECT_EQ(sending.send(client), 1);
  const Received question = next(receiving, server);
  seen.asked_peer = question.peer->ip();
  seen.asked_local = question.local.address.ip();
  seen.asked_ttl = question.ttl;

  sending.clear();
  sending.add(question.bytes, question.peer, &question.local, answer_ttl);
  const int sent = sending.send(server);
  EXPECT_EQ(sent, 1) << error_text(-sent);
  ReceiveBatch answers(4, 64, Details::all);
  const Received answer = next(answers, client);
  EXPECT_EQ(text_of(answer.bytes), "question");
  seen.answered_by = *answer.peer;
  seen.answered_ttl = answer.ttl;
  return seen;
}

TEST(Answer, OfAnIpv4WildcardComesFromTheAddressAskedWithTheTtlChosen) {
  const Descriptor server = listener(Protocol::udp, any4());
  const Descriptor client = listener(Protocol::udp, any4());
  const Address ask = Address::v4(0x7F000002, port_of(server));
  const Exchanged seen = exchange(server, client, ask, 33, 77);
  EXPECT_EQ(seen.asked_peer, "127.0.0.1");
  EXPECT_EQ(seen.asked_local, "127.0.0.2");
  EXPECT_EQ(seen.asked_ttl, 33);
  EXPECT_EQ(seen.answered_by, ask);
  EXPECT_EQ(seen.answered_ttl, 77);
}

TEST(Answer, WithoutALocalAddressComesFromWhereTheKernelLikes) {
  // The control of the test above: the kernel would choose 127.0.0.1.
  const Descriptor server = listener(Protocol::udp, any4());
  const Descriptor client = listener(Protocol::udp, loopback4());
  const Address ask = Address::v4(0x7F000002, port_of(server));
  SendBatch sending(1);
  sending.add(bytes_of("question"), &ask);
  ASSERT_EQ(sending.send(client), 1);
  ReceiveBatch receiving(1, 64, Details::none);
  const Received question = next(receiving, server);
  sending.clear();
  sending.add(question.bytes, question.peer, &question.local);
  ASSERT_EQ(sending.send(server), 1);
  ReceiveBatch answers(1, 64, Details::none);
  EXPECT_EQ(*next(answers, client).peer, loopback4(port_of(server)));
}

TEST(Answer, OfADualStackWildcardToAnIpv4PeerComesFromTheAddressAskedWithTheTtlChosen) {
  if (!has_ipv6()) GTEST_SKIP() << "no IPv6 here";
  const Descriptor server = listener(Protocol::udp, any6());
  const Descriptor client = listener(Protocol::udp, any4());
  const Address ask = Address::v4(0x7F000002, port_of(server));
  const Exchanged seen = exchange(server, client, ask, 12, 201);
  EXPECT_EQ(seen.asked_peer, "::ffff:127.0.0.1");
  EXPECT_EQ(seen.asked_local, "::ffff:127.0.0.2");
  EXPECT_EQ(seen.asked_ttl, 12);
  EXPECT_EQ(seen.answered_by, ask);
  EXPECT_EQ(seen.answered_ttl, 201);
}

TEST(Answer, OfADualStackWildcardToAnIpv6PeerHasTheHopLimitChosen) {
  if (!has_ipv6()) GTEST_SKIP() << "no IPv6 here";
  const Descriptor server = listener(Protocol::udp, any6());
  const Descriptor client = listener(Protocol::udp, loopback6());
  const Address ask = loopback6(port_of(server));
  const Exchanged seen = exchange(server, client, ask, 5, 250);
  EXPECT_EQ(seen.asked_peer, "::1");
  EXPECT_EQ(seen.asked_local, "::1");
  EXPECT_EQ(seen.asked_ttl, 5);
  EXPECT_EQ(seen.answered_by, ask);
  EXPECT_EQ(seen.answered_ttl, 250);
}

TEST(Answer, OfAnIpv6WildcardComesFromTheOneOfTwoAddressesAsked) {
  const OwnNetwork network;
  if (!network.has("link set lo up") || !network.has("-6 addr add fd00::a/128 dev lo nodad") ||
      !network.has("-6 addr add fd00::b/128 dev lo nodad")) {
    GTEST_SKIP() << "needs root, iproute2 and IPv6";
  }
  for (const char* ip : {"fd00::a", "fd00::b"}) {
    ASSERT_TRUE(network.reaches(ip));
    const Descriptor server = listener(Protocol::udp, any6());
    const Descriptor client = listener(Protocol::udp, loopback6());
    const Address ask = resolve({.host = ip, .port = port_of(server)}).front();
    const Exchanged seen = exchange(server, client, ask, 64, 65);
    EXPECT_EQ(seen.asked_local, ip);
    EXPECT_EQ(seen.answered_by, ask);
  }
}

TEST(Answer, FromALinkLocalAddressFindsItsInterface) {
  const OwnNetwork network;
  if (!network.has("link set lo up") || !network.has("-6 addr add fe80::5/64 dev lo nodad")) {
    GTEST_SKIP() << "needs root, iproute2 and IPv6";
  }
  ASSERT_TRUE(network.reaches("fe80::5"));
  const Descriptor server = listener(Protocol::udp, any6());
  const Descriptor client = listener(Protocol::udp, any6());
  const Address ask = resolve({.host = "fe80::5%lo", .port = port_of(server)}).front();
  const Exchanged seen = exchange(server, client, ask, 64, 65);
  EXPECT_EQ(seen.asked_local, "fe80::5%lo");
  EXPECT_EQ(seen.answered_by, ask);
  EXPECT_EQ(seen.answered_ttl, 65);
}

TEST(Answer, OfAConnectedSocketTakesATtlInEitherFamily) {
  for (const Address& where : {loopback4(), loopback6()}) {
    if (where.family() == AF_INET6 && !has_ipv6()) continue;
    const Descriptor server = listener(Protocol::udp, where);
    const Descriptor client = listener(Protocol::udp, where);
    ASSERT_EQ(tell_all(server, where.family()), 0);
    ASSERT_EQ(start_connect(client, local_address(server)), 0);
    SendBatch sending(2);
    sending.add(bytes_of("x"), nullptr, nullptr, 42);
    ASSERT_EQ(sending.send(client), 1);
    ReceiveBatch receiving(1, 64, Details::all);
    EXPECT_EQ(next(receiving, server).ttl, 42) << where.text();
  }
}

TEST(Answer, KeepsItsAncillaryDataOverManyCalls) {
  // The kernel writes over the lengths it is given; they must be restored before every call.
  const Descriptor server = listener(Protocol::udp, any4());
  const Descriptor client = listener(Protocol::udp, loopback4());
  ASSERT_EQ(tell_all(server, AF_INET), 0);
  ReceiveBatch receiving(2, 64, Details::all);
  for (unsigned i = 1; i <= 20; ++i) {
    const Address ask = Address::v4(0x7F000000 + i, port_of(server));
    SendBatch sending(1);
    sending.add(bytes_of("x"), &ask, nullptr, static_cast<int>(i));
    ASSERT_EQ(sending.send(client), 1);
    const Received datagram = next(receiving, server);
    EXPECT_EQ(datagram.local.address.ip(), ask.ip());
    EXPECT_EQ(datagram.ttl, static_cast<int>(i));
  }
}

}  // namespace
}  // namespace volley
