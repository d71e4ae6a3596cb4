// A log-linear histogram of durations with the layout of HdrHistogram: 3 significant digits from
// 1 ns to 1 h, relative error at most 1/1024 (0.098 %), merged exactly by adding counts.
//
// Layout: values below 2048 ns have a counter each; above that every power of two is divided into
// 1024 equal parts. 33,792 counters of 8 bytes: 264 KiB, of which a run touches a few pages.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "reports/measure/time.hpp"

namespace volley {

// A share of the samples in parts per million, so that ranks are computed in whole numbers:
// 99.9 % is 999'000.
struct Percentile {
  std::uint32_t ppm = 0;
};
inline constexpr Percentile kP50{500'000};
inline constexpr Percentile kP90{900'000};
inline constexpr Percentile kP99{990'000};
inline constexpr Percentile kP99_9{999'000};
inline constexpr Percentile kP99_99{999'900};

class Histogram {
 public:
  static constexpr std::int64_t kHighest = 3'600'000'000'000;  // 1 h in ns
  static constexpr std::size_t kCounters = 33'792;

  Histogram();

  // Records one duration, or the same one several times. A negative one or one above 1 h is counted
  // (below(), above()) but has no counter of its own.
  void record(Nanos value) { record(value.count(), 1); }
  void record(std::int64_t value, std::uint64_t times) {
    if (static_cast<std::uint64_t>(value) > static_cast<std::uint64_t>(kHighest)) {  // or negative
      (value < 0 ? below_ : above_) += times;
      return;
    }
    if (times == 0) return;
    counts_[index_of(value)] += times;
    count_ += times;
    sum_ += static_cast<Sum>(value) * times;
    if (value < min_) min_ = value;
    if (value > max_) max_ = value;
  }
  // Records each of these durations in ns. For many at once that lie near each other.
  void record_each(std::span<const std::int64_t> values);

  // Adds every sample of `other`: the result equals having recorded both streams here.
  void merge(const Histogram& other);
  void clear();

  [[nodiscard]] std::uint64_t count() const { return count_; }  // samples in range
  [[nodiscard]] std::uint64_t below() const { return below_; }  // negative values
  [[nodiscard]] std::uint64_t above() const { return above_; }  // values above 1 h
  [[nodiscard]] bool empty() const { return count_ == 0; }
  // Exact smallest and largest in-range value; none without samples.
  [[nodiscard]] std::optional<Nanos> min() const;
  [[nodiscard]] std::optional<Nanos> max() const;
  [[nodiscard]] std::optional<double> mean_ns() const;    // exact sum / count
  [[nodiscard]] std::optional<double> stddev_ns() const;  // from the counters, about the exact mean

  // The smallest x with F(x) >= p (RFC 2330 section 11.3), that is the order statistic of rank
  // ceil(p * n), reported as the highest value its counter stands for, at most max(). Negative
  // values (a clock that stepped back) have no rank.
  // `infinite` samples larger than all others are counted in (lost requests: RFC 7679 section 5.1);
  // none when the rank falls among them, among values above 1 h, or there are no samples at all.
  [[nodiscard]] std::optional<Nanos> at(Percentile p, std::uint64_t infinite = 0) const;

  // The counter that the sample of this rank (1 is the smallest) lies in; none for a rank beyond
  // count(): it falls among those without an end, if there are any.
  [[nodiscard]] std::optional<std::size_t> counter_of_rank(std::uint64_t rank) const;

  [[nodiscard]] std::span<const std::uint64_t> counters() const { return counts_; }
  // Replaces the content by saved counters and what they cannot tell exactly: min and max (moved
  // into the range of their counters when they contradict them) and the sum in ns, which may be
  // rounded when it comes from a mean (moved likewise: foreign files are hostile). The sum of the
  // counters must fit 64 bits.
  void restore(std::span<const std::uint64_t> counters, Nanos min, Nanos max, double sum_ns);

  static constexpr std::size_t index_of(std::int64_t value) {
    const unsigned bucket = bucket_of(value);
    return (static_cast<std::size_t>(bucket) << 10U) + static_cast<std::size_t>(value >> bucket);
  }
  static constexpr std::int64_t lowest_of(std::size_t index) {
    if (index < 2048) return static_cast<std::int64_t>(index);
    const auto bucket = (index >> 10U) - 1;
    return static_cast<std::int64_t>((index - (bucket << 10U)) << bucket);
  }
  static constexpr std::int64_t highest_of(std::size_t index) { return lowest_of(index + 1) - 1; }

  friend bool operator==(const Histogram&, const Histogram&) = default;

 private:
  __extension__ using Sum = unsigned __int128;
  // The sum of so many values in range fits 64 bits.
  static constexpr std::size_t kMostAtOnce = std::size_t{1} << 20U;

  // The values of a power of two share a bucket: counters that stand for 2^bucket values each.
  static constexpr unsigned bucket_of(std::int64_t value) {
    return static_cast<unsigned>(53 - std::countl_zero(static_cast<std::uint64_t>(value) | 2047U));
  }
  void record_near(std::int64_t recorded, std::span<const std::int64_t> values);
  // Those below `lowest` or above `highest`.
  void record_outside(std::span<const std::int64_t> values, std::int64_t lowest,
                      std::int64_t highest);

  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
  std::uint64_t below_ = 0;
  std::uint64_t above_ = 0;
  Sum sum_ = 0;
  std::int64_t min_ = kHighest + 1;
  std::int64_t max_ = -1;
};

}  // namespace volley
