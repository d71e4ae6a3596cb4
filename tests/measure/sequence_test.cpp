// Duplicates and reordering: the worked examples of RFC 5560 and RFC 4737, and a naive model that
// remembers everything.
#include "reports/measure/sequence.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <set>
#include <vector>

namespace volley {
namespace {

using Arrival = SequenceTracker::Arrival;

SequenceTracker after(const std::vector<std::uint64_t>& arrivals) {
  SequenceTracker tracker;
  for (const std::uint64_t s : arrivals) (void)tracker.arrive(s);
  return tracker;
}

// RFC 5560 section 4: copies per distinct packet beyond the first.
double duplication_fraction(const SequenceTracker& tracker) {
  return static_cast<double>(tracker.duplicates()) / static_cast<double>(tracker.unique());
}

TEST(Sequence, duplicates_follow_the_examples_of_rfc_5560_section_5_3) {
  EXPECT_EQ(duplication_fraction(after({1, 1, 2, 2, 3, 3, 4, 4})), 1.0);
  EXPECT_EQ(duplication_fraction(after({1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4})), 2.0);
  EXPECT_EQ(duplication_fraction(after({1, 1, 1, 2, 3, 3, 3, 4})), 1.0);
  // The order of arrival plays no part.
  EXPECT_EQ(duplication_fraction(after({4, 3, 1, 3, 2, 1, 3, 1})), 1.0);
  EXPECT_EQ(duplication_fraction(after({1, 2, 3, 4})), 0.0);
}

TEST(Sequence, reordering_follows_the_examples_of_rfc_4737_section_7) {
  const auto reordered = [](const std::vector<std::uint64_t>& arrivals) {
    std::vector<std::uint64_t> found;
    SequenceTracker tracker;
    for (const std::uint64_t s : arrivals)
      if (tracker.arrive(s) == Arrival::reordered) found.push_back(s);
    EXPECT_EQ(tracker.reordered(), found.size());
    EXPECT_EQ(tracker.unique(), arrivals.size());
    return found;
  };
  using Numbers = std::vector<std::uint64_t>;
  EXPECT_EQ(reordered({1, 2, 3, 5, 6, 7, 8, 4, 9, 10}), (Numbers{4}));            // 7.1
  EXPECT_EQ(reordered({1, 2, 3, 4, 7, 5, 6, 8, 9, 10}), (Numbers{5, 6}));         // 7.2
  EXPECT_EQ(reordered({1, 2, 3, 7, 8, 9, 10, 4, 5, 6, 11}), (Numbers{4, 5, 6}));  // 7.3
  EXPECT_EQ(reordered({1, 2, 3, 6, 7, 4, 5, 8, 9, 10, 12, 13, 11, 14, 15, 16}),   // 7.4
            (Numbers{4, 5, 11}));
}

TEST(Sequence, a_copy_of_a_late_packet_is_a_duplicate_and_not_reordered_again) {
  SequenceTracker tracker;
  EXPECT_EQ(tracker.arrive(0), Arrival::in_order);
  EXPECT_EQ(tracker.arrive(2), Arrival::in_order);
  EXPECT_EQ(tracker.arrive(1), Arrival::reordered);
  EXPECT_EQ(tracker.arrive(1), Arrival::duplicate);
  EXPECT_EQ(tracker.arrive(2), Arrival::duplicate);
  EXPECT_EQ(tracker.arrive(3), Arrival::in_order);
  EXPECT_EQ(tracker.next_expected(), 4U);
  EXPECT_EQ(tracker.unique(), 4U);
  EXPECT_EQ(tracker.duplicates(), 2U);
  EXPECT_EQ(tracker.reordered(), 1U);
}

TEST(Sequence, below_the_window_nothing_is_guessed) {
  SequenceTracker tracker(64);
  EXPECT_EQ(tracker.arrive(0), Arrival::in_order);
  EXPECT_EQ(tracker.arrive(63), Arrival::in_order);
  EXPECT_EQ(tracker.arrive(1), Arrival::reordered);
  EXPECT_EQ(tracker.arrive(64), Arrival::in_order);  // the word of 0..63 goes
  EXPECT_EQ(tracker.arrive(1), Arrival::too_old);
  EXPECT_EQ(tracker.arrive(2), Arrival::too_old);
  EXPECT_EQ(tracker.unique(), 4U);
  EXPECT_EQ(tracker.duplicates(), 0U);
}

TEST(Sequence, a_leap_over_many_windows_forgets_everything_before_it) {
  SequenceTracker tracker(256);
  for (std::uint64_t s = 0; s < 256; ++s) EXPECT_EQ(tracker.arrive(s), Arrival::in_order);
  const std::uint64_t far = std::uint64_t{1} << 47U;
  EXPECT_EQ(tracker.arrive(far), Arrival::in_order);
  for (std::uint64_t s = 0; s < 256; ++s) EXPECT_EQ(tracker.arrive(s), Arrival::too_old);
  for (std::uint64_t s = far - 192; s < far; ++s) EXPECT_EQ(tracker.arrive(s), Arrival::reordered);
  EXPECT_EQ(tracker.arrive(far), Arrival::duplicate);
}

TEST(Sequence, the_largest_number_a_frame_can_carry_is_a_number_like_others) {
  const std::uint64_t last = (std::uint64_t{1} << 48U) - 1;
  SequenceTracker tracker;
  EXPECT_EQ(tracker.arrive(last), Arrival::in_order);
  EXPECT_EQ(tracker.arrive(last), Arrival::duplicate);
  EXPECT_EQ(tracker.arrive(last - 1), Arrival::reordered);
}

TEST(Sequence, a_window_that_is_no_power_of_two_is_our_own_mistake) {
  EXPECT_DEATH(SequenceTracker(100), "internal error");
  EXPECT_DEATH(SequenceTracker(32), "internal error");
}

// Remembers every number for ever, and judges after the definitions.
struct Model {
  std::set<std::uint64_t> seen;
  std::uint64_t next = 0;
  std::uint64_t duplicates = 0;
  std::uint64_t reordered = 0;

