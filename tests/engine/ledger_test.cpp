// What becomes of requests whose answers were found, but not taken down yet, when something else
// happens to their flow in between.
#include "generators/engine/ledger.hpp"

#include <gtest/gtest.h>

namespace volley {
namespace {

using namespace std::chrono_literals;

RunPlan plan_with_timeout(Nanos timeout) {
  RunPlan plan;
  plan.sizes = {{64, 1}};
  plan.timeout = timeout;
  plan.interval = std::chrono::hours(1);
  return plan;
}

class LedgerTest : public testing::Test {
 protected:
  LedgerTest() { worker_.recorder().start(now_); }

  // Requests of one call on the flow.
  std::uint32_t send(std::uint32_t n, bool measured = true) {
    const std::uint32_t slot = ledger_.next_slot();
    const std::vector<Due> dues(n, Due{now_, measured, false});
    ledger_.on_sent(flow_, dues, now_, 64 * n);
    return slot;
  }
  void answer(std::uint32_t slot, std::uint64_t sequence, std::uint32_t count = 1) {
    Answer found;
    found.named = true;
    found.slot = slot;
    found.sequence = sequence;
    found.count = count;
    found.bytes = 64;
    ledger_.on_answer(flow_, found, now_);
  }
  [[nodiscard]] const RequestCounters& counted() { return worker_.recorder().of(true).counters; }
  [[nodiscard]] std::uint64_t errors(ErrorKind kind) {
    return counted().errors[static_cast<std::size_t>(kind)];
  }

