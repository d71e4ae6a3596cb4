#include "reports/measure/slices.hpp"

#include <algorithm>

#include "reports/measure/ensure.hpp"
#include "reports/measure/record.hpp"

namespace volley {
namespace {

constexpr Nanos kShortest = std::chrono::milliseconds(2);

void merge(Slice& into, const Slice& from) {
  into.response.add(from.response);
  into.service.add(from.service);
  into.send_lag.add(from.send_lag);
  into.connect.add(from.connect);
  into.lost += from.lost;
}

}  // namespace

void SparseHistogram::add(const Histogram& histogram) {
  above_range_ += histogram.above();
  count_ += histogram.above();
  if (histogram.empty()) return;
  const auto counters = histogram.counters();
  const std::size_t last = Histogram::index_of(histogram.max()->count());
  std::vector<Cell> cells;
  for (std::size_t i = Histogram::index_of(histogram.min()->count()); i <= last; ++i) {
    if (counters[i] == 0) continue;
    const Cell place = Cell(i) >> kGroupBits;
    if (cells.empty() || cells.back() >> kValueBits != place) cells.push_back(place << kValueBits);
    cells.back() += counters[i];
  }
  count_ += histogram.count();
  add(std::span<const Cell>(cells));
}

void SparseHistogram::add(const SparseHistogram& other) {
  above_range_ += other.above_range_;
  count_ += other.count_;
  add(std::span<const Cell>(other.cells_));
}

void SparseHistogram::add(std::span<const Cell> cells) {
  std::vector<Cell> merged;
  merged.reserve(cells_.size() + cells.size());
  auto mine = cells_.begin();
  for (const Cell& cell : cells) {
    const Cell place = cell >> kValueBits;
    while (mine != cells_.end() && *mine >> kValueBits < place) merged.push_back(*mine++);
    merged.push_back(cell);
    if (mine != cells_.end() && *mine >> kValueBits == place) merged.back() += *mine++ & kValue;
  }
  merged.insert(merged.end(), mine, cells_.end());
  merged.shrink_to_fit();
  cells_ = std::move(merged);
}

std::uint64_t SparseHistogram::count_from(std::size_t index) const {
  std::uint64_t sum = above_range_;
  for (auto cell = cells_.rbegin();
       cell != cells_.rend() && *cell >> kValueBits >= index >> kGroupBits; ++cell)
    sum += *cell & kValue;
  return sum;
}

std::optional<Nanos> SparseHistogram::at(Percentile p) const {
  __extension__ using Wide = unsigned __int128;
  const auto rank = static_cast<std::uint64_t>((Wide{count_} * p.ppm + 999'999) / 1'000'000);
  std::uint64_t below = 0;
  for (const Cell& cell : cells_) {
    below += cell & kValue;
    if (below < rank || below == 0) continue;
    const auto after = static_cast<std::size_t>((cell >> kValueBits) + 1) << kGroupBits;
    return Nanos(Histogram::highest_of(after - 1));
  }
  return std::nullopt;
}

Nanos slice_end(Nanos at) {
  ensure(at >= Nanos(0), "a slice lies in the measure phase");
  Nanos length = kShortest;
  while (at >= length * static_cast<std::int64_t>(kMostSlices)) length *= 2;
  return (at / length + 1) * length;
}

Slice& Slices::at(Nanos time) {
  while (time >= length_ * static_cast<std::int64_t>(kMostSlices)) {
    for (std::size_t i = 0; i < slices_.size(); ++i) {
      if (i % 2 == 1) merge(slices_[i / 2], slices_[i]);
      if (i % 2 == 0 && i > 0) slices_[i / 2] = std::move(slices_[i]);
    }
    slices_.resize((slices_.size() + 1) / 2);
    length_ *= 2;
  }
  const auto index = static_cast<std::size_t>(time / length_);
  if (index >= slices_.size()) slices_.resize(index + 1);
  return slices_[index];
}

void Slices::add(Nanos begin, const Latencies& latencies, const RequestCounters& counters) {
  const auto none_later = [&](Nanos time) {
    const Nanos end = length_ * static_cast<std::int64_t>(slices_.size());
    return std::max(Nanos(0), std::min(time, end - Nanos(1)));
  };
  Slice& slice = at(counters.sent > 0 ? begin : none_later(begin));
  slice.response.add(latencies.response);
  slice.service.add(latencies.service);
  slice.send_lag.add(latencies.send_lag);
  slice.connect.add(latencies.connect);
  if (counters.lost > 0) at(none_later(begin - timeout_)).lost += counters.lost;
}

}  // namespace volley