  Arrival arrive(std::uint64_t s) {
    if (!seen.insert(s).second) {
      ++duplicates;
      return Arrival::duplicate;
    }
    if (s < next) {
      ++reordered;
      return Arrival::reordered;
    }
    next = s + 1;
    return Arrival::in_order;
  }
};

// How the next number relates to the highest so far; weights make gaps, steps back, copies and
// leaps of all sizes.
std::vector<std::uint64_t> arrivals_around(std::uint64_t window, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto up_to = [&](std::uint64_t n) { return random() % n; };
  std::vector<std::uint64_t> numbers;
  std::uint64_t high = up_to(2 * window);
  for (int i = 0; i < 400; ++i) {
    const std::uint64_t kind = up_to(20);
    const std::uint64_t back = kind < 15 ? up_to(window / 2 + 1) : window - 65 + up_to(130);
    if (kind < 9) {
      numbers.push_back(high += 1);
    } else if (kind == 9) {
      numbers.push_back(high += 1 + up_to(window / 4));
    } else if (kind == 10) {
      numbers.push_back(high += up_to(8) == 0 ? up_to(5 * window) : up_to(70));
    } else {
      numbers.push_back(high - std::min(high, back));
    }
  }
  return numbers;
}

RC_GTEST_PROP(Sequence, inside_the_window_it_agrees_with_a_model_that_remembers_everything, ()) {
  const auto window = std::uint64_t{1} << *rc::gen::inRange(7U, 15U);
  const auto seed = *rc::gen::arbitrary<std::uint64_t>();
  SequenceTracker tracker(window);
  Model model;
  for (const std::uint64_t s : arrivals_around(window, seed)) {
    const std::uint64_t highest = model.next;
    const Arrival got = tracker.arrive(s);
    if (got == Arrival::too_old) {
      // Only what lies a window (less an unfilled word) below the highest may be given up.
      RC_ASSERT(s + window <= highest + 63);
      continue;
    }
    // What lies a whole window below must be given up: its bit was re-used.
    RC_ASSERT(s + window > highest - std::min<std::uint64_t>(highest, 1) || s >= highest);
    RC_ASSERT(got == model.arrive(s));
    RC_ASSERT(tracker.next_expected() == model.next);
    RC_ASSERT(tracker.unique() == model.seen.size());
    RC_ASSERT(tracker.duplicates() == model.duplicates);
    RC_ASSERT(tracker.reordered() == model.reordered);
  }
}

RC_GTEST_PROP(Sequence, growing_loses_nothing, ()) {
  // All of a default window, shuffled within blocks, each number twice.
  const auto block = *rc::gen::inRange<std::size_t>(1, 3'000);
  const auto seed = *rc::gen::arbitrary<std::uint64_t>();
  std::vector<std::uint64_t> numbers(20'000);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = i;
  std::mt19937_64 random(seed);
  for (std::size_t at = 0; at < numbers.size(); at += block)
    std::shuffle(
        numbers.begin() + static_cast<std::ptrdiff_t>(at),
        numbers.begin() + static_cast<std::ptrdiff_t>(std::min(at + block, numbers.size())),
        random);
  SequenceTracker tracker;
  for (const std::uint64_t s : numbers) RC_ASSERT(tracker.arrive(s) != Arrival::duplicate);
  for (const std::uint64_t s : numbers) RC_ASSERT(tracker.arrive(s) == Arrival::duplicate);
  RC_ASSERT(tracker.unique() == numbers.size());
  RC_ASSERT(tracker.duplicates() == numbers.size());
}

RC_GTEST_PROP(Sequence, a_run_in_order_leaves_what_its_numbers_one_by_one_leave,
              (const std::vector<std::pair<std::uint8_t, std::uint8_t>>& steps)) {
  SequenceTracker by_runs(1024);
  SequenceTracker one_by_one(1024);
  std::uint64_t at = 0;
  for (const auto& [gap, n] : steps) {
    // A gap forward, now and then far beyond the window; sometimes back to what has been.
    const std::uint64_t first = gap % 8 == 0 ? at / 2 : at + gap * (gap % 5 == 0 ? 40U : 1U);
    const std::uint64_t count = 1 + n % 200;
    const bool in_order = by_runs.arrive_in_order(first, count);
    RC_ASSERT(in_order == (first >= one_by_one.next_expected()));
    for (std::uint64_t s = first; s < first + count; ++s) {
      const auto expected = one_by_one.arrive(s);
      if (!in_order) RC_ASSERT(by_runs.arrive(s) == expected);
    }
    at = one_by_one.next_expected();
    RC_ASSERT(by_runs.next_expected() == at);
    RC_ASSERT(by_runs.unique() == one_by_one.unique());
    RC_ASSERT(by_runs.duplicates() == one_by_one.duplicates());
    RC_ASSERT(by_runs.reordered() == one_by_one.reordered());
    for (std::uint64_t s = at - std::min<std::uint64_t>(at, 1100); s < at; ++s) {
      SequenceTracker a = by_runs;
      SequenceTracker b = one_by_one;
      if (s % 37 == 0) RC_ASSERT(a.arrive(s) == b.arrive(s));
    }
  }
}

}  // namespace
}  // namespace volley
