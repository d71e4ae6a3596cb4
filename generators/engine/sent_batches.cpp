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

void SentBatches::keep_as_owed(std::uint32_t slot, std::uint64_t bits) {
  SentBatch& batch = slots_[slot];
  ensure(bits != 0 && (bits & batch.waiting) == bits, "only what waits can be lost");
  wait_no_more(batch, bits);
  batch.owed |= bits;
}

}  // namespace volley
