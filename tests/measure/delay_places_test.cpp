// The places of a request, and the clocks they are told by, on requests made by hand.
#include "reports/measure/delay_places.hpp"

#include <gtest/gtest.h>

namespace volley {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

MonoTime at(std::int64_t us) { return MonoTime(seconds(1000) + microseconds(us)); }

// 1 us of lag, 2 in the generator's kernel, 10 there, 3 in the queue, 4 of service, 90 back, 5 to
// wake up; the target's clock is `ahead`. `slower`: that much more of service.
StampedRequest request(Nanos ahead = Nanos(0), std::int64_t slower = 0) {
  return {.intended = at(0),
          .sent = at(1),
          .received = at(115 + slower),
          .kernel_sent = at(3),
          .kernel_received = at(110 + slower),
          .target_kernel_received = at(13) + ahead,
          .target_received = at(16) + ahead,
          .target_sent = at(20 + slower) + ahead};
}

std::optional<Nanos> place(const DelayByPlace& d, DelayPlace which) {
  const auto& spread = d.places[static_cast<std::size_t>(which)];
  return spread ? std::optional(spread->p50) : std::nullopt;
}

TEST(DelayPlaces, AreTheTimesBetweenTheStamps) {
  const std::vector<StampedRequest> samples{request()};
  const DelayByPlace d = delays_by_place(samples, {.asked = 2});
  EXPECT_EQ(d.asked, 2U);
  EXPECT_EQ(d.samples, 1U);
  EXPECT_EQ(d.complete, 1U);
  EXPECT_TRUE(d.kernel_times);
  EXPECT_EQ(place(d, DelayPlace::send_lag), microseconds(1));
  EXPECT_EQ(place(d, DelayPlace::generator_kernel), microseconds(2));
  EXPECT_EQ(place(d, DelayPlace::forward), microseconds(10));
  EXPECT_EQ(place(d, DelayPlace::target_queue), microseconds(3));
  EXPECT_EQ(place(d, DelayPlace::target_service), microseconds(4));
  EXPECT_EQ(place(d, DelayPlace::backward), microseconds(90));
  EXPECT_EQ(place(d, DelayPlace::generator_wake_up), microseconds(5));
  EXPECT_EQ(d.one_way_forward->p50, microseconds(10));
  EXPECT_EQ(d.one_way_backward->max, microseconds(90));
  EXPECT_EQ(d.order_violations, 0U);
  // Too few for any percentile; what lies between kernel and program on both ends.
  EXPECT_TRUE(d.waterfall.empty());
  EXPECT_EQ(d.calibration->systematic, microseconds(7));
}

// Ways of 10 and 90 us: no assumption about how they share the trip may be needed by one clock.
TEST(DelayPlaces, OneClockIsToldFromTwo) {
  const std::vector<StampedRequest> samples{request()};
  EXPECT_TRUE(delays_by_place(samples, {}).same_clock);
  EXPECT_EQ(delays_by_place(samples, {}).clock_offset, Nanos(0));
  // 10 us ahead the answer would be back before it left.
  const std::vector<StampedRequest> ahead{request(seconds(100))};
  const DelayByPlace two = delays_by_place(ahead, {});
  EXPECT_FALSE(two.same_clock);
  // Half of the 100 us on the wire; it is off by 40, half of what the two ways differ by.
  EXPECT_EQ(two.clock_error, microseconds(50));
  EXPECT_EQ(two.clock_offset, seconds(100) - microseconds(40));
  EXPECT_EQ(two.one_way_forward->p50, microseconds(50));
  EXPECT_EQ(two.one_way_backward->p50, microseconds(50));
  EXPECT_EQ(two.order_violations, 0U);
  const std::vector<StampedRequest> behind{request(-seconds(900))};
  EXPECT_EQ(delays_by_place(behind, {}).clock_offset, -seconds(900) - microseconds(40));
}

// The quickest of all trips says most about the clocks.
TEST(DelayPlaces, ClocksAreComparedByTheQuickestRoundTrip) {
  std::vector<StampedRequest> samples(3, request(seconds(100)));
  samples[0].target_kernel_received = at(5013) + seconds(100);
  samples[0].target_received = at(5016) + seconds(100);
  samples[0].target_sent = at(5020) + seconds(100);
  samples[0].kernel_received = at(5110);
  samples[0].received = at(5115);
  const DelayByPlace d = delays_by_place(samples, {});
  EXPECT_EQ(d.clock_error, microseconds(50));
  EXPECT_EQ(d.one_way_forward->max, microseconds(5050));
}

TEST(DelayPlaces, TheWaterfallAddsUpAndStandsWhereTenSamplesLieBeyond) {
  std::vector<StampedRequest> samples;
  for (std::int64_t i = 0; i < 1000; ++i) samples.push_back(request(Nanos(0), i));
  const DelayByPlace d = delays_by_place(samples, {.asked = 1000});
  ASSERT_EQ(d.waterfall.size(), 2U);  // p50 and p99; one lies beyond p99.9
  EXPECT_EQ(d.waterfall[1].percentile, 0.99);
  for (const DelayAt& of : d.waterfall) {
    Nanos sum{0};
    for (const auto& part : of.places) sum += part.value();
    EXPECT_EQ(sum, of.response);
    // All but the service is the same everywhere.
    EXPECT_EQ(of.places[static_cast<std::size_t>(DelayPlace::backward)], microseconds(90));
  }
  // Ranks 495 to 505 of 1000, and 985 to 995, are slower by so many us.
  EXPECT_EQ(d.waterfall[0].samples, 11U);
  EXPECT_EQ(d.waterfall[0].response, microseconds(115 + 499));
  EXPECT_EQ(d.waterfall[1].response, microseconds(115 + 989));
  samples.resize(999);
  EXPECT_EQ(delays_by_place(samples, {}).waterfall.size(), 1U);
}

TEST(DelayPlaces, WithoutKernelStampsTheWaysReachFromProgramToProgram) {
  StampedRequest one = request();
  one.kernel_sent.reset();
  const std::vector<StampedRequest> samples{one};
  const DelayByPlace d = delays_by_place(samples, {});
  EXPECT_FALSE(d.kernel_times);
  EXPECT_EQ(d.complete, 0U);
  EXPECT_EQ(place(d, DelayPlace::generator_kernel), std::nullopt);
  EXPECT_EQ(place(d, DelayPlace::target_queue), std::nullopt);
  EXPECT_EQ(place(d, DelayPlace::forward), microseconds(15));
  EXPECT_EQ(place(d, DelayPlace::backward), microseconds(95));
  EXPECT_FALSE(d.calibration);
}

TEST(DelayPlaces, KernelStampsOfAWallClockThatStepsAreNotUsed) {
  const std::vector<StampedRequest> samples{request()};
  const DelayByPlace d = delays_by_place(samples, {.clock_stepped = true});
  EXPECT_TRUE(d.clock_stepped);
  EXPECT_FALSE(d.kernel_times);
  EXPECT_EQ(place(d, DelayPlace::forward), microseconds(15));
}

TEST(DelayPlaces, WhatGoesBackInTimeIsCounted) {
  std::vector<StampedRequest> samples(5, request());
  samples[3].kernel_sent = at(1) - Nanos(700);
  const DelayByPlace d = delays_by_place(samples, {.conversion_error = Nanos(100)});
  EXPECT_EQ(d.order_violations, 1U);
  EXPECT_EQ(d.worst_violation, Nanos(700));
  EXPECT_EQ(delays_by_place(samples, {.conversion_error = Nanos(700)}).order_violations, 0U);
}

TEST(DelayPlaces, OfNothingThereIsNothing) {
  const DelayByPlace d = delays_by_place({}, {.asked = 3});
  EXPECT_EQ(d.asked, 3U);
  EXPECT_FALSE(d.one_way_forward);
  EXPECT_TRUE(d.waterfall.empty());
}

}  // namespace
}  // namespace volley
