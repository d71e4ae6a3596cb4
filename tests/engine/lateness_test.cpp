#include "generators/engine/lateness.hpp"

#include <gtest/gtest.h>

namespace volley {
namespace {

using std::chrono::microseconds;

void note(Lateness& lateness, Nanos late) {
  const MonoTime asked{microseconds(1000)};
  lateness.note(asked, asked + late);
}

TEST(Lateness, is_nothing_until_the_first_wake_up_and_then_that_one) {
  Lateness lateness;
  EXPECT_EQ(lateness.usual(), Nanos(0));
  note(lateness, microseconds(25));
  EXPECT_EQ(lateness.usual(), microseconds(25));
}

TEST(Lateness, settles_where_three_of_four_wake_ups_are_later) {
  Lateness lateness;
  note(lateness, microseconds(60));
  // 20 to 40 us, each as often: 8 and 21 have no common divisor.
  for (int i = 0; i < 21 * 200; ++i) note(lateness, microseconds(20 + (i * 8) % 21));
  EXPECT_GE(lateness.usual(), microseconds(23));
  EXPECT_LE(lateness.usual(), microseconds(27));
  for (int i = 0; i < 21 * 200; ++i) note(lateness, microseconds(5 + (i * 8) % 21));
  EXPECT_GE(lateness.usual(), microseconds(8));
  EXPECT_LE(lateness.usual(), microseconds(12));
}

TEST(Lateness, never_grows_beyond_its_bound_nor_below_nothing) {
  Lateness lateness;
  for (int i = 0; i < 1000; ++i) note(lateness, std::chrono::milliseconds(5));
  EXPECT_EQ(lateness.usual(), Lateness::kMost);
  for (int i = 0; i < 1000; ++i) note(lateness, microseconds(-5));
  EXPECT_EQ(lateness.usual(), Nanos(0));
}

}  // namespace
}  // namespace volley
