#include "reports/measure/variation.hpp"

namespace volley {
namespace {

void count_pair(const Trip& one, const Trip& next, VariationFigures& figures) {
  if (one == next)
    ++figures.together;
  else
    figures.record(next.delay - one.delay);
}

}  // namespace

void VariationFigures::merge(const VariationFigures& other) {
  for (std::size_t i = 0; i < by_sign.size(); ++i) by_sign[i].merge(other.by_sign[i]);
  together += other.together;
  jitters_ns += other.jitters_ns;
  flows += other.flows;
}

Histogram VariationFigures::absolute() const {
  Histogram both = longer();
  both.merge(shorter());
  return both;
}

std::optional<double> VariationFigures::jitter_ns() const {
  return flows > 0 ? std::optional(jitters_ns / static_cast<double>(flows)) : std::nullopt;
}

// The first of all, behind a gap, in one, or the first in order behind one that was not.
void VariationTracker::arrive_elsewhere(std::uint64_t first, std::uint64_t n, const Trip& trip,
                                        VariationFigures* figures) {
  if (next_in_step_ != kOutOfStep) {
    next_ = next_in_step_;
    highest_ = last_to_come_;
  }
  if (next_ > 0 && trip != last_to_come_) follow(trip.delay - last_to_come_.delay);
  last_to_come_ = trip;
  if (figures != nullptr) figures->together += n - 1;
  const std::uint64_t last = first + n - 1;
  if (first >= next_) {
    if (next_ == 0 || first > next_) {
      if (next_ > 0) remember(next_ - 1, highest_);
      if (first > 0) remember(first, trip);
    } else if (figures != nullptr) {
      count_pair(highest_, trip, *figures);
    }
    next_in_step_ = last + 1;
    return;
  }
  next_in_step_ = kOutOfStep;
  if (figures != nullptr && edges_) {
    if (const auto before = edges_->find(first - 1); before != edges_->end())
      count_pair(before->second, trip, *figures);
    if (const auto behind = edges_->find(last + 1); behind != edges_->end())
      count_pair(trip, behind->second, *figures);
  }
  remember(first, trip);
  remember(last, trip);
}

void VariationTracker::remember(std::uint64_t sequence, const Trip& trip) {
  if (!edges_) edges_ = std::make_unique<Edges>();
  edges_->emplace(sequence, trip);
  if (edges_->size() > kMostEdges) edges_->erase(edges_->begin());
}

}  // namespace volley
