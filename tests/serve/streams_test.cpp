// The two halves of what a TCP connection sends: the endless row of frames and the queue of
// answers.
#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "targets/serve/frame_stream.hpp"
#include "targets/serve/output_queue.hpp"

namespace volley {
namespace {

std::vector<std::byte> whole(FrameStream stream, std::size_t bytes) {
  std::vector<std::byte> all(bytes);
  stream.peek(all);
  return all;
}

TEST(FrameStream, is_a_row_of_data_frames_with_ascending_numbers) {
  const FrameStream stream(9, 3, 10);
  const auto bytes = whole(stream, 34 * 5);
  for (std::uint64_t i = 0; i < 5; ++i) {
    const auto frame = read_frame(std::span(bytes).subspan(34 * i));
    ASSERT_TRUE(frame);
    EXPECT_EQ(
        *frame,
        (Frame{.kind = FrameKind::data, .session = 9, .length = 10, .flow = 3, .sequence = i}));
  }
}

TEST(FrameStream, gives_the_same_bytes_however_it_is_cut) {
  for (const std::uint32_t message : {0U, 1U, 7U, 100U}) {
    const FrameStream fresh(1, 2, message);
    const auto expected = whole(fresh, 1000);
    FrameStream cut = fresh;
    std::vector<std::byte> got;
    std::uint64_t frames = 0;
    for (std::size_t step = 1; got.size() + step <= 1000; step = step * 2 % 61 + 1) {
      const auto piece = whole(cut, step);
      got.insert(got.end(), piece.begin(), piece.end());
      frames += cut.take(step);
    }
    EXPECT_TRUE(std::equal(got.begin(), got.end(), expected.begin())) << message;
    EXPECT_EQ(frames, got.size() / (kFrameBytes + message));
    const std::size_t into = got.size() % (kFrameBytes + message);
    EXPECT_EQ(cut.left_of_frame(), into == 0 ? 0 : kFrameBytes + message - into);
  }
}

TEST(OutputQueue, bytes_leave_when_their_time_has_come_and_their_request_is_told) {
  const MonoTime t{std::chrono::seconds(1)};
  const std::vector<std::byte> four(4);
  OutputQueue queue;
  queue.append(four, t + Nanos{10}, RequestName{.peer = {}, .sequence = 1});
  queue.append(four, t + Nanos{20}, std::nullopt);
  queue.append(four, t + Nanos{20}, RequestName{.peer = {}, .sequence = 2});
  EXPECT_TRUE(queue.ready(t).empty());
  EXPECT_EQ(queue.next_due(t), t + Nanos{10});
  EXPECT_EQ(queue.ready(t + Nanos{10}).size(), 4U);
  EXPECT_EQ(queue.next_due(t + Nanos{10}), t + Nanos{20});

  std::vector<std::uint64_t> told;
  const auto tell = [&](const RequestName& request) { told.push_back(request.sequence); };
  queue.take(3, tell);
  EXPECT_TRUE(told.empty());
  EXPECT_EQ(queue.ready(t + Nanos{10}).size(), 1U);
  EXPECT_EQ(queue.ready(t + Nanos{20}).size(), 9U);
  queue.take(5, tell);
  EXPECT_EQ(told, (std::vector<std::uint64_t>{1}));
  queue.take(4, tell);
  EXPECT_EQ(told, (std::vector<std::uint64_t>{1, 2}));
  EXPECT_TRUE(queue.empty());
  EXPECT_FALSE(queue.next_due(t));
}

TEST(OutputQueue, bytes_without_a_time_keep_their_place_behind_those_that_wait) {
  const MonoTime t{std::chrono::seconds(1)};
  const std::vector<std::byte> four(4);
  OutputQueue queue;
  queue.append(four);
  EXPECT_EQ(queue.ready(t).size(), 4U);
  queue.append(four, t + Nanos{10}, std::nullopt);
  queue.append(four);
  EXPECT_EQ(queue.ready(t).size(), 4U);
  EXPECT_EQ(queue.ready(t + Nanos{10}).size(), 12U);
}

}  // namespace
}  // namespace volley
