// How unevenly the datagrams of a flow were delayed. Measures of one thing that answer different
// questions:
//
//   RTP jitter   a low-pass of the difference between arrivals that follow each other (RFC 3550
//                section 6.4.1, appendix A.8): one number, which other programs print
//   IPDV         the difference between datagrams with consecutive numbers (RFC 3393; RFC 5481
//                section 4.1): signed, undefined when one of them was lost
//   PDV          the delay above the smallest one (RFC 5481 section 4.2): percentiles of the
//                delays less their minimum, for which a histogram of the delays does
//
// A delay runs between two times of one clock, or of clocks that keep step: a round trip, or one
// way. Datagrams that shared the system calls at both ends have the same two times, and nothing is
// known of the difference; such pairs are only counted, for a row of zeros would look like a smooth
// network.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>

#include "reports/measure/histogram.hpp"
#include "reports/measure/time.hpp"

namespace volley {

// Of one or more flows.
struct VariationFigures {
  std::array<Histogram, 2> by_sign;  // IPDV in ns: from 0 on; below 0, without its sign
  std::uint64_t together = 0;        // pairs of which no difference is known
  double jitters_ns = 0;             // the last jitters of flows, added up
  std::uint64_t flows = 0;           // of so many

  // The IPDV of a pair. The sign is as good as random: without a branch on it.
  void record(Nanos difference) {
    by_sign[difference < Nanos(0) ? 1 : 0].record(std::abs(difference.count()), 1);
  }
  void merge(const VariationFigures& other);
  [[nodiscard]] const Histogram& longer() const { return by_sign[0]; }
  [[nodiscard]] const Histogram& shorter() const { return by_sign[1]; }
  // Pairs whose difference is known.
  [[nodiscard]] std::uint64_t pairs() const { return longer().count() + shorter().count(); }
  // All differences without their signs.
  [[nodiscard]] Histogram absolute() const;
  // The mean over the flows; none: no flow has a jitter.
  [[nodiscard]] std::optional<double> jitter_ns() const;
};

// When a datagram was received, and how long after it was sent, by the calls at both ends.
struct Trip {
  MonoTime received;
  Nanos delay{0};

  friend bool operator==(const Trip&, const Trip&) = default;
};

// One flow. It is told of first copies only, each once; a flow in order is remembered by its last
// two trips, and beside each gap the trips before and behind it: some 32 KiB at most.
class VariationTracker {
 public:
  // The numbers first … first + n - 1 (n from 1 on, all below 2^63) came. figures: null when the
  // pairs that they complete are not to be counted.
  void arrive(std::uint64_t first, std::uint64_t n, const Trip& trip, VariationFigures* figures) {
    if (first != next_in_step_) {
      arrive_elsewhere(first, n, trip, figures);
      return;
    }
    // The one before it was the last to come: one difference tells of both.
    next_in_step_ = first + n;
    if (trip == last_to_come_) {
      if (figures != nullptr) figures->together += n;
      return;
    }
    const Nanos difference = trip.delay - last_to_come_.delay;
    follow(difference);
    last_to_come_ = trip;
    if (figures == nullptr) return;
    figures->record(difference);
    if (n > 1) figures->together += n - 1;
  }
  // None before the first difference. It begins at 0, and after n differences has come within a
  // share (15/16)^n of what it would be: 1.6 % after 64.
  [[nodiscard]] std::optional<double> jitter_ns() const {
    return differences_ > 0 ? std::optional(jitter_ns_) : std::nullopt;
  }
  // How many differences the jitter has followed.
  [[nodiscard]] std::uint64_t differences() const { return differences_; }

  // A jitter that has followed fewer differences is still too small to be told.
  static constexpr std::uint64_t kSettled = 64;
  // Gaps are remembered by so many trips; pairs with numbers beside older ones are undefined.
  static constexpr std::size_t kMostEdges = 512;

 private:
  using Edges = std::map<std::uint64_t, Trip>;
  static constexpr std::uint64_t kOutOfStep = ~std::uint64_t{0};

  void follow(Nanos difference) {
    const auto d = static_cast<double>(std::abs(difference.count()));
    jitter_ns_ += (d - jitter_ns_) * (1.0 / 16);
    ++differences_;
  }
  void arrive_elsewhere(std::uint64_t first, std::uint64_t n, const Trip& trip,
                        VariationFigures* figures);
  void remember(std::uint64_t sequence, const Trip& trip);

  double jitter_ns_ = 0;
  std::uint64_t differences_ = 0;
  Trip last_to_come_;
  // In step, that is while the last to come has the highest number: the one after it. Then the two
  // below mean nothing.
  std::uint64_t next_in_step_ = kOutOfStep;
  std::uint64_t next_ = 0;        // above all numbers so far; 0: none came
  Trip highest_;                  // of next_ - 1
  std::unique_ptr<Edges> edges_;  // by number; null until something is missing
};

}  // namespace volley