  MonoTime now_ = mono_now();
  RunPlan plan_ = plan_with_timeout(std::chrono::seconds(1));
  RunSignals signals_;
  Handoff handoff_;
  Worker worker_{plan_, 0, Address(), 1, signals_, handoff_};
  Ledger ledger_{worker_, false};
  Flow flow_;
};

TEST_F(LedgerTest, an_answer_makes_room_at_once_and_is_recorded_when_settled) {
  const std::uint32_t slot = send(2);
  answer(slot, 0);
  EXPECT_EQ(ledger_.batches().waiting_of(0), 1U);
  EXPECT_EQ(counted().completed, 0U);
  const std::uint32_t next = send(1);
  EXPECT_NE(next, slot);
  answer(next, 2);
  ledger_.settle();
  EXPECT_EQ(counted().completed, 2U);
  EXPECT_EQ(worker_.recorder().of(true).latencies.response.count(), 2U);
  ledger_.settle();
  EXPECT_EQ(counted().completed, 2U) << "nothing is taken down twice";
}

TEST_F(LedgerTest, a_second_answer_in_the_same_reading_is_a_duplicate) {
  const std::uint32_t slot = send(1);
  answer(slot, 0);
  answer(slot, 0);
  ledger_.settle();
  EXPECT_EQ(counted().completed, 1U);
  EXPECT_EQ(counted().duplicates, 1U);
  EXPECT_EQ(counted().late, 0U);
}

TEST_F(LedgerTest, a_row_of_answers_of_which_one_was_answered_before_is_taken_apart) {
  const std::uint32_t slot = send(3);
  answer(slot, 1);
  answer(slot, 0, 3);
  ledger_.settle();
  EXPECT_EQ(counted().completed, 3U);
  EXPECT_EQ(counted().duplicates, 1U);
  EXPECT_EQ(counted().reordered, 1U);
  EXPECT_TRUE(ledger_.batches().empty());
}

// Whose it was nobody can tell: the one that waits still may be answered.
TEST_F(LedgerTest, an_answer_that_cannot_be_read_is_nobodys) {
  const std::uint32_t slot = send(3);
  answer(slot, 0);
  Answer broken;
  broken.verdict = Answer::Verdict::malformed;
  ledger_.on_answer(flow_, broken, now_);
  answer(slot, 1);
  ledger_.settle();
  EXPECT_EQ(counted().completed, 2U);
  EXPECT_EQ(counted().duplicates, 0U);
  EXPECT_EQ(errors(ErrorKind::malformed), 0U);
  ASSERT_EQ(worker_.result().socket_events.size(), 1U);
  EXPECT_EQ(worker_.result().socket_events[0].kind, ErrorKind::malformed);
  ledger_.on_timeout(flow_, slot);
  EXPECT_EQ(counted().lost, 1U) << "corrupted is lost (RFC 7680 section 2.4)";
}

TEST_F(LedgerTest, a_flow_that_dies_takes_only_what_was_not_answered) {
  const std::uint32_t slot = send(3);
  answer(slot, 1);
  ledger_.on_flow_death(flow_, ErrorKind::reset);
  ledger_.settle();
  EXPECT_EQ(counted().completed, 1U);
  EXPECT_EQ(errors(ErrorKind::reset), 2U);
  EXPECT_TRUE(ledger_.batches().empty());
}

TEST_F(LedgerTest, an_answer_that_comes_too_late_is_lost_and_late_whatever_was_claimed_before) {
  const std::uint32_t slot = send(2);
  answer(slot, 0);
  now_ += std::chrono::seconds(2);
  answer(slot, 1);
  ledger_.settle();
  EXPECT_EQ(counted().completed, 1U);
  EXPECT_EQ(counted().lost, 1U);
  EXPECT_EQ(counted().late, 1U);
  EXPECT_TRUE(ledger_.batches().empty());
}

TEST_F(LedgerTest, reordering_is_described_for_measured_answers_in_time) {
  const std::uint32_t warm_up = send(4, false);
  answer(warm_up, 1);
  answer(warm_up, 0);  // of the warm-up
  answer(warm_up, 3);
  const std::uint32_t slot = send(6);  // 4 … 9
  answer(slot, 4, 3);
  answer(slot, 9);
  answer(slot, 7);
  ledger_.settle();
  const ReorderingFigures& figures = worker_.result().reordering;
  EXPECT_EQ(counted().reordered, 1U);
  EXPECT_EQ(figures.reordered, 1U);
  EXPECT_EQ(figures.in_runs, 4U) << "4, 5, 6 and 9; nothing of the warm-up";
  now_ += std::chrono::seconds(2);
  answer(slot, 8);
  ledger_.settle();
  EXPECT_EQ(counted().late, 1U);
  EXPECT_EQ(figures.reordered, 1U) << "late is lost, not reordered";
}

TEST_F(LedgerTest, answers_that_came_more_than_once_are_counted_once_beside_their_copies) {
  const std::uint32_t warm_up = send(1, false);
  answer(warm_up, 0);
  answer(warm_up, 0);
  const std::uint32_t slot = send(3);
  answer(slot, 1, 3);
  for (const std::uint64_t copy : std::vector<std::uint64_t>{2, 2, 2, 3}) answer(slot, copy);
  ledger_.settle();
  EXPECT_EQ(counted().duplicates, 4U);
  EXPECT_EQ(worker_.result().replicated, 2U);
}

TEST_F(LedgerTest, delay_variation_is_that_of_measured_round_trips_answered_in_time) {
  ASSERT_TRUE(worker_.result().variation);
  const VariationFigures& figures = *worker_.result().variation;
  const auto at = [&](std::chrono::microseconds trip, std::uint32_t slot, std::uint64_t sequence,
                      std::uint32_t count = 1) {
    const MonoTime sent = now_;
    now_ += trip;
    answer(slot, sequence, count);
    ledger_.settle();
    now_ = sent;
  };
  const std::uint32_t warm_up = send(2, false);
  at(10us, warm_up, 0);
  at(90us, warm_up, 1);  // of the warm-up
  EXPECT_EQ(figures.pairs(), 0U);
  const std::uint32_t slot = send(8);  // 2 … 9
  at(30us, slot, 2, 3);
  at(50us, slot, 6, 3);  // 5 is missing
  EXPECT_EQ(figures.pairs(), 1U) << "1 and 2";
  EXPECT_EQ(figures.together, 4U);
  EXPECT_EQ(figures.shorter().max(), 60us);
  answer(slot, 6);  // a copy
  at(2s, slot, 5);  // lost, then late
  at(1s, slot, 9);
  EXPECT_EQ(counted().late, 1U);
  EXPECT_EQ(counted().duplicates, 1U);
  EXPECT_EQ(figures.pairs(), 2U);
  EXPECT_EQ(figures.longer().max(), 1s - 50us);
}

TEST_F(LedgerTest, answers_of_one_reading_to_requests_of_one_call_have_no_variation) {
  const std::uint32_t slot = send(4);
  for (std::uint64_t i = 0; i < 4; ++i) answer(slot, i);
  ledger_.settle();
  EXPECT_EQ(worker_.result().variation->pairs(), 0U);
  EXPECT_EQ(worker_.result().variation->together, 3U);
}

// The rest of a row behind a lost answer is in order again.
TEST_F(LedgerTest, a_row_behind_a_lost_answer_is_taken_down_whole) {
  const std::uint32_t slot = send(60);
  answer(slot, 1, 59);
  ledger_.settle();
  EXPECT_EQ(counted().completed, 59U);
  EXPECT_EQ(flow_.arrived.numbers().unique(), 59U);
  EXPECT_EQ(flow_.arrived.numbers().next_expected(), 60U);
  answer(slot, 0);
  ledger_.settle();
  EXPECT_EQ(counted().reordered, 1U);
  ASSERT_TRUE(worker_.result().reordering.extents);
  EXPECT_EQ(worker_.result().reordering.extents->max(), Nanos(59));
}

// Two requests for 300 us and one that is lost after its second: 600 us and 1 s of request time.
TEST_F(LedgerTest, what_was_in_flight_adds_up_to_the_times_of_the_requests) {
  const std::uint32_t slot = send(2);
  now_ += 100us;
  const std::uint32_t lost = send(1);
  const MonoTime lost_at = now_ + plan_.timeout;
  (void)send(5, false);  // of the warm-up: not counted
  now_ += 200us;
  answer(slot, 0, 2);
  now_ = lost_at + 5ms;
  ledger_.on_timeout(flow_, lost);
  ledger_.settle();
  ledger_.take_figures();
  ASSERT_TRUE(worker_.result().in_flight_ns);
  EXPECT_NEAR(*worker_.result().in_flight_ns, 600e3 + 1e9, 1);
}

TEST_F(LedgerTest, what_was_in_flight_is_unknown_while_something_still_is_or_a_flow_has_died) {
  (void)send(1);
  ledger_.take_figures();
  EXPECT_FALSE(worker_.result().in_flight_ns);
  ledger_.on_flow_death(flow_, ErrorKind::reset);
  ledger_.take_figures();
  EXPECT_FALSE(worker_.result().in_flight_ns);
}

}  // namespace
}  // namespace volley
