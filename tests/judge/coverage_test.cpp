// Do the 95 % intervals of the claims cover the truth in 95 of 100 runs? Of four kinds of runs
// whose percentiles are known in closed form 1000 are drawn each, and the intervals counted that
// cover theirs. Beside them the interval that takes samples for independent, which does not.
//
// The seeds are fixed, so the counts are the same on every machine; the bounds, 93 and 97 %, are
// twice the standard error of such a count (0.7 %) and the approximation's own error away from 95
// %.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numbers>
#include <random>
#include <vector>

#include "reports/judge/claims.hpp"
#include "reports/measure/record.hpp"

namespace volley {
namespace {

constexpr int kRuns = 1000;
constexpr double kNanos = 1e6;  // of one unit of time of the models, so that counters are narrow

// Draws by inversion only, whose results do not depend on the standard library.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  // In [0, 1).
  double uniform() { return static_cast<double>(engine_() >> 11U) * 0x1p-53; }
  double exponential(double mean) { return -mean * std::log1p(-uniform()); }
  // By Box and Muller.
  double normal() {
    const double radius = std::sqrt(2 * exponential(1));
    return radius * std::cos(2 * std::numbers::pi * uniform());
  }

 private:
  std::mt19937_64 engine_;
};

// The samples of a run, in order of time, and where on the 64 slices of the run they fell.
class Drawn {
 public:
  void add(double at, double value) {  // at: in [0, 1) of the run
    const int slice = std::min(63, static_cast<int>(at * 64));
    while (slice_ < slice) next_slice();
    part_.response.record(static_cast<std::int64_t>(value * kNanos), 1);
  }
  void finish() { next_slice(); }

  [[nodiscard]] const Histogram& all() const { return all_; }
  [[nodiscard]] Claim claim(Percentile p) const {
    std::vector<SliceSamples> samples;
    for (const Slice& slice : slices_.all()) samples.push_back({slice.response, 0});
    return claim_of(p, all_, 0, samples);
  }

 private:
  void next_slice() {
    slices_.add(kLength * slice_++, part_, sent_);
    all_.merge(part_.response);
    part_.response.clear();
  }

