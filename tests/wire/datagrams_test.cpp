// Batches of datagrams over loopback: how many, which bytes, from whom, cut short or not.
#include "targets/wire/datagrams.hpp"

#include <gtest/gtest.h>

#include <cerrno>

#include "tests/wire/loopback_for_tests.hpp"

namespace volley {
namespace {

using namespace tests;

// Receives until `count` datagrams have come, and hands each to `see`.
template <typename F>
void receive_exactly(ReceiveBatch& batch, const Descriptor& socket, std::size_t count, F see) {
  std::size_t got = 0;
  while (got < count) {
    ASSERT_TRUE(wait_for(socket)) << got << " of " << count << " came";
    const int n = batch.receive(socket);
    ASSERT_GE(n, 0) << error_text(-n);
    for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i, ++got) see(batch.at(i));
  }
  EXPECT_EQ(got, count);
  EXPECT_EQ(batch.receive(socket), 0);
}

TEST(Batch, CarriesEveryDatagramInOrderAndAtMostItsSlotsACall) {
  const Descriptor server = listener(Protocol::udp, loopback4());
  const Descriptor client = listener(Protocol::udp, loopback4());
  const Address to = local_address(server);
  constexpr std::size_t kCount = 20;
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < kCount; ++i) texts.push_back("datagram " + std::to_string(i));

  SendBatch sending(kCount);
  for (const std::string& text : texts) sending.add(bytes_of(text), &to);
  EXPECT_TRUE(sending.full());
  EXPECT_EQ(sending.size(), kCount);
  ASSERT_EQ(sending.send(client), static_cast<int>(kCount));

  ReceiveBatch receiving(8, 64, Details::none);
  std::size_t next = 0;
  while (next < kCount) {
    ASSERT_TRUE(wait_for(server));
    const int n = receiving.receive(server);
    ASSERT_GE(n, 1);
    ASSERT_LE(n, 8);
    for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i, ++next) {
      const Received datagram = receiving.at(i);
      EXPECT_EQ(text_of(datagram.bytes), texts[next]);
      EXPECT_EQ(*datagram.peer, local_address(client));
      EXPECT_FALSE(datagram.truncated);
      EXPECT_FALSE(datagram.local.address.valid());
      EXPECT_EQ(datagram.ttl, -1);
    }
  }
  EXPECT_EQ(next, kCount);
  EXPECT_EQ(receiving.receive(server), 0);
}

TEST(Batch, DividedDatagramsComeJoinedOrEachForItself) {
  for (const bool joins : {false, true}) {
    const Descriptor server = listener(Protocol::udp, loopback4());
    const Descriptor client = listener(Protocol::udp, loopback4());
    if (!can_divide(client) || (joins && join_datagrams(server) != 0))
      GTEST_SKIP() << "this kernel divides no datagrams";
    const Address to = local_address(server);
    std::string text;
    for (char c = 'a'; c < 'k'; ++c) text += std::string(100, c);
    text.resize(950);  // the last one is shorter
    SendBatch sending(2);
    sending.add(bytes_of(text), &to, nullptr, -1, 100);
    sending.add(bytes_of("alone"), &to, nullptr, -1, 100);
    ASSERT_EQ(sending.send(client), 2);

    ReceiveBatch receiving(32, 65'536, Details::segments);
    std::string all;
    std::size_t datagrams = 0;
    while (all.size() < text.size() + 5) {
      ASSERT_TRUE(wait_for(server));
      const int n = receiving.receive(server);
      ASSERT_GE(n, 1);
      for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
        const Received slot = receiving.at(i);
        all += text_of(slot.bytes);
        datagrams += slot.segment_bytes == 0 ? 1 : (slot.bytes.size() + 99) / 100;
        if (slot.segment_bytes != 0) {
          EXPECT_EQ(slot.segment_bytes, 100U);
          EXPECT_GT(slot.bytes.size(), 100U);
        }
        EXPECT_EQ(*slot.peer, local_address(client));
        EXPECT_TRUE(joins || slot.segment_bytes == 0);
      }
    }
    EXPECT_EQ(all, text + "alone");
    EXPECT_EQ(datagrams, 11U);
  }
}

