// Records: totals are the sum of their intervals, by construction.
#include "reports/measure/record.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "reports/measure/ensure.hpp"

namespace volley {
namespace {

IntervalRecord an_interval(std::uint32_t index) {
  IntervalRecord interval;
  interval.index = index;
  interval.begin = Nanos(index * 1'000'000'000LL);
  interval.end = interval.begin + Nanos(1'000'000'000);
  const auto completed = *rc::gen::inRange<std::uint64_t>(0, 50);
  interval.counters.completed = completed;
  interval.counters.lost = *rc::gen::inRange<std::uint64_t>(0, 5);
  interval.counters.sent = completed + interval.counters.lost;
  interval.counters.errors[0] = *rc::gen::inRange<std::uint64_t>(0, 3);
  for (std::uint64_t i = 0; i < completed; ++i) {
    const Nanos t(*rc::gen::inRange<std::int64_t>(0, 10'000'000'000));
    interval.latencies.response.record(t);
    interval.latencies.service.record(t / 2);
    interval.latencies.send_lag.record(t / 3);
    interval.latencies.connect.record(t / 5);
  }
  return interval;
}

RC_GTEST_PROP(Record, totals_are_the_sum_of_the_intervals, ()) {
  RunRecord record;
  RequestCounters counters;
  Latencies latencies;
  const auto intervals = *rc::gen::inRange<std::uint32_t>(0, 6);
  for (std::uint32_t i = 0; i < intervals; ++i) {
    const IntervalRecord interval = an_interval(i);
    add_interval(record, interval);
    counters += interval.counters;
    latencies.merge(interval.latencies);
    const IntervalSummary& summary = record.intervals.back();
    RC_ASSERT(summary.index == i);
    RC_ASSERT(summary.begin == interval.begin);
    RC_ASSERT(summary.end == interval.end);
    RC_ASSERT(summary.counters == interval.counters);
    RC_ASSERT(summary.response_p50 == interval.latencies.response.at(kP50));
    RC_ASSERT(summary.response_p99 == interval.latencies.response.at(kP99));
    RC_ASSERT(summary.response_max == interval.latencies.response.max());
    RC_ASSERT(summary.send_lag_p99 == interval.latencies.send_lag.at(kP99));
  }
  RC_ASSERT(record.intervals.size() == intervals);
  RC_ASSERT(record.counters == counters);
  RC_ASSERT(record.latencies.response == latencies.response);
  RC_ASSERT(record.latencies.service == latencies.service);
  RC_ASSERT(record.latencies.send_lag == latencies.send_lag);
  RC_ASSERT(record.latencies.connect == latencies.connect);
}

RC_GTEST_PROP(Record, a_cleared_interval_can_be_used_again, ()) {
  IntervalRecord interval = an_interval(3);
  interval.clear();
  RC_ASSERT(interval.index == 0U);
  RC_ASSERT(interval.begin == Nanos(0));
  RC_ASSERT(interval.end == Nanos(0));
  RC_ASSERT(interval.counters == RequestCounters{});
  RC_ASSERT(interval.latencies.response == Histogram());
  RC_ASSERT(interval.latencies.service == Histogram());
  RC_ASSERT(interval.latencies.send_lag == Histogram());
  RC_ASSERT(interval.latencies.connect == Histogram());
}

TEST(Record, an_interval_without_answers_has_no_percentiles_and_not_zeros) {
  RunRecord record;
  add_interval(record, IntervalRecord{});
  EXPECT_EQ(record.intervals.at(0).response_p50, std::nullopt);
  EXPECT_EQ(record.intervals.at(0).response_p99, std::nullopt);
  EXPECT_EQ(record.intervals.at(0).response_max, std::nullopt);
  EXPECT_EQ(record.intervals.at(0).send_lag_p99, std::nullopt);
}

TEST(Record, a_status_has_the_word_of_the_report) {
  EXPECT_EQ(to_string(RunStatus::ok), "ok");
  EXPECT_EQ(to_string(RunStatus::interrupted), "interrupted");
  EXPECT_EQ(to_string(RunStatus::failed), "failed");
}

TEST(Record, a_mistake_of_ours_stops_the_program_and_names_the_place) {
  ensure(true, "holds");
  EXPECT_DEATH(ensure(false, "this must hold"), "this must hold .*record_test.cpp");
}

}  // namespace
}  // namespace volley
