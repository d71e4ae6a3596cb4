#include "targets/serve/answer_queue.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace volley {
namespace {

const MonoTime kStart{std::chrono::seconds(1)};
constexpr Nanos kMs{1'000'000};

OwnedAnswer answer(std::uint64_t sequence, std::uint16_t port = 5000, bool overtaken = false) {
  OwnedAnswer made;
  made.bytes.resize(64);
  made.request = {.peer = Address::v4(0x7F000001, port), .sequence = sequence};
  made.overtaken = overtaken;
  return made;
}

class AnswerQueueTest : public testing::Test {
 protected:
  void arrive(std::uint64_t sequence, bool overtaken = false, std::uint16_t port = 5000,
              MonoTime now = kStart, Nanos delay = Nanos{0}) {
    queue.count_request(Address::v4(0x7F000001, port));
    ASSERT_TRUE(queue.push(answer(sequence, port, overtaken), now + delay, now));
  }
  std::vector<std::uint64_t> left() {
    std::vector<std::uint64_t> order;
    for (const OwnedAnswer& one : queue.ready()) order.push_back(one.request.sequence);
    queue.ready().clear();
    return order;
  }
  using Order = std::vector<std::uint64_t>;

  EventWriter events{nullptr};
  AnswerQueue queue{HashKey{1, 2}, events};
};

TEST_F(AnswerQueueTest, answers_that_wait_for_nothing_leave_in_order) {
  for (std::uint64_t n = 0; n < 5; ++n) arrive(n);
  EXPECT_EQ(left(), (Order{0, 1, 2, 3, 4}));
  EXPECT_FALSE(queue.next_due());
}

TEST_F(AnswerQueueTest, a_held_answer_leaves_right_after_three_later_ones) {
  arrive(0, true);
  for (std::uint64_t n = 1; n < 6; ++n) arrive(n);
  EXPECT_EQ(left(), (Order{1, 2, 3, 0, 4, 5}));
  EXPECT_EQ(queue.held(), 1U);
  EXPECT_EQ(queue.waiting(), 0U);
}

TEST_F(AnswerQueueTest, two_held_answers_wait_for_three_later_ones_each) {
  arrive(0, true);
  arrive(1);
  arrive(2, true);
  for (std::uint64_t n = 3; n < 8; ++n) arrive(n);
  // 0 waits for 1 3 4, and 2 for 3 4 5: a released answer is not a later one.
  EXPECT_EQ(left(), (Order{1, 3, 4, 0, 5, 2, 6, 7}));
}

TEST_F(AnswerQueueTest, answers_of_other_flows_do_not_overtake) {
  arrive(0, true, 5000);
  for (std::uint64_t n = 10; n < 20; ++n) arrive(n, false, 6000);
  EXPECT_EQ(left(), (Order{10, 11, 12, 13, 14, 15, 16, 17, 18, 19}));
  EXPECT_EQ(queue.waiting(), 1U);
}

TEST_F(AnswerQueueTest, a_held_answer_with_no_followers_leaves_after_50_ms) {
  arrive(0, true);
  ASSERT_EQ(queue.next_due(), kStart + Behaviour::kLongestHold);
  queue.advance(kStart + Behaviour::kLongestHold - Nanos{1});
  EXPECT_TRUE(left().empty());
  queue.advance(kStart + Behaviour::kLongestHold);
  EXPECT_EQ(left(), (Order{0}));
  EXPECT_FALSE(queue.next_due());
}

TEST_F(AnswerQueueTest, delayed_answers_leave_by_time_and_equal_times_in_order) {
  arrive(0, false, 5000, kStart, 3 * kMs);
  arrive(1, false, 5000, kStart, kMs);
  arrive(2, false, 5000, kStart, kMs);
  ASSERT_EQ(queue.next_due(), kStart + kMs);
  queue.advance(kStart + kMs);
  EXPECT_EQ(left(), (Order{1, 2}));
  queue.advance(kStart + 3 * kMs);
  EXPECT_EQ(left(), (Order{0}));
}

TEST_F(AnswerQueueTest, an_answer_that_is_due_does_not_pass_those_that_were_due_before_it) {
  arrive(0, false, 5000, kStart, kMs);
  arrive(1, false, 5000, kStart + 2 * kMs);  // advance() was not called in between
  queue.advance(kStart + 2 * kMs);
  EXPECT_EQ(left(), (Order{0, 1}));
}

TEST_F(AnswerQueueTest, memory_is_bounded_and_what_finds_no_room_is_counted) {
  std::uint64_t taken = 0;
  OwnedAnswer large = answer(0);
  large.bytes.resize(60'000);
  for (int i = 0; i < 2000; ++i) {
    queue.count_request(large.request.peer);
    taken += queue.push(large, kStart + kMs, kStart) ? 1 : 0;
  }
  EXPECT_GE(taken, 1000U);
  EXPECT_LT(taken * 60'000, AnswerQueue::kMostBytes);
  EXPECT_EQ(taken + queue.discarded(), 2000U);
  queue.advance(kStart + kMs);
  EXPECT_EQ(left().size(), taken);
}

TEST_F(AnswerQueueTest, flows_are_counted_from_the_first_request_and_numbered_as_they_appear) {
  const Address a = Address::v4(0x7F000001, 5000);
  const Address b = Address::v4(0x7F000001, 5001);
  EXPECT_EQ(queue.count_request(a).requests, 1U);
  EXPECT_EQ(queue.count_request(b).requests, 1U);
  EXPECT_EQ(queue.count_request(a).requests, 2U);
  EXPECT_EQ(queue.count_request(a).ordinal, 1U);
  EXPECT_EQ(queue.count_request(b).ordinal, 2U);
}

}  // namespace
}  // namespace volley
