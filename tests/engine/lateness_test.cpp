#include "generators/engine/lateness.hpp"

#include <gtest/gtest.h>

namespace volley {
namespace {

using std::chrono::microseconds;

constexpr MonoTime kNow{std::chrono::seconds(5)};

void note(Lateness& lateness, Nanos late) { lateness.note(kNow, kNow + late); }

TEST(Lateness, is_nothing_until_enough_wake_ups_were_seen) {
  Lateness lateness(kForBlocking);
  for (std::size_t i = 0; i + 1 < Lateness::kWakeUps; ++i) {
    note(lateness, microseconds(25));
    EXPECT_EQ(lateness.usual(kNow), Nanos(0));
  }
  note(lateness, microseconds(25));
  EXPECT_EQ(lateness.usual(kNow), microseconds(25));
}

TEST(Lateness, is_what_three_of_four_of_the_last_wake_ups_exceed) {
  Lateness lateness(kForBlocking);
  for (int i = 0; i < 16; ++i) note(lateness, microseconds(20 + i * 5 % 16));
  EXPECT_EQ(lateness.usual(kNow), microseconds(24));
  for (int i = 0; i < 16; ++i) note(lateness, microseconds(5 + i * 5 % 16));
  EXPECT_EQ(lateness.usual(kNow), microseconds(9)) << "those before are forgotten";
}

TEST(Lateness, is_not_moved_by_a_few_that_took_long) {
  Lateness lateness(kForBlocking);
  for (int i = 0; i < 4; ++i) note(lateness, std::chrono::milliseconds(3));
  for (int i = 0; i < 12; ++i) note(lateness, microseconds(7));
  EXPECT_EQ(lateness.usual(kNow), microseconds(7));
}

TEST(Lateness, stays_below_its_bound_and_takes_no_early_return_for_a_wake_up) {
  Lateness lateness(kForBlocking);
  for (int i = 0; i < 100; ++i) note(lateness, std::chrono::milliseconds(5));
  EXPECT_EQ(lateness.usual(kNow), kForBlocking.most);
  for (int i = 0; i < 100; ++i) note(lateness, microseconds(-5));
  EXPECT_EQ(lateness.usual(kNow), kForBlocking.most);
}

TEST(Lateness, of_one_that_spins_once_awake_covers_all_but_one_of_sixteen) {
  Lateness lateness(kForHybrid);
  EXPECT_EQ(lateness.usual(kNow), microseconds(60)) << "before it has learned";
  for (int i = 0; i < 16; ++i) note(lateness, microseconds(70 + i * 5 % 16));
  EXPECT_EQ(lateness.usual(kNow), microseconds(84));
  for (int i = 0; i < 16; ++i) note(lateness, microseconds(20 + i));
  EXPECT_EQ(lateness.usual(kNow), microseconds(60)) << "never less";
  for (int i = 0; i < 16; ++i) note(lateness, std::chrono::milliseconds(1));
  EXPECT_EQ(lateness.usual(kNow), microseconds(150)) << "others have the CPU";
}

// It had learned 150 us, and then gaps were shorter: it did not sleep, and so could not unlearn.
TEST(Lateness, of_long_ago_is_forgotten_by_one_that_spins_once_awake) {
  Lateness lateness(kForHybrid);
  for (int i = 0; i < 16; ++i) note(lateness, microseconds(150));
  EXPECT_EQ(lateness.usual(kNow + kForHybrid.lasts), microseconds(150));
  const MonoTime later = kNow + kForHybrid.lasts + microseconds(151);
  EXPECT_EQ(lateness.usual(later), microseconds(60));
  lateness.note(later, later + microseconds(70));
  EXPECT_EQ(lateness.usual(later), microseconds(60)) << "one does not make sixteen";
  for (int i = 0; i < 15; ++i) lateness.note(later, later + microseconds(70));
  EXPECT_EQ(lateness.usual(later), microseconds(70));

  Lateness blocking(kForBlocking);
  for (int i = 0; i < 16; ++i) note(blocking, microseconds(25));
  EXPECT_EQ(blocking.usual(kNow + std::chrono::hours(1)), microseconds(25)) << "it still sleeps";
}

}  // namespace
}  // namespace volley
