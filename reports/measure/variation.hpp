// How unevenly the datagrams of a flow were delayed. Measures of one thing that answer different
// questions:
//
//   RTP jitter   a low-pass of the difference between arrivals that follow each other (RFC 3550
//                section 6.4.1, appendix A.8): one number, which other programs print
//   IPDV         the difference between datagrams with consecutive numbers (RFC 3393; RFC 5481
//                section 4.1): signed, undefined when one of them was lost
//   PDV          the delay above the smallest one (RFC 5481 section 4.2): percentiles of the
//                delays less their minimum, which need nothing from here
//
// A delay may be any duration of which the differences count: a round trip, or one way between
// clocks that keep step. Datagrams that shared the system calls at both ends have one delay for all
// that is known; such pairs are only counted, for a row of zeros would look like a smooth network.
#pragma once

#include <cstdint>
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
  double jitters_ns = 0;       // the last jitter of each flow, added up
  std::uint64_t flows = 0;     // that have one

  void merge(const VariationFigures& other);
  // Pairs whose difference is known.
  [[nodiscard]] std::uint64_t pairs() const { return longer.count() + shorter.count(); }
  // All differences without their signs.
  [[nodiscard]] Histogram absolute() const;
  // The mean over the flows; none: no flow has a jitter.
  [[nodiscard]] std::optional<double> jitter_ns() const;
};

// One flow. It is told of first copies only, each once; a flow in order is remembered by its last
// delay, and beside each gap the delays before and behind it.
class VariationTracker {
 public:
  // The numbers first … first + n - 1 (n from 1 on) came together, delayed by `delay`. figures:
  // null when the pairs that they complete are not to be counted.
  void arrive(std::uint64_t first, std::uint64_t n, Nanos delay, VariationFigures* figures) {
    if (next_ > 0) jitter_.follow(delay - last_to_come_);
    last_to_come_ = delay;
    if (figures != nullptr) figures->together += n - 1;
    if (first != next_ || next_ == 0) {
      arrive_elsewhere(first, n, delay, figures);
      return;
    }
    if (figures != nullptr) record(delay - highest_, *figures);
    highest_ = delay;
    next_ = first + n;
  }
  // None: fewer than two came by themselves.
  [[nodiscard]] std::optional<double> jitter_ns() const { return jitter_.value(); }
  // Gaps are remembered by so many delays; pairs with numbers beside older ones are undefined.
  static constexpr std::size_t kMostEdges = 2048;

 private:
  using Edges = std::map<std::uint64_t, Nanos>;

  class Jitter {
   public:
    void follow(Nanos difference) {
      const auto d = static_cast<double>(difference.count());
      ns_ += ((d < 0 ? -d : d) - ns_) * (1.0 / 16);
      known_ = true;
    }
    [[nodiscard]] std::optional<double> value() const {
      return known_ ? std::optional(ns_) : std::nullopt;
    }

   private:
    double ns_ = 0;
    bool known_ = false;
  };

  static void record(Nanos difference, VariationFigures& figures) {
    if (difference >= Nanos(0))
      figures.longer.record(difference);
    else
      figures.shorter.record(-difference);
  }
  void arrive_elsewhere(std::uint64_t first, std::uint64_t n, Nanos delay,
                        VariationFigures* figures);
  void remember(std::uint64_t sequence, Nanos delay);

  Jitter jitter_;
  Nanos last_to_come_{0};
  std::uint64_t next_ = 0;        // above all numbers so far; 0: none came
  Nanos highest_{0};              // delay of next_ - 1
  std::unique_ptr<Edges> edges_;  // by number; null until something is missing
};

}  // namespace volley
