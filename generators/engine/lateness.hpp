// How late the kernel wakes a thread that sleeps until a time, learned from its own wake-ups, so
// that it can have itself woken that much earlier.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>

#include "reports/measure/time.hpp"

namespace volley {

// How much of its wake-ups' lateness a thread takes off its sleeps.
struct Foresight {
  std::size_t sooner;  // so many of the last kWakeUps are to be over sooner; below kWakeUps
  Nanos least;         // taken off always, and before there were kWakeUps
  Nanos most;          // beyond this it is not the wake-up that takes long: others have the CPU
  Nanos lasts;         // after so long without a wake-up the last ones tell nothing of the next
};

// Keeps the last wake-ups of one thread.
class Lateness {
 public:
  static constexpr std::size_t kWakeUps = 16;

  explicit constexpr Lateness(const Foresight& foresight)
      : foresight_(foresight), usual_(foresight.least) {}

  // What to take off a sleep at `now`, from `least` to `most`.
  [[nodiscard]] Nanos usual(MonoTime now) const {
    return now - noted_at_ > foresight_.lasts ? foresight_.least : usual_;
  }

  // Woken by the clock at `woken`, asked for at `asked`. Before that it was something else.
  void note(MonoTime asked, MonoTime woken) {
    if (woken < asked) return;
    if (woken - noted_at_ > foresight_.lasts) {
      noted_ = 0;
      usual_ = foresight_.least;
    }
    noted_at_ = woken;
    late_[noted_++ % kWakeUps] = woken - asked;
    if (noted_ < kWakeUps) return;
    auto sorted = late_;
    const auto nth = sorted.begin() + static_cast<std::ptrdiff_t>(foresight_.sooner);
    std::nth_element(sorted.begin(), nth, sorted.end());
    usual_ = std::clamp(*nth, foresight_.least, foresight_.most);
  }

 private:
  Foresight foresight_;
  std::array<Nanos, kWakeUps> late_{};
  std::size_t noted_ = 0;
  MonoTime noted_at_{};
  Nanos usual_;
};

// For a thread that should wait in the kernel: three of four wake-ups were later. So it seldom
// wakes too early, and then has little left to wait; what is late is late by what the wake-ups
// differ, not by what they take. One that took long for a reason of its own is outvoted.
inline constexpr Foresight kForBlocking{4, Nanos(0), std::chrono::microseconds(60), Nanos::max()};

// For a thread that looks again and again once it has woken: all but one of sixteen were sooner. At
// 60 us a calm machine is seldom late; one whose neighbours keep it from its CPUs wakes a thread
// after 80 to 100 us. Where gaps are shorter than what it has learned it never sleeps, and so
// learns nothing more: after a second it begins anew.
inline constexpr Foresight kForHybrid{14, std::chrono::microseconds(60),
                                      std::chrono::microseconds(150), std::chrono::seconds(1)};

}  // namespace volley
