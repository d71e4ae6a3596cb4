#include "reports/measure/calibration.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace volley {

Calibration calibrate(std::vector<Nanos> outside, Nanos conversion) {
  std::sort(outside.begin(), outside.end());
  const auto n = static_cast<double>(outside.size());
  const auto at = [&](double p) {
    return outside[static_cast<std::size_t>(std::clamp(std::ceil(p * n), 1.0, n)) - 1];
  };
  const Nanos median = at(0.5);
  return {median, std::max(median - at(0.025), at(0.975) - median) + 2 * conversion};
}

}  // namespace volley