TEST(Batch, TakesNoMoreThanItIsAskedFor) {
  const Descriptor server = listener(Protocol::udp, loopback4());
  const Descriptor client = listener(Protocol::udp, loopback4());
  const Address to = local_address(server);
  SendBatch sending(6);
  for (const std::string_view text : {"a", "b", "c", "d", "e", "f"})
    sending.add(bytes_of(text), &to);
  ASSERT_EQ(sending.send(client), 6);
  ReceiveBatch receiving(8, 64, Details::all);
  ASSERT_TRUE(wait_for(server));
  ASSERT_EQ(receiving.receive(server, 1), 1);
  EXPECT_EQ(text_of(receiving.at(0).bytes), "a");
  EXPECT_EQ(*receiving.at(0).peer, local_address(client));
  ASSERT_EQ(receiving.receive(server, 2), 2);
  EXPECT_EQ(text_of(receiving.at(1).bytes), "c");
  EXPECT_EQ(receiving.await(server, 1), 1);
  EXPECT_EQ(text_of(receiving.at(0).bytes), "d");
  EXPECT_EQ(receiving.receive(server), 2);
  EXPECT_EQ(receiving.receive(server, 1), 0);
}

TEST(Batch, ALookAsksAsOftenAsItIsToldAndNoLongerThanItMust) {
  for (const Details details : {Details::none, Details::all}) {
    const Descriptor server = listener(Protocol::udp, loopback4());
    const Descriptor client = listener(Protocol::udp, loopback4());
    ReceiveBatch receiving(2, 8, details);
    auto looked = receiving.look(server, 3);
    EXPECT_EQ(looked.received, 0);
    EXPECT_EQ(looked.calls, 3U);
    const Address to = local_address(server);
    EXPECT_EQ(send_datagram(client, bytes_of("123456789"), &to), 0);
    ASSERT_TRUE(wait_for(server));
    looked = receiving.look(server, 3);
    ASSERT_EQ(looked.received, 1);
    EXPECT_EQ(looked.calls, 1U);
    EXPECT_EQ(text_of(receiving.at(0).bytes), "12345678");
    EXPECT_TRUE(receiving.at(0).truncated);
    EXPECT_EQ(*receiving.at(0).peer, local_address(client));

    // Connected to itself, the server's port counts as closed for the client.
    ASSERT_EQ(start_connect(server, local_address(server)), 0);
    ASSERT_EQ(start_connect(client, local_address(server)), 0);
    EXPECT_EQ(send_datagram(client, bytes_of("1"), &to), 0);
    ASSERT_TRUE(wait_for(client));
    looked = receiving.look(client, 3);
    EXPECT_EQ(looked.received, -ECONNREFUSED);
    EXPECT_EQ(looked.calls, 1U);
  }
}

TEST(Batch, APeerThatIsAssumedIsToldWithoutBeingAsked) {
  for (const Details details : {Details::none, Details::all}) {
    const Descriptor server = listener(Protocol::udp, loopback4());
    const Descriptor client = listener(Protocol::udp, loopback4());
    ReceiveBatch receiving(4, 64, details);
    // Not who sends, so that it shows who says so.
    const Address assumed = loopback4(9);
    receiving.assume_peer(assumed);
    const Address to = local_address(server);
    for (const std::string_view text : {"1", "2", "3", "4"})
      EXPECT_EQ(send_datagram(client, bytes_of(text), &to), 0);
    ASSERT_TRUE(wait_for(server));
    ASSERT_EQ(receiving.receive(server, 1), 1);
    EXPECT_EQ(text_of(receiving.at(0).bytes), "1");
    EXPECT_EQ(*receiving.at(0).peer, assumed);
    ASSERT_EQ(receiving.look(server, 1).received, 1);
    EXPECT_EQ(*receiving.at(0).peer, assumed);
    ASSERT_EQ(receiving.receive(server), 2);
    EXPECT_EQ(text_of(receiving.at(1).bytes), "4");
    EXPECT_EQ(*receiving.at(0).peer, assumed);
    EXPECT_EQ(*receiving.at(1).peer, assumed);
  }
}

