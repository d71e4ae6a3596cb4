// The tests of arrivals find what they are for, and find fault with a real Poisson process as often
// as they promise.
#include "reports/judge/arrivals.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "tests/judge/clean_record.hpp"

namespace volley {
namespace {

TEST(Arrivals, erlang_is_exponential_for_one_and_the_poisson_sum_for_more) {
  EXPECT_DOUBLE_EQ(erlang_cdf(1, 1), 1 - std::exp(-1));
  EXPECT_NEAR(erlang_cdf(2, 3), 1 - std::exp(-2) * (1 + 2 + 2), 1e-15);
  EXPECT_EQ(erlang_cdf(0, 2), 0);
  EXPECT_EQ(erlang_cdf(-1, 1), 0);
}

// By hand: of z = 0.25 and 0.75, -2 - (2 ln 0.25 + 6 ln 0.75) / 2.
TEST(Arrivals, anderson_and_darlings_figure_is_that_of_its_formula) {
  EXPECT_NEAR(anderson_darling({0.75, 0.25}), -2 - std::log(0.25) - 3 * std::log(0.75), 1e-12);
  EXPECT_GT(anderson_darling({0, 0, 0}), 10) << "gaps of nothing are finite, and far off";
}

TEST(Arrivals, five_percent_of_poisson_stretches_lie_above_the_five_percent_point) {
  std::mt19937_64 dice(7);
  std::uniform_real_distribution<double> uniform;
  int above = 0;
  for (int i = 0; i < 4000; ++i) {
    std::vector<double> values(128);
    for (double& value : values) value = uniform(dice);
    if (anderson_darling(std::move(values)) > kA2At5Percent) ++above;
  }
  EXPECT_NEAR(above / 4000.0, 0.05, 0.011);  // three standard errors
}

TEST(Arrivals, chance_allows_as_many_failures_as_the_binomial_table_says) {
  EXPECT_EQ(most_by_chance(0), 0U);
  EXPECT_EQ(most_by_chance(20), 4U);
  EXPECT_EQ(most_by_chance(50), 7U);
  EXPECT_EQ(most_by_chance(100), 11U);
  EXPECT_EQ(most_by_chance(200), 18U);
}

TEST(Arrivals, neighbours_are_correlated_by_rank) {
  EXPECT_FALSE(neighbour_correlation(std::vector<std::vector<double>>{{1, 2, 3}}));
  EXPECT_FALSE(neighbour_correlation(std::vector<std::vector<double>>{{1, 1, 1, 1, 1}}));
  EXPECT_NEAR(*neighbour_correlation(std::vector<std::vector<double>>{{1, 2, 3, 40, 500}}), 1,
              1e-12);
  EXPECT_NEAR(*neighbour_correlation(std::vector<std::vector<double>>{{1, 9, 1, 9, 1, 9}}), -1,
              1e-12);
}

enum class Kind { poisson, constant, bunches, quantized };

// One thread of `threads`, whose requests all together come every 100 us on average.
std::vector<SendTimes> stretches_of(Kind kind, int count, unsigned threads, std::uint64_t seed) {
  std::mt19937_64 dice(seed);
  std::exponential_distribution<double> exponential;
  std::vector<SendTimes> stretches;
  double at = 0;
  for (int i = 0; i < count; ++i) {
    SendTimes& stretch = stretches.emplace_back();
    for (std::size_t j = 0; j < SendTimes::kRequests; ++j) {
      for (unsigned k = 0; k < threads; ++k)
        at += 100'000 * (kind == Kind::constant  ? 1
                         : kind == Kind::bunches ? (j % 32 == 0 ? 32 : 0)
                                                 : exponential(dice));
      const double step = kind == Kind::quantized ? 1'000'000 : 1;
      stretch.due[j] = static_cast<std::int64_t>(at);
      stretch.sent[j] = static_cast<std::int64_t>(std::ceil(at / step) * step);
    }
  }
  return stretches;
}

RunRecord record_with(Kind kind, unsigned threads, std::uint64_t seed) {
  RunRecord r = clean::record();
  r.intended_per_s = 10'000;
  r.generator.threads = threads;
  for (unsigned i = 0; i < threads; ++i)
    r.conduct.send_times.push_back(stretches_of(kind, 64, threads, seed * 100 + i));
  return r;
}

TEST(Arrivals, of_a_poisson_process_pass_for_one_thread_and_for_four) {
  for (const unsigned threads : {1U, 4U}) {
    int doubts = 0;
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
      const RunRecord r = record_with(Kind::poisson, threads, seed);
      for (const char* id : {"C2a", "C2b", "C2c"})
        for (const Check& check : clean::checks_of(r, id))
          if (check.status == CheckStatus::warn || check.status == CheckStatus::fail) ++doubts;
    }
    EXPECT_LE(doubts, 4) << threads << " threads: of 30 runs with four checks at 1 % each";
  }
}

TEST(Arrivals, that_are_even_or_in_bunches_are_found) {
  const RunRecord even = record_with(Kind::constant, 1, 1);
  EXPECT_EQ(clean::status_of(even, "C2a"), "fail") << "the schedule itself is none";
  EXPECT_EQ(clean::status_of(even, "C2c"), "warn");
  const RunRecord bunches = record_with(Kind::bunches, 1, 1);
  EXPECT_EQ(clean::status_of(bunches, "C2a"), "fail");
  EXPECT_EQ(clean::status_of(bunches, "C2c"), "warn");
}

// A loop that sends once a millisecond what has become due: the schedule is right, what left is
// not.
TEST(Arrivals, that_only_leave_in_bunches_are_a_doubt) {
  const RunRecord r = record_with(Kind::quantized, 1, 1);
  const auto checks = clean::checks_of(r, "C2a");
  ASSERT_EQ(checks.size(), 2U);
  EXPECT_EQ(checks[0].status, CheckStatus::pass) << checks[0].text;
  EXPECT_EQ(checks[1].status, CheckStatus::warn) << checks[1].text;
  EXPECT_EQ(clean::status_of(r, "C2c"), "warn");
}

TEST(Arrivals, without_a_poisson_schedule_are_not_judged) {
  EXPECT_EQ(clean::status_of(clean::closed_record(), "C2a"), "not_applicable");
}

TEST(SendSample, keeps_64_stretches_spread_over_a_run_of_any_length) {
  SendSample sample;
  for (int part = 0; part < 1000; ++part) {
    sample.begin();
    while (sample.wants_due()) sample.add_due(MonoTime{} + std::chrono::seconds(part));
    while (sample.wants_sent()) sample.add_sent(MonoTime{});
  }
  const std::vector<SendTimes> kept = std::move(sample).take();
  EXPECT_GE(kept.size(), 32U);
  EXPECT_LE(kept.size(), 64U);
  EXPECT_GT(kept.back().due[0], 900'000'000'000);
  EXPECT_LT(kept.front().due[0], 100'000'000'000);
}

TEST(SendSample, leaves_out_a_stretch_that_has_not_come_to_its_end) {
  SendSample sample;
  sample.begin();
  sample.add_due(MonoTime{});
  while (sample.wants_sent()) sample.add_sent(MonoTime{});
  EXPECT_TRUE(sample.wants_due());
  sample.begin();
  EXPECT_TRUE(std::move(sample).take().empty());
}

}  // namespace
}  // namespace volley
