#include "targets/serve/sessions.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <vector>

namespace volley {
namespace {

const Address kPeer = Address::v4(0x7F000001, 5000);
const MonoTime kNow{std::chrono::hours(1)};

Frame data(std::uint64_t sequence, FrameKind kind = FrameKind::data) {
  return {.kind = kind, .session = 7, .length = 100, .sequence = sequence};
}

TEST(UdpSessions, counts_first_copies_duplicates_and_reordering_of_measured_messages) {
  UdpSessions sessions(HashKey{1, 2});
  for (const std::uint64_t sequence : {2U, 3U, 3U, 6U, 4U, 5U, 4U}) {
    sessions.count(kPeer, data(sequence), kNow);
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
  sessions.count(kPeer, data(0, FrameKind::data_warm_up), kNow);
  sessions.count(kPeer, data(1, FrameKind::data_warm_up), kNow);
  sessions.count(kPeer, data(1, FrameKind::data_warm_up), kNow);
  sessions.count(kPeer, data(2), kNow);
  const SessionStatistics seen = sessions.statistics(kPeer, 7);
  EXPECT_EQ(seen.warm_up_messages, 2U);
  EXPECT_EQ(seen.messages, 1U);
  EXPECT_EQ(seen.duplicates, 0U);
}

TEST(UdpSessions, another_peer_or_session_starts_at_nothing) {
  UdpSessions sessions(HashKey{1, 2});
  sessions.count(kPeer, data(0), kNow);
  EXPECT_EQ(sessions.statistics(kPeer, 8).messages, 0U);
  EXPECT_EQ(sessions.statistics(Address::v4(0x7F000001, 5001), 7).messages, 0U);
  EXPECT_EQ(sessions.statistics(kPeer, 7).messages, 1U);
}

TEST(UdpSessions, a_row_counts_as_its_frames_one_after_another) {
  EXPECT_TRUE(rc::check([] {
    UdpSessions in_rows(HashKey{1, 2});
    UdpSessions one_by_one(HashKey{1, 2});
    for (int rows = *rc::gen::inRange(1, 12); rows > 0; --rows) {
      const auto count = *rc::gen::inRange<std::size_t>(1, 30);
      const auto kind =
          *rc::gen::element(FrameKind::data, FrameKind::data, FrameKind::data_warm_up);
      std::uint64_t sequence = *rc::gen::inRange<std::uint64_t>(0, 100'000);
      std::vector<std::byte> row(count * 40);
      const MonoTime came = kNow + std::chrono::microseconds(*rc::gen::inRange(0, 100));
      auto sent = *rc::gen::inRange<std::uint32_t>(0, 100);
      for (std::size_t i = 0; i < count; ++i) {
        const Frame frame{
            .kind = kind, .session = 7, .slot = sent, .length = 16, .sequence = sequence};
        write_frame(frame, std::span(row).subspan(i * 40));
        one_by_one.count(kPeer, frame, came);
        sent += *rc::gen::weightedElement<std::uint32_t>({{5, 0}, {1, 40}});
        sequence = *rc::gen::weightedElement<std::uint64_t>(
            {{9, sequence + 1}, {1, sequence}, {1, sequence + 70}, {1, sequence / 2}});
      }
      in_rows.count_row(kPeer, row, 40, came);
    }
    const SessionStatistics a = in_rows.statistics(kPeer, 7);
    const SessionStatistics b = one_by_one.statistics(kPeer, 7);
    RC_ASSERT(a.messages == b.messages);
    RC_ASSERT(a.bytes == b.bytes);
    RC_ASSERT(a.duplicates == b.duplicates);
    RC_ASSERT(a.reordered == b.reordered);
    RC_ASSERT(a.warm_up_messages == b.warm_up_messages);
    RC_ASSERT(a.malformed == b.malformed);
    RC_ASSERT(in_rows.quality(kPeer, 7) == one_by_one.quality(kPeer, 7));
    RC_ASSERT(in_rows.quality(kPeer, 7).arrived == a.messages);
    RC_ASSERT(in_rows.quality(kPeer, 7).duplicates == a.duplicates);
    RC_ASSERT(in_rows.quality(kPeer, 7).reordered == a.reordered);
  }));
}

}  // namespace
}  // namespace volley