  static constexpr Nanos kLength = std::chrono::milliseconds(2);
  int slice_ = 0;
  Latencies part_;
  RequestCounters sent_{.sent = 1};
  Histogram all_;
  Slices slices_{Nanos(0)};
};

struct Quantile {
  Percentile percentile;
  double value;  // of the model, by its closed form
};

struct Covered {
  int claimed = 0;
  int by_claim = 0;
  int by_independence = 0;  // of the claimed
};

// The interval that takes all samples for independent.
bool covers_if_independent(const Histogram& all, Percentile p, double truth) {
  const double share = p.ppm / 1e6;
  const auto n = static_cast<double>(all.count());
  const double spread = 1.96 * std::sqrt(share * (1 - share) / n);
  const auto low = all.counter_of_rank(static_cast<std::uint64_t>(std::ceil((share - spread) * n)));
  const auto high =
      all.counter_of_rank(static_cast<std::uint64_t>(std::ceil((share + spread) * n)));
  return low && high && static_cast<double>(Histogram::lowest_of(*low)) <= truth &&
         truth <= static_cast<double>(Histogram::highest_of(*high));
}

void count(Covered& covered, const Drawn& drawn, const Quantile& quantile) {
  const Claim claim = drawn.claim(quantile.percentile);
  if (!claim.holds) return;
  const double truth = quantile.value * kNanos;
  ++covered.claimed;
  if (claim.low && claim.high && static_cast<double>(*claim.low) <= truth &&
      truth <= static_cast<double>(*claim.high))
    ++covered.by_claim;
  if (covers_if_independent(drawn.all(), quantile.percentile, truth)) ++covered.by_independence;
}

// Draws the runs and judges the share that covers. `independent`: whether the model's samples are.
template <typename Draw>
void expect_coverage(const std::vector<Quantile>& quantiles, bool independent, Draw draw) {
  std::vector<Covered> covered(quantiles.size());
  for (int run = 0; run < kRuns; ++run) {
    Dice dice(static_cast<std::uint64_t>(run) + 1);
    Drawn drawn;
    draw(dice, drawn);
    drawn.finish();
    for (std::size_t i = 0; i < quantiles.size(); ++i) count(covered[i], drawn, quantiles[i]);
  }
  for (std::size_t i = 0; i < quantiles.size(); ++i) {
    const Covered& c = covered[i];
    SCOPED_TRACE(quantiles[i].percentile.ppm);
    ASSERT_GE(c.claimed, kRuns * 9 / 10);
    const double by_claim = static_cast<double>(c.by_claim) / c.claimed;
    const double by_independence = static_cast<double>(c.by_independence) / c.claimed;
    std::printf("p%g: %d of %d runs claimed; covered by %.3f of them, %.3f as if independent\n",
                quantiles[i].percentile.ppm / 1e4, c.claimed, kRuns, by_claim, by_independence);
    EXPECT_GE(by_claim, 0.93);
    EXPECT_LE(by_claim, 0.97);
    if (!independent) {
      EXPECT_LT(by_independence, 0.75) << "what hangs together must be seen to hang together";
    }
  }
}

double exponential_quantile(double mean, double p) { return -mean * std::log1p(-p); }

// The 90 and 99 % points of the standard normal distribution.
constexpr double kNormal90 = 1.281551565544600;
constexpr double kNormal99 = 2.326347874040841;

TEST(Coverage, of_independent_samples) {
  constexpr int samples = 20'000;
  const std::vector<Quantile> quantiles{{kP50, exponential_quantile(1, 0.5)},
                                        {kP90, exponential_quantile(1, 0.9)},
                                        {kP99, exponential_quantile(1, 0.99)}};
  expect_coverage(quantiles, true, [](Dice& dice, Drawn& drawn) {
    for (int i = 0; i < samples; ++i) drawn.add((i + 0.5) / samples, dice.exponential(1));
  });
}

// Each sample hangs on the one before: a log-normal one with a normal AR(1) process inside.
TEST(Coverage, of_samples_that_hang_on_the_one_before) {
  constexpr int samples = 50'000;
  const std::vector<Quantile> quantiles{
      {kP50, 1.0}, {kP90, std::exp(kNormal90)}, {kP99, std::exp(kNormal99)}};
  expect_coverage(quantiles, false, [](Dice& dice, Drawn& drawn) {
    constexpr double on_before = 0.9;
    const double own = std::sqrt(1 - on_before * on_before);
    double z = dice.normal();
    for (int i = 0; i < samples; ++i) {
      drawn.add((i + 0.5) / samples, std::exp(z));
      z = on_before * z + own * dice.normal();
    }
  });
}

// Times in an M/M/1 queue at a utilisation of 0.8, from its stationary state on: exponential with a
// mean of 1 / (1 - 0.8) services (Kleinrock, Queueing Systems I, section 5.12).
TEST(Coverage, of_the_times_in_a_queue) {
  constexpr int samples = 200'000;
  constexpr double utilisation = 0.8;
  constexpr double mean = 1 / (1 - utilisation);
  const std::vector<Quantile> quantiles{{kP50, exponential_quantile(mean, 0.5)},
                                        {kP90, exponential_quantile(mean, 0.9)},
                                        {kP99, exponential_quantile(mean, 0.99)}};
  expect_coverage(quantiles, false, [](Dice& dice, Drawn& drawn) {
    double wait = dice.uniform() < utilisation ? dice.exponential(mean) : 0;
    double at = 0;
    for (int i = 0; i < samples; ++i) {
      const double time = wait + dice.exponential(1);
      drawn.add(at * utilisation / samples, time);
      const double gap = dice.exponential(1 / utilisation);
      wait = std::max(0.0, time - gap);
      at += gap;
    }
  });
}

// A server that stalls 60 times, for 12 % of the time, after intervals of exponential length: what
// is due in a stall of length S waits for its end, so P(wait > x) = 0.12 (1 - x / S).
TEST(Coverage, of_a_server_that_stalls) {
  constexpr int samples = 50'000;
  constexpr double share = 0.12;
  constexpr double stall = share / 60;
  constexpr double between = (1 - share) / 60;
  constexpr double unit = 1000;  // of the values against those of the run
  const auto wait = [](double p) { return unit * stall * (1 - (1 - p) / share); };
  expect_coverage({{kP90, wait(0.9)}, {kP99, wait(0.99)}}, false, [](Dice& dice, Drawn& drawn) {
    bool stalled = dice.uniform() < share;
    double end = stalled ? dice.uniform() * stall : dice.exponential(between);
    for (int i = 0; i < samples; ++i) {
      const double at = (i + 0.5) / samples;
      while (end <= at) {
        stalled = !stalled;
        end += stalled ? stall : dice.exponential(between);
      }
      drawn.add(at, stalled ? unit * (end - at) : 0);
    }
  });
}

}  // namespace
}  // namespace volley
