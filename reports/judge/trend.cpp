#include "reports/judge/trend.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace volley {

std::optional<double> median_of(std::vector<double> values) {
  if (values.empty()) return std::nullopt;
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  if (values.size() % 2 == 1) return values[half];
  return values[half - 1] + (values[half] - values[half - 1]) / 2;
}

std::optional<double> theil_sen_slope(std::span<const double> series) {
  std::vector<double> slopes;
  for (std::size_t i = 0; i < series.size(); ++i)
    for (std::size_t j = i + 1; j < series.size(); ++j)
      slopes.push_back((series[j] - series[i]) / static_cast<double>(j - i));
  return median_of(std::move(slopes));
}

double mann_kendall_p(std::span<const double> series) {
  const auto n = static_cast<double>(series.size());
  if (series.size() < 4) return 1;
  std::int64_t score = 0;
  for (std::size_t i = 0; i < series.size(); ++i)
    for (std::size_t j = i + 1; j < series.size(); ++j)
      score += (series[j] > series[i] ? 1 : 0) - (series[j] < series[i] ? 1 : 0);
  double variance = n * (n - 1) * (2 * n + 5);
  std::vector<double> sorted(series.begin(), series.end());
  std::sort(sorted.begin(), sorted.end());
  for (auto at = sorted.begin(); at != sorted.end();) {
    const auto end = std::upper_bound(at, sorted.end(), *at);
    const auto ties = static_cast<double>(end - at);
    variance -= ties * (ties - 1) * (2 * ties + 5);
    at = end;
  }
  variance /= 18;
  if (score == 0 || variance <= 0) return 1;
  const double z = (std::abs(static_cast<double>(score)) - 1) / std::sqrt(variance);
  return std::erfc(z / std::sqrt(2.0));
}

}  // namespace volley
