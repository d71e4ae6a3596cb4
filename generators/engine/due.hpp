// Requests that are due.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "reports/measure/time.hpp"

namespace volley {

struct Due {
  MonoTime intended;
  bool measured = true;
  bool held_back = false;  // counted as such
};

// What one call carries at most: SentBatches keeps a bit for each.
inline constexpr std::uint32_t kMostInBatch = 64;

// Whether all of them (at least one) were due at the same time. The usual one first: all_of looks
// at four at a time, which takes 30 instructions to find nothing.
[[nodiscard]] inline bool are_alike(std::span<const Due> requests) {
  return requests.size() == 1 ||
         std::all_of(requests.begin() + 1, requests.end(),
                     [&](const Due& due) { return due.intended == requests.front().intended; });
}

}  // namespace volley
