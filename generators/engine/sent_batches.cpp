#include "generators/engine/sent_batches.hpp"

#include "reports/measure/ensure.hpp"

namespace volley {

SentBatches::SentBatches(std::uint32_t flows, Nanos timeout)
    : flows_(flows), times_(kMostInBatch), timeout_(timeout) {
  grow();
}

void SentBatches::grow() {
  const std::size_t old = slots_.size();
  const std::size_t grown = old == 0 ? 64 : old * 2;
  slots_.resize(grown);
  free_.reserve(grown);
  for (std::size_t slot = grown; slot > old; --slot)
    free_.push_back(static_cast<std::uint32_t>(slot - 1));
}

std::uint32_t SentBatches::next_slot() {
  if (free_.empty()) grow();
  return free_.back();
}

std::uint32_t SentBatches::add(std::uint32_t flow, std::uint64_t first_sequence, MonoTime sent,
                               std::span<const Due> requests) {
  ensure(!requests.empty() && requests.size() <= kMostInBatch, "a batch has 1 to 64 requests");
  const std::uint32_t slot = next_slot();
  free_.pop_back();
  SentBatch& batch = slots_[slot];
  batch.sent = sent;
  batch.intended = requests.front().intended;
  batch.first_sequence = first_sequence;
  batch.waiting = ~std::uint64_t{0} >> (kMostInBatch - requests.size());
  batch.claimed = 0;
  batch.owed = 0;
  batch.flow = flow;
  batch.size = static_cast<std::uint32_t>(requests.size());
  batch.measured = requests.front().measured;
  batch.times_at = next_time_;
  batch.alike = are_alike(requests);
  if (!batch.alike) keep_times(requests);
  batch.older = newest_;
  batch.newer = kNone;
  (newest_ == kNone ? oldest_ : slots_[newest_].newer) = slot;
  newest_ = slot;
  PerFlow& of = flows_[flow];
  batch.flow_older = of.newest;
  batch.flow_newer = kNone;
  (of.newest == kNone ? of.oldest : slots_[of.newest].flow_newer) = slot;
  of.newest = slot;
  of.waiting += batch.size;
  return slot;
}

// The ring holds the times from those of the oldest batch that waits to the newest.
void SentBatches::keep_times(std::span<const Due> requests) {
  const std::uint64_t first = oldest_ == kNone ? next_time_ : slots_[oldest_].times_at;
  const std::uint64_t end = next_time_ + requests.size();
  if (end - first > times_.size()) {
    std::vector<MonoTime> grown(std::bit_ceil(end - first));
    for (std::uint64_t i = first; i < next_time_; ++i)
      grown[i & (grown.size() - 1)] = times_[i & (times_.size() - 1)];
    times_ = std::move(grown);
  }
  MonoTime* const ring = times_.data();  // the loop need not look it up for each
  const std::uint64_t mask = times_.size() - 1;
  for (std::size_t i = 0; i < requests.size(); ++i)
    ring[(next_time_ + i) & mask] = requests[i].intended;
  next_time_ = end;
}

void SentBatches::wait_no_more(SentBatch& batch, std::uint64_t bits) {
  if (const std::uint64_t waited = bits & batch.waiting; waited != 0)
    flows_[batch.flow].waiting -= count_requests(waited);
  batch.waiting &= ~bits;
  batch.claimed &= ~bits;
  if ((batch.waiting | batch.claimed) != 0) return;
  (batch.older == kNone ? oldest_ : slots_[batch.older].newer) = batch.newer;
  (batch.newer == kNone ? newest_ : slots_[batch.newer].older) = batch.older;
}

void SentBatches::remove(std::uint32_t slot, std::uint64_t bits) {
  SentBatch& batch = slots_[slot];
  const std::uint64_t unanswered = batch.waiting | batch.claimed;
  ensure(bits != 0 && (bits & (unanswered | batch.owed)) == bits, "a request is judged once");
  if ((bits & unanswered) != 0) wait_no_more(batch, bits & unanswered);
  batch.owed &= ~bits;
  if ((batch.waiting | batch.claimed | batch.owed) != 0) return;
  PerFlow& of = flows_[batch.flow];
  (batch.flow_older == kNone ? of.oldest : slots_[batch.flow_older].flow_newer) = batch.flow_newer;
  (batch.flow_newer == kNone ? of.newest : slots_[batch.flow_newer].flow_older) = batch.flow_older;
  batch.size = 0;
  free_.push_back(slot);
}

void SentBatches::keep_as_owed(std::uint32_t slot, std::uint64_t bits) {
  SentBatch& batch = slots_[slot];
  ensure(bits != 0 && (bits & batch.waiting) == bits, "only what waits can be lost");
  wait_no_more(batch, bits);
  batch.owed |= bits;
}

}  // namespace volley
