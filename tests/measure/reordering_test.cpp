// Reordering beyond the count: the worked examples of RFC 4737 section 7, and a naive model that
// remembers every arrival and follows the definitions word by word.
#include "reports/measure/reordering.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <set>
#include <vector>

namespace volley {
namespace {

using namespace std::chrono_literals;
using Numbers = std::vector<std::uint64_t>;

constexpr MonoTime kStart{std::chrono::hours(1)};

// What a receiver does with each arrival; all are counted. Numbers from 0.
class Receiver {
 public:
  void take(std::uint64_t sequence, MonoTime now) { arrived_.arrive(sequence, now, &figures_); }
  [[nodiscard]] const ReorderingFigures& figures() const { return figures_; }

 private:
  ArrivalTracker arrived_;
  ReorderingFigures figures_;
};

// The tables of the RFC begin at 1. One datagram a millisecond.
ReorderingFigures after(const Numbers& arrivals) {
  Receiver receiver;
  MonoTime now = kStart;
  for (const std::uint64_t s : arrivals) {
    now += 1ms;
    receiver.take(s - 1, now);
  }
  return receiver.figures();
}

// The samples of a histogram of small numbers, in order.
Numbers samples(const std::optional<Histogram>& histogram) {
  Numbers values;
  if (!histogram) return values;
  for (std::uint64_t value = 0; value < histogram->counters().size(); ++value)
    values.insert(values.end(), histogram->counters()[value], value);
  return values;
}

// For each n from 1: how many arrivals are n-reordered, up to the last n with any.
Numbers n_reordered(const ReorderingFigures& figures) {
  Numbers counts;
  for (std::size_t n = 1; figures.n_reordered(n) > 0; ++n) counts.push_back(figures.n_reordered(n));
  return counts;
}

TEST(Reordering, follows_the_example_of_rfc_4737_section_7_1) {
  Receiver receiver;
  const Numbers order{1, 2, 3, 5, 6, 7, 8, 4, 9, 10};
  // When they came, by its table.
  const std::vector<Nanos> times{68ms,  88ms,  108ms, 148ms, 168ms,
                                 188ms, 208ms, 210ms, 228ms, 248ms};
  for (std::size_t i = 0; i < order.size(); ++i) receiver.take(order[i] - 1, kStart + times[i]);
  const ReorderingFigures& figures = receiver.figures();
  EXPECT_EQ(figures.reordered, 1U);
  EXPECT_EQ(samples(figures.extents), Numbers{4});
  EXPECT_EQ(samples(figures.kept), Numbers{4});  // of 100 bytes: a byte offset of 400
  ASSERT_TRUE(figures.late_times);
  EXPECT_EQ(figures.late_times->max(), Nanos(62ms));
  EXPECT_EQ(n_reordered(figures), (Numbers{1, 1, 1, 1}));  // 4-reordered
}

TEST(Reordering, follows_the_example_of_rfc_4737_section_7_2) {
  const ReorderingFigures figures = after({1, 2, 3, 4, 7, 5, 6, 8, 9, 10});
  EXPECT_EQ(figures.reordered, 2U);
  EXPECT_EQ(samples(figures.extents), (Numbers{1, 2}));
  EXPECT_EQ(n_reordered(figures), Numbers{1});  // 5 is 1-reordered; before 6 came 5
}

TEST(Reordering, follows_the_example_of_rfc_4737_section_7_3) {
  const ReorderingFigures figures = after({1, 2, 3, 7, 8, 9, 10, 4, 5, 6, 11});
  EXPECT_EQ(figures.reordered, 3U);
  EXPECT_EQ(samples(figures.extents), (Numbers{4, 5, 6}));
  EXPECT_EQ(samples(figures.kept), (Numbers{4, 4, 4}));
  EXPECT_EQ(n_reordered(figures), (Numbers{1, 1, 1, 1}));  // only 4
}

TEST(Reordering, follows_the_example_of_rfc_4737_section_7_4) {
  const ReorderingFigures figures = after({1, 2, 3, 6, 7, 4, 5, 8, 9, 10, 12, 13, 11, 14, 15, 16});
  EXPECT_EQ(samples(figures.extents), (Numbers{2, 2, 3}));
  EXPECT_EQ(samples(figures.gaps), Numbers{7});
  EXPECT_EQ(figures.reordered, 3U);  // 5, 0 and 5 in order
  EXPECT_EQ(figures.in_runs, 10U);
  EXPECT_EQ(figures.runs_squared, 50U);
}

// The same number of runs in as many arrivals, alike and unlike: what section 4.6.4 tells apart by
// (q / a) / (a / x).
TEST(Reordering, runs_alike_and_unlike_are_told_apart) {
  const auto spread = [](const std::vector<std::uint64_t>& lengths) {
    Numbers order;
    std::uint64_t next = 2;  // 1 is late, and so is each number that was left out
    std::uint64_t missing = 1;
    for (const std::uint64_t length : lengths) {
      for (std::uint64_t i = 0; i < length; ++i) order.push_back(next++);
      order.push_back(missing);
      missing = next++;
    }
    const ReorderingFigures figures = after(order);
    const auto x = static_cast<double>(figures.reordered);
    const auto a = static_cast<double>(figures.in_runs);
    const auto q = static_cast<double>(figures.runs_squared);
    return q / a / (a / x);
  };
  EXPECT_DOUBLE_EQ(spread({11, 11, 11}), 1.0);   // q = 363
  EXPECT_NEAR(spread({1, 1, 31}), 2.65, 0.005);  // q = 963
}

TEST(Reordering, what_is_in_order_or_lost_is_not_reordered) {
  for (const Numbers& order :
       {Numbers{}, Numbers{1, 2, 3}, Numbers{3, 4, 9}, Numbers{2, 2, 4, 4}}) {
    const ReorderingFigures figures = after(order);
    EXPECT_EQ(figures.reordered + figures.n_reordered(0), 0U);
    EXPECT_FALSE(figures.extents || figures.late_times || figures.kept || figures.gaps);
  }
}

TEST(Reordering, what_was_overtaken_too_long_ago_is_counted_as_forgotten) {
  Receiver receiver;
  // Every second number is lost, more often than is remembered; then the first of them comes.
  for (std::uint64_t s = 0; s < 6'000; s += 2) receiver.take(s, kStart);
  receiver.take(1, kStart);
  receiver.take(5'997, kStart);
  EXPECT_EQ(receiver.figures().reordered, 2U);
  EXPECT_EQ(receiver.figures().forgotten, 1U);
  EXPECT_EQ(samples(receiver.figures().extents), Numbers{2});  // since 5,998, which was told of
  EXPECT_EQ(receiver.figures().n_reordered(ReorderingFigures::kMostN), 1U);
}

// RFC 5560 section 4.2: the share of the distinct packets that came more than once.
double replicated_rate(const Numbers& arrivals) {
  ArrivalTracker tracker;
  for (const std::uint64_t s : arrivals) tracker.arrive(s, kStart, nullptr);
  return static_cast<double>(tracker.replicated()) /
         static_cast<double>(tracker.numbers().unique());
}

TEST(Reordering, replicated_packets_follow_the_examples_of_rfc_5560_section_5_3) {
  EXPECT_EQ(replicated_rate({1, 1, 2, 2, 3, 3, 4, 4}), 1.0);
  EXPECT_EQ(replicated_rate({1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4}), 1.0);
  EXPECT_EQ(replicated_rate({1, 1, 1, 2, 3, 3, 3, 4}), 0.5);
  EXPECT_EQ(replicated_rate({4, 3, 1, 3, 2, 1, 3, 1}), 0.5);
  EXPECT_EQ(replicated_rate({1, 2, 3, 4}), 0.0);
}

TEST(Reordering, copies_are_told_apart_far_beyond_the_memory_of_numbers) {
  ArrivalTracker tracker;
  const std::uint64_t step = SequenceTracker::kDefaultWindow / 8;
  for (std::uint64_t s = 0; s < 100 * step; s += step) {
    tracker.arrive(s, kStart, nullptr);
    for (std::uint64_t copy = 0; copy < s / step % 3; ++copy)
      EXPECT_EQ(tracker.arrive(s, kStart, nullptr), SequenceTracker::Arrival::duplicate);
  }
  EXPECT_EQ(tracker.numbers().duplicates(), 33U * (1U + 2U));
  EXPECT_EQ(tracker.replicated(), 66U);
}

// What comes before the counting begins, or is not counted, is no part of any figure, yet it is
// remembered.
TEST(Reordering, counting_begins_with_the_first_arrival_that_counts) {
  ArrivalTracker tracker;
  ReorderingFigures figures;
  for (const std::uint64_t s : Numbers{0, 2, 1, 3, 5}) tracker.arrive(s, kStart, nullptr);
  tracker.count_from_here();
  EXPECT_TRUE(tracker.arrive_in_order(6, 4));
  tracker.count_from_here();                  // changes nothing
  tracker.arrive(4, kStart + 1ms, &figures);  // overtaken before
  tracker.arrive(11, kStart, &figures);
  tracker.arrive(12, kStart, &figures);
  tracker.arrive(10, kStart, nullptr);  // too late to count
  tracker.arrive(14, kStart, &figures);
  tracker.arrive(13, kStart, &figures);
  EXPECT_EQ(figures.reordered, 2U);
  EXPECT_EQ(samples(figures.extents), (Numbers{1, 5}));
  EXPECT_EQ(figures.reordered, 2U);
  EXPECT_EQ(figures.in_runs, 4U + 4U);           // 6 to 9; 11, 12, 10 and 14
  EXPECT_EQ(samples(figures.gaps), Numbers{9});  // from 5 to 14
}

// Everything by the definitions, from a list of all arrivals.
struct Model {
  Numbers extents, late_times, kept, n, gaps;
  std::uint64_t runs = 0, in_runs = 0, runs_squared = 0;

  explicit Model(const Numbers& order) {
    Numbers first_copies;
    std::set<std::uint64_t> seen;
    std::uint64_t run = 0;
    std::optional<std::size_t> last;
    for (const std::uint64_t s : order) {
      if (!seen.insert(s).second) continue;
      const auto larger = [s](std::uint64_t other) { return other > s; };
      const auto j = std::find_if(first_copies.begin(), first_copies.end(), larger);
      if (j == first_copies.end()) {
        ++run;
      } else {
        const auto index = static_cast<std::size_t>(j - first_copies.begin());
        extents.push_back(first_copies.size() - index);
        kept.push_back(static_cast<std::uint64_t>(
            std::count_if(first_copies.begin(), first_copies.end(), larger)));
        n.push_back(static_cast<std::uint64_t>(
            std::find_if_not(first_copies.rbegin(), first_copies.rend(), larger) -
            first_copies.rbegin()));
        if (last && *last < index) gaps.push_back(index - *last);
        last = std::max(last.value_or(0), index);
        ++runs;
        in_runs += run;
        runs_squared += run * run;
        run = 0;
      }
      first_copies.push_back(s);
    }
  }
};

Numbers sorted(Numbers numbers) {
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

void compare(const Numbers& order) {
  Receiver receiver;
  for (const std::uint64_t s : order) receiver.take(s, kStart);
  const ReorderingFigures& figures = receiver.figures();
  const Model model(order);
  RC_ASSERT(figures.reordered == model.extents.size());
  RC_ASSERT(figures.forgotten == 0U);
  RC_ASSERT(samples(figures.extents) == sorted(model.extents));
  RC_ASSERT(samples(figures.kept) == sorted(model.kept));
  RC_ASSERT(samples(figures.gaps) == sorted(model.gaps));
  RC_ASSERT(figures.reordered == model.runs);
  RC_ASSERT(figures.in_runs == model.in_runs);
  RC_ASSERT(figures.runs_squared == model.runs_squared);
  for (std::size_t n = 0; n <= ReorderingFigures::kMostN; ++n)
    RC_ASSERT(figures.n_reordered(n) ==
              static_cast<std::uint64_t>(std::count_if(model.n.begin(), model.n.end(),
                                                       [n](std::uint64_t m) { return m >= n; })));
}

RC_GTEST_PROP(Reordering, equals_the_naive_model_on_any_order_with_losses_and_copies, ()) {
  compare(*rc::gen::container<Numbers>(rc::gen::inRange<std::uint64_t>(0, 300)));
}

// Mostly in order, some held back by a few places: what networks do.
RC_GTEST_PROP(Reordering, equals_the_naive_model_where_little_is_out_of_order, ()) {
  Numbers order(400);
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  for (const std::size_t from :
       *rc::gen::container<Numbers>(rc::gen::inRange<std::uint64_t>(0, 390))) {
    const auto by = *rc::gen::inRange<std::size_t>(1, 9);
    std::rotate(order.begin() + static_cast<std::ptrdiff_t>(from),
                order.begin() + static_cast<std::ptrdiff_t>(from) + 1,
                order.begin() + static_cast<std::ptrdiff_t>(from + by));
  }
  compare(order);
}

TEST(Reordering, figures_of_several_flows_add_up) {
  const Numbers one{1, 2, 3, 5, 6, 7, 8, 4, 9, 10};
  const Numbers other{1, 2, 3, 4, 7, 5, 6, 8, 9, 10};
  ReorderingFigures both = after(one);
  both.merge(after(other));
  both.merge(ReorderingFigures{});
  EXPECT_EQ(both.reordered, 3U);
  EXPECT_EQ(samples(both.extents), (Numbers{1, 2, 4}));
  EXPECT_EQ(n_reordered(both), (Numbers{2, 1, 1, 1}));
  EXPECT_EQ(both.reordered, 3U);
  EXPECT_EQ(both.in_runs, 7U + 5U);
}

}  // namespace
}  // namespace volley
