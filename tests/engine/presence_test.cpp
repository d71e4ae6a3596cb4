// Time away, time idle: by times that were made up, so every sum can be checked by hand.
#include "generators/engine/presence.hpp"

#include <gtest/gtest.h>

namespace volley {
namespace {

using namespace std::chrono_literals;

MonoTime at(Nanos after) { return MonoTime{} + std::chrono::hours(1) + after; }

TEST(Presence, of_a_loop_that_looks_and_finds_nothing_is_all_idle) {
  Presence p;
  p.begin(at(0us));
  for (int i = 1; i <= 100; ++i) p.turn(at(i * 10us));
  EXPECT_EQ(p.idle(), 1ms);
  EXPECT_EQ(p.gaps().time()[0], 0us);
}

TEST(Presence, a_turn_with_work_in_it_is_not_idle) {
  Presence p;
  p.begin(at(0us));
  p.work(at(5us));
  p.turn(at(20us));
  p.turn(at(30us));
  EXPECT_EQ(p.idle(), 10us);
}

TEST(Presence, more_than_50_us_without_a_look_at_the_clock_is_a_gap) {
  Presence p;
  p.begin(at(0us));
  p.turn(at(50us));
  EXPECT_EQ(p.gaps().count()[0], 0U);
  p.turn(at(101us));
  p.work(at(110us));
  p.work(at(4110us));
  EXPECT_EQ(p.gaps().count()[0], 2U);
  EXPECT_EQ(p.gaps().time()[0], 51us + 4000us);
  EXPECT_EQ(p.gaps().count()[1], 1U) << "one was longer than 100 us";
  EXPECT_EQ(p.gaps().time()[1], 4000us);
}

TEST(Presence, a_long_turn_that_sends_all_the_time_has_no_gap) {
  Presence p;
  p.begin(at(0us));
  for (int i = 1; i <= 100; ++i) p.work(at(i * 40us));
  p.turn(at(4000us));
  EXPECT_EQ(p.gaps().count()[0], 0U);
  EXPECT_EQ(p.idle(), 0us);
}

TEST(Presence, a_wait_is_idle_and_only_what_it_took_too_long_is_a_gap) {
  Presence p;
  p.begin(at(0us));
  p.work(at(10us));
  p.waited(at(20us), at(1020us), at(1030us));  // 10 us late: as wake-ups are
  p.work(at(1031us));
  p.waited(at(1040us), at(2040us), at(2140us));  // 100 us late
  p.turn(at(2140us));
  EXPECT_EQ(p.gaps().count()[0], 1U);
  EXPECT_EQ(p.gaps().time()[0], 100us);
  EXPECT_EQ(p.idle(), 1010us + 1100us);
}

// The turn sent after its own first look at the clock: a wait said to begin there began later.
TEST(Presence, a_wait_begins_when_the_last_work_was_done) {
  Presence p;
  p.begin(at(0us));
  p.work(at(30us));
  p.waited(at(0us), at(100us), at(100us));
  p.turn(at(100us));
  EXPECT_EQ(p.idle(), 70us);
}

TEST(Presence, a_call_that_waits_is_idle_however_long) {
  Presence p;
  p.begin(at(0us));
  p.work(at(10us));
  p.waits_from(at(12us));
  p.work(at(9012us));
  p.turn(at(9020us));
  EXPECT_EQ(p.gaps().count()[0], 0U);
  EXPECT_EQ(p.idle(), 9000us);
}

}  // namespace
}  // namespace volley
