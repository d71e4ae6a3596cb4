// Do requests come as a Poisson process does? Tests of gaps between consecutive requests, of which
// a thread of n has every n-th: their gaps are sums of n exponential ones. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "reports/measure/send_times.hpp"

namespace volley {

// The distribution function of a sum of `n` independent exponential gaps of mean 1 (Erlang).
[[nodiscard]] double erlang_cdf(double x, unsigned n);

// Anderson and Darling's A^2 of values of a distribution function, which are uniform in (0, 1) if
// that is the values' distribution; its parameters must be known beforehand (RFC 2330 section 11.3
// and appendix). 5 % of such samples lie above kA2At5Percent.
[[nodiscard]] double anderson_darling(std::vector<double> uniform);
inline constexpr double kA2At5Percent = 2.492;

// The most of `n` tests at 5 % that fail by chance, but for one case in ten thousand: the smallest
// k with P(Bin(n, 0.05) <= k) >= 0.9999.
[[nodiscard]] std::size_t most_by_chance(std::size_t n);

// Spearman's rank correlation of neighbours in each series, all series together; none of fewer than
// three neighbours.
[[nodiscard]] std::optional<double> neighbour_correlation(
    std::span<const std::vector<double>> series);

// The index of dispersion of counts in windows that hold `each` requests on average: their variance
// over their mean, 1 for a Poisson process, n times less for every n-th request of one, more when
// requests come in bunches. `windows`: how many there were.
struct Dispersion {
  double index = 0;
  std::size_t windows = 0;

  // How many standard errors the index lies from 1: that of windows of a Poisson process is a chi
  // square over its degrees of freedom, and a cube root makes that normal (Wilson and Hilferty,
  // 1931). 0 of fewer than two windows.
  [[nodiscard]] double standard_errors() const;
};
// `gaps` in units of the mean gap. Windows end with their stretch.
[[nodiscard]] Dispersion dispersion(std::span<const std::vector<double>> gaps, double each);

// The gaps of each stretch between its requests' times, in units of `mean_ns`.
[[nodiscard]] std::vector<std::vector<double>> gaps_of(
    std::span<const SendTimes> stretches,
    const std::array<std::int64_t, SendTimes::kRequests> SendTimes::*times, double mean_ns);

}  // namespace volley
