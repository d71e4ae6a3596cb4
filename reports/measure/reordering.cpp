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
  runs += other.runs;
  in_runs += other.in_runs;
  runs_squared += other.runs_squared;
}

std::uint64_t ReorderingFigures::n_reordered(std::size_t n) const {
  return std::accumulate(by_n.begin() + static_cast<std::ptrdiff_t>(std::min(n, kMostN)),
                         by_n.end(), std::uint64_t{0});
}

void ReorderingTracker::on_jump(std::uint64_t expected, std::uint64_t sequence,
                                std::uint64_t arrivals, MonoTime now) {
  end_reordered_run(expected, arrivals);
  begin_run(arrivals, sequence);
  if (gaps_.size() == kMostGaps) gaps_.pop_front();
  gaps_.push_back({expected, sequence - 1, arrivals, now});
}

void ReorderingTracker::on_reordered(std::uint64_t expected, std::uint64_t sequence,
                                     std::uint64_t arrivals, MonoTime now,
                                     ReorderingFigures* figures) {
  end_reordered_run(expected, arrivals);
  const auto gap = gap_of(sequence);
  if (figures != nullptr) {
    const std::uint64_t run = arrivals - after_reordered_;
    ++figures->reordered;
    ++figures->by_n[larger_before(sequence, arrivals)];
    ++figures->runs;
    figures->in_runs += run;
    figures->runs_squared += run * run;
    if (gap == gaps_.end()) {
      ++figures->forgotten;
    } else {
      record(figures->extents, arrivals - gap->index);
      record(figures->late_times, static_cast<std::uint64_t>((now - gap->time).count()));
      // Of the numbers above this one, those that are not missing.
      std::uint64_t kept = expected - 1 - sequence - (gap->last - sequence);
      for (auto above = std::next(gap); above != gaps_.end(); ++above)
        kept -= above->last - above->first + 1;
      record(figures->kept, kept);
      if (last_overtaker_ && *last_overtaker_ < gap->index)
        record(figures->gaps, gap->index - *last_overtaker_);
      last_overtaker_ = std::max(last_overtaker_.value_or(0), gap->index);
    }
  }
  after_reordered_ = arrivals + 1;
  begin_run(arrivals, sequence);
  if (gap != gaps_.end()) take_out(gap, sequence);
}

// After a reordered arrival the numbers in order go on from where they were before it.
void ReorderingTracker::end_reordered_run(std::uint64_t expected, std::uint64_t arrivals) {
  const bool last_was_reordered = !runs_.empty() && runs_.back().index + 1 == after_reordered_;
  if (last_was_reordered && arrivals > after_reordered_)
    begin_run(after_reordered_, expected - (arrivals - after_reordered_));
}

void ReorderingTracker::begin_run(std::uint64_t index, std::uint64_t sequence) {
  if (runs_.size() > ReorderingFigures::kMostN) runs_.pop_front();
  runs_.push_back({index, sequence});
}

// How many arrivals in a row before `arrivals` had a larger number, at most kMostN. Each run lies
// wholly above a number that has not come, or wholly below it; what came before all runs is below.
std::size_t ReorderingTracker::larger_before(std::uint64_t sequence, std::uint64_t arrivals) const {
  std::uint64_t larger = 0;
  for (auto run = runs_.rbegin();
       run != runs_.rend() && run->sequence > sequence && larger < ReorderingFigures::kMostN; ++run)
    larger = arrivals - run->index;
  return static_cast<std::size_t>(std::min<std::uint64_t>(larger, ReorderingFigures::kMostN));
}

ReorderingTracker::Gaps::iterator ReorderingTracker::gap_of(std::uint64_t sequence) {
  const auto gap = std::lower_bound(gaps_.begin(), gaps_.end(), sequence,
                                    [](const Gap& g, std::uint64_t s) { return g.last < s; });
  return gap != gaps_.end() && gap->first <= sequence ? gap : gaps_.end();
}

// What is left of the gap is what lies below the number, and what lies above it.
void ReorderingTracker::take_out(Gaps::iterator gap, std::uint64_t sequence) {
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
  using Arrival = SequenceTracker::Arrival;
  const std::uint64_t expected = numbers_.next_expected();
  const std::uint64_t arrivals = numbers_.unique();
  const Arrival arrival = numbers_.arrive(sequence);
  const bool jumps = arrival == Arrival::in_order && sequence != expected;
  const bool reordered = arrival == Arrival::reordered;
  if ((jumps || reordered) && !order_) order_ = std::make_unique<ReorderingTracker>();
  if (jumps) order_->on_jump(expected, sequence, arrivals, now);
  if (reordered) order_->on_reordered(expected, sequence, arrivals, now, figures);
  return arrival;
}

}  // namespace volley
