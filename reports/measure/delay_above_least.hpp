// PDV (RFC 5481, section 4.2) of delays that are known but for a constant, as one-way delays
// between two clocks are: how far they lie above the smallest of them, which is not known before
// the end.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "reports/measure/histogram.hpp"
#include "reports/measure/time.hpp"

namespace volley {

class DelayAboveLeast {
 public:
  // Of `times` datagrams. Delays may be negative; they lie within an hour of each other.
  void record(Nanos delay, std::uint64_t times) {
    if (delay < least_) {
      least_ = delay;
      if (delay < origin_) move_origin_below(delay);
    }
    delays_.record((delay - origin_).count(), times);
  }

  // Of so many datagrams.
  [[nodiscard]] std::uint64_t count() const {
    return delays_.count() + delays_.below() + delays_.above();
  }

  // Right within 0.1 % of twice the largest; none: there are no delays.
  [[nodiscard]] std::optional<Nanos> at(Percentile p) const {
    const auto above_origin = delays_.at(p);
    if (!above_origin) return std::nullopt;
    return std::max(Nanos(0), *above_origin - (least_ - origin_));
  }

 private:
  // As far again below the first one, so that it happens some thirty times at most, however the
  // delays fall.
  void move_origin_below(Nanos delay) {
    if (!first_) {
      first_ = origin_ = delay;
      return;
    }
    const Nanos origin = delay - (*first_ - delay);
    Histogram moved;
    for (std::size_t i = 0; i < Histogram::kCounters; ++i)
      if (const std::uint64_t n = delays_.counters()[i]; n > 0)
        moved.record(Histogram::highest_of(i) + (origin_ - origin).count(), n);
    delays_ = std::move(moved);
    origin_ = origin;
  }

  Histogram delays_;  // above origin_
  std::optional<Nanos> first_;
  Nanos origin_ = Nanos::max();  // at most least_
  Nanos least_ = Nanos::max();
};

}  // namespace volley
