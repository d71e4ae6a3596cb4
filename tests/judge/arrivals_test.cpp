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
  // Of 1024 gaps: nearly normal, of mean 1024 and standard deviation 32.
  EXPECT_NEAR(erlang_cdf(1024, 1024), 0.504, 0.001);
  EXPECT_NEAR(erlang_cdf(1024 + 64, 1024), 0.976, 0.002);
  EXPECT_EQ(erlang_cdf(1e6, 1024), 1);
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
  EXPECT_EQ(most_by_chance(20), 6U);
  EXPECT_EQ(most_by_chance(50), 10U);
  EXPECT_EQ(most_by_chance(100), 15U);
  EXPECT_EQ(most_by_chance(200), 23U);
  EXPECT_EQ(most_by_chance(20'000), 1117U) << "where the chance of none at all is no double";
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

RunRecord record_with(Kind kind, unsigned threads, std::uint64_t seed, int stretches = 64) {
  RunRecord r = clean::record();
  r.intended_per_s = 10'000;
  r.generator.threads = threads;
  for (unsigned i = 0; i < threads; ++i)
    r.conduct.send_times.push_back(stretches_of(kind, stretches, threads, seed * 100 + i));
  return r;
}

// Each check promises to doubt one Poisson process of some thousands.
TEST(Arrivals, of_a_poisson_process_are_hardly_ever_doubted) {
  int doubts = 0;
  const auto look_at = [&](unsigned threads, int stretches, std::uint64_t runs) {
    for (std::uint64_t seed = 1; seed <= runs; ++seed) {
      const RunReport run = summarize(record_with(Kind::poisson, threads, seed, stretches));
      for (const Check& check : *run.checks)
        if (check.id.starts_with("C2") &&
            (check.status == CheckStatus::warn || check.status == CheckStatus::fail))
          ++doubts;
    }
  };
  look_at(1, 4, 600);
  look_at(1, 23, 150);
  look_at(4, 23, 20);
  EXPECT_LE(doubts, 2) << "of some 3000 figures";
}

// With three stretches of which one in twenty is odd, all three are once in eight thousand runs.
TEST(Arrivals, of_three_stretches_are_too_few_to_tell) {
  EXPECT_EQ(clean::status_of(record_with(Kind::constant, 1, 1, 3), "C2a"), "not_applicable");
  EXPECT_EQ(clean::status_of(record_with(Kind::constant, 1, 1, 4), "C2a"), "fail");
}

TEST(Arrivals, a_dispersion_is_told_in_standard_errors_as_chi_square_tables_have_it) {
  // Of 59 degrees of freedom 1 in 10,000 lies below 26.835, and 1 above 108.163; of a normal
  // distribution beyond 3.719.
  EXPECT_NEAR((Dispersion{108.163 / 59, 60}).standard_errors(), 3.719, 0.03);
  EXPECT_NEAR((Dispersion{26.835 / 59, 60}).standard_errors(), -3.719, 0.03);
  EXPECT_EQ((Dispersion{5, 1}).standard_errors(), 0);
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
