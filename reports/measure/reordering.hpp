// How badly the datagrams of a flow were out of order: the metrics of RFC 4737 beyond the bare
// count, which SequenceTracker keeps.
//
// What arrives in order costs nothing here: told are only a number that leaves some out, and one
// that comes late. Duplicates play no part (section 3.3: the first copy counts).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

#include "reports/measure/histogram.hpp"
#include "reports/measure/sequence.hpp"
#include "reports/measure/time.hpp"

namespace volley {

// What the reordered arrivals of one or more flows were like. Histograms hold counts of datagrams
// but for late_times; none: nothing was reordered.
struct ReorderingFigures {
  static constexpr std::size_t kMostN = 128;

  std::uint64_t reordered = 0;
  // Of these: how many were overtaken so long ago that it is no longer known when. They have
  // neither extent nor late time.
  std::uint64_t forgotten = 0;
  // [n]: reordered arrivals before which exactly n others in a row had larger numbers (section
  // 5.3: each of them is n-reordered for 1 … n); the last one counts all of kMostN and more.
  std::array<std::uint64_t, kMostN + 1> by_n{};
  // Section 4.2: arrivals since the earliest one with a larger number; since it, section 4.3: the
  // time; and section 4.4, which has bytes: how many with larger numbers had to be kept.
  std::optional<Histogram> extents;
  std::optional<Histogram> late_times;
  std::optional<Histogram> kept;
  // Section 4.5: arrivals from one that made others late to the next such.
  std::optional<Histogram> gaps;
  // Section 4.6: arrivals in order between two reordered ones, how many such runs, and the sums of
  // their lengths and of the squares of these (x, a and q there).
  std::uint64_t runs = 0;
  std::uint64_t in_runs = 0;
  std::uint64_t runs_squared = 0;

  void merge(const ReorderingFigures& other);
  // Reordered arrivals that n larger numbers in a row directly preceded, n from 0 to kMostN. Those
  // of n = 3 would have made a TCP sender send again (section 5.4).
  [[nodiscard]] std::uint64_t n_reordered(std::size_t n) const;
};

// What one flow has to remember for them: bounded, and nothing as long as it is in order. Arrivals
// are counted by first copies, the one told of not included; times are those of the receive calls.
class ReorderingTracker {
 public:
  // The next number above all others was expected to be `expected`, and is `sequence`, larger.
  void on_jump(std::uint64_t expected, std::uint64_t sequence, std::uint64_t arrivals,
               MonoTime now);
  // A first copy of `sequence`, below `expected`. figures: null when it is not to be counted.
  void on_reordered(std::uint64_t expected, std::uint64_t sequence, std::uint64_t arrivals,
                    MonoTime now, ReorderingFigures* figures);

 private:
  // From arrival `index` on numbers counted up from `sequence`.
  struct Run {
    std::uint64_t index;
    std::uint64_t sequence;
  };
  // The numbers first … last are missing since the arrival `index` of a larger one.
  struct Gap {
    std::uint64_t first;
    std::uint64_t last;
    std::uint64_t index;
    MonoTime time;
  };
  using Gaps = std::deque<Gap>;
  static constexpr std::size_t kMostGaps = 1024;

  void begin_run(std::uint64_t index, std::uint64_t sequence);
  void end_reordered_run(std::uint64_t expected, std::uint64_t arrivals);
  [[nodiscard]] std::size_t larger_before(std::uint64_t sequence, std::uint64_t arrivals) const;
  // The gap that a number falls into; end: it is forgotten.
  [[nodiscard]] Gaps::iterator gap_of(std::uint64_t sequence);
  void take_out(Gaps::iterator gap, std::uint64_t sequence);

  Gaps gaps_;             // in the order of their numbers
  std::deque<Run> runs_;  // in the order of arrival, the last ReorderingFigures::kMostN + 1
  std::uint64_t after_reordered_ = 0;  // the arrival after the last reordered one
  std::optional<std::uint64_t> last_overtaker_;
};

// Which numbers of one flow have arrived, and in what order: both memories together.
class ArrivalTracker {
 public:
  // The numbers first … first + n - 1 arrive one after another. True: they are the next ones, and
  // that has been taken down. False: nothing has; let each arrive by itself.
  [[nodiscard]] bool arrive_in_order(std::uint64_t first, std::uint64_t n) {
    return first == numbers_.next_expected() && numbers_.arrive_in_order(first, n);
  }
  // One number arrives. figures: null when its being reordered is not to be counted.
  SequenceTracker::Arrival arrive(std::uint64_t sequence, MonoTime now, ReorderingFigures* figures);

  [[nodiscard]] const SequenceTracker& numbers() const { return numbers_; }

 private:
  SequenceTracker numbers_;
  std::unique_ptr<ReorderingTracker> order_;  // null until something is missing
};

}  // namespace volley
