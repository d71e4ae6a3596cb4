#include "targets/serve/cookie.hpp"

#include <gtest/gtest.h>

#include <array>
#include <set>

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

}  // namespace
}  // namespace volley
