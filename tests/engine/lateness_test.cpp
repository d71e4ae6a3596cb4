#include "generators/engine/lateness.hpp"

#include <gtest/gtest.h>

namespace volley {
namespace {

using std::chrono::microseconds;

void note(Lateness& lateness, Nanos late) {
  const MonoTime asked{microseconds(1000)};
  lateness.note(asked, asked + late);
}

TEST(Lateness, is_nothing_until_enough_wake_ups_were_seen) {
  Lateness lateness(kForBlocking);
  for (std::size_t i = 0; i + 1 < Lateness::kWakeUps; ++i) {
    note(lateness, microseconds(25));
    EXPECT_EQ(lateness.usual(), Nanos(0));
  }
  note(lateness, microseconds(25));
  EXPECT_EQ(lateness.usual(), microseconds(25));
}

TEST(Lateness, is_what_three_of_four_of_the_last_wake_ups_exceed) {
  Lateness lateness(kForBlocking);
  for (int i = 0; i < 16; ++i) note(lateness, microseconds(20 + i * 5 % 16));
  EXPECT_EQ(lateness.usual(), microseconds(24));
  for (int i = 0; i < 16; ++i) note(lateness, microseconds(5 + i * 5 % 16));
  EXPECT_EQ(lateness.usual(), microseconds(9)) << "those before are forgotten";
}

TEST(Lateness, is_not_moved_by_a_few_that_took_long) {
  Lateness lateness(kForBlocking);
  for (int i = 0; i < 4; ++i) note(lateness, std::chrono::milliseconds(3));
  for (int i = 0; i < 12; ++i) note(lateness, microseconds(7));
  EXPECT_EQ(lateness.usual(), microseconds(7));
}

TEST(Lateness, stays_below_its_bound_and_takes_no_early_return_for_a_wake_up) {
  Lateness lateness(kForBlocking);
  for (int i = 0; i < 100; ++i) note(lateness, std::chrono::milliseconds(5));
  EXPECT_EQ(lateness.usual(), kForBlocking.most);
  for (int i = 0; i < 100; ++i) note(lateness, microseconds(-5));
  EXPECT_EQ(lateness.usual(), kForBlocking.most);
}

TEST(Lateness, of_one_that_spins_once_awake_covers_all_but_one_of_sixteen) {
  Lateness lateness(kForHybrid);
  EXPECT_EQ(lateness.usual(), microseconds(60)) << "before it has learned";
  for (int i = 0; i < 16; ++i) note(lateness, microseconds(70 + i * 5 % 16));
  EXPECT_EQ(lateness.usual(), microseconds(84));
  for (int i = 0; i < 16; ++i) note(lateness, microseconds(20 + i));
  EXPECT_EQ(lateness.usual(), microseconds(60)) << "never less";
  for (int i = 0; i < 16; ++i) note(lateness, std::chrono::milliseconds(1));
  EXPECT_EQ(lateness.usual(), microseconds(150)) << "others have the CPU";
}

}  // namespace
}  // namespace volley
