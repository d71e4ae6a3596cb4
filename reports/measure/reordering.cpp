#include "reports/measure/reordering.hpp"

#include <algorithm>
#include <numeric>

namespace volley {
namespace {

void add(std::optional<Histogram>& to, const std::optional<Histogram>& from) {
  if (!from) return;
  if (!to) to.emplace();
  to->merge(*from);
}

void record(std::optional<Histogram>& to, std::uint64_t value) {
  if (!to) to.emplace();
  to->record(static_cast<std::int64_t>(value), 1);
}

}  // namespace

void ReorderingFigures::merge(const ReorderingFigures& other) {
  reordered += other.reordered;
  forgotten += other.forgotten;
  for (std::size_t n = 0; n < by_n.size(); ++n) by_n[n] += other.by_n[n];
  add(extents, other.extents);
  add(late_times, other.late_times);
  add(kept, other.kept);
  add(gaps, other.gaps);
  in_runs += other.in_runs;
  runs_squared += other.runs_squared;
}

std::uint64_t ReorderingFigures::n_reordered(std::size_t n) const {
  return std::accumulate(by_n.begin() + static_cast<std::ptrdiff_t>(std::min(n, kMostN)),
                         by_n.end(), std::uint64_t{0});
}

void ReorderingTracker::on_jump(const Arrival& arrival) {
  end_reordered_run(arrival);
  begin_run(arrival.index, arrival.sequence);
  if (gaps_.size() == kMostGaps) gaps_.pop_front();
  gaps_.push_back({arrival.expected, arrival.sequence - 1, arrival.index, arrival.now});
}

void ReorderingTracker::on_reordered(const Arrival& arrival, std::uint64_t counted_from,
                                     ReorderingFigures* figures) {
  end_reordered_run(arrival);
  if (figures != nullptr) count(arrival, counted_from, *figures);
  after_reordered_ = arrival.index + 1;
  begin_run(arrival.index, arrival.sequence);
  const auto gap = gap_of(arrival.sequence);
  if (gap != gaps_.end()) take_out(gap, arrival.sequence);
}

void ReorderingTracker::count(const Arrival& arrival, std::uint64_t counted_from,
                              ReorderingFigures& figures) {
  const std::uint64_t run = arrival.index - std::max(after_counted_, counted_from);
  after_counted_ = arrival.index + 1;
  ++figures.reordered;
  ++figures.by_n[larger_before(arrival)];
  figures.in_runs += run;
  figures.runs_squared += run * run;

  const auto gap = gap_of(arrival.sequence);
  if (gap == gaps_.end()) {
    ++figures.forgotten;
    return;
  }
  record(figures.extents, arrival.index - gap->index);
  record(figures.late_times, static_cast<std::uint64_t>((arrival.now - gap->time).count()));
  // Of the numbers above this one, those that are not missing.
  std::uint64_t kept = arrival.expected - 1 - gap->last;
  for (auto above = std::next(gap); above != gaps_.end(); ++above)
    kept -= above->last - above->first + 1;
  record(figures.kept, kept);
  if (last_overtaker_ && *last_overtaker_ < gap->index)
    record(figures.gaps, gap->index - *last_overtaker_);
  last_overtaker_ = std::max(last_overtaker_.value_or(0), gap->index);
}

// After a reordered arrival the numbers in order go on from where they were before it.
void ReorderingTracker::end_reordered_run(const Arrival& arrival) {
  const bool last_was_reordered = !runs_.empty() && runs_.back().index + 1 == after_reordered_;
  if (last_was_reordered && arrival.index > after_reordered_)
    begin_run(after_reordered_, arrival.expected - (arrival.index - after_reordered_));
}

void ReorderingTracker::begin_run(std::uint64_t index, std::uint64_t sequence) {
  if (runs_.size() > ReorderingFigures::kMostN) runs_.pop_front();
  runs_.push_back({index, sequence});
}

// How many arrivals in a row before this one had a larger number, at most kMostN. Each run lies
// wholly above a number that has not come, or wholly below it; what came before all runs is below.
std::size_t ReorderingTracker::larger_before(const Arrival& arrival) const {
  std::uint64_t larger = 0;
  for (auto run = runs_.rbegin(); run != runs_.rend() && run->sequence > arrival.sequence &&
                                  larger < ReorderingFigures::kMostN;
       ++run)
    larger = arrival.index - run->index;
  return static_cast<std::size_t>(std::min<std::uint64_t>(larger, ReorderingFigures::kMostN));
}

ReorderingTracker::Gaps::iterator ReorderingTracker::gap_of(std::uint64_t sequence) {
  const auto gap = std::lower_bound(gaps_.begin(), gaps_.end(), sequence,
                                    [](const Gap& g, std::uint64_t s) { return g.last < s; });
  return gap != gaps_.end() && gap->first <= sequence ? gap : gaps_.end();
}

// What is left of the gap is what lies below the number, and what lies above it.
void ReorderingTracker::take_out(const Gaps::iterator& gap, std::uint64_t sequence) {
  const Gap whole = *gap;
  if (sequence < whole.last) {
    gap->first = sequence + 1;
    if (sequence > whole.first) {
      gaps_.insert(gap, {whole.first, sequence - 1, whole.index, whole.time});
      if (gaps_.size() > kMostGaps) gaps_.pop_front();
    }
  } else if (sequence > whole.first) {
    gap->last = sequence - 1;
  } else {
    gaps_.erase(gap);
  }
}

SequenceTracker::Arrival ArrivalTracker::arrive(std::uint64_t sequence, MonoTime now,
                                                ReorderingFigures* figures) {
  using Kind = SequenceTracker::Arrival;
  const ReorderingTracker::Arrival arrival{
      .sequence = sequence,
      .expected = numbers_.next_expected(),
      .index = numbers_.unique(),
      .now = now,
  };
  const Kind kind = numbers_.arrive(sequence);
  if (only_numbers_) return kind;
  const bool jumps = kind == Kind::in_order && sequence != arrival.expected;
  const bool reordered = kind == Kind::reordered;
  if ((jumps || reordered) && !order_) order_ = std::make_unique<ReorderingTracker>();
  if (jumps) order_->on_jump(arrival);
  if (reordered) order_->on_reordered(arrival, counted_from_.value_or(0), figures);
  if (kind == Kind::duplicate) {
    if (!copies_) copies_ = std::make_unique<SequenceTracker>(window_);
    (void)copies_->arrive(sequence);
  }
  return kind;
}

}  // namespace volley
