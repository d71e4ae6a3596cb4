#include "reports/judge/arrivals.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace volley {
namespace {

// Ranks from 1 on; equal values share the mean of theirs.
std::vector<double> ranks_of(const std::vector<double>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (std::size_t i = 0; i < order.size();) {
    std::size_t end = i;
    while (end < order.size() && values[order[end]] == values[order[i]]) ++end;
    for (std::size_t j = i; j < end; ++j)
      ranks[order[j]] = (static_cast<double>(i) + static_cast<double>(end) + 1) / 2;
    i = end;
  }
  return ranks;
}

std::optional<double> pearson(const std::vector<double>& a, const std::vector<double>& b) {
  const auto n = static_cast<double>(a.size());
  const double mean_a = std::accumulate(a.begin(), a.end(), 0.0) / n;
  const double mean_b = std::accumulate(b.begin(), b.end(), 0.0) / n;
  double both = 0;
  double of_a = 0;
  double of_b = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    both += (a[i] - mean_a) * (b[i] - mean_b);
    of_a += (a[i] - mean_a) * (a[i] - mean_a);
    of_b += (b[i] - mean_b) * (b[i] - mean_b);
  }
  if (of_a <= 0 || of_b <= 0) return std::nullopt;
  return both / std::sqrt(of_a * of_b);
}

}  // namespace

double erlang_cdf(double x, unsigned n) {
  if (x <= 0) return 0;
  if (x > 10.0 * n + 700) return 1;  // but for 1e-300, and the sum below would have no end
  long double term = std::exp(-static_cast<long double>(x));  // a double ends at x = 745
  long double sum = term;
  for (unsigned k = 1; k < n; ++k) sum += term *= x / k;
  return static_cast<double>(1 - sum);
}

double anderson_darling(std::vector<double> uniform) {
  // Times have steps: a gap of 0 is as likely as it is small, not impossible.
  constexpr double least = 1e-9;
  std::sort(uniform.begin(), uniform.end());
  const auto n = static_cast<double>(uniform.size());
  double sum = 0;
  for (std::size_t i = 0; i < uniform.size(); ++i) {
    const double low = std::clamp(uniform[i], least, 1 - least);
    const double high = std::clamp(uniform[uniform.size() - 1 - i], least, 1 - least);
    sum += (2 * static_cast<double>(i) + 1) * (std::log(low) + std::log1p(-high));
  }
  return -n - sum / n;
}

std::size_t most_by_chance(std::size_t n) {
  constexpr double p = 0.05;
  double log_chance = static_cast<double>(n) * std::log1p(-p);  // of just k failures
  double sum = std::exp(log_chance);
  std::size_t k = 0;
  while (sum < 0.9999 && k < n) {
    log_chance += std::log(static_cast<double>(n - k) / static_cast<double>(k + 1) * p / (1 - p));
    sum += std::exp(log_chance);
    ++k;
  }
  return k;
}

std::optional<double> neighbour_correlation(std::span<const std::vector<double>> series) {
  std::vector<double> first, second;
  for (const std::vector<double>& values : series)
    for (std::size_t i = 0; i + 1 < values.size(); ++i) {
      first.push_back(values[i]);
      second.push_back(values[i + 1]);
    }
  if (first.size() < 3) return std::nullopt;
  return pearson(ranks_of(first), ranks_of(second));
}

double Dispersion::standard_errors() const {
  if (windows < 2) return 0;
  const double variance = 2 / (9 * (static_cast<double>(windows) - 1));
  return (std::cbrt(index) - (1 - variance)) / std::sqrt(variance);
}

Dispersion dispersion(std::span<const std::vector<double>> gaps, double each) {
  std::vector<double> counts;
  for (const std::vector<double>& stretch : gaps) {
    double at = 0;
    double end = each;
    double count = 0;
    for (const double gap : stretch) {
      at += gap;
      while (at >= end) {
        counts.push_back(count);
        count = 0;
        end += each;
      }
      ++count;
    }
  }
  Dispersion found{0, counts.size()};
  if (counts.size() < 2) return found;
  const auto n = static_cast<double>(counts.size());
  const double mean = std::accumulate(counts.begin(), counts.end(), 0.0) / n;
  double squares = 0;
  for (const double count : counts) squares += (count - mean) * (count - mean);
  if (mean > 0) found.index = squares / (n - 1) / mean;
  return found;
}

std::vector<std::vector<double>> gaps_of(
    std::span<const SendTimes> stretches,
    const std::array<std::int64_t, SendTimes::kRequests> SendTimes::*times, double mean_ns) {
  std::vector<std::vector<double>> all;
  for (const SendTimes& stretch : stretches) {
    std::vector<double>& gaps = all.emplace_back();
    for (std::size_t i = 0; i + 1 < SendTimes::kRequests; ++i)
      gaps.push_back(static_cast<double>((stretch.*times)[i + 1] - (stretch.*times)[i]) / mean_ns);
  }
  return all;
}

}  // namespace volley
