// How late the kernel wakes a thread that sleeps until a time, learned from its own wake-ups, so
// that it can have itself woken that much earlier.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>

#include "reports/measure/time.hpp"

namespace volley {

// A low quantile of the last wake-ups: three of four were later. So a thread that sleeps that much
// shorter seldom wakes too early, and then has little left to wait; what is late is late by what
// the wake-ups differ, not by what they take. One that took long for a reason of its own is
// outvoted.
class Lateness {
 public:
  // What to take off a sleep: 0 to kMost; 0 until there were kWakeUps.
  [[nodiscard]] Nanos usual() const { return usual_; }

  // Woken by the clock at `woken`, asked for at `asked`. Before that it was something else.
  void note(MonoTime asked, MonoTime woken) {
    if (woken < asked) return;
    late_[noted_++ % kWakeUps] = std::min<Nanos>(woken - asked, kMost);
    if (noted_ < kWakeUps) return;
    auto sorted = late_;
    std::nth_element(sorted.begin(), sorted.begin() + kWakeUps / 4, sorted.end());
    usual_ = sorted[kWakeUps / 4];
  }

  // Beyond this it is not the wake-up that takes long: others have the CPU.
  static constexpr Nanos kMost = std::chrono::microseconds(60);
  static constexpr std::size_t kWakeUps = 16;

 private:
  std::array<Nanos, kWakeUps> late_{};
  std::size_t noted_ = 0;
  Nanos usual_{0};
};

}  // namespace volley
