// Whether a series of figures, equally far apart in time, has a trend, and how much of one. Robust:
// single values that lie far off change little. Pure.
#pragma once

#include <optional>
#include <span>
#include <vector>

namespace volley {

// Middle value, of an even number the mean of the two in the middle; none of none.
[[nodiscard]] std::optional<double> median_of(std::vector<double> values);

// The median of the slopes between all pairs (Theil 1950, Sen, JASA 63, 1968), per step; none of
// fewer than two values.
[[nodiscard]] std::optional<double> theil_sen_slope(std::span<const double> series);

// Mann's and Kendall's test against a trend: the two-sided probability that chance alone orders
// values like this (Mann, Econometrica 13, 1945; ties as by Kendall). 1 of fewer than four values.
[[nodiscard]] double mann_kendall_p(std::span<const double> series);

}  // namespace volley
