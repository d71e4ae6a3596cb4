#include "reports/judge/trend.hpp"

#include <gtest/gtest.h>

#include <random>

namespace volley {
namespace {

TEST(Trend, the_median_is_the_middle_or_the_mean_of_the_two_in_the_middle) {
  EXPECT_FALSE(median_of({}));
  EXPECT_EQ(median_of({3, 1, 2}), 2);
  EXPECT_EQ(median_of({4, 1, 3, 2}), 2.5);
}

TEST(Trend, the_slope_of_a_line_is_its_slope_whatever_a_few_values_do) {
  EXPECT_FALSE(theil_sen_slope(std::vector<double>{1}));
  std::vector<double> line;
  for (int i = 0; i < 40; ++i) line.push_back(7 + 0.5 * i);
  EXPECT_DOUBLE_EQ(*theil_sen_slope(line), 0.5);
  line[3] = 1e9;
  line[20] = -1e9;
  EXPECT_NEAR(*theil_sen_slope(line), 0.5, 1e-9);
}

// Kendall's score of 5 values in order is 10, its variance 5 * 4 * 15 / 18 = 16.67: z = 9 / 4.08.
TEST(Trend, the_probability_of_five_values_in_order_is_that_of_the_normal_table) {
  EXPECT_NEAR(mann_kendall_p(std::vector<double>{1, 2, 3, 4, 5}), 0.0275, 0.0001);
  EXPECT_NEAR(mann_kendall_p(std::vector<double>{5, 4, 3, 2, 1}), 0.0275, 0.0001);
  EXPECT_EQ(mann_kendall_p(std::vector<double>{1, 2, 3}), 1);
  EXPECT_EQ(mann_kendall_p(std::vector<double>{2, 2, 2, 2, 2}), 1);
}

// Two pairs of ties take 2 * 2 * 1 * 9 = 36 off 18 times the variance: (8 - 1) / sqrt(264 / 18).
TEST(Trend, ties_make_the_variance_smaller) {
  EXPECT_NEAR(mann_kendall_p(std::vector<double>{1, 1, 2, 2, 3}), 0.0676, 0.0001);
}

TEST(Trend, values_without_a_trend_are_called_one_as_often_as_the_level_says) {
  std::mt19937_64 dice(1);
  std::normal_distribution<double> normal;
  int found = 0;
  for (int series = 0; series < 1000; ++series) {
    std::vector<double> values(64);
    for (double& value : values) value = normal(dice);
    if (mann_kendall_p(values) < 0.05) ++found;
  }
  EXPECT_GE(found, 30);
  EXPECT_LE(found, 70);
}

}  // namespace
}  // namespace volley
