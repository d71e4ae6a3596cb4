// The samples of a run, slice of time by slice of time: what a claim about a percentile rests on.
// Samples of one run are not independent; how much they hang together shows in how unevenly they
// fall on slices of time (see judge/claims).
//
// Nobody knows beforehand how long a run will last (it may be interrupted, or end with its last
// request), so slices begin at 2 ms and there are at most kMostSlices of them: when there would be
// more, each two neighbours become one. Of a run of more than a quarter of a second there are then
// between half as many and that many. What is kept of a slice are the counters of its histograms
// that are not 0, so memory does not grow with the run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "reports/measure/histogram.hpp"
#include "reports/measure/time.hpp"

namespace volley {

inline constexpr std::size_t kMostSlices = 128;

// A histogram of 128 counters to a power of two in place of 1024, of which those that are not 0 are
// kept. Coarse enough that a slice takes a few KiB, whatever it counts.
class SparseHistogram {
 public:
  static constexpr unsigned kGroupBits = 3;  // so many of Histogram's counters are one here

  void add(const Histogram& histogram);
  void add(const SparseHistogram& other);

  [[nodiscard]] std::uint64_t count() const { return count_; }  // samples, those above 1 h included
  // Samples above the counter here that holds this index (Histogram::index_of), or from it on;
  // those above 1 h included.
  [[nodiscard]] std::uint64_t count_above(std::size_t index) const {
    return count_from((index >> kGroupBits << kGroupBits) + (std::size_t{1} << kGroupBits));
  }
  [[nodiscard]] std::uint64_t count_from(std::size_t index) const;
  // The smallest x with F(x) >= p, as the highest value that its counter stands for; none: no
  // samples, or it lies above 1 h.
  [[nodiscard]] std::optional<Nanos> at(Percentile p) const;

 private:
  static_assert(Histogram::kCounters <= 1U << 16U);
  // A counter as one word: its place above, its value below, so that words sort as counters do.
  using Cell = std::uint64_t;
  static constexpr unsigned kValueBits = 48;
  static constexpr Cell kValue = (Cell(1) << kValueBits) - 1;
  void add(std::span<const Cell> cells);

  std::vector<Cell> cells_;
  std::uint64_t count_ = 0;
  std::uint64_t above_range_ = 0;
};

// Of measure/record.
struct Latencies;
struct RequestCounters;

// The four distributions of a run in one slice of time, by when they were taken down: at the answer
// or, where it ended a wait, at the beginning of that wait (send_lag: likewise by the sending).
struct Slice {
  SparseHistogram response, service, send_lag, connect;
  // Requests given up whose answer could still have come in this slice: a timeout before they were
  // known as lost.
  std::uint64_t lost = 0;
};

// The end of the slice in which `at` lies (since the start of the measure phase, not negative).
// Slices of a run that outlasts 128 of them are twice as long from then on, and so on: 64 to every
// doubling.
[[nodiscard]] Nanos slice_end(Nanos at);

class Slices {
 public:
  Slices() = default;
  // `timeout`: after which a request counts as lost.
  explicit Slices(Nanos timeout) : timeout_(timeout) {}

  // What was recorded from `begin` on (since the start of the measure phase, not negative) to the
  // end of that slice at most. Once nothing is sent any more the run's time is over: answers that
  // come in later belong to the last slice.
  void add(Nanos begin, const Latencies& latencies, const RequestCounters& counters);

  // In order of time; empty ones included.
  [[nodiscard]] std::span<const Slice> all() const { return slices_; }

 private:
  Slice& at(Nanos time);

  Nanos length_ = slice_end(Nanos(0));
  Nanos timeout_{0};
  std::vector<Slice> slices_;
};

}  // namespace volley
