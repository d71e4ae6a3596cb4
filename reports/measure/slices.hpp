// The samples of a run, slice of time by slice of time: what a claim about a percentile rests on.
// Samples of one run are not independent; how much they hang together shows in how unevenly they
// fall on slices of time (see judge/claims).
//
// However long the run, there are at most kMostSlices of them, from about half as many on: when
// there would be more, each two neighbours become one. What is kept of a slice are the counters of
// its histograms that are not 0, so memory does not grow with the run.
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

struct Latencies;  // of measure/record

// The four distributions of a run in one slice of time, by the time of the answer (send_lag: of the
// sending), and the requests that were lost.
struct Slice {
  SparseHistogram response, service, send_lag, connect;
  std::uint64_t lost = 0;  // requests whose answer was due in this slice, but for the timeout
};

// The length of slices that a run of this duration starts with: a 64th of it, at least 2 ms. Of
// unknown duration: 2 ms, from which they grow.
[[nodiscard]] Nanos first_slice(std::optional<Nanos> duration);

// The end of the slice in which `at` lies. Slices of a run that outlasts 128 of them are twice as
// long from then on, and so on: 64 to every doubling.
[[nodiscard]] Nanos slice_end(Nanos first, Nanos at);

class Slices {
 public:
  Slices() = default;
  // `end`: of the measure phase, where it is known: what comes in later belongs to the last slice.
  Slices(Nanos first, std::optional<Nanos> end, Nanos timeout);

  // What was recorded from `begin` on (since the start of the measure phase, not negative) to the
  // end of that slice at most. Lost requests are known as such a timeout after they were due, and
  // are counted in the slice of back then.
  void add(Nanos begin, const Latencies& latencies, std::uint64_t lost);

  // In order of time; empty ones included.
  [[nodiscard]] std::span<const Slice> all() const { return slices_; }

 private:
  Slice& at(Nanos time);

  Nanos length_ = first_slice({});
  std::optional<Nanos> end_;
  Nanos timeout_{0};
  std::vector<Slice> slices_;
};

}  // namespace volley
