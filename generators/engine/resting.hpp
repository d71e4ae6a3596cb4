// Closed loop: flows whose last request failed, and that rest before the next, or they would spin
// on the error or hammer a dead peer.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>

#include "reports/measure/time.hpp"

namespace volley {

class RestingFlows {
 public:
  // `flow` (index within the thread) rests for 10 ms from `now`, which never goes back.
  void add(std::uint32_t flow, MonoTime now) { resting_.push_back({now + kRest, flow}); }
  // When the next one has rested; none: nobody rests.
  [[nodiscard]] std::optional<MonoTime> next() const {
    if (resting_.empty()) return std::nullopt;
    return resting_.front().until;
  }
  // Calls on_rested(flow) for each that has rested by `now`; it may add flows.
  template <class OnRested>
  void take_rested(MonoTime now, OnRested&& on_rested) {
    while (!resting_.empty() && resting_.front().until <= now) {
      const std::uint32_t flow = resting_.front().flow;
      resting_.pop_front();
      on_rested(flow);
    }
  }

 private:
  static constexpr Nanos kRest = std::chrono::milliseconds(10);
  struct Resting {
    MonoTime until;
    std::uint32_t flow;
  };
  std::deque<Resting> resting_;
};

}  // namespace volley
