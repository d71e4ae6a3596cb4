// How late the kernel wakes a thread that sleeps until a time, learned from its own wake-ups, so
// that it can have itself woken that much earlier.
#pragma once

#include <algorithm>
#include <chrono>

#include "reports/measure/time.hpp"

namespace volley {

// Follows a low quantile: three of four wake-ups are later than it says. So a thread that sleeps
// that much shorter seldom wakes too early, and then has little left to wait; what is late is late
// by what the wake-ups differ, not by what they take.
class Lateness {
 public:
  // What to take off a sleep: 0 to kMost. 0 until the first wake-up.
  [[nodiscard]] Nanos usual() const { return usual_; }

  // Woken at `woken`, asked for at `asked`.
  void note(MonoTime asked, MonoTime woken) {
    const Nanos late = std::clamp<Nanos>(woken - asked, Nanos(0), kMost);
    if (!learned_) {
      learned_ = true;
      usual_ = late;
    } else if (late > usual_) {
      usual_ = std::min<Nanos>(usual_ + kStep, late);
    } else {
      usual_ = std::max<Nanos>(usual_ - 3 * kStep, late);
    }
  }

  // Beyond this it is not the wake-up that takes long: others have the CPU.
  static constexpr Nanos kMost = std::chrono::microseconds(60);

 private:
  static constexpr Nanos kStep{250};
  Nanos usual_{0};
  bool learned_ = false;
};

}  // namespace volley
