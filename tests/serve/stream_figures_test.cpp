// How streams arrived at a socket: by run, bounded, and without a clock in common.
#include "targets/serve/stream_figures.hpp"

#include <gtest/gtest.h>

#include <array>
#include <numeric>
#include <vector>

namespace volley {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;

const MonoTime kStart{hours(1)};

Address peer(std::uint16_t port) { return Address::v4(0x7F000001, port); }

// Sends the numbers in this order, one a millisecond; each takes 100 us and, if it is odd, 20 us
// more, by a clock that is off.
void send(StreamFigures::Flow& flow, const std::vector<std::uint64_t>& numbers,
          Nanos off = Nanos(0)) {
  std::int64_t i = 0;
  for (const std::uint64_t number : numbers) {
    const MonoTime came = kStart + std::chrono::milliseconds(i++);
    const Nanos took = microseconds(number % 2 == 1 ? 120 : 100);
    StreamFigures::arrive(flow, {.first = number, .sent = time_mark(came - took + off)}, came);
  }
}

// Messages that were sent and read together, or one by one where they are not the next ones.
void arrive(StreamFigures::Flow& flow, StreamFigures::Messages messages, MonoTime received) {
  while (messages.n > 0 && !StreamFigures::arrive_in_order(flow, messages, received)) {
    StreamFigures::arrive(flow, messages, received);
    ++messages.first;
    --messages.n;
  }
}

TEST(StreamFigures, are_those_of_all_flows_of_the_run) {
  StreamFigures figures;
  std::array<StreamFigures::Flow, 3> flows;
  figures.admit(flows[0], peer(1), 7);
  figures.admit(flows[1], peer(2), 7);
  figures.admit(flows[2], peer(3), 8);
  send(flows[0], {0, 1, 2, 3});
  send(flows[1], {0, 2, 3, 1, 1, 1});
  send(flows[2], {0, 1});
  const auto q = figures.of(peer(2), 7);
  ASSERT_TRUE(q);
  EXPECT_EQ(q->arrived, 8U);
  EXPECT_EQ(q->duplicates, 2U);
  EXPECT_EQ(q->replicated, 1U);
  EXPECT_EQ(q->reordered, 1U);
  EXPECT_EQ(q->extent.max, 2U);
  EXPECT_EQ(figures.of(peer(4), 8)->arrived, 2U) << "whoever asks, it is the run's";
  EXPECT_FALSE(figures.of(peer(1), 9));
  EXPECT_FALSE(figures.of(Address::v4(0x7F000002, 1), 7)) << "another host has another run";
}

TEST(StreamFigures, of_delays_need_no_clock_in_common) {
  for (const Nanos off : {Nanos(0), Nanos(hours(700)), -Nanos(microseconds(3'599'999'000))}) {
    StreamFigures figures;
    StreamFigures::Flow flow;
    figures.admit(flow, peer(1), 7);
    send(flow, {0, 1, 2, 3, 4, 5, 6, 7}, off);
    const auto q = figures.of(peer(1), 7);
    EXPECT_EQ(q->pairs, 7U);
    EXPECT_NEAR(static_cast<double>(*q->ipdv_longer_max_ns), 20e3, 50);
    EXPECT_NEAR(static_cast<double>(*q->ipdv_shorter_max_ns), 20e3, 50);
    EXPECT_NEAR(static_cast<double>(*q->pdv_p50_ns), 0, 50);
    EXPECT_NEAR(static_cast<double>(*q->pdv_p99_ns), 20e3, 70);
  }
}

TEST(StreamFigures, what_left_and_came_with_one_call_has_no_difference) {
  StreamFigures figures;
  StreamFigures::Flow flow;
  figures.admit(flow, peer(1), 7);
  arrive(flow, {.first = 0, .n = 64, .sent = 5}, kStart);
  arrive(flow, {.first = 64, .n = 64, .sent = 9}, kStart + microseconds(9));
  const auto q = figures.of(peer(1), 7);
  EXPECT_EQ(q->arrived, 128U);
  EXPECT_EQ(q->pairs, 1U);
  EXPECT_EQ(q->together, 126U);
}

TEST(StreamFigures, leave_the_warm_up_out_but_follow_it) {
  StreamFigures figures;
  StreamFigures::Flow flow;
  figures.admit(flow, peer(1), 7);
  arrive(flow, {.first = 0, .n = 4, .measured = false}, kStart);
  arrive(flow, {.first = 6, .n = 2}, kStart);
  arrive(flow, {.first = 4, .n = 2}, kStart);
  const auto q = figures.of(peer(1), 7);
  EXPECT_EQ(q->arrived, 4U);
  EXPECT_EQ(q->reordered, 2U);
}

TEST(StreamFigures, are_kept_of_so_many_runs_and_flows) {
  StreamFigures figures;
  StreamFigures::Flow first;
  figures.admit(first, peer(1), 0);
  send(first, {0});
  std::array<StreamFigures::Flow, StreamFigures::kMostRuns + 1> of_runs;
  for (std::uint32_t run = 1; run <= StreamFigures::kMostRuns; ++run) {
    figures.admit(of_runs[run], peer(1), run);
    send(of_runs[run], {0, 1});
  }
  EXPECT_FALSE(figures.of(peer(1), 0)) << "the oldest has made room";
  send(first, {1, 5, 3, 3});  // and what still comes of it is told apart, but not judged
  EXPECT_EQ(first.arrived.numbers().unique(), 4U);
  EXPECT_EQ(first.arrived.numbers().reordered(), 1U);
  EXPECT_EQ(first.arrived.numbers().duplicates(), 1U);
  EXPECT_EQ(first.arrived.replicated(), 0U);
  for (std::uint32_t run = 1; run <= StreamFigures::kMostRuns; ++run)
    EXPECT_EQ(figures.of(peer(1), run)->arrived, 2U) << run;
  std::array<StreamFigures::Flow, StreamFigures::kMostFlows> more;
  for (StreamFigures::Flow& flow : more) {
    figures.admit(flow, peer(2), 3);
    send(flow, {0});
  }
  EXPECT_EQ(figures.of(peer(1), 3)->arrived, 2U + StreamFigures::kMostFlows - 1);
  EXPECT_EQ(more.back().run, nullptr);
}

TEST(StreamFigures, of_a_flow_that_was_forgotten_stay_with_the_run) {
  StreamFigures figures;
  StreamFigures::Flow stays;
  figures.admit(stays, peer(1), 7);
  std::optional<ArrivalQuality> before;
  {
    StreamFigures::Flow leaves;
    figures.admit(leaves, peer(2), 7);
    std::vector<std::uint64_t> numbers(200);
    std::iota(numbers.begin(), numbers.end(), 0);
    send(leaves, numbers);
    before = figures.of(peer(1), 7);
    StreamFigures::forget(leaves);
  }
  EXPECT_EQ(before->arrived, 200U);
  EXPECT_GT(before->jitters_ns, 0U);
  EXPECT_EQ(figures.of(peer(1), 7), before);
}

}  // namespace
}  // namespace volley
