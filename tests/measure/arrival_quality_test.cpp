// Figures of several receivers as one, and delays above a smallest one that is not known yet.
#include "reports/measure/arrival_quality.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace volley {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

TEST(ArrivalQuality, of_several_adds_counts_up_and_takes_the_largest_percentile) {
  ArrivalQuality a, b;
  a.arrived = 10;
  b.arrived = 5;
  a.extent = {3, 4, 9};
  b.extent = {2, 7, 7};
  b.pdv_p50_ns = 100;
  a.jitters_ns = 30;
  b.jitters_ns = 50;
  a.jitter_flows = b.jitter_flows = 1;
  const ArrivalQuality all = put_together(std::array{a, b});
  EXPECT_EQ(all.arrived, 15U);
  EXPECT_EQ(all.extent, (FigureSpread{3, 7, 9}));
  EXPECT_EQ(all.pdv_p50_ns, 100U);
  EXPECT_FALSE(all.pdv_p99_ns);
  EXPECT_EQ(all.jitters_ns / all.jitter_flows, 40U);
  EXPECT_EQ(put_together({}), ArrivalQuality{});
}

TEST(ArrivalQuality, has_what_the_trackers_found) {
  ReorderingFigures reordering;
  VariationFigures variation;
  ArrivalTracker order;
  VariationTracker tracker;
  const MonoTime start{std::chrono::hours(1)};
  std::uint64_t i = 0;
  for (const std::uint64_t number : {0U, 1U, 4U, 5U, 6U, 2U, 3U}) {
    const MonoTime now = start + milliseconds(i++);
    (void)order.arrive(number, now, &reordering);
    tracker.arrive(number, 1, Trip{now, microseconds(100 + number)}, &variation);
  }
  const ArrivalQuality q = arrival_quality(reordering, variation);
  EXPECT_EQ(q.reordered, 2U);
  EXPECT_EQ(q.n_reordered_3, 1U) << "the 2 has three larger numbers right before it";
  EXPECT_EQ(q.extent.max, 4U);
  EXPECT_EQ(q.late_ns.max, 4'000'000U);
  EXPECT_EQ(q.pairs, 6U);
  EXPECT_EQ(q.ipdv_longer_max_ns, 1000U);
  EXPECT_FALSE(q.ipdv_shorter_max_ns);
}

// However delays fall, and whatever constant they are off by.
RC_GTEST_PROP(DelayAboveLeast, is_what_sorting_all_of_them_says, ()) {
  const auto delays = *rc::gen::nonEmpty(
      rc::gen::container<std::vector<std::int64_t>>(rc::gen::inRange(-40'000'000, 5'000'000)));
  const auto off = *rc::gen::inRange<std::int64_t>(-1'000'000'000'000, 1'000'000'000'000);
  DelayAboveLeast above;
  for (const std::int64_t delay : delays) above.record(Nanos(delay + off), 1);
  std::vector<std::int64_t> sorted = delays;
  std::sort(sorted.begin(), sorted.end());
  const double whole = 2.0 * static_cast<double>(sorted.back() - sorted.front());
  for (const Percentile p : {kP50, kP99, kP99_9}) {
    const auto rank = static_cast<std::size_t>(
        std::ceil(static_cast<double>(sorted.size()) * p.ppm / 1'000'000 - 1e-9));
    const std::int64_t wanted = sorted[rank - 1] - sorted.front();
    const auto found = above.at(p);
    RC_ASSERT(found.has_value());
    RC_ASSERT(std::abs(static_cast<double>(found->count() - wanted)) <= whole / 512 + 4);
  }
}

TEST(DelayAboveLeast, of_nothing_is_not_known) { EXPECT_FALSE(DelayAboveLeast{}.at(kP50)); }

}  // namespace
}  // namespace volley
