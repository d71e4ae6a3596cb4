// The schedule is a pure function: everything here holds without a clock.
#include "generators/plan/schedule.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>

#include "reports/measure/ensure.hpp"

namespace volley {
namespace {

constexpr std::uint64_t kMicro = 1'000'000;

ScheduleSpec spec_of(Arrival::Kind kind, std::uint64_t per_s, std::uint64_t slots) {
  ScheduleSpec spec;
  spec.arrival.kind = kind;
  spec.rate = Rate{per_s * kMicro};
  spec.requests = slots;
  return spec;
}

std::vector<std::int64_t> due_times(const ScheduleSpec& spec) {
  std::vector<std::int64_t> due;
  Schedule schedule(spec);
  while (const auto slot = schedule.next()) due.push_back(slot->due.count());
  return due;
}

std::vector<std::int64_t> union_of_threads(const ScheduleSpec& spec, std::uint32_t flows,
                                           std::uint32_t threads) {
  std::vector<std::int64_t> due;
  for (std::uint32_t thread = 0; thread < threads; ++thread) {
    ThreadSchedule mine(spec, flows, threads, thread);
    for (; mine.peek() != nullptr; mine.pop()) due.push_back(mine.peek()->due.count());
  }
  std::sort(due.begin(), due.end());
  return due;
}

// Anderson and Darling's A2 against the exponential distribution of a known mean.
double anderson_darling(std::vector<double> gaps, double mean) {
  std::sort(gaps.begin(), gaps.end());
  const auto n = gaps.size();
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double log_below = std::log(-std::expm1(-gaps[i] / mean));
    const double log_above = -gaps[n - 1 - i] / mean;
    sum += (2.0 * static_cast<double>(i) + 1.0) * (log_below + log_above);
  }
  return -static_cast<double>(n) - sum / static_cast<double>(n);
}

constexpr double kCriticalAt5Percent = 2.492;
constexpr int kSeeds = 200;
constexpr int kGaps = 128;
constexpr std::uint64_t kRate = 1000;
constexpr double kMeanGap = 1e9 / static_cast<double>(kRate);

// How many of the fixed seeds give gaps that do not look exponential at the 5 % level.
int rejections(const std::function<std::vector<double>(std::uint64_t seed)>& gaps_of) {
  int rejected = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed)
    if (!(anderson_darling(gaps_of(seed), kMeanGap) <= kCriticalAt5Percent)) ++rejected;
  return rejected;
}

std::vector<double> scheduled_gaps(Arrival::Kind kind, std::uint64_t seed) {
  ScheduleSpec spec = spec_of(kind, kRate, kGaps + 1);
  spec.seed = seed;
  const auto due = due_times(spec);
  std::vector<double> gaps;
  for (std::size_t i = 1; i < due.size(); ++i)
    gaps.push_back(static_cast<double>(due[i] - due[i - 1]));
  return gaps;
}

