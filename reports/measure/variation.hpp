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
  Histogram longer;            // IPDV from 0 on, in ns
  Histogram shorter;           // IPDV below 0, without its sign
  std::uint64_t together = 0;  // pairs of which no difference is known
  double jitters_ns = 0;       // the last jitters of flows, added up
  std::uint64_t flows = 0;     // of so many

  void merge(const VariationFigures& other);
  // Pairs whose difference is known.
  [[nodiscard]] std::uint64_t pairs() const { return longer.count() + shorter.count(); }
  // All differences without their signs.
  [[nodiscard]] Histogram absolute() const;
  // The mean over the flows; none: no flow has a jitter.
  [[nodiscard]] std::optional<double> jitter_ns() const;
};

// The times of the calls with which a datagram was sent and received.
struct Trip {
  MonoTime sent, received;

  [[nodiscard]] Nanos delay() const { return received - sent; }
  friend bool operator==(const Trip&, const Trip&) = default;
};

// One flow. It is told of first copies only, each once; a flow in order is remembered by its last
// two trips, and beside each gap the trips before and behind it: some 32 KiB at most.
class VariationTracker {
 public:
  // The numbers first … first + n - 1 (n from 1 on) came. figures: null when the pairs that they
  // complete are not to be counted.
  void arrive(std::uint64_t first, std::uint64_t n, const Trip& trip, VariationFigures* figures) {
    if (next_ > 0 && trip != last_to_come_) follow(trip.delay() - last_to_come_.delay());
    last_to_come_ = trip;
    if (figures != nullptr) figures->together += n - 1;
    if (first != next_ || next_ == 0) {
      arrive_elsewhere(first, n, trip, figures);
      return;
    }
    if (figures != nullptr) record(highest_, trip, *figures);
    highest_ = trip;
    next_ = first + n;
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

  void follow(Nanos difference) {
    // The sign of a difference is as good as random: without a branch on it, here and in record().
    const auto d = static_cast<double>(std::abs(difference.count()));
    jitter_ns_ += (d - jitter_ns_) * (1.0 / 16);
    ++differences_;
  }
  static void record(const Trip& one, const Trip& next, VariationFigures& figures) {
    if (one == next) {
      ++figures.together;
      return;
    }
    const std::int64_t difference = (next.delay() - one.delay()).count();
    const std::array<Histogram*, 2> by_sign{&figures.longer, &figures.shorter};
    by_sign[difference < 0 ? 1 : 0]->record(std::abs(difference), 1);
  }
  void arrive_elsewhere(std::uint64_t first, std::uint64_t n, const Trip& trip,
                        VariationFigures* figures);
  void remember(std::uint64_t sequence, const Trip& trip);

  double jitter_ns_ = 0;
  std::uint64_t differences_ = 0;
  Trip last_to_come_;
  std::uint64_t next_ = 0;        // above all numbers so far; 0: none came
  Trip highest_;                  // of next_ - 1
  std::unique_ptr<Edges> edges_;  // by number; null until something is missing
};

}  // namespace volley
