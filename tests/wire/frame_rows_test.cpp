// Rows of datagrams, judged at once, against the judgement of each by itself.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <vector>

#include "targets/wire/frame.hpp"

namespace volley {
namespace {

using Bytes = std::vector<std::byte>;

Bytes row_of(std::size_t count, std::size_t each) {
  Bytes row(count * each);
  for (std::size_t i = 0; i < count; ++i) {
    write_frame({.kind = FrameKind::request,
                 .session = 3,
                 .slot = static_cast<std::uint32_t>(i),
                 .length = static_cast<std::uint32_t>(each - kFrameBytes),
                 .flow = 9,
                 .sequence = 100 + i},
                std::span(row).subspan(i * each, each));
  }
  return row;
}

std::size_t count_one_by_one(std::span<const std::byte> row, std::size_t each) {
  std::optional<Frame> first;
  std::size_t count = 0;
  for (std::size_t at = 0; at < row.size(); at += each, ++count) {
    const auto frame = read_datagram(row.subspan(at, std::min(each, row.size() - at)));
    if (!first) first = frame;
    if (!frame || frame->kind != first->kind || frame->session != first->session) break;
  }
  return count;
}

TEST(FrameRow, whole_frames_of_one_kind_and_session_are_alike) {
  EXPECT_EQ(count_alike(row_of(64, 64), 64), 64U);
  EXPECT_EQ(count_alike(row_of(1, 24), 24), 1U);
  EXPECT_EQ(count_alike(row_of(1, 24), 64), 1U);
  EXPECT_EQ(count_alike({}, 64), 0U);
  EXPECT_EQ(count_alike(Bytes(640), 64), 0U);
}

TEST(FrameRow, a_shorter_last_frame_counts_when_its_own_length_is_right) {
  Bytes row = row_of(4, 64);
  row.resize(3 * 64 + 30);
  EXPECT_EQ(count_alike(row, 64), 3U);
  write_frame({.kind = FrameKind::request, .session = 3, .length = 6}, std::span(row).subspan(192));
  EXPECT_EQ(count_alike(row, 64), 4U);
  write_frame({.kind = FrameKind::request, .session = 4, .length = 6}, std::span(row).subspan(192));
  EXPECT_EQ(count_alike(row, 64), 3U);
}

TEST(FrameRow, the_judgement_is_that_of_each_datagram_by_itself) {
  EXPECT_TRUE(rc::check([] {
    const auto each = *rc::gen::inRange<std::size_t>(24, 90);
    Bytes row = row_of(*rc::gen::inRange<std::size_t>(1, 20), each);
    for (int i = *rc::gen::inRange(0, 3); i > 0; --i) {
      row[*rc::gen::inRange<std::size_t>(0, row.size())] ^=
          std::byte{*rc::gen::arbitrary<std::uint8_t>()};
    }
    row.resize(row.size() - *rc::gen::inRange<std::size_t>(0, each));
    RC_ASSERT(count_alike(row, each) == count_one_by_one(row, each));
  }));
}

TEST(FrameRow, responses_differ_from_their_requests_in_their_kind_alone) {
  Bytes row = row_of(5, 40);
  turn_into_responses(row, 40);
  for (std::size_t i = 0; i < 5; ++i) {
    const auto frame = std::span(row).subspan(i * 40, 40);
    const Frame expected{.kind = FrameKind::response,
                         .session = 3,
                         .slot = static_cast<std::uint32_t>(i),
                         .length = 16,
                         .flow = 9,
                         .sequence = 100 + i};
    EXPECT_EQ(read_datagram(frame), expected);
    EXPECT_EQ(sequence_of(frame), 100 + i);
  }
}

}  // namespace
}  // namespace volley