TEST(Batch, OneDatagramLeavesAConnectedSocketWithoutAPeer) {
  const Descriptor server = listener(Protocol::udp, loopback4());
  const Descriptor client = listener(Protocol::udp, loopback4());
  EXPECT_EQ(send_datagram(client, bytes_of("nowhere"), nullptr), EDESTADDRREQ);
  ASSERT_EQ(start_connect(client, local_address(server)), 0);
  EXPECT_EQ(send_datagram(client, bytes_of("there"), nullptr), 0);
  ASSERT_TRUE(wait_for(server));
  ReceiveBatch receiving(1, 64, Details::none);
  ASSERT_EQ(receiving.receive(server, 1), 1);
  EXPECT_EQ(text_of(receiving.at(0).bytes), "there");
}

TEST(Batch, OneDatagramThatCannotLeaveSaysWhy) {
  const Descriptor client = listener(Protocol::udp, loopback4());
  const std::vector<std::byte> too_large(70'000);
  const Address itself = local_address(client);
  EXPECT_EQ(send_datagram(client, too_large, &itself), EMSGSIZE);
}

TEST(Batch, AWaitForOneEndsWithItsPatience) {
  const Descriptor server = listener(Protocol::udp, loopback4());
  ASSERT_EQ(let_receive_wait(server, std::chrono::milliseconds(20)), 0);
  ReceiveBatch receiving(2, 64, Details::none);
  const MonoTime began = mono_now();
  EXPECT_EQ(receiving.await(server, 1), 0);
  // The kernel never waits shorter than it was asked to.
  EXPECT_GE(mono_now() - began, std::chrono::milliseconds(20));
  // Others that do not ask to wait still do not.
  EXPECT_EQ(receiving.receive(server), 0);
}

TEST(Batch, TellsACutDatagramFromOneThatJustFits) {
  const Descriptor server = listener(Protocol::udp, loopback4());
  const Descriptor client = listener(Protocol::udp, loopback4());
  const Address to = local_address(server);
  const std::string text(101, 'a');
  SendBatch sending(4);
  for (const std::size_t size : {0U, 99U, 100U, 101U}) {
    sending.add(bytes_of(std::string_view(text).substr(0, size)), &to);
  }
  ASSERT_EQ(sending.send(client), 4);

  ReceiveBatch receiving(16, 100, Details::all);
  std::vector<std::size_t> sizes;
  std::vector<bool> cut;
  receive_exactly(receiving, server, 4, [&](const Received& datagram) {
    sizes.push_back(datagram.bytes.size());
    cut.push_back(datagram.truncated);
  });
  EXPECT_EQ(sizes, (std::vector<std::size_t>{0, 99, 100, 100}));
  EXPECT_EQ(cut, (std::vector<bool>{false, false, false, true}));
}

TEST(Batch, CarriesTheLargestDatagram) {
  const Descriptor server = listener(Protocol::udp, loopback4());
  const Descriptor client = listener(Protocol::udp, loopback4());
  ASSERT_EQ(apply({}, Protocol::udp, client), 0);
  const Address to = local_address(server);
  const std::string text(65507, 'z');
  SendBatch sending(1);
  sending.add(bytes_of(text), &to);
  ASSERT_EQ(sending.send(client), 1);
  ReceiveBatch receiving(2, 65536, Details::segments);
  receive_exactly(receiving, server, 1,
                  [&](const Received& datagram) { EXPECT_EQ(text_of(datagram.bytes), text); });
}

TEST(Batch, StopsBeforeADatagramThatCannotBeSentAndSaysWhy) {
  const Descriptor server = listener(Protocol::udp, loopback4());
  const Descriptor client = listener(Protocol::udp, loopback4());
  const Address to = local_address(server);
  const std::string too_large(65508, 'x');
  SendBatch sending(3);
  sending.add(bytes_of("first"), &to);
  sending.add(bytes_of(too_large), &to);
  sending.add(bytes_of("third"), &to);
  EXPECT_EQ(sending.send(client), 1);
  EXPECT_EQ(sending.send(client, 1), -EMSGSIZE);
  EXPECT_EQ(sending.send(client, 2), 1);
  EXPECT_EQ(sending.send(client, 3), 0);

  std::vector<std::string> came;
  ReceiveBatch receiving(4, 64, Details::none);
  receive_exactly(receiving, server, 2,
                  [&](const Received& datagram) { came.push_back(text_of(datagram.bytes)); });
  EXPECT_EQ(came, (std::vector<std::string>{"first", "third"}));
}

TEST(Batch, OfAConnectedSocketNeedsNoPeerAndReportsARefusal) {
  const Descriptor server = listener(Protocol::udp, loopback4());
  const Descriptor client = listener(Protocol::udp, loopback4());
  ASSERT_EQ(start_connect(client, local_address(server)), 0);
  SendBatch sending(2);
  sending.add(bytes_of("one"));
  EXPECT_EQ(sending.send(client), 1);
  ReceiveBatch receiving(2, 64, Details::none);
  receive_exactly(receiving, server, 1,
                  [&](const Received& datagram) { EXPECT_EQ(text_of(datagram.bytes), "one"); });

  // Connected to itself, the server takes nothing of the client's: its port counts as closed.
  ASSERT_EQ(start_connect(server, local_address(server)), 0);
  EXPECT_EQ(sending.send(client), 1);
  ASSERT_TRUE(wait_for(client));
  EXPECT_EQ(receiving.receive(client), -ECONNREFUSED);
  EXPECT_EQ(receiving.receive(client), 0);
}

TEST(Batch, IsEmptyAfterClearAndForgetsTheSlotsOldPeer) {
  const Descriptor server = listener(Protocol::udp, loopback4());
  const Descriptor other = listener(Protocol::udp, loopback4());
  const Descriptor client = listener(Protocol::udp, loopback4());
  const Address to_other = local_address(other);
  const LocalAddress from{.address = local_address(client), .interface = 0};
  SendBatch sending(1);
  sending.add(bytes_of("to the other"), &to_other, &from, 9);
  sending.clear();
  EXPECT_EQ(sending.size(), 0U);
  EXPECT_EQ(sending.send(client), 0);
  ASSERT_EQ(start_connect(client, local_address(server)), 0);
  sending.add(bytes_of("to the server"));
  EXPECT_EQ(sending.send(client), 1);
  ReceiveBatch receiving(1, 64, Details::none);
  receive_exactly(receiving, server, 1, [](const Received&) {});
  EXPECT_EQ(receiving.receive(other), 0);
}

TEST(Batch, MovesWithItsMemory) {
  const Descriptor server = listener(Protocol::udp, loopback4());
  const Descriptor client = listener(Protocol::udp, loopback4());
  const Address to = local_address(server);
  SendBatch first(1);
  first.add(bytes_of("moved"), &to);
  SendBatch sending = std::move(first);
  ASSERT_EQ(sending.send(client), 1);
  ReceiveBatch original(1, 64, Details::all);
  ReceiveBatch receiving = std::move(original);
  receive_exactly(receiving, server, 1,
                  [](const Received& datagram) { EXPECT_EQ(text_of(datagram.bytes), "moved"); });
}

TEST(Batch, OfOneDatagramTellsPeerAndTruncationWithAndWithoutDetails) {
  for (const Details details : {Details::none, Details::segments, Details::all}) {
    const Descriptor server = listener(Protocol::udp, loopback4());
    const Descriptor client = listener(Protocol::udp, loopback4());
    const Address to = local_address(server);
    ReceiveBatch receiving(2, 8, details);
    for (const char* text : {"", "12345678", "123456789"}) {
      SendBatch sending(1);
      sending.add(bytes_of(text), &to);
      ASSERT_EQ(sending.send(client), 1);
      ASSERT_TRUE(wait_for(server));
      ASSERT_EQ(receiving.receive(server, 1), 1);
      const Received datagram = receiving.at(0);
      EXPECT_EQ(*datagram.peer, local_address(client));
      EXPECT_EQ(text_of(datagram.bytes), std::string_view(text).substr(0, 8));
      EXPECT_EQ(datagram.truncated, std::string_view(text).size() > 8) << text;
      EXPECT_EQ(datagram.segment_bytes, 0U);
    }
    EXPECT_EQ(receiving.receive(server, 1), 0);
  }
}

}  // namespace
}  // namespace volley
