// Slices of time: nothing is lost between them, however long the run was.
#include "reports/measure/slices.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <random>
#include <vector>

#include "reports/measure/record.hpp"

namespace volley {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Latencies one_response(Nanos value) {
  Latencies latencies;
  latencies.response.record(value);
  return latencies;
}

std::vector<std::uint64_t> counts_of(const Slices& slices) {
  std::vector<std::uint64_t> counts;
  for (const Slice& slice : slices.all()) counts.push_back(slice.response.count());
  return counts;
}

RequestCounters sent_and_lost(std::uint64_t sent, std::uint64_t lost) {
  RequestCounters counters;
  counters.sent = sent;
  counters.lost = lost;
  return counters;
}

TEST(Slices, double_when_a_run_outlasts_128_of_them) {
  EXPECT_EQ(slice_end(Nanos(0)), milliseconds(2));
  EXPECT_EQ(slice_end(milliseconds(2) - Nanos(1)), milliseconds(2));
  EXPECT_EQ(slice_end(milliseconds(2)), milliseconds(4));
  EXPECT_EQ(slice_end(milliseconds(255)), milliseconds(256));
  EXPECT_EQ(slice_end(milliseconds(256)), milliseconds(260));
  EXPECT_EQ(slice_end(milliseconds(512)), milliseconds(520));
  EXPECT_EQ(slice_end(std::chrono::hours(1)), milliseconds(65'536 * 55));
}

TEST(Slices, become_half_as_many_and_twice_as_long) {
  Slices slices(Nanos(0));
  for (int i = 0; i < 129; ++i)
    slices.add(i * milliseconds(2), one_response(Nanos(8 * i)), sent_and_lost(1, 1));
  std::vector<std::uint64_t> expected(64, 2);
  expected.push_back(1);
  EXPECT_EQ(counts_of(slices), expected);
  EXPECT_EQ(slices.all()[3].lost, 2U);
  // those of 12 and 14 ms: 48 ns and 56 ns
  EXPECT_EQ(slices.all()[3].response.count_above(Histogram::index_of(48)), 1U);
  EXPECT_EQ(slices.all()[3].response.count_above(Histogram::index_of(47)), 2U);
}

TEST(Slices, count_what_comes_in_when_nothing_is_sent_any_more_in_the_last_one) {
  Slices slices(Nanos(0));
  slices.add(milliseconds(126), one_response(Nanos(1)), sent_and_lost(1, 0));
  slices.add(seconds(2), one_response(Nanos(1)), sent_and_lost(0, 0));
  ASSERT_EQ(slices.all().size(), 64U);
  EXPECT_EQ(slices.all().back().response.count(), 2U);
}

TEST(Slices, of_a_run_whose_requests_were_all_of_the_warm_up_begin_with_the_first) {
  Slices slices(Nanos(0));
  slices.add(seconds(2), one_response(Nanos(1)), sent_and_lost(0, 0));
  ASSERT_EQ(slices.all().size(), 1U);
  EXPECT_EQ(slices.all().front().response.count(), 1U);
}

TEST(Slices, count_a_lost_request_when_its_answer_was_due_not_when_it_was_given_up) {
  Slices slices(milliseconds(100));
  slices.add(milliseconds(126), Latencies(), sent_and_lost(1, 3));
  slices.add(milliseconds(20), Latencies(), sent_and_lost(1, 1));   // sent in the warm-up
  slices.add(milliseconds(300), Latencies(), sent_and_lost(0, 5));  // after the last one was sent
  EXPECT_EQ(slices.all()[13].lost, 3U);
  EXPECT_EQ(slices.all()[0].lost, 1U);
  ASSERT_EQ(slices.all().size(), 64U);
  EXPECT_EQ(slices.all()[63].lost, 5U);
}

TEST(SparseHistogram, counts_what_lies_above_an_hour_as_above_everything) {
  Histogram h;
  h.record(15, 2);
  h.record(Histogram::kHighest + 1, 3);
  h.record(-1, 4);
  SparseHistogram sparse;
  sparse.add(h);
  EXPECT_EQ(sparse.count(), 5U);
  EXPECT_EQ(sparse.count_above(8), 3U);
  EXPECT_EQ(sparse.count_above(7), 5U);
  EXPECT_EQ(sparse.count_from(8), 5U);
  EXPECT_EQ(sparse.count_from(16), 3U);
  EXPECT_EQ(sparse.count_above(Histogram::kCounters - 1), 3U);
}

RC_GTEST_PROP(SparseHistogram, counts_beyond_every_eighth_counter_as_the_histogram_does, ()) {
  std::mt19937_64 dice(*rc::gen::arbitrary<std::uint64_t>());
  Histogram all;
  SparseHistogram sparse, other;
  for (int part = 0; part < 4; ++part) {
    Histogram h;
    for (std::uint64_t i = dice() % 50; i > 0; --i)
      h.record(static_cast<std::int64_t>(dice() >> (23 + dice() % 40)), 1 + dice() % 9);
    (part < 2 ? sparse : other).add(h);
    all.merge(h);
  }
  sparse.add(other);
  RC_ASSERT(sparse.count() == all.count() + all.above());
  std::uint64_t above = all.above();
  for (std::size_t i = Histogram::kCounters; i-- > 0;) {
    if (i % 56 == 55) RC_ASSERT(sparse.count_above(i) == above);
    above += all.counters()[i];
    if (i % 56 == 0) RC_ASSERT(sparse.count_from(i) == above);
  }
}

// However the run was cut into parts, each sample is in the slice of its part's begin, and merged
// slices are the sum of those they were made of.
RC_GTEST_PROP(Slices, hold_what_a_map_of_final_slices_holds, ()) {
  std::mt19937_64 dice(*rc::gen::arbitrary<std::uint64_t>());
  Slices slices(Nanos(0));
  std::vector<std::pair<Nanos, std::uint64_t>> added;
  Latencies latencies;
  for (std::uint64_t i = dice() % 60; i > 0; --i) {
    const Nanos at(static_cast<std::int64_t>(dice() >> (34 + dice() % 30)));
    const std::uint64_t times = dice() % 5;
    latencies.clear();
    latencies.service.record(7, times);
    slices.add(at, latencies, sent_and_lost(1, times));
    added.emplace_back(at, times);
  }
  Nanos latest(0);
  for (const auto& [at, times] : added) latest = std::max(latest, at);
  Nanos length = milliseconds(2);
  while (latest >= length * 128) length *= 2;
  std::map<std::size_t, std::uint64_t> expected;
  for (const auto& [at, times] : added) expected[static_cast<std::size_t>(at / length)] += times;
  RC_ASSERT(slices.all().size() <= kMostSlices);
  for (std::size_t i = 0; i < slices.all().size(); ++i) {
    RC_ASSERT(slices.all()[i].service.count() == expected[i]);
    RC_ASSERT(slices.all()[i].lost == expected[i]);
  }
}

}  // namespace
}  // namespace volley
