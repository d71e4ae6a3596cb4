// Interval records: what goes in comes out once, whatever the clock does.
#include "generators/engine/recorder.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "generators/engine/collector.hpp"

namespace volley {
namespace {

constexpr Nanos kInterval = std::chrono::seconds(1);
constexpr Nanos kNeverLate = Nanos::max();

std::vector<std::unique_ptr<Handoff>> handoffs(std::size_t n) {
  std::vector<std::unique_ptr<Handoff>> made;
  for (std::size_t i = 0; i < n; ++i) made.push_back(std::make_unique<Handoff>());
  return made;
}

const auto kNobody = [](const IntervalRecord&, bool) {};

// One completed request of the measure phase at `at`.
void one_request(Recorder& recorder, MonoTime at) {
  recorder.on_sent(Due{at}, at, 64);
  recorder.on_completed(
      {.intended = at, .sent = at, .received = at + Nanos(1000), .bytes = 64, .measured = true});
}

TEST(Recorder, totals_are_the_sum_of_the_intervals) {
  auto ways = handoffs(1);
  RunRecord record;
  Collector collector(ways, record);
  Recorder recorder(*ways[0], kInterval, kNeverLate);
  const MonoTime begin = mono_now();
  recorder.start(begin);
  for (int i = 0; i < 35; ++i) {
    const MonoTime at = begin + i * std::chrono::milliseconds(100);
    recorder.tick(at);
    one_request(recorder, at);
  }
  recorder.finish(begin + std::chrono::milliseconds(3500));
  collector.finish(kNobody);
  EXPECT_EQ(record.counters.sent, 35U);
  ASSERT_EQ(record.intervals.size(), 4U);
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < record.intervals.size(); ++i) {
    EXPECT_EQ(record.intervals[i].index, i);
    EXPECT_EQ(record.intervals[i].begin, kInterval * static_cast<int>(i));
    sum += record.intervals[i].counters.sent;
  }
  EXPECT_EQ(sum, 35U);
  EXPECT_EQ(record.intervals[0].counters.sent, 10U);
  EXPECT_EQ(record.intervals[3].end, std::chrono::milliseconds(3500));
  EXPECT_EQ(record.latencies.response.count(), 35U);
}

// A request every 100 ms for 3.5 s, at whose end slices are 32 ms long; the collector looks every
// so often.
RunRecord looked_at_often(std::chrono::milliseconds between_looks) {
  auto ways = handoffs(1);
  RunRecord record;
  record.slices = Slices(Nanos(0));
  Collector collector(ways, record);
  Recorder recorder(*ways[0], kInterval, kNeverLate);
  const MonoTime begin = mono_now();
  recorder.start(begin);
  for (std::chrono::milliseconds at{0}; at.count() < 3500; at += std::chrono::milliseconds(100)) {
    recorder.tick(begin + at);
    one_request(recorder, begin + at);
    if (at % between_looks == Nanos(0)) collector.collect(kNobody);
  }
  recorder.finish(begin + std::chrono::milliseconds(3500));
  collector.finish(kNobody);
  return record;
}

TEST(Recorder, samples_fall_on_the_slices_of_their_time) {
  const RunRecord record = looked_at_often(std::chrono::milliseconds(100));
  std::vector<std::uint64_t> expected(3400 / 32 + 1);
  for (std::size_t at = 0; at < 3500; at += 100) ++expected[at / 32];
  ASSERT_EQ(record.slices.all().size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_EQ(record.slices.all()[i].response.count(), expected[i]) << i;
}

TEST(Recorder, intervals_are_the_same_whether_or_not_slices_could_be_handed_over) {
  const RunRecord often = looked_at_often(std::chrono::milliseconds(100));
  const RunRecord never = looked_at_often(std::chrono::hours(1));
  ASSERT_EQ(often.intervals.size(), never.intervals.size());
  for (std::size_t i = 0; i < often.intervals.size(); ++i) {
    EXPECT_EQ(often.intervals[i].begin, never.intervals[i].begin);
    EXPECT_EQ(often.intervals[i].end, never.intervals[i].end);
    EXPECT_EQ(often.intervals[i].counters.sent, never.intervals[i].counters.sent);
    EXPECT_EQ(often.intervals[i].response_p99, never.intervals[i].response_p99);
  }
  EXPECT_EQ(often.latencies.response, never.latencies.response);
  std::uint64_t sum = 0;
  for (const Slice& slice : never.slices.all()) sum += slice.response.count();
  EXPECT_EQ(sum, 35U) << "what was not handed over at a slice's end comes with the next";
}

// Due at 0, 0, 7 and 12 ns; sent at 20 with one call; answered at 50 together.
TEST(Recorder, a_batch_is_taken_down_as_its_requests_one_by_one) {
  auto ways = handoffs(2);
  const MonoTime begin = mono_now();
  Recorder together(*ways[0], kInterval, kNeverLate);
  Recorder apart(*ways[1], kInterval, kNeverLate);
  together.start(begin);
  apart.start(begin);
  std::vector<Due> dues;
  std::vector<std::int64_t> responses;
  for (const std::int64_t at : {0, 0, 7, 12}) {
    dues.push_back({begin + Nanos(at), true, false});
    responses.push_back(50 - at);
    apart.on_sent(Due{begin + Nanos(at)}, begin + Nanos(20), 64);
    apart.on_completed({.intended = begin + Nanos(at),
                        .sent = begin + Nanos(20),
                        .received = begin + Nanos(50),
                        .bytes = 64,
                        .measured = true});
  }
  together.on_sent(dues, begin + Nanos(20), 256);
  together.on_completed({.intended = begin,
                         .sent = begin + Nanos(20),
                         .received = begin + Nanos(50),
                         .bytes = 64,
                         .measured = true},
                        responses);
  const IntervalRecord& one = together.of(true);
  const IntervalRecord& other = apart.of(true);
  EXPECT_EQ(one.counters.sent, 4U);
  EXPECT_EQ(one.counters.completed, 4U);
  EXPECT_EQ(one.counters.bytes_sent, other.counters.bytes_sent);
  EXPECT_EQ(one.counters.bytes_received, other.counters.bytes_received);
  EXPECT_EQ(one.latencies.send_lag, other.latencies.send_lag);
  EXPECT_EQ(one.latencies.service, other.latencies.service);
  EXPECT_EQ(one.latencies.response, other.latencies.response);
  EXPECT_EQ(one.latencies.response.max(), Nanos(50));
  EXPECT_EQ(one.latencies.send_lag.min(), Nanos(8));
}

TEST(Recorder, a_run_given_up_before_it_began_has_an_interval_without_length) {
  auto ways = handoffs(1);
  RunRecord record;
  Collector collector(ways, record);
  Recorder recorder(*ways[0], kInterval, kNeverLate);
  const MonoTime now = mono_now();
  recorder.on_connected(true, now - kInterval, now);
  recorder.finish(now);
  collector.finish(kNobody);
  ASSERT_EQ(record.intervals.size(), 1U);
  EXPECT_EQ(record.intervals[0].begin, Nanos(0));
  EXPECT_EQ(record.intervals[0].end, Nanos(0));
  EXPECT_EQ(record.latencies.connect.count(), 1U);
}

TEST(Recorder, a_worker_that_slept_over_interval_ends_loses_nothing) {
  auto ways = handoffs(1);
  RunRecord record;
  Collector collector(ways, record);
  Recorder recorder(*ways[0], kInterval, kNeverLate);
  const MonoTime begin = mono_now();
  recorder.start(begin);
  one_request(recorder, begin);
  const MonoTime late = begin + std::chrono::milliseconds(5300);
  recorder.tick(late);
  one_request(recorder, late);
  recorder.finish(late);
  collector.finish(kNobody);
  EXPECT_EQ(record.counters.sent, 2U);
  ASSERT_EQ(record.intervals.size(), 2U);
  EXPECT_EQ(record.intervals[0].index, 0U);
  EXPECT_EQ(record.intervals[1].index, 5U);
}

TEST(Recorder, warm_up_requests_are_shown_but_never_counted) {
  auto ways = handoffs(1);
  RunRecord record;
  Collector collector(ways, record);
  Recorder recorder(*ways[0], kInterval, kNeverLate);
  const MonoTime now = mono_now();
  const MonoTime begin = now + std::chrono::milliseconds(2500);
  recorder.start(begin);
  recorder.on_sent(Due{now, false}, now, 64);
  recorder.on_lost(false);
  recorder.tick(begin);
  one_request(recorder, begin);
  recorder.finish(begin + std::chrono::milliseconds(10));
  std::uint64_t shown = 0;
  collector.finish([&](const IntervalRecord& r, bool warm_up) {
    if (warm_up) shown += r.counters.sent;
  });
  EXPECT_EQ(shown, 1U);
  EXPECT_EQ(record.counters.sent, 1U);
  EXPECT_EQ(record.counters.lost, 0U);
}

TEST(Collector, an_interval_is_published_when_every_worker_has_handed_it_over) {
  auto ways = handoffs(2);
  RunRecord record;
  Collector collector(ways, record);
  Recorder fast(*ways[0], kInterval, kNeverLate);
  Recorder slow(*ways[1], kInterval, kNeverLate);
  const MonoTime begin = mono_now();
  fast.start(begin);
  slow.start(begin);
  one_request(fast, begin);
  one_request(slow, begin);
  fast.tick(begin + kInterval);
  collector.collect(kNobody);
  EXPECT_TRUE(record.intervals.empty());
  slow.tick(begin + kInterval);
  collector.collect(kNobody);
  ASSERT_EQ(record.intervals.size(), 1U);
  EXPECT_EQ(record.intervals[0].counters.completed, 2U);
}

// Due at 0, 5 and 30 us, sent at 50: later than 40 us are two. The first was held back.
TEST(Recorder, late_is_what_left_late_without_having_been_held_back) {
  using namespace std::chrono_literals;
  auto ways = handoffs(1);
  Recorder recorder(*ways[0], kInterval, 40us);
  const MonoTime begin = mono_now();
  recorder.start(begin);
  const std::vector<Due> dues{{begin, true, true}, {begin + 5us}, {begin + 30us}};
  recorder.on_sent(dues, begin + 50us, 192);
  const IntervalRecord& r = recorder.of(true);
  EXPECT_EQ(r.counters.sent_late, 1U);
  ASSERT_TRUE(r.latencies.held_lag);
  EXPECT_EQ(r.latencies.held_lag->count(), 1U);
  EXPECT_EQ(r.latencies.held_lag->max(), 50us);
  EXPECT_EQ(r.latencies.send_lag.count(), 3U) << "it is a lag all the same";
}

TEST(Recorder, a_run_without_anything_held_back_keeps_no_histogram_for_it) {
  using namespace std::chrono_literals;
  auto ways = handoffs(1);
  Recorder recorder(*ways[0], kInterval, 40us);
  const MonoTime begin = mono_now();
  recorder.start(begin);
  recorder.on_sent(Due{begin}, begin + 41us, 64);
  EXPECT_EQ(recorder.of(true).counters.sent_late, 1U);
  EXPECT_FALSE(recorder.of(true).latencies.held_lag);
}

TEST(Handoff, a_collector_in_another_thread_gets_every_record_in_order) {
  constexpr std::uint32_t kRecords = 300;
  Handoff way;
  std::thread worker([&] {
    auto record = way.take_empty();
    for (std::uint32_t i = 0; i < kRecords;) {
      record->record.index = i;
      if (!way.give(record)) continue;
      record = way.take_empty();
      ++i;
    }
  });
  for (std::uint32_t expected = 0; expected < kRecords;) {
    auto record = way.collect();
    if (!record) continue;
    EXPECT_EQ(record->record.index, expected++);
    way.recycle(std::move(record));
  }
  worker.join();
}

}  // namespace
}  // namespace volley
