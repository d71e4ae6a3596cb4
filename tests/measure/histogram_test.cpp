// The histogram against the plainest thing that could replace it: a sorted vector.
#include "reports/measure/histogram.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace volley {
namespace {

using Values = std::vector<std::int64_t>;

// One value of a family whose shape latency measurements know. Most are in range; a few are not.
std::int64_t draw(int family, std::mt19937_64& random) {
  const double u = (static_cast<double>(random() >> 11U) + 0.5) * 0x1p-53;
  const auto whole = [](double x) { return static_cast<std::int64_t>(std::clamp(x, -1e15, 1e15)); };
  switch (family) {
    case 0:
      return whole(-50e3 * std::log(u));  // exponential
    case 1:
      return whole(std::exp(10 + 2 * std::normal_distribution<>()(random)));  // lognormal
    case 2:
      return whole(1e4 * std::pow(u, -1 / 1.1));  // Pareto
    case 3:
      return whole(u < 0.9 ? 20e3 + 1e3 * u : 200e6 + 1e6 * u);  // bimodal
    case 4:
      return 123'456'789;  // constant
    case 5:
      return (std::int64_t{1} << (random() % 43U)) +  // counters' edges
             static_cast<std::int64_t>(random() % 3U) - 1;
    case 6:
      return whole(u * 4096);  // the linear part
    default:
      return whole(u < 0.01 ? -1 - 100 * u : u > 0.99 ? 4e12 : 1e6 * u);  // out of range
  }
}
constexpr int kFamilies = 8;

Values draw_many(int family, std::size_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Values values(count);
  for (std::int64_t& v : values) v = draw(family, random);
  return values;
}

Values some_values() {
  const auto family = *rc::gen::inRange(0, kFamilies);
  const auto count = *rc::gen::inRange<std::size_t>(0, 3'000);
  return draw_many(family, count, *rc::gen::arbitrary<std::uint64_t>());
}

Histogram histogram_of(const Values& values) {
  Histogram h;
  for (const std::int64_t v : values) h.record(Nanos(v));
  return h;
}

Values in_range_sorted(Values values) {
  std::erase_if(values, [](std::int64_t v) { return v < 0 || v > Histogram::kHighest; });
  std::sort(values.begin(), values.end());
  return values;
}

// Every counter of `got` lies in the relative error of the value it stands for.
void expect_close(std::int64_t got, std::int64_t exact) {
  RC_ASSERT(got >= exact);
  RC_ASSERT(static_cast<double>(got - exact) <= 0.001 * static_cast<double>(exact));
}

TEST(Histogram, every_counter_begins_where_the_one_before_it_ends) {
  EXPECT_EQ(Histogram::lowest_of(0), 0);
  for (std::size_t i = 0; i + 1 < Histogram::kCounters; ++i) {
    const std::int64_t low = Histogram::lowest_of(i);
    const std::int64_t high = Histogram::highest_of(i);
    ASSERT_EQ(Histogram::index_of(low), i);
    ASSERT_EQ(Histogram::index_of(high), i);
    ASSERT_EQ(Histogram::lowest_of(i + 1), high + 1);
    // From anywhere in a counter to its upper end is at most 0.1 % of the value.
    ASSERT_LE((high - low) * 1'000, low);
  }
  EXPECT_LT(Histogram::index_of(Histogram::kHighest), Histogram::kCounters);
}

RC_GTEST_PROP(Histogram, a_percentile_is_the_order_statistic_of_its_rank_within_a_thousandth, ()) {
  const Values values = some_values();
  const Histogram h = histogram_of(values);
  const Values sorted = in_range_sorted(values);
  const auto ppm = *rc::gen::oneOf(rc::gen::inRange(0U, 1'000'001U),
                                   rc::gen::element(0U, 1U, 500'000U, 900'000U, 990'000U, 999'000U,
                                                    999'900U, 999'999U, 1'000'000U));
  const auto infinite =
      *rc::gen::oneOf(rc::gen::just<std::uint64_t>(0), rc::gen::inRange<std::uint64_t>(0, 2'000));
  const std::uint64_t all = sorted.size() + h.above() + infinite;
  // The smallest rank r with r / all >= p, found by counting.
  std::uint64_t rank = 1;
  while (rank < all && rank * 1'000'000 < ppm * all) ++rank;
  const auto got = h.at(Percentile{ppm}, infinite);
  if (all == 0 || rank > sorted.size()) {
    RC_ASSERT(!got);
  } else {
    RC_ASSERT(got.has_value());
    expect_close(got->count(), sorted[rank - 1]);
  }
}

RC_GTEST_PROP(Histogram, merging_equals_recording_everything_in_one, ()) {
  const auto parts = *rc::gen::inRange(1, 6);
  Histogram merged;
  Histogram together;
  for (int i = 0; i < parts; ++i) {
    const Values values = some_values();
    merged.merge(histogram_of(values));
    for (const std::int64_t v : values) together.record(Nanos(v));
  }
  RC_ASSERT(merged == together);
}

RC_GTEST_PROP(Histogram, merging_commutes_and_an_empty_one_is_neutral, ()) {
  const Histogram a = histogram_of(some_values());
  const Histogram b = histogram_of(some_values());
  Histogram ab = a;
  ab.merge(b);
  Histogram ba = b;
  ba.merge(a);
  RC_ASSERT(ab == ba);
  ab.merge(Histogram());
  RC_ASSERT(ab == ba);
  Histogram from_empty;
  from_empty.merge(ba);
  RC_ASSERT(from_empty == ba);
}

RC_GTEST_PROP(Histogram, count_extremes_mean_and_deviation_are_those_of_the_values, ()) {
  const Values values = some_values();
  const Histogram h = histogram_of(values);
  const Values sorted = in_range_sorted(values);
  RC_ASSERT(h.count() == sorted.size());
  const auto below = std::count_if(values.begin(), values.end(), [](auto v) { return v < 0; });
  RC_ASSERT(h.below() == static_cast<std::uint64_t>(below));
  RC_ASSERT(h.count() + h.below() + h.above() == values.size());
  RC_ASSERT(h.empty() == sorted.empty());
  if (sorted.empty()) {
    RC_ASSERT(!h.min() && !h.max() && !h.mean_ns() && !h.stddev_ns());
    return;
  }
  RC_ASSERT(h.min()->count() == sorted.front());
  RC_ASSERT(h.max()->count() == sorted.back());
  long double sum = 0;
  for (const auto v : sorted) sum += static_cast<long double>(v);
  const long double mean = sum / static_cast<long double>(sorted.size());
  RC_ASSERT(std::abs(*h.mean_ns() - static_cast<double>(mean)) <=
            1e-12 * static_cast<double>(mean));
  long double squares = 0;
  for (const auto v : sorted)
    squares += (static_cast<long double>(v) - mean) * (static_cast<long double>(v) - mean);
  const auto stddev = std::sqrt(static_cast<double>(squares) / static_cast<double>(sorted.size()));
  // Each value is off by at most half a counter, and so is their deviation (triangle inequality).
  const double half_counter = 0.0005 * static_cast<double>(sorted.back()) + 0.5;
  RC_ASSERT(std::abs(*h.stddev_ns() - stddev) <= half_counter);
}

RC_GTEST_PROP(Histogram, percentiles_never_decrease_and_stay_between_the_extremes, ()) {
  const Histogram h = histogram_of(some_values());
  const auto infinite = *rc::gen::inRange<std::uint64_t>(0, 50);
  std::int64_t before = 0;
  bool ended = false;
  for (std::uint32_t ppm = 0; ppm <= 1'000'000; ppm += 997) {
    const auto value = h.at(Percentile{ppm}, infinite);
    if (!value) {
      ended = true;
      continue;
    }
    RC_ASSERT(!ended);  // once among the lost, always among the lost
    RC_ASSERT(value->count() >= before);
    RC_ASSERT(*value >= *h.min());
    RC_ASSERT(*value <= *h.max());
    before = value->count();
  }
}

TEST(Histogram, lost_requests_count_as_infinitely_slow) {
  Histogram h;
  for (int i = 1; i <= 99; ++i) h.record(Nanos(i));
  EXPECT_EQ(h.at(kP99), Nanos(99));
  EXPECT_EQ(h.at(kP99, 1), Nanos(99));     // rank 99 of 100
  EXPECT_EQ(h.at(kP99, 2), std::nullopt);  // rank 100 of 101 is a lost one
  EXPECT_EQ(h.at(Percentile{1'000'000}, 1), std::nullopt);
  EXPECT_EQ(h.at(kP50, 99), Nanos(99));      // rank 99 of 198
  EXPECT_EQ(h.at(kP50, 101), std::nullopt);  // rank 100 of 200
  EXPECT_EQ(h.at(kP50, std::numeric_limits<std::uint64_t>::max()), std::nullopt);
  EXPECT_EQ(Histogram().at(kP50), std::nullopt);
  EXPECT_EQ(Histogram().at(kP50, 5), std::nullopt);
}

TEST(Histogram, values_out_of_range_are_counted_and_touch_nothing_else) {
  Histogram h;
  h.record(Nanos(-1));
  h.record(Nanos::min());
  h.record(Nanos(Histogram::kHighest + 1));
  h.record(Nanos::max());
  EXPECT_EQ(h.below(), 2U);
  EXPECT_EQ(h.above(), 2U);
  EXPECT_TRUE(h.empty());
  EXPECT_EQ(h.max(), std::nullopt);
  EXPECT_EQ(h.at(kP50), std::nullopt);  // the median is above 1 h
  h.record(Nanos(Histogram::kHighest));
  h.record(Nanos(0));
  EXPECT_EQ(h.count(), 2U);
  EXPECT_EQ(h.max(), Nanos(Histogram::kHighest));
  EXPECT_EQ(h.at(kP50), Nanos(Histogram::kHighest));  // rank 2 of 4
}

TEST(Histogram, recording_several_times_equals_recording_again_and_again) {
  Histogram at_once;
  at_once.record(5'000, 3);
  at_once.record(-5, 2);
  at_once.record(Histogram::kHighest + 1, 4);
  at_once.record(77'777, 0);
  Histogram one_by_one;
  for (int i = 0; i < 3; ++i) one_by_one.record(Nanos(5'000));
  for (int i = 0; i < 2; ++i) one_by_one.record(Nanos(-5));
  for (int i = 0; i < 4; ++i) one_by_one.record(Nanos(Histogram::kHighest + 1));
  EXPECT_EQ(at_once, one_by_one);
}

RC_GTEST_PROP(Histogram, recording_many_at_once_equals_recording_one_after_another, ()) {
  auto values = some_values();
  for (const std::int64_t outside : {std::int64_t{-1}, Histogram::kHighest + 1})
    if (*rc::gen::arbitrary<bool>())
      values.insert(values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), outside);
  Histogram at_once;
  at_once.record(5, 2);  // what was there before stays
  Histogram one_by_one = at_once;
  at_once.record_each(values);
  for (const std::int64_t value : values) one_by_one.record(Nanos(value));
  RC_ASSERT(at_once == one_by_one);
}

// What lies near the first one takes a way of its own.
TEST(Histogram, neighbours_and_what_lies_far_from_them_are_recorded_alike) {
  using Limits = std::numeric_limits<std::int64_t>;
  for (const std::int64_t first : {std::int64_t{0}, std::int64_t{2047}, std::int64_t{2048},
                                   std::int64_t{33'000}, std::int64_t{-7}, Histogram::kHighest}) {
    std::vector<std::int64_t> values;
    for (std::int64_t i = 0; i < 67; ++i)
      values.push_back(first - 7 * (i / 2));  // 32,768 is passed
    for (const std::int64_t far : {Limits::min(), Limits::max(), std::int64_t{0}, first + 1})
      values.insert(values.begin() + 30, far);
    Histogram at_once;
    Histogram one_by_one;
    for (int round = 0; round < 2; ++round) {  // the first one moves min and max
      at_once.record_each(values);
      for (const std::int64_t value : values) one_by_one.record(Nanos(value));
      EXPECT_EQ(at_once, one_by_one) << first;
    }
  }
}

TEST(Histogram, sums_beyond_64_bits_stay_exact) {
  Histogram at_once;
  at_once.record_each(std::vector<std::int64_t>(5'200'000, Histogram::kHighest));  // 1.87e19 ns
  EXPECT_EQ(at_once.mean_ns(), 3.6e12);
  Histogram h;
  h.record(Histogram::kHighest, 100'000'000);  // 3.6e20 ns
  EXPECT_EQ(h.mean_ns(), 3.6e12);
  EXPECT_EQ(h.stddev_ns(), 0.0);
}

RC_GTEST_PROP(Histogram, a_cleared_one_is_as_good_as_new, ()) {
  Histogram h = histogram_of(some_values());
  h.clear();
  RC_ASSERT(h == Histogram());
  const Values values = some_values();
  for (const std::int64_t v : values) h.record(Nanos(v));
  RC_ASSERT(h == histogram_of(values));
}

RC_GTEST_PROP(Histogram, saved_counters_restore_all_but_what_was_out_of_range, ()) {
  Values values = some_values();
  const Histogram saved = histogram_of(values);
  Histogram restored = histogram_of(some_values());  // what was there before must go
  if (saved.empty()) {
    restored.restore(saved.counters(), Nanos(0), Nanos(0), 0);
    RC_ASSERT(restored == Histogram());
    return;
  }
  restored.restore(saved.counters(), *saved.min(), *saved.max(),
                   *saved.mean_ns() * static_cast<double>(saved.count()));
  RC_ASSERT(restored.count() == saved.count());
  RC_ASSERT(restored.min() == saved.min());
  RC_ASSERT(restored.max() == saved.max());
  RC_ASSERT(std::ranges::equal(restored.counters(), saved.counters()));
  RC_ASSERT(std::abs(*restored.mean_ns() - *saved.mean_ns()) <= 1e-9 * *saved.mean_ns() + 1e-9);
  for (const Percentile p : {kP50, kP90, kP99, kP99_9, kP99_99})
    RC_ASSERT(restored.at(p, saved.above()) == saved.at(p));
}

TEST(Histogram, saved_figures_that_contradict_the_counters_are_moved_into_their_range) {
  std::vector<std::uint64_t> counters(Histogram::kCounters, 0);
  const std::size_t index = Histogram::index_of(1'000'000);
  counters[index] = 10;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double sum : {-1.0, 0.0, 1e300, nan, infinity, -infinity}) {
    Histogram h;
    h.restore(counters, Nanos(-5), Nanos::max(), sum);
    EXPECT_EQ(h.count(), 10U);
    EXPECT_EQ(h.min(), Nanos(Histogram::lowest_of(index)));
    EXPECT_EQ(h.max(), Nanos(Histogram::highest_of(index)));
    EXPECT_GE(*h.mean_ns(), static_cast<double>(Histogram::lowest_of(index)));
    EXPECT_LE(*h.mean_ns(), static_cast<double>(Histogram::highest_of(index)));
    EXPECT_TRUE(std::isfinite(*h.stddev_ns()));
  }
}

TEST(Histogram, a_shorter_list_of_counters_is_the_beginning_of_a_full_one) {
  Histogram h;
  h.restore(std::vector<std::uint64_t>{0, 0, 7}, Nanos(2), Nanos(2), 14);
  EXPECT_EQ(h.count(), 7U);
  EXPECT_EQ(h.at(kP50), Nanos(2));
  h.restore({}, Nanos(1), Nanos(1), 1);
  EXPECT_EQ(h, Histogram());
}

TEST(Histogram, a_percentile_above_100_percent_is_our_own_mistake) {
  Histogram h;
  h.record(Nanos(1));
  EXPECT_DEATH((void)h.at(Percentile{1'000'001}), "internal error");
}

}  // namespace
}  // namespace volley
