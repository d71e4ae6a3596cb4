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
void VariationTracker::arrive_elsewhere(std::uint64_t first, std::uint64_t n, Nanos delay,
                                        VariationFigures* figures) {
  const std::uint64_t last = first + n - 1;
  if (first >= next_) {
    if (next_ > 0) remember(next_ - 1, highest_);
    if (first > 0) remember(first, delay);
    highest_ = delay;
    next_ = last + 1;
    return;
  }
  if (figures != nullptr && edges_) {
    if (const auto before = edges_->find(first - 1); before != edges_->end())
      record(delay - before->second, *figures);
    if (const auto behind = edges_->find(last + 1); behind != edges_->end())
      record(behind->second - delay, *figures);
  }
  remember(first, delay);
  remember(last, delay);
}

void VariationTracker::remember(std::uint64_t sequence, Nanos delay) {
  if (!edges_) edges_ = std::make_unique<Edges>();
  edges_->emplace(sequence, delay);
  if (edges_->size() > kMostEdges) edges_->erase(edges_->begin());
}

}  // namespace volley
