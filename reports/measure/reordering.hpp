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
  // Section 4.6: arrivals in order up to a reordered one. So many runs as there are reordered ones
  // (x there); the sums of their lengths and of the squares of these (a and q).
  std::uint64_t in_runs = 0;
  std::uint64_t runs_squared = 0;

  void merge(const ReorderingFigures& other);
  // Reordered arrivals that n larger numbers in a row directly preceded, n from 0 to kMostN. Those
  // of n = 3 would have made a TCP sender send again.
  [[nodiscard]] std::uint64_t n_reordered(std::size_t n) const;
};

// What one flow has to remember for them: nothing as long as it is in order, then 2 KiB, and at
// most 40 KiB.
class ReorderingTracker {
 public:
  // A first copy that came out of order.
  struct Arrival {
    std::uint64_t sequence;
    std::uint64_t expected;  // the number above all before it
    std::uint64_t index;     // how many first copies came before it
    MonoTime now;            // of the receive call
  };

  // Larger than expected: numbers are missing.
  void on_jump(const Arrival& arrival);
  // Smaller than expected. figures: null when it is not to be counted. Runs begin at arrival
  // `counted_from`, or later.
  void on_reordered(const Arrival& arrival, std::uint64_t counted_from, ReorderingFigures* figures);

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
  void end_reordered_run(const Arrival& arrival);
  void count(const Arrival& arrival, std::uint64_t counted_from, ReorderingFigures& figures);
  [[nodiscard]] std::size_t larger_before(const Arrival& arrival) const;
  // The gap that a number falls into; end: it is forgotten.
  [[nodiscard]] Gaps::iterator gap_of(std::uint64_t sequence);
  void take_out(const Gaps::iterator& gap, std::uint64_t sequence);

  Gaps gaps_;             // in the order of their numbers
  std::deque<Run> runs_;  // in the order of arrival, the last ReorderingFigures::kMostN + 1
  std::uint64_t after_reordered_ = 0;  // the arrival after the last reordered one
  std::uint64_t after_counted_ = 0;    // the same of those that were counted
  std::optional<std::uint64_t> last_overtaker_;
};

// Which numbers of one flow have arrived, in what order, and how often.
class ArrivalTracker {
 public:
  // Numbers are remembered as SequenceTracker remembers them.
  explicit ArrivalTracker(std::uint64_t window = SequenceTracker::kDefaultWindow)
      : window_(window), numbers_(window) {}

  // The numbers first … first + n - 1 arrive one after another. True: they are the next ones, and
  // that has been taken down. False: nothing has; let the first arrive by itself.
  [[nodiscard]] bool arrive_in_order(std::uint64_t first, std::uint64_t n) {
    return first == numbers_.next_expected() && numbers_.arrive_in_order(first, n);
  }
  // One number arrives. figures: null when its being reordered is not to be counted.
  SequenceTracker::Arrival arrive(std::uint64_t sequence, MonoTime now, ReorderingFigures* figures);
  // From the next arrival on they are counted; after the first call nothing changes.
  void count_from_here() {
    if (!counted_from_) counted_from_ = numbers_.unique();
  }

  // From here on neither order nor copies are followed, and what was remembered of them is let go.
  void keep_numbers_only() {
    only_numbers_ = true;
    order_.reset();
    copies_.reset();
  }

  [[nodiscard]] const SequenceTracker& numbers() const { return numbers_; }
  // How many numbers came more than once (RFC 5560 section 4.2).
  [[nodiscard]] std::uint64_t replicated() const { return copies_ ? copies_->unique() : 0; }

 private:
  std::uint64_t window_;
  SequenceTracker numbers_;
  std::optional<std::uint64_t> counted_from_;
  bool only_numbers_ = false;
  // What most flows never need.
  std::unique_ptr<ReorderingTracker> order_;  // null until something is missing
  std::unique_ptr<SequenceTracker> copies_;   // of numbers that came again; null until one did
};

}  // namespace volley
