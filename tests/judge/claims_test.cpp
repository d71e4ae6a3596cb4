// claims.cpp: what stands behind a percentile, by counts that can be checked by hand.
#include "reports/judge/claims.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace volley {
namespace {

// Slices of a run as they fell: of each, how many samples took which time, and how many were lost.
class SlicedRun {
 public:
  void slice(const std::vector<std::pair<std::int64_t, std::uint64_t>>& samples,
             std::uint64_t lost = 0) {
    Histogram part;
    for (const auto& [value, times] : samples) part.record(value, times);
    slices_.emplace_back().add(part);
    lost_.push_back(lost);
    all_.merge(part);
  }
  [[nodiscard]] Claim claim(Percentile p) const {
    std::vector<SliceSamples> samples;
    std::uint64_t lost = 0;
    for (std::size_t i = 0; i < slices_.size(); ++i) {
      samples.push_back({slices_[i], lost_[i]});
      lost += lost_[i];
    }
    return claim_of(p, all_, lost, samples);
  }

 private:
  Histogram all_;
  std::vector<SparseHistogram> slices_;
  std::vector<std::uint64_t> lost_;
};

// `slices` slices with 90 fast and 10 slow samples each.
SlicedRun even(int slices) {
  SlicedRun run;
  for (int i = 0; i < slices; ++i) run.slice({{100, 90}, {200, 10}});
  return run;
}

TEST(Claim, of_evenly_spread_samples_has_as_many_as_there_are) {
  const Claim claim = even(64).claim(kP90);
  EXPECT_TRUE(claim.holds);
  EXPECT_DOUBLE_EQ(claim.effective_samples, 6400.0);
  EXPECT_EQ(claim.tail_events, 32U);  // one of all time, which counts for each 32nd of it
  EXPECT_FALSE(claim.samples_needed);
  EXPECT_EQ(claim.low, 100);
  EXPECT_EQ(claim.high, 200);
}

// One slice in two has all of the slow samples: r is +-10, so the variance is that of 64 whole
// slices, 64/63 (64 * 100) / 6400^2 against 0.1 * 0.9 / 6400 for independent samples.
TEST(Claim, of_samples_that_come_together_is_worth_fewer) {
  SlicedRun run;
  for (int i = 0; i < 64; ++i) {
    if (i % 2 == 0)
      run.slice({{100, 100}});
    else
      run.slice({{100, 80}, {200, 20}});
  }
  const Claim claim = run.claim(kP90);
  EXPECT_NEAR(claim.effective_samples, 6400.0 / (64.0 / 63.0 * 6400.0 / (0.09 * 6400.0)), 1e-6);
  EXPECT_EQ(claim.tail_events, 32U);
  EXPECT_TRUE(claim.holds) << "57 effective samples, of which a tenth lies... beyond";
}

// Slow slices in pairs: what neighbours share is added. r = (+10 +10 -10 -10 ...): 32 pairs that
// agree, 31 that do not, so sum r^2 = 6400 and 2 sum r r' = 2 * 100.
TEST(Claim, of_what_lasts_longer_than_a_slice_is_worth_fewer_still) {
  SlicedRun run;
  for (int i = 0; i < 64; ++i) {
    if (i % 4 < 2)
      run.slice({{100, 100}});
    else
      run.slice({{100, 80}, {200, 20}});
  }
  const double variance = 64.0 / 63.0 * (6400.0 + 200.0);
  EXPECT_NEAR(run.claim(kP90).effective_samples, 6400.0 / (variance / (0.09 * 6400.0)), 1e-6);
}

TEST(Claim, of_one_stall_is_withheld_however_many_samples_it_hit) {
  SlicedRun run;
  for (int i = 0; i < 64; ++i) {
    if (i == 20)
      run.slice({{100, 10'000}, {1'000'000, 10'000}});
    else
      run.slice({{100, 10'000}});
  }
  const Claim claim = run.claim(kP99);
  EXPECT_FALSE(claim.holds);
  EXPECT_EQ(claim.tail_events, 1U);
  EXPECT_GE(claim.samples_needed, 6'500'000U) << "ten such stalls";
  EXPECT_FALSE(claim.low);
  EXPECT_FALSE(claim.high);
}

TEST(Claim, needs_ten_samples_beyond_it) {
  // 1000 samples: 10 of them beyond p99, one in every sixth slice
  SlicedRun enough, few;
  for (int i = 0; i < 50; ++i) {
    const std::uint64_t slow = i % 5 == 0 ? 1 : 0;
    enough.slice({{100, 20 - slow}, {200, slow}});
    few.slice({{100, (i == 7 ? 19 : 20) - slow}, {200, slow}});
  }
  EXPECT_TRUE(enough.claim(kP99).holds);
  EXPECT_FALSE(few.claim(kP99).holds) << "999 samples";
  EXPECT_EQ(few.claim(kP99).samples_needed, 1'000U);
  EXPECT_EQ(enough.claim(kP99_9).samples_needed, 10'000U);
  EXPECT_EQ(enough.claim(kP99_99).samples_needed, 100'000U);
}

TEST(Claim, needs_samples_in_twenty_slices) {
  EXPECT_FALSE(even(19).claim(kP50).holds);
  EXPECT_EQ(even(19).claim(kP50).samples_needed, 2'000U);
  EXPECT_TRUE(even(20).claim(kP50).holds);
}

TEST(Claim, without_slices_holds_nothing) {
  Histogram all;
  all.record(100, 1'000'000);
  const Claim claim = claim_of(kP50, all, 0, {});
  EXPECT_FALSE(claim.holds);
  EXPECT_FALSE(claim.samples_needed);
}

TEST(Claim, of_a_constant_has_an_interval_without_width) {
  SlicedRun run;
  for (int i = 0; i < 64; ++i) run.slice({{150, 100}});
  const Claim claim = run.claim(kP99);
  EXPECT_TRUE(claim.holds);
  EXPECT_EQ(claim.low, 150);
  EXPECT_EQ(claim.high, 150);
}

// 5 of 100 are lost in each slice: p90 has an end, p99 is among the lost, and both can be claimed.
TEST(Claim, counts_the_lost_in) {
  SlicedRun run;
  for (int i = 0; i < 64; ++i) run.slice({{100, 50}, {200, 45}}, 5);
  EXPECT_EQ(run.claim(kP90).high, 200);
  const Claim lost = run.claim(kP99);
  EXPECT_TRUE(lost.holds);
  EXPECT_DOUBLE_EQ(lost.effective_samples, 6400.0);
  EXPECT_FALSE(lost.low);
  EXPECT_FALSE(lost.high);
}

TEST(Claim, whose_interval_reaches_to_the_lost_has_no_high_end) {
  SlicedRun run;
  for (int i = 0; i < 64; ++i) run.slice({{100, 50}, {200, 40}}, i % 2 == 0 ? 9 : 11);
  const Claim claim = run.claim(kP90);
  EXPECT_EQ(claim.low, 200);
  EXPECT_FALSE(claim.high);
}

TEST(Claim, together_holds_by_the_sum_of_what_stands_behind_each) {
  const Claim half{.holds = false,
                   .effective_samples = 500,
                   .tail_events = 5,
                   .samples_needed = {},
                   .low = {},
                   .high = {}};
  const std::vector<Claim> claims{half, half};
  EXPECT_TRUE(hold_together(kP99, claims));
  EXPECT_FALSE(hold_together(kP99, std::span(claims).first(1)));
  EXPECT_FALSE(hold_together(kP99_9, claims));
  EXPECT_FALSE(hold_together(kP99, {}));
}

// The same count by an order-free restatement of the rule: every maximal run of slices beyond
// counts its length over a 32nd of all slices, rounded up.
RC_GTEST_PROP(Claim, counts_events_as_its_rule_says, ()) {
  std::mt19937_64 dice(*rc::gen::arbitrary<std::uint64_t>());
  const std::size_t slices = 20 + dice() % 108;
  SlicedRun run;
  std::vector<bool> is_slow(slices);
  for (std::size_t i = 0; i < slices; ++i) {
    is_slow[i] = dice() % 8 == 0 || (i > 0 && is_slow[i - 1] && dice() % 3 > 0);
    run.slice({{100, 500}, {200, is_slow[i] ? 1 : 0}});
  }
  const auto slow = static_cast<std::size_t>(std::count(is_slow.begin(), is_slow.end(), true));
  RC_PRE(slow > 0);
  const std::size_t one = (slices + 31) / 32;
  std::size_t events = 0;
  for (std::size_t i = 0; i < slices;) {
    std::size_t length = 0;
    while (i + length < slices && is_slow[i + length]) ++length;
    events += (length + one - 1) / one;
    i += std::max<std::size_t>(length, 1);
  }
  RC_ASSERT(run.claim(kP99_9).tail_events == events);
}

// An interval lies around its percentile, and more samples of the same kind make it no wider.
RC_GTEST_PROP(Claim, has_an_interval_around_the_percentile, ()) {
  std::mt19937_64 dice(*rc::gen::arbitrary<std::uint64_t>());
  SlicedRun run;
  Histogram all;
  for (int i = 0; i < 64; ++i) {
    std::vector<std::pair<std::int64_t, std::uint64_t>> samples;
    samples.reserve(40);
    for (int k = 0; k < 40; ++k)
      samples.emplace_back(static_cast<std::int64_t>(dice() >> (34 + dice() % 20)), 1 + dice() % 4);
    for (const auto& [value, times] : samples) all.record(value, times);
    run.slice(samples);
  }
  for (const Percentile p : {kP50, kP90, kP99, kP99_9}) {
    const Claim claim = run.claim(p);
    RC_ASSERT(claim.holds != claim.samples_needed.has_value());
    if (!claim.holds) continue;
    RC_ASSERT(claim.low.has_value() && claim.high.has_value());
    RC_ASSERT(*claim.low <= all.at(p)->count());
    RC_ASSERT(*claim.high >= all.at(p)->count());
    RC_ASSERT(*claim.low >= all.min()->count());
    RC_ASSERT(*claim.high <= all.max()->count());
  }
}

}  // namespace
}  // namespace volley
