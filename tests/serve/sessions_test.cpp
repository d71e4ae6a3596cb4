#include "targets/serve/sessions.hpp"

#include <gtest/gtest.h>

namespace volley {
namespace {

const Address kPeer = Address::v4(0x7F000001, 5000);

Frame data(std::uint64_t sequence, FrameKind kind = FrameKind::data) {
  return {.kind = kind, .session = 7, .length = 100, .sequence = sequence};
}

TEST(UdpSessions, counts_first_copies_duplicates_and_reordering_of_measured_messages) {
  UdpSessions sessions(HashKey{1, 2});
  for (const std::uint64_t sequence : {2U, 3U, 3U, 6U, 4U, 5U, 4U}) {
    sessions.count(kPeer, data(sequence));
  }
  const SessionStatistics seen = sessions.statistics(kPeer, 7);
  EXPECT_EQ(seen.messages, 5U);
  EXPECT_EQ(seen.bytes, 5U * (kFrameBytes + 100));
  EXPECT_EQ(seen.duplicates, 2U);
  EXPECT_EQ(seen.reordered, 2U);
  EXPECT_EQ(seen.warm_up_messages, 0U);
}

TEST(UdpSessions, the_warm_up_is_counted_apart_in_the_same_numbering) {
  UdpSessions sessions(HashKey{1, 2});
  sessions.count(kPeer, data(0, FrameKind::data_warm_up));
  sessions.count(kPeer, data(1, FrameKind::data_warm_up));
  sessions.count(kPeer, data(1, FrameKind::data_warm_up));
  sessions.count(kPeer, data(2));
  const SessionStatistics seen = sessions.statistics(kPeer, 7);
  EXPECT_EQ(seen.warm_up_messages, 2U);
  EXPECT_EQ(seen.messages, 1U);
  EXPECT_EQ(seen.duplicates, 0U);
}

TEST(UdpSessions, another_peer_or_session_starts_at_nothing) {
  UdpSessions sessions(HashKey{1, 2});
  sessions.count(kPeer, data(0));
  EXPECT_EQ(sessions.statistics(kPeer, 8).messages, 0U);
  EXPECT_EQ(sessions.statistics(Address::v4(0x7F000001, 5001), 7).messages, 0U);
  EXPECT_EQ(sessions.statistics(kPeer, 7).messages, 1U);
}

}  // namespace
}  // namespace volley
