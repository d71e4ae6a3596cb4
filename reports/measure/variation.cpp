#include "reports/measure/variation.hpp"

namespace volley {

void VariationFigures::merge(const VariationFigures& other) {
  longer.merge(other.longer);
  shorter.merge(other.shorter);
  together += other.together;
  jitters_ns += other.jitters_ns;
  flows += other.flows;
}

Histogram VariationFigures::absolute() const {
  Histogram both = longer;
  both.merge(shorter);
  return both;
}

std::optional<double> VariationFigures::jitter_ns() const {
  return flows > 0 ? std::optional(jitters_ns / static_cast<double>(flows)) : std::nullopt;
}

// The first of all, behind a gap, or in one.
void VariationTracker::arrive_elsewhere(std::uint64_t first, std::uint64_t n, const Trip& trip,
                                        VariationFigures* figures) {
  const std::uint64_t last = first + n - 1;
  if (first >= next_) {
    if (next_ > 0) remember(next_ - 1, highest_);
    if (first > 0) remember(first, trip);
    highest_ = trip;
    next_ = last + 1;
    return;
  }
  if (figures != nullptr && edges_) {
    if (const auto before = edges_->find(first - 1); before != edges_->end())
      record(before->second, trip, *figures);
    if (const auto behind = edges_->find(last + 1); behind != edges_->end())
      record(trip, behind->second, *figures);
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
