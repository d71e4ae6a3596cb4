// Delay variation: the worked example of RFC 5481 section 4, closed forms, and a naive model that
// remembers the delay of every number.
#include "reports/measure/variation.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace volley {
namespace {

using namespace std::chrono_literals;

constexpr MonoTime kStart{std::chrono::hours(1)};

Trip trip_of(Nanos sent, Nanos delay) { return {kStart + sent + delay, delay}; }

// One flow, of which everything is counted.
class Receiver {
 public:
  // With calls of their own.
  void take(std::uint64_t first, std::uint64_t n, Nanos delay) {
    now_ += 1s;
    tracker_.arrive(first, n, Trip{now_ + delay, delay}, &figures_);
  }
  void take(std::uint64_t first, std::uint64_t n, const Trip& trip) {
    tracker_.arrive(first, n, trip, &figures_);
  }
  [[nodiscard]] const VariationTracker& tracker() const { return tracker_; }
  [[nodiscard]] const VariationFigures& figures() const { return figures_; }

 private:
  MonoTime now_ = kStart;
  VariationTracker tracker_;
  VariationFigures figures_;
};

// The differences as histograms keep them: below 2048 ns exactly.
std::map<std::int64_t, std::uint64_t> differences(const VariationFigures& figures) {
  std::map<std::int64_t, std::uint64_t> counts;
  for (std::int64_t d = 0; d < 2048; ++d) {
    const auto at = static_cast<std::size_t>(d);
    if (figures.longer().counters()[at] > 0) counts[d] = figures.longer().counters()[at];
    if (figures.shorter().counters()[at] > 0) counts[-d] = figures.shorter().counters()[at];
  }
  return counts;
}

TEST(Variation, follows_the_worked_example_of_rfc_5481) {
  Receiver receiver;
  std::uint64_t sequence = 0;
  for (const std::int64_t delay : {20, 10, 20, 25, 20}) receiver.take(sequence++, 1, Nanos(delay));
  const std::map<std::int64_t, std::uint64_t> expected{{-10, 1}, {10, 1}, {5, 1}, {-5, 1}};
  EXPECT_EQ(differences(receiver.figures()), expected);
  EXPECT_EQ(receiver.figures().pairs(), 4U);
  EXPECT_EQ(receiver.figures().absolute().at(kP50), Nanos(5));
  EXPECT_EQ(receiver.figures().absolute().at(Percentile{510'000}), Nanos(10));
}

// J follows |D| = d as d * (1 - (15/16)^n): RFC 3550 section 6.4.1 from 0 on.
TEST(Variation, jitter_of_a_constant_difference_has_a_closed_form) {
  Receiver receiver;
  receiver.take(0, 1, 500us);
  EXPECT_EQ(receiver.tracker().jitter_ns(), std::nullopt) << "one arrival has no difference";
  for (std::uint64_t n = 1; n <= 200; ++n) {
    receiver.take(n, 1, n % 2 == 0 ? 500us : 1700us);
    const double expected = 1.2e6 * (1 - std::pow(15.0 / 16, static_cast<double>(n)));
    ASSERT_NEAR(receiver.tracker().jitter_ns().value(), expected, 1e-6) << n;
  }
}

TEST(Variation, of_those_that_shared_both_calls_no_difference_is_known) {
  Receiver receiver;
  receiver.take(0, 64, 100ns);
  EXPECT_EQ(receiver.figures().pairs(), 0U);
  EXPECT_EQ(receiver.figures().together, 63U);
  EXPECT_EQ(receiver.tracker().jitter_ns(), std::nullopt);
  receiver.take(64, 2, 116ns);
  EXPECT_EQ(receiver.figures().longer().max(), Nanos(16));
  EXPECT_EQ(receiver.figures().pairs(), 1U);
  EXPECT_EQ(receiver.figures().together, 64U);
  EXPECT_EQ(receiver.tracker().jitter_ns(), 1.0);
}

// As datagrams that one call sent and one call read, but the kernel had not joined.
TEST(Variation, those_that_shared_both_calls_need_not_come_in_one_row) {
  Receiver receiver;
  for (const std::uint64_t sequence : std::vector<std::uint64_t>{0, 1, 2, 4, 5, 3})
    receiver.take(sequence, 1, trip_of(0ns, 100ns));
  EXPECT_EQ(receiver.figures().pairs(), 0U);
  EXPECT_EQ(receiver.figures().together, 5U);
  EXPECT_EQ(receiver.tracker().jitter_ns(), std::nullopt);
  receiver.take(6, 1, trip_of(50ns, 100ns));  // as long, but with calls of its own
  EXPECT_EQ(receiver.figures().pairs(), 1U);
  EXPECT_EQ(receiver.figures().longer().max(), Nanos(0));
  EXPECT_EQ(receiver.tracker().jitter_ns(), 0.0);
}

TEST(Variation, beside_a_lost_one_there_is_no_pair_until_it_comes) {
  Receiver receiver;
  receiver.take(0, 1, 10ns);
  receiver.take(3, 1, 40ns);  // 1 and 2 are missing
  EXPECT_EQ(receiver.figures().pairs(), 0U);
  receiver.take(4, 1, 41ns);
  receiver.take(2, 1, 500ns);  // behind it is 3, before it nothing yet
  receiver.take(1, 1, 60ns);
  const std::map<std::int64_t, std::uint64_t> expected{{1, 1}, {40 - 500, 1}, {50, 1}, {440, 1}};
  EXPECT_EQ(differences(receiver.figures()), expected);
}

TEST(Variation, pairs_that_are_not_to_be_counted_are_not) {
  VariationTracker tracker;
  VariationFigures figures;
  tracker.arrive(0, 2, trip_of(0ns, 10ns), nullptr);
  tracker.arrive(3, 1, trip_of(1us, 20ns), nullptr);
  tracker.arrive(2, 1, trip_of(1us, 30ns), nullptr);
  tracker.arrive(4, 1, trip_of(2us, 25ns), &figures);
  const std::map<std::int64_t, std::uint64_t> expected{{5, 1}};
  EXPECT_EQ(differences(figures), expected) << "the pair with one of the warm-up is";
  EXPECT_EQ(figures.together, 0U);
}

// What a flow remembers is bounded: of 3,000 gaps the oldest are forgotten.
TEST(Variation, numbers_that_come_after_thousands_of_gaps_have_no_pairs) {
  Receiver receiver;
  for (std::uint64_t i = 0; i <= 6'000; i += 2) receiver.take(i, 1, 100ns);
  receiver.take(1, 1, 100ns);
  EXPECT_EQ(receiver.figures().pairs(), 0U);
  receiver.take(5'999, 1, 100ns);
  EXPECT_EQ(receiver.figures().pairs(), 2U);
}

TEST(Variation, figures_of_several_flows_are_added_up) {
  Receiver one, other;
  one.take(0, 2, 10ns);
  one.take(2, 1, 30ns);
  other.take(0, 1, 50ns);
  other.take(1, 1, 10ns);
  VariationFigures sum = one.figures();
  sum.merge(other.figures());
  const std::map<std::int64_t, std::uint64_t> expected{{20, 1}, {-40, 1}};
  EXPECT_EQ(differences(sum), expected);
  EXPECT_EQ(sum.together, 1U);
  EXPECT_EQ(sum.jitter_ns(), std::nullopt) << "nobody has added a flow's";
  sum.jitters_ns = 6;
  sum.flows = 4;
  EXPECT_EQ(sum.jitter_ns(), 1.5);
}

struct Row {
  std::uint64_t first;
  std::uint64_t n;
  Trip trip;
};

// Rows of consecutive numbers, some lost, some out of order.
std::vector<Row> some_rows() {
  std::vector<Row> rows;
  std::uint64_t next = *rc::gen::inRange<std::uint64_t>(0, 3);
  const auto count = *rc::gen::inRange<std::size_t>(0, 60);
  for (std::size_t i = 0; i < count; ++i) {
    const Nanos sent(*rc::gen::inRange(0, 3));
    const Nanos delay(*rc::gen::inRange(0, *rc::gen::element(3, 1000)));
    const Row row{next, *rc::gen::inRange<std::uint64_t>(1, 4), trip_of(sent, delay)};
    next += row.n;
    if (*rc::gen::inRange(0, 5) > 0) rows.push_back(row);
  }
  for (std::size_t i = 0; i + 4 < rows.size(); ++i)
    if (*rc::gen::inRange(0, 4) == 0)
      std::swap(rows[i], rows[i + *rc::gen::inRange<std::size_t>(1, 5)]);
  return rows;
}

RC_GTEST_PROP(Variation, equals_a_model_that_remembers_every_delay, ()) {
  Receiver receiver;
  std::map<std::uint64_t, Trip> trips;
  const std::vector<Row> rows = some_rows();
  double jitter = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    receiver.take(rows[i].first, rows[i].n, rows[i].trip);
    for (std::uint64_t s = rows[i].first; s < rows[i].first + rows[i].n; ++s)
      trips[s] = rows[i].trip;
    if (i == 0 || rows[i].trip == rows[i - 1].trip) continue;
    const Nanos difference = rows[i].trip.delay - rows[i - 1].trip.delay;
    jitter += (std::abs(static_cast<double>(difference.count())) - jitter) / 16;
  }
  std::map<std::int64_t, std::uint64_t> expected;
  std::uint64_t together = 0;
  for (const auto& [sequence, trip] : trips) {
    const auto before = trips.find(sequence - 1);
    if (before == trips.end()) continue;
    if (before->second == trip)
      ++together;
    else
      ++expected[(trip.delay - before->second.delay).count()];
  }
  RC_ASSERT(differences(receiver.figures()) == expected);
  RC_ASSERT(receiver.figures().together == together);
  RC_ASSERT(std::abs(receiver.tracker().jitter_ns().value_or(0) - jitter) < 1e-6);
}

}  // namespace
}  // namespace volley
