#include "reports/measure/histogram.hpp"

#include <algorithm>
#include <cmath>

#include "reports/measure/ensure.hpp"

namespace volley {

Histogram::Histogram() : counts_(kCounters, 0) {}

void Histogram::record_each(std::span<const std::int64_t> values) {
  while (!values.empty()) {
    const auto some = values.first(std::min(values.size(), kMostAtOnce));
    const std::int64_t first = some.front();
    record(first, 1);
    if (first >= 0 && first <= kHighest)
      record_near(first, some.subspan(1));
    else
      record_outside(some.subspan(1), 1, 0);  // all: nothing lies between
    values = values.subspan(some.size());
  }
}

// What lies between min and max in the bucket of the one just recorded needs its counter and the
// sum only. In four strands, because neighbours tend to meet in one counter, and what was written
// just now is slow to be read again. What lies elsewhere, if any, comes afterwards.
void Histogram::record_near(std::int64_t recorded, std::span<const std::int64_t> values) {
  const unsigned bucket = bucket_of(recorded);
  std::uint64_t* const counters = counts_.data() + (static_cast<std::size_t>(bucket) << 10U);
  const std::int64_t lowest = std::max(min_, bucket == 0 ? 0 : std::int64_t{1024} << bucket);
  const std::int64_t highest = std::min(max_, (std::int64_t{2048} << bucket) - 1);
  const auto width = static_cast<std::uint64_t>(highest - lowest);
  std::uint64_t sum = 0;
  std::uint64_t elsewhere = 0;
  const auto take = [&](std::int64_t value) {
    const auto offset = static_cast<std::uint64_t>(value) - static_cast<std::uint64_t>(lowest);
    if (offset > width) {
      ++elsewhere;
    } else {
      ++counters[value >> bucket];
      sum += static_cast<std::uint64_t>(value);
    }
  };
  const std::size_t strand = values.size() / 4;
  for (std::size_t i = 0; i < strand; ++i) {
    take(values[i]);
    take(values[i + strand]);
    take(values[i + 2 * strand]);
    take(values[i + 3 * strand]);
  }
  for (const std::int64_t value : values.subspan(4 * strand)) take(value);
  count_ += values.size() - elsewhere;
  sum_ += sum;
  if (elsewhere > 0) record_outside(values, lowest, highest);
}

void Histogram::record_outside(std::span<const std::int64_t> values, std::int64_t lowest,
                               std::int64_t highest) {
  std::uint64_t counted = 0;
  std::uint64_t sum = 0;
  for (const std::int64_t value : values) {
    if (value >= lowest && value <= highest) continue;
    if (value < 0 || value > kHighest) {
      record(value, 1);
      continue;
    }
    ++counts_[index_of(value)];
    ++counted;
    sum += static_cast<std::uint64_t>(value);
    min_ = std::min(min_, value);
    max_ = std::max(max_, value);
  }
  count_ += counted;
  sum_ += sum;
}

void Histogram::merge(const Histogram& other) {
  if (other.count_ > 0) {
    const std::size_t first = index_of(other.min_);
    const std::size_t last = index_of(other.max_);
    for (std::size_t i = first; i <= last; ++i) counts_[i] += other.counts_[i];
  }
  count_ += other.count_;
  below_ += other.below_;
  above_ += other.above_;
  sum_ += other.sum_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
}

void Histogram::clear() {
  if (count_ > 0)
    std::fill(counts_.begin() + static_cast<std::ptrdiff_t>(index_of(min_)),
              counts_.begin() + static_cast<std::ptrdiff_t>(index_of(max_)) + 1, 0);
  count_ = below_ = above_ = 0;
  sum_ = 0;
  min_ = kHighest + 1;
  max_ = -1;
}

std::optional<Nanos> Histogram::min() const {
  return count_ == 0 ? std::nullopt : std::optional(Nanos(min_));
}

std::optional<Nanos> Histogram::max() const {
  return count_ == 0 ? std::nullopt : std::optional(Nanos(max_));
}

std::optional<double> Histogram::mean_ns() const {
  if (count_ == 0) return std::nullopt;
  return static_cast<double>(sum_) / static_cast<double>(count_);
}

std::optional<double> Histogram::stddev_ns() const {
  const auto mean = mean_ns();
  if (!mean) return std::nullopt;
  double squares = 0;
  const std::size_t last = index_of(max_);
  for (std::size_t i = index_of(min_); i <= last; ++i) {
    if (counts_[i] == 0) continue;
    const double middle = 0.5 * (static_cast<double>(std::max(lowest_of(i), min_)) +
                                 static_cast<double>(std::min(highest_of(i), max_)));
    squares += static_cast<double>(counts_[i]) * (middle - *mean) * (middle - *mean);
  }
  return std::sqrt(squares / static_cast<double>(count_));
}

std::optional<Nanos> Histogram::at(Percentile p, std::uint64_t infinite) const {
  ensure(p.ppm <= 1'000'000, "a percentile is at most 100 %");
  const Sum total = static_cast<Sum>(count_) + above_ + infinite;
  if (total == 0) return std::nullopt;
  const Sum rank = std::max<Sum>(1, (total * p.ppm + 999'999) / 1'000'000);
  if (rank > count_) return std::nullopt;
  const auto counter = counter_of_rank(static_cast<std::uint64_t>(rank));
  return Nanos(std::min(highest_of(*counter), max_));
}

std::optional<std::size_t> Histogram::counter_of_rank(std::uint64_t rank) const {
  if (rank > count_ || empty()) return std::nullopt;
  Sum seen = 0;
  for (std::size_t i = index_of(min_);; ++i) {
    seen += counts_[i];
    if (seen >= rank) return i;
  }
}

void Histogram::restore(std::span<const std::uint64_t> counters, Nanos min, Nanos max,
                        double sum_ns) {
  ensure(counters.size() <= kCounters, "more counters than the histogram has");
  clear();
  std::copy(counters.begin(), counters.end(), counts_.begin());
  const auto used = [](std::uint64_t n) { return n > 0; };
  const auto first = std::find_if(counts_.begin(), counts_.end(), used);
  if (first == counts_.end()) return;
  const auto last = std::find_if(counts_.rbegin(), counts_.rend(), used);
  const auto low = static_cast<std::size_t>(first - counts_.begin());
  const auto high = static_cast<std::size_t>(counts_.rend() - last) - 1;
  Sum least = 0;
  Sum most = 0;
  for (std::size_t i = low; i <= high; ++i) {
    count_ += counts_[i];
    least += static_cast<Sum>(counts_[i]) * static_cast<std::uint64_t>(lowest_of(i));
    most += static_cast<Sum>(counts_[i]) * static_cast<std::uint64_t>(highest_of(i));
  }
  // Compared as doubles first: converting NaN, infinity or a negative number would be undefined.
  if (sum_ns >= static_cast<double>(most)) {
    sum_ = most;
  } else {
    sum_ = sum_ns > static_cast<double>(least) ? static_cast<Sum>(std::round(sum_ns)) : least;
  }
  min_ = std::clamp(min.count(), lowest_of(low), highest_of(low));
  max_ = std::clamp(max.count(), lowest_of(high), highest_of(high));
}

}  // namespace volley
