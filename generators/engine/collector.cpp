#include "generators/engine/collector.hpp"

#include <algorithm>
#include <limits>

namespace volley {

Collector::Collector(std::vector<std::unique_ptr<Handoff>>& handoffs, RunRecord& record)
    : handoffs_(handoffs), record_(record), next_index_(handoffs.size(), 0) {}

void Collector::add_part(std::size_t worker, const IntervalRecord& part, bool ends_interval) {
  // Intervals that nobody handed over (the process was stopped for a while) take no memory.
  while (pending_.size() <= part.index - first_pending_) pending_.emplace_back();
  std::unique_ptr<Pending>& place = pending_[part.index - first_pending_];
  if (!place) place = spare_ ? std::move(spare_) : std::make_unique<Pending>();
  Pending& pending = *place;
  IntervalRecord& merged = pending.merged;
  merged.index = part.index;
  merged.begin = pending.used ? std::min(merged.begin, part.begin) : part.begin;
  merged.end = std::max(merged.end, part.end);
  merged.counters += part.counters;
  merged.latencies.merge(part.latencies);
  pending.used = true;
  next_index_[worker] = ends_interval ? part.index + 1 : part.index;
  std::vector<SparseHistogram>& threads = record_.conduct.response_of_thread;
  if (threads.size() < handoffs_.size()) threads.resize(handoffs_.size());
  threads[worker].add(part.latencies.response);
  record_.slices.add(part.begin, part.latencies, part.counters);
}

void Collector::collect(const std::function<void(const IntervalRecord&, bool warm_up)>& on_interval,
                        std::size_t most_each) {
  bool warm_up = false;
  for (std::size_t worker = 0; worker < handoffs_.size(); ++worker) {
    for (std::size_t taken = 0; taken < most_each; ++taken) {
      std::unique_ptr<HandedRecord> handed = handoffs_[worker]->collect();
      if (!handed) break;
      if (handed->warm_up) {
        warm_up = warm_up || handed->record.counters.sent > 0;
        warm_up_.counters += handed->record.counters;
        warm_up_.latencies.merge(handed->record.latencies);
      } else {
        add_part(worker, handed->record, handed->ends_interval);
      }
      handoffs_[worker]->recycle(std::move(handed));
    }
  }
  if (warm_up) on_interval(warm_up_, true);
  warm_up_.clear();
  publish_below(*std::min_element(next_index_.begin(), next_index_.end()), on_interval);
}

void Collector::publish_below(std::uint32_t index,
                              const std::function<void(const IntervalRecord&, bool)>& on_interval) {
  while (!pending_.empty() && first_pending_ < index) {
    std::unique_ptr<Pending> pending = std::move(pending_.front());
    pending_.pop_front();
    ++first_pending_;
    if (!pending) continue;
    if (pending->used) {
      add_interval(record_, pending->merged);
      on_interval(pending->merged, false);
      pending->merged.clear();
      pending->used = false;
    }
    spare_ = std::move(pending);
  }
}

void Collector::finish(
    const std::function<void(const IntervalRecord&, bool warm_up)>& on_interval) {
  collect(on_interval, std::numeric_limits<std::size_t>::max());
  publish_below(first_pending_ + static_cast<std::uint32_t>(pending_.size()), on_interval);
}

}  // namespace volley
