// The gaps in which a sending thread was away, sorted by how long they were: a request waits no
// longer for the generator than the gap lasts, so which gaps matter depends on the figure that is
// asked about (check C8d).
#pragma once

#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "reports/measure/time.hpp"

namespace volley {

// Anything shorter is no gap: a loop that has its CPU may need that long.
inline constexpr Nanos kShortestGap = std::chrono::microseconds(50);
// Gaps are told apart by these lengths: 50 us, 100 us, 200 us … 102.4 ms.
inline constexpr std::size_t kGapLengths = 12;
[[nodiscard]] constexpr Nanos gap_length(std::size_t i) {
  return kShortestGap * (std::int64_t{1} << i);
}

// The longest of those lengths that is at most `time`; the shortest where none is.
[[nodiscard]] constexpr std::size_t gap_length_within(Nanos time) {
  const auto times = static_cast<std::uint64_t>(time > kShortestGap ? time / kShortestGap : 1);
  const auto power = static_cast<std::size_t>(std::bit_width(times)) - 1;
  return power < kGapLengths ? power : kGapLengths - 1;
}

// [i]: a figure of the gaps longer than gap_length(i) only.
template <class Figure>
using ByGapLength = std::array<Figure, kGapLengths>;

// What one thread had.
class AwayGaps {
 public:
  // One that lasted longer than kShortestGap.
  void note(Nanos gap) {
    // One that lasts exactly a length is not longer than that.
    const std::size_t longest = gap_length_within(gap - Nanos(1));
    time_[longest] += gap;
    ++count_[longest];
  }

  [[nodiscard]] ByGapLength<Nanos> time() const { return cumulated(time_); }
  [[nodiscard]] ByGapLength<std::uint64_t> count() const { return cumulated(count_); }

 private:
  template <class Figure>
  static ByGapLength<Figure> cumulated(ByGapLength<Figure> figures) {
    for (std::size_t i = kGapLengths - 1; i > 0; --i) figures[i - 1] += figures[i];
    return figures;
  }

  ByGapLength<Nanos> time_{};  // of those whose longest length below is this one
  ByGapLength<std::uint64_t> count_{};
};

}  // namespace volley
