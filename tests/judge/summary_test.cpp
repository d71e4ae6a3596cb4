// summary.cpp: figures by closed forms, and the identities for any counters.
#include "reports/judge/summary.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <string>

namespace volley {
namespace {

using std::chrono::seconds;

// 1 us, 2 us … 1000 us, each once; below 2048 ns exact, above within 1/1024.
Histogram thousand_microseconds() {
  Histogram h;
  for (std::int64_t us = 1; us <= 1000; ++us) h.record(us * 1000, 1);
  return h;
}

RunRecord record_of(std::uint64_t completed, std::uint64_t lost) {
  RunRecord r;
  r.protocol = "udp";
  r.workload = "rr";
  r.arrival = "closed";
  r.duration = seconds(2);
  r.counters.sent = completed + lost;
  r.counters.completed = completed;
  r.counters.lost = lost;
  for (std::uint64_t i = 0; i < completed; ++i) r.latencies.response.record(1000, 1);
  return r;
}

TEST(Tally, tells_what_is_counted_and_nothing_that_only_an_end_can_tell) {
  RunRecord r = record_of(90, 4);
  r.counters.sent = 100;
  r.status = RunStatus::interrupted;
  IntervalSummary first;
  first.end = seconds(1);
  IntervalSummary last;
  last.begin = seconds(1);
  last.end = seconds(4);
  r.intervals = {first, last};
  const RunReport run = tally(r);
  EXPECT_EQ(run.status, "ok");
  EXPECT_EQ(run.requests.sent, 100U);
  EXPECT_EQ(run.requests.completed, 90U);
  EXPECT_EQ(run.requests.lost, 4U);
  EXPECT_FALSE(run.requests.in_flight) << "six, and they will be fewer";
  EXPECT_EQ(run.duration_s, 4.0);
  EXPECT_EQ(run.load.offered_per_s, 25.0);
  EXPECT_EQ(run.response.count, 90U);
  EXPECT_TRUE(run.response.histogram);
  EXPECT_FALSE(run.response.p50);
  EXPECT_FALSE(run.verdict);
  EXPECT_FALSE(run.checks);
  ASSERT_EQ(run.intervals.size(), 1U);
  EXPECT_EQ(run.intervals[0].end_s, 4.0);
}

TEST(Figures, without_losses_are_those_of_the_histogram) {
  const LatencyFigures f = figures_of(thousand_microseconds(), 0);
  EXPECT_EQ(f.count, 1000U);
  EXPECT_EQ(f.min, 1000);
  EXPECT_EQ(f.max, 1'000'000);
  EXPECT_DOUBLE_EQ(*f.mean, 500'500.0);
  ASSERT_TRUE(f.p50);
  EXPECT_NEAR(static_cast<double>(*f.p50), 500e3, 500e3 / 1024);
  EXPECT_FALSE(f.beyond_lost);
}

TEST(Figures, a_lost_request_counts_as_an_answer_that_took_for_ever) {
  // 990 answers and 10 losses: rank 990 of p99 is the last answer, rank 991 and on are lost.
  Histogram h;
  h.record(1000, 990);
  const LatencyFigures f = figures_of(h, 10);
  EXPECT_EQ(f.p99, 1000);
  EXPECT_FALSE(f.p99_9);
  EXPECT_FALSE(f.p99_99);
  EXPECT_TRUE(f.beyond_lost);
  EXPECT_FALSE(f.max);
  EXPECT_FALSE(f.mean);
  EXPECT_FALSE(f.stddev);
  EXPECT_EQ(f.min, 1000);
}

TEST(Figures, one_loss_more_and_p99_lies_among_the_lost) {
  Histogram h;
  h.record(1000, 989);
  EXPECT_FALSE(figures_of(h, 11).p99);
  EXPECT_EQ(figures_of(h, 11).p90, 1000);
}

TEST(Figures, where_everything_was_lost_are_all_missing) {
  const LatencyFigures f = figures_of(Histogram(), 5);
  EXPECT_FALSE(f.min);
  EXPECT_FALSE(f.p50);
  EXPECT_FALSE(f.max);
  EXPECT_TRUE(f.beyond_lost);
}

TEST(Figures, a_value_above_an_hour_has_no_largest_and_no_mean) {
  Histogram h;
  h.record(1000, 1);
  h.record(Histogram::kHighest + 1, 1);
  const LatencyFigures f = figures_of(h, 0);
  EXPECT_EQ(f.out_of_range, 1U);
  EXPECT_EQ(f.p50, 1000);
  EXPECT_FALSE(f.max);
  EXPECT_FALSE(f.mean);
  EXPECT_FALSE(f.beyond_lost);
}

TEST(Summary, loads_are_counts_over_the_measured_time) {
  RunRecord r = record_of(900, 100);
  r.counters.bytes_received = 900 * 64;
  const RunReport run = summarize(r);
  EXPECT_DOUBLE_EQ(run.load.offered_per_s, 500.0);
  EXPECT_DOUBLE_EQ(*run.load.achieved_per_s, 450.0);
  EXPECT_DOUBLE_EQ(*run.goodput_bits_per_s, 900 * 64 * 8 / 2.0);
  EXPECT_DOUBLE_EQ(*run.requests.loss_ratio, 0.1);
}

TEST(Summary, of_no_time_at_all_has_no_rates) {
  RunRecord r = record_of(0, 0);
  r.duration = Nanos(0);
  const RunReport run = summarize(r);
  EXPECT_EQ(run.load.offered_per_s, 0.0);
  EXPECT_FALSE(run.load.achieved_per_s);
  EXPECT_FALSE(run.goodput_bits_per_s);
  EXPECT_FALSE(run.requests.loss_ratio);
}

TEST(Summary, against_a_foreign_sink_leaves_unknown_what_arrived) {
  RunRecord r = record_of(0, 0);
  r.workload = "stream";
  r.has_answers = r.has_response = false;
  r.counters.sent = 10;
  r.intervals.emplace_back();
  const RunReport run = summarize(r);
  EXPECT_FALSE(run.requests.completed);
  EXPECT_FALSE(run.requests.lost);
  EXPECT_FALSE(run.requests.in_flight);
  EXPECT_FALSE(run.requests.loss_ratio);
  EXPECT_FALSE(run.load.achieved_per_s);
  EXPECT_FALSE(run.goodput_bits_per_s);
  EXPECT_FALSE(run.response.histogram);
  EXPECT_FALSE(run.intervals.front().completed);
  EXPECT_EQ(run.requests.sent, 10U);
  EXPECT_EQ(broken_identity(run.requests), "");
}

TEST(Summary, the_goodput_of_a_stream_is_what_its_receivers_counted_once) {
  RunRecord r = record_of(10, 0);
  r.workload = "stream";
  r.counters.bytes_received = 1000;
  r.target_side.emplace().received_bytes = 1000;
  EXPECT_DOUBLE_EQ(*summarize(r).goodput_bits_per_s, 4000.0);
}

TEST(Summary, connect_times_are_there_where_connections_are_made) {
  RunRecord r = record_of(1, 0);
  EXPECT_FALSE(summarize(r).connect.histogram);
  r.workload = "crr";
  EXPECT_FALSE(summarize(r).connect.histogram);
  r.protocol = "tcp";
  EXPECT_TRUE(summarize(r).connect.histogram);
}

TEST(Summary, a_lost_handshake_counts_among_the_connect_times) {
  RunRecord r = record_of(0, 1);
  r.protocol = "tcp";
  r.workload = "connect";
  r.has_response = false;
  r.latencies.connect.record(1000, 1);
  const RunReport run = summarize(r);
  EXPECT_TRUE(run.connect.beyond_lost);
  EXPECT_FALSE(run.connect.max);
  EXPECT_FALSE(run.send_lag.beyond_lost);
}

TEST(Summary, socket_events_of_one_kind_become_one) {
  RunRecord r = record_of(1, 0);
  r.socket_events = {{ErrorKind::refused, 2, seconds(3), seconds(4)},
                     {ErrorKind::refused, 1, seconds(1), seconds(2)}};
  const RunReport run = summarize(r);
  ASSERT_EQ(run.socket_events.size(), 1U);
  EXPECT_EQ(run.socket_events[0].count, 3U);
  EXPECT_EQ(run.socket_events[0].first_s, 1.0);
  EXPECT_EQ(run.socket_events[0].last_s, 4.0);
}

TEST(Identity, that_is_broken_is_named_with_its_numbers) {
  RequestFigures r;
  r.planned = 10;
  r.skipped = 1;
  r.sent = 8;
  EXPECT_EQ(broken_identity(r).substr(0, 33), "planned = sent + unsent + skipped");
  r.planned.reset();
  r.completed = r.lost = r.in_flight = 3;
  EXPECT_NE(broken_identity(r).find("8 sent, 3 completed, 3 lost"), std::string::npos);
  r.sent = 9;
  EXPECT_EQ(broken_identity(r), "");
  r.late = 4;
  EXPECT_NE(broken_identity(r).find("4 late, 3 lost"), std::string::npos);
}

TEST(Identity, is_not_fooled_by_sums_beyond_64_bits) {
  RequestFigures r;
  r.sent = 1;
  r.completed = UINT64_MAX;
  r.lost = 2;
  r.in_flight = 0;
  EXPECT_NE(broken_identity(r), "");
}

TEST(Identity, is_broken_when_more_was_judged_than_sent) {
  RunRecord r = record_of(5, 0);
  r.counters.sent = 4;
  EXPECT_NE(broken_identity(summarize(r).requests), "");
}

RC_GTEST_PROP(Identity, holds_for_the_summary_of_any_counters, ()) {
  const auto below = [](std::uint64_t n) { return *rc::gen::inRange<std::uint64_t>(0, n); };
  RunRecord r;
  r.protocol = "udp";
  r.workload = "rr";
  r.duration = Nanos(static_cast<std::int64_t>(below(1'000'000'000'000)));
  r.has_answers = below(4) != 0;
  RequestCounters& c = r.counters;
  c.completed = below(1'000'000'000);
  c.lost = below(1'000'000);
  c.late = below(c.lost + 1);
  for (std::uint64_t& n : c.errors) n = below(1000) * below(2);
  for (std::uint64_t& n : c.unsent) n = below(1000) * below(2);
  const std::uint64_t in_flight = below(1000);
  const std::uint64_t skipped = below(100'000);
  c.sent = c.completed + c.lost + total(c.errors) + in_flight;
  if (below(2) == 0) r.planned = c.sent + total(c.unsent) + skipped;

  const RequestFigures figures = summarize(r).requests;
  RC_ASSERT(broken_identity(figures).empty());
  RC_ASSERT(figures.skipped.has_value() == r.planned.has_value());
  if (r.planned) RC_ASSERT(*figures.skipped == skipped);
  RC_ASSERT(figures.in_flight.has_value() == r.has_answers);
  if (r.has_answers) RC_ASSERT(*figures.in_flight == in_flight);
  std::uint64_t errors = 0;
  for (const KindCount& kind : figures.errors) {
    RC_ASSERT(kind.count > 0U);
    errors += kind.count;
  }
  RC_ASSERT(errors == total(c.errors));
}

}  // namespace
}  // namespace volley
