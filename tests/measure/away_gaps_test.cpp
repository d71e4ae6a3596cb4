// Gaps by how long they were, against sums made by hand.
#include "reports/measure/away_gaps.hpp"

#include <gtest/gtest.h>

namespace volley {
namespace {

using namespace std::chrono_literals;

TEST(AwayGaps, are_told_apart_by_the_lengths_they_exceed) {
  AwayGaps gaps;
  for (const Nanos gap : {Nanos(51us), Nanos(100us), Nanos(100us) + 1ns, Nanos(3ms), Nanos(1h)})
    gaps.note(gap);
  const ByGapLength<std::uint64_t> count = gaps.count();
  const ByGapLength<std::uint64_t> wanted{5, 3, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1};
  EXPECT_EQ(count, wanted);
  const ByGapLength<Nanos> time = gaps.time();
  EXPECT_EQ(time[0], 251us + 1ns + 3ms + 1h);
  EXPECT_EQ(time[1], 100us + 1ns + 3ms + 1h);
  EXPECT_EQ(time[2], 3ms + 1h);
  EXPECT_EQ(time[6], 1h) << "3 ms is no longer than 3.2 ms";
}

TEST(AwayGaps, of_which_length_matter_is_the_longest_that_is_short_enough) {
  EXPECT_EQ(gap_length(0), 50us);
  EXPECT_EQ(gap_length(kGapLengths - 1), 102'400us);
  EXPECT_EQ(gap_length_within(0us), 0U);
  EXPECT_EQ(gap_length_within(99us), 0U);
  EXPECT_EQ(gap_length_within(100us), 1U);
  EXPECT_EQ(gap_length_within(199us), 1U);
  EXPECT_EQ(gap_length_within(200us), 2U);
  EXPECT_EQ(gap_length_within(1h), kGapLengths - 1);
}

}  // namespace
}  // namespace volley