TEST(Schedule, GivesTheSameDueTimesForAnyNumberOfThreads) {
  for (const auto kind : {Arrival::Kind::poisson, Arrival::Kind::constant, Arrival::Kind::burst}) {
    ScheduleSpec spec = spec_of(kind, 12'345, 10'000);
    spec.arrival.burst = 3;
    spec.seed = 7;
    spec.warm_up = std::chrono::milliseconds(100);
    const auto one = union_of_threads(spec, 8, 1);
    ASSERT_GE(one.size(), 10'000U);
    EXPECT_EQ(one, union_of_threads(spec, 8, 2));
    EXPECT_EQ(one, union_of_threads(spec, 8, 4));
    EXPECT_EQ(one, due_times(spec));
  }
}

RC_GTEST_PROP(Schedule, IsDividedAmongThreadsWithoutLossOrOverlap, ()) {
  const auto flows = *rc::gen::inRange<std::uint32_t>(1, 20);
  const auto threads = *rc::gen::inRange<std::uint32_t>(1, flows + 1);
  auto spec = spec_of(
      *rc::gen::element(Arrival::Kind::poisson, Arrival::Kind::constant, Arrival::Kind::burst),
      *rc::gen::inRange<std::uint64_t>(1, 1'000'000), 500);
  spec.seed = *rc::gen::arbitrary<std::uint64_t>();
  spec.arrival.burst = *rc::gen::inRange<std::uint64_t>(1, 50);
  std::vector<std::uint64_t> seen;
  for (std::uint32_t thread = 0; thread < threads; ++thread) {
    ThreadSchedule mine(spec, flows, threads, thread);
    const auto left = mine.measured_left(1'000'000);
    RC_ASSERT(left.has_value());
    RC_ASSERT(mine.peek() == nullptr || mine.measured_left(0) == std::nullopt ||
              mine.measured_left(0) == left);
    std::uint64_t taken = 0;
    for (; mine.peek() != nullptr; mine.pop(), ++taken) {
      RC_ASSERT(mine.flow_of(*mine.peek()) == mine.peek()->index % flows);
      RC_ASSERT(mine.flow_of(*mine.peek()) % threads == thread);
      seen.push_back(mine.peek()->index);
    }
    RC_ASSERT(taken == *left);
    RC_ASSERT(mine.measured_taken() == left);
  }
  std::sort(seen.begin(), seen.end());
  RC_ASSERT(seen.size() == 500U);
  for (std::size_t i = 0; i < seen.size(); ++i) RC_ASSERT(seen[i] == i);
}

RC_GTEST_PROP(Schedule, NeverGoesBackInTime, ()) {
  auto spec = spec_of(
      *rc::gen::element(Arrival::Kind::poisson, Arrival::Kind::constant, Arrival::Kind::burst), 1,
      1000);
  spec.rate = Rate{*rc::gen::inRange<std::uint64_t>(1, 1'000'000'000'000'000)};
  spec.seed = *rc::gen::arbitrary<std::uint64_t>();
  const auto due = due_times(spec);
  RC_ASSERT(std::is_sorted(due.begin(), due.end()));
  RC_ASSERT(due.empty() || due.front() >= 0);
}

TEST(Schedule, OfTheSameSeedIsTheSameAndOfAnotherSeedAnother) {
  ScheduleSpec spec = spec_of(Arrival::Kind::poisson, kRate, 100);
  const auto first = due_times(spec);
  EXPECT_EQ(first, due_times(spec));
  spec.seed = 2;
  EXPECT_NE(first, due_times(spec));
}

TEST(Schedule, OfPoissonArrivalsHasExponentialGaps) {
  const int rejected =
      rejections([](std::uint64_t seed) { return scheduled_gaps(Arrival::Kind::poisson, seed); });
  RecordProperty("rejected", rejected);
  EXPECT_LE(rejected, 18);
  EXPECT_GT(rejected, 0) << "a test that never rejects at 5 % in 200 tries does not look";
}

TEST(Schedule, OfConstantOrUniformGapsIsNotTakenForPoisson) {
  EXPECT_EQ(
      rejections([](std::uint64_t seed) { return scheduled_gaps(Arrival::Kind::constant, seed); }),
      kSeeds);
  // Uniform gaps between 0 and twice the mean: 128 of them betray themselves nearly always.
  EXPECT_GE(rejections([](std::uint64_t seed) {
              std::vector<double> gaps;
              for (std::uint64_t i = 0; i < kGaps; ++i)
                gaps.push_back(2 * kMeanGap * static_cast<double>((seeded(seed, i) >> 11U) + 1) *
                               0x1p-53);
              return gaps;
            }),
            190);
}

TEST(Schedule, OfPoissonArrivalsKeepsItsMeanOverAMillionSlots) {
  const auto due = due_times(spec_of(Arrival::Kind::poisson, kRate, 1'000'000));
  // The sum of n exponential gaps has the standard deviation sqrt(n) * mean: 0.1 % here.
  EXPECT_NEAR(static_cast<double>(due.back()), 1e6 * kMeanGap, 4e-3 * 1e6 * kMeanGap);
}

TEST(Schedule, OfAConstantRateHasNoDriftOverTenMillionSlots) {
  // A third of a request per ns-tick cannot be written down exactly; slot k must still be due at
  // floor(k / rate).
  ScheduleSpec spec = spec_of(Arrival::Kind::constant, 30'000, 10'000'001);
  Schedule schedule(spec);
  std::uint64_t k = 0;
  while (const auto slot = schedule.next()) {
    if (slot->due.count() != static_cast<std::int64_t>(k * 100'000 / 3)) {
      ASSERT_EQ(slot->due.count(), static_cast<std::int64_t>(k * 100'000 / 3)) << "slot " << k;
    }
    ++k;
  }
  EXPECT_EQ(k, 10'000'001U);
}

TEST(Schedule, SendsBurstsWhole) {
  ScheduleSpec spec = spec_of(Arrival::Kind::burst, 1000, 10);
  spec.arrival.burst = 4;
  EXPECT_EQ(due_times(spec), (std::vector<std::int64_t>{0, 0, 0, 0, 4'000'000, 4'000'000, 4'000'000,
                                                        4'000'000, 8'000'000, 8'000'000}));
}

TEST(Schedule, MeasuresWhatIsDueAfterTheWarmUpAndBeforeTheEnd) {
  ScheduleSpec spec = spec_of(Arrival::Kind::constant, 10, 0);
  spec.requests.reset();
  spec.warm_up = std::chrono::milliseconds(300);
  spec.duration = std::chrono::milliseconds(400);
  Schedule schedule(spec);
  std::vector<bool> measured;
  while (const auto slot = schedule.next()) measured.push_back(slot->measured);
  EXPECT_EQ(measured, (std::vector<bool>{false, false, false, true, true, true, true}));
  EXPECT_FALSE(schedule.next().has_value()) << "an ended schedule stays ended";
}

TEST(Schedule, EndsAtTheCountOrTheTimeWhicheverComesFirst) {
  ScheduleSpec spec = spec_of(Arrival::Kind::constant, 1000, 3);
  spec.duration = std::chrono::seconds(1);
  EXPECT_EQ(due_times(spec).size(), 3U);
  spec.requests = 5000;
  EXPECT_EQ(due_times(spec).size(), 1000U);
}

TEST(Schedule, EndsBeforeTimesThatDoNotFit) {
  ScheduleSpec spec;
  spec.arrival.kind = Arrival::Kind::constant;
  spec.rate = Rate{1};  // one request in 11.6 days
  spec.requests = 1'000'000;
  const auto constant = due_times(spec);
  EXPECT_LT(constant.size(), 1'000'000U);
  EXPECT_GT(constant.back(), 0);
  spec.arrival.kind = Arrival::Kind::poisson;
  const auto poisson = due_times(spec);
  EXPECT_LT(poisson.size(), 1'000'000U);
  EXPECT_TRUE(std::is_sorted(poisson.begin(), poisson.end()));
}

TEST(Schedule, FollowsATrace) {
  ScheduleSpec spec;
  spec.arrival.kind = Arrival::Kind::trace;
  spec.trace = std::make_shared<const std::vector<Nanos>>(
      std::vector<Nanos>{Nanos(5), Nanos(5), Nanos(70), Nanos(900)});
  spec.warm_up = Nanos(6);
  EXPECT_EQ(due_times(spec), (std::vector<std::int64_t>{5, 5, 70, 900}));
  spec.duration = Nanos(100);
  EXPECT_EQ(due_times(spec), (std::vector<std::int64_t>{5, 5, 70}));
}

TEST(SeededNumbers, AreSplitMix64) {
  // Vigna's splitmix64.c started at 0 gives these; our start is the seed times an odd constant.
  EXPECT_EQ(seeded(0, 0), 0xE220A8397B1DCDAFU);
  EXPECT_EQ(seeded(0, 1), 0x6E789E6AA1B965F4U);
  EXPECT_EQ(seeded(0, 2), 0x06C45D188009454FU);
}

std::string refusal_of_trace(const std::string& text) {
  try {
    (void)parse_trace("t", text);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Trace, ReadsTimesCommentsAndEmptyLines) {
  EXPECT_EQ(
      parse_trace("t", "# requests\n0\n\n  1.5ms # the second\r\n1.5ms\n2s"),
      (std::vector<Nanos>{Nanos(0), Nanos(1'500'000), Nanos(1'500'000), Nanos(2'000'000'000)}));
}

TEST(Trace, RefusesWhatIsNotASortedListOfTimesAndNamesTheLine) {
  EXPECT_NE(refusal_of_trace("1ms\n\nsoon\n").find("t, line 3: not a time (soon)"),
            std::string::npos);
  EXPECT_NE(refusal_of_trace("-1ms\n").find("line 1"), std::string::npos);
  EXPECT_NE(refusal_of_trace("5\n").find("line 1"), std::string::npos) << "a unit is required";
  EXPECT_NE(refusal_of_trace("nan").find("line 1"), std::string::npos);
  EXPECT_NE(refusal_of_trace("99h\n").find("out of range"), std::string::npos);
  EXPECT_EQ(refusal_of_trace("2ms\n1ms\n"),
            "t, line 2: earlier than the line before it (1ms) [2ms or later]; sort the times");
  EXPECT_NE(refusal_of_trace("").find("no time in it"), std::string::npos);
  EXPECT_NE(refusal_of_trace("# only a comment\n\n").find("no time in it"), std::string::npos);
}

TEST(Trace, SurvivesAnythingAFileMayHold) {
  EXPECT_NE(refusal_of_trace(std::string(1'000'000, '1')).find("line 1"), std::string::npos);
  EXPECT_NE(refusal_of_trace(std::string("1ms\0\n", 5)).find("line 1"), std::string::npos);
  EXPECT_LT(refusal_of_trace(std::string(1'000'000, 'x')).size(), 300U);
}

RC_GTEST_PROP(Trace, GivesSortedTimesOrRefusesArbitraryText, (const std::string& text)) {
  try {
    const auto due = parse_trace("t", text);
    RC_ASSERT(!due.empty() && std::is_sorted(due.begin(), due.end()));
  } catch (const UsageError& error) {
    RC_ASSERT(std::string(error.what()).rfind("t", 0) == 0U);
  }
}

}  // namespace
}  // namespace volley
