// Clocks. Every duration we report is a difference of two MonoTime values of one host; the wall
// clock only dates a report.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace volley {

using Nanos = std::chrono::nanoseconds;
using SteadyClock = std::chrono::steady_clock;  // CLOCK_MONOTONIC: never steps back
using MonoTime = std::chrono::time_point<SteadyClock, Nanos>;
using WallTime = std::chrono::time_point<std::chrono::system_clock, Nanos>;

// One clock read: about 20 ns through the vDSO, so once per batch and never per datagram.
[[nodiscard]] inline MonoTime mono_now() {
  return std::chrono::time_point_cast<Nanos>(SteadyClock::now());
}
[[nodiscard]] inline WallTime wall_now() {
  return std::chrono::time_point_cast<Nanos>(std::chrono::system_clock::now());
}

[[nodiscard]] inline double to_seconds(Nanos t) { return static_cast<double>(t.count()) * 1e-9; }

// ISO 8601 in UTC with milliseconds: 2026-11-22T13:12:58.123Z
[[nodiscard]] std::string format_utc(WallTime t);

}  // namespace volley
