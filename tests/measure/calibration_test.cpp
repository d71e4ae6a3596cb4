// What clock readings are worth, by figures that can be counted off.
#include "reports/measure/calibration.hpp"

#include <gtest/gtest.h>

namespace volley {
namespace {

TEST(Calibration, of_one_is_that_one) {
  const Calibration c = calibrate({Nanos(7)}, Nanos(0));
  EXPECT_EQ(c.systematic, Nanos(7));
  EXPECT_EQ(c.error, Nanos(0));
}

// 1 to 200: the median is the 100th, and between the 5th and the 195th lie 95 of 100.
TEST(Calibration, has_95_of_100_within_its_error) {
  std::vector<Nanos> outside;
  for (int i = 200; i > 0; --i) outside.emplace_back(i);
  EXPECT_EQ(calibrate(outside, Nanos(0)).systematic, Nanos(100));
  EXPECT_EQ(calibrate(outside, Nanos(0)).error, Nanos(95));
  EXPECT_EQ(calibrate(outside, Nanos(3)).error, Nanos(101)) << "both ends were converted";
}

TEST(Calibration, goes_by_the_farther_end) {
  std::vector<Nanos> outside(100, Nanos(10));
  for (int i = 0; i < 4; ++i) outside[static_cast<std::size_t>(i)] = Nanos(500);
  EXPECT_EQ(calibrate(outside, Nanos(0)).systematic, Nanos(10));
  EXPECT_EQ(calibrate(outside, Nanos(0)).error, Nanos(490));
}

}  // namespace
}  // namespace volley
