// How streams arrived at a socket: by run, bounded, and without a clock in common.
#include "targets/serve/stream_figures.hpp"

#include <gtest/gtest.h>

namespace volley {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;

const MonoTime kStart{hours(1)};

Address peer(std::uint16_t port) { return Address::v4(0x7F000001, port); }

// Sends the numbers in this order, one a millisecond; each takes 100 us and, if it is odd, 20 us
// more, by a clock that is off.
void send(StreamFigures& figures, const StreamFigures::Ticket& ticket,
          const std::vector<std::uint64_t>& numbers, Nanos off = Nanos(0)) {
  std::int64_t i = 0;
  for (const std::uint64_t number : numbers) {
    const MonoTime came = kStart + std::chrono::milliseconds(i++);
    const Nanos took = microseconds(number % 2 == 1 ? 120 : 100);
    figures.arrive(ticket, {.first = number, .sent = time_mark(came - took + off)}, came);
  }
}

TEST(StreamFigures, are_those_of_all_flows_of_the_run) {
  StreamFigures figures;
  send(figures, figures.admit(peer(1), 7), {0, 1, 2, 3});
  send(figures, figures.admit(peer(2), 7), {0, 2, 3, 1, 1, 1});
  send(figures, figures.admit(peer(3), 8), {0, 1});
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
    send(figures, figures.admit(peer(1), 7), {0, 1, 2, 3, 4, 5, 6, 7}, off);
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
  const auto ticket = figures.admit(peer(1), 7);
  figures.arrive(ticket, {.first = 0, .n = 64, .sent = 5}, kStart);
  figures.arrive(ticket, {.first = 64, .n = 64, .sent = 9}, kStart + microseconds(9));
  const auto q = figures.of(peer(1), 7);
  EXPECT_EQ(q->arrived, 128U);
  EXPECT_EQ(q->pairs, 1U);
  EXPECT_EQ(q->together, 126U);
}

TEST(StreamFigures, leave_the_warm_up_out_but_follow_it) {
  StreamFigures figures;
  const auto ticket = figures.admit(peer(1), 7);
  figures.arrive(ticket, {.first = 0, .n = 4, .measured = false}, kStart);
  figures.arrive(ticket, {.first = 6, .n = 2}, kStart);
  figures.arrive(ticket, {.first = 4, .n = 2}, kStart);
  const auto q = figures.of(peer(1), 7);
  EXPECT_EQ(q->arrived, 4U);
  EXPECT_EQ(q->reordered, 2U);
}

TEST(StreamFigures, are_kept_of_so_many_runs_and_flows) {
  StreamFigures figures;
  const auto first = figures.admit(peer(1), 0);
  send(figures, first, {0});
  for (std::uint32_t run = 1; run <= StreamFigures::kMostRuns; ++run)
    send(figures, figures.admit(peer(1), run), {0, 1});
  EXPECT_FALSE(figures.of(peer(1), 0)) << "the oldest has made room";
  send(figures, first, {1});  // and what still comes of it is passed over
  for (std::uint32_t run = 1; run <= StreamFigures::kMostRuns; ++run)
    EXPECT_EQ(figures.of(peer(1), run)->arrived, 2U) << run;
  for (std::size_t flow = 1; flow < StreamFigures::kMostFlows; ++flow)
    EXPECT_NE(figures.admit(peer(2), 3).issue, 0U);
  const auto none = figures.admit(peer(3), 3);
  EXPECT_EQ(none.issue, 0U);
  send(figures, none, {0});
  EXPECT_EQ(figures.of(peer(1), 3)->arrived, 2U);
}

}  // namespace
}  // namespace volley
