#include "targets/serve/cookie.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <list>
#include <random>
#include <set>
#include <utility>

#include "targets/serve/peer_table.hpp"

namespace volley {
namespace {

// The key 00 01 … 0f and the messages "", 00, 00 01, … of the paper's appendix.
HashKey paper_key() { return {0x0706050403020100U, 0x0F0E0D0C0B0A0908U}; }

TEST(KeyedHash, gives_the_vectors_of_the_siphash_paper) {
  std::array<std::byte, 15> message{};
  for (std::size_t i = 0; i < message.size(); ++i) message[i] = static_cast<std::byte>(i);
  EXPECT_EQ(keyed_hash(paper_key(), std::span(message)), 0xA129CA6149BE45E5U);
  EXPECT_EQ(keyed_hash(paper_key(), std::span(message).first(0)), 0x726FDB47DD0E0E31U);
  EXPECT_EQ(keyed_hash(paper_key(), std::span(message).first(8)), 0x93F5F5799A932462U);
}

TEST(Cookie, proves_one_address_and_port_under_one_key) {
  const HashKey key = random_hash_key();
  const Address peer = Address::v4(0xC0000207, 4000);
  const std::uint64_t cookie = cookie_of(key, peer);
  EXPECT_NE(cookie, 0U);
  EXPECT_TRUE(cookie_is_valid(key, peer, cookie));
  EXPECT_FALSE(cookie_is_valid(key, Address::v4(0xC0000207, 4001), cookie));
  EXPECT_FALSE(cookie_is_valid(key, Address::v4(0xC0000208, 4000), cookie));
  EXPECT_FALSE(cookie_is_valid(random_hash_key(), peer, cookie));
  for (unsigned bit = 0; bit < 64; ++bit) {
    EXPECT_FALSE(cookie_is_valid(key, peer, cookie ^ (std::uint64_t{1} << bit)));
  }
}

TEST(PeerTable, stays_as_large_as_it_may_be_and_forgets_the_one_that_was_silent_longest) {
  PeerTable<int> table(3, paper_key());
  const auto peer = [](std::uint16_t port) { return peer_key(Address::v4(0x7F000001, port)); };
  for (std::uint16_t port = 1; port <= 3; ++port) table.touch(peer(port)) = port;
  table.touch(peer(1));
  int made_room = 0;
  table.on_evict([&](int& value) { made_room = value; });
  table.touch(peer(4)) = 4;
  EXPECT_EQ(made_room, 2);
  EXPECT_EQ(table.size(), 3U);
  EXPECT_EQ(table.find(peer(2)), nullptr);
  ASSERT_NE(table.find(peer(1)), nullptr);
  EXPECT_EQ(*table.find(peer(1)), 1);
  EXPECT_EQ(table.touch(peer(2)), 0);  // new again
}

TEST(PeerTable, tells_sessions_families_and_ports_apart) {
  PeerTable<int> table(100, paper_key());
  in6_addr mapped{};
  table.touch(peer_key(Address::v4(0x7F000001, 9)));
  table.touch(peer_key(Address::v4(0x7F000001, 9), 1));
  table.touch(peer_key(Address::v4(0x7F000001, 10)));
  table.touch(peer_key(Address::v6(mapped, 9)));
  table.touch(peer_key(Address::v6(mapped, 9, 2)));
  EXPECT_EQ(table.size(), 5U);
}

// Also where peers share a place, which is taken without the keyed hash: more of them than places.
TEST(PeerTable, is_a_list_in_the_order_of_the_last_touch) {
  PeerTable<std::uint64_t> table(1500, paper_key());
  std::list<std::pair<PeerKey, std::uint64_t>> model;  // the most recent first
  std::uint64_t expected_room = 0;
  std::uint64_t made_room = 0;
  table.on_evict([&](std::uint64_t& value) { made_room += value; });
  std::mt19937_64 random(7);
  for (std::uint64_t i = 1; i <= 20'000; ++i) {
    // Some come again and again, others seldom.
    const std::uint64_t number = random() % (i % 3 == 0 ? 4000 : 1400);
    const auto port = static_cast<std::uint16_t>(number / 4);
    const auto session = static_cast<std::uint32_t>(number % 4);
    const PeerKey peer = peer_key(Address::v4(0x7F000001, port), session);
    const auto known =
        std::find_if(model.begin(), model.end(), [&](const auto& e) { return e.first == peer; });
    if (known != model.end()) {
      model.splice(model.begin(), model, known);
    } else {
      if (model.size() == 1500) {
        expected_room += model.back().second;
        model.pop_back();
      }
      model.emplace_front(peer, 0);
    }
    std::uint64_t& value = table.touch(peer);
    ASSERT_EQ(value, model.front().second) << i;
    value = model.front().second = i;
    ASSERT_EQ(made_room, expected_room) << i;
  }
  EXPECT_EQ(table.size(), model.size());
  EXPECT_GT(made_room, 0U);
}

}  // namespace
}  // namespace volley
