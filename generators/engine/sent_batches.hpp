// The requests of one thread that wait for their answers, kept by batches: what one system call
// carried is one entry, with a bit for each of its requests.
//
// A batch holds up to 64 requests of one flow and one phase, with consecutive numbers. They share
// the time of sending, and so the time at which they expire; each has an intended time of its own.
// Two lists thread the batches: all that still wait or are claimed, in the order they were sent, so
// that the head is the next to expire; and those of each flow, for exchanges whose answers carry no
// name and come in order. Everything is constant time a batch. The table grows by doubling and
// never shrinks, so a slot number stays valid.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "generators/engine/due.hpp"
#include "reports/measure/ensure.hpp"
#include "reports/measure/time.hpp"

namespace volley {

// How many of a batch's requests `bits` (at least one) are. Most often there is one; for more,
// std::popcount is a function call on machines as old as we are built for.
[[nodiscard]] inline std::uint32_t count_requests(std::uint64_t bits) {
  return (bits & (bits - 1)) == 0 ? 1 : static_cast<std::uint32_t>(std::popcount(bits));
}

struct SentBatch {
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

  MonoTime sent;
  MonoTime intended;                 // of the first request; of all of them when `alike`
  std::uint64_t first_sequence = 0;  // of bit 0
  std::uint64_t waiting = 0;         // bits of the requests that wait for an answer
  std::uint64_t claimed = 0;         // bits of those that have it, but are still to be removed
  std::uint64_t owed = 0;  // bits of the lost ones whose answers are still to come, in order
  std::uint32_t flow = 0;  // index within the thread
  std::uint32_t size = 0;  // requests; 0: a free slot
  bool measured = false;   // false: of the warm-up
  bool alike = true;

 private:
  friend class SentBatches;
  std::uint64_t times_at = 0;                  // where the intended times begin, when not alike
  std::uint32_t older = kNone, newer = kNone;  // by time of sending
  std::uint32_t flow_older = kNone, flow_newer = kNone;  // within the flow
};

class SentBatches {
 public:
  static constexpr std::uint32_t kNone = SentBatch::kNone;

  // `flows` of this thread; `timeout` counts from the time of sending.
  SentBatches(std::uint32_t flows, Nanos timeout);

  // The slot that the next add() will use, so that it can be written into requests before.
  [[nodiscard]] std::uint32_t next_slot();
  // 1 to 64 requests of one phase, numbered from `first_sequence`.
  std::uint32_t add(std::uint32_t flow, std::uint64_t first_sequence, MonoTime sent,
                    std::span<const Due> requests);

  [[nodiscard]] const SentBatch& at(std::uint32_t slot) const { return slots_[slot]; }
  [[nodiscard]] MonoTime intended_of(const SentBatch& batch, std::uint32_t bit) const {
    return batch.alike ? batch.intended : times_[(batch.times_at + bit) & (times_.size() - 1)];
  }

  // The bits of `n` requests from number `sequence` on, if the slot holds just these and all of
  // them wait; else 0. Hostile values are fine.
  [[nodiscard]] std::uint64_t find(std::uint32_t slot, std::uint32_t flow, std::uint64_t sequence,
                                   std::uint64_t n) const {
    if (slot >= slots_.size() || n == 0 || n > kMostInBatch) return 0;
    const SentBatch& batch = slots_[slot];
    const std::uint64_t at = sequence - batch.first_sequence;
    if (batch.flow != flow || at >= batch.size || n > batch.size - at) return 0;
    const std::uint64_t bits = (~std::uint64_t{0} >> (kMostInBatch - n)) << at;
    return (batch.waiting & bits) == bits ? bits : 0;
  }

  // The oldest request of a flow, lost ones that are owed included.
  struct Place {
    std::uint32_t slot = kNone;
    std::uint32_t bit = 0;
  };
  [[nodiscard]] std::optional<Place> oldest_of(std::uint32_t flow) const {
    const std::uint32_t slot = flows_[flow].oldest;
    if (slot == kNone) return std::nullopt;
    const SentBatch& batch = slots_[slot];
    return Place{slot, static_cast<std::uint32_t>(std::countr_zero(batch.waiting | batch.owed))};
  }

  // They have their answers and wait no more, which makes room in their flow; they are to be
  // removed before anything is asked about times or order. `bits` lie in waiting.
  void claim(std::uint32_t slot, std::uint64_t bits) {
    SentBatch& batch = slots_[slot];
    batch.waiting &= ~bits;
    batch.claimed |= bits;
    flows_[batch.flow].waiting -= count_requests(bits);
  }
  // Takes requests out: they have been judged. `bits` lie in waiting, claimed or owed.
  void remove(std::uint32_t slot, std::uint64_t bits);
  // They wait no more, but keep their places in their flow's order.
  void keep_as_owed(std::uint32_t slot, std::uint64_t bits);

  // The slot that expires next, when it has expired by `now`; else kNone. All its waiting requests
  // have.
  [[nodiscard]] std::uint32_t expired(MonoTime now) const {
    return oldest_ != kNone && slots_[oldest_].sent + timeout_ <= now ? oldest_ : kNone;
  }
  // When the next batch expires; only with requests waiting.
  [[nodiscard]] MonoTime next_deadline() const { return slots_[oldest_].sent + timeout_; }

  [[nodiscard]] bool empty() const { return oldest_ == kNone; }
  [[nodiscard]] std::uint32_t waiting_of(std::uint32_t flow) const { return flows_[flow].waiting; }

 private:
  struct PerFlow {
    std::uint32_t oldest = kNone, newest = kNone;
    std::uint32_t waiting = 0;  // requests
  };
  void grow();
  void keep_times(std::span<const Due> requests);
  void wait_no_more(SentBatch& batch, std::uint64_t bits);  // of waiting and claimed

  std::vector<SentBatch> slots_;
  std::vector<std::uint32_t> free_;
  std::vector<PerFlow> flows_;
  // The intended times of the batches that are not alike: a ring, in the order of sending.
  std::vector<MonoTime> times_;
  std::uint64_t next_time_ = 0;
  Nanos timeout_;
  std::uint32_t oldest_ = kNone, newest_ = kNone;
};

// What every request goes through stands here, to become part of the book's own code: calls made up
// a fifth of what a ping-pong's booking took.
inline std::uint32_t SentBatches::next_slot() {
  if (free_.empty()) grow();
  return free_.back();
}

inline std::uint32_t SentBatches::add(std::uint32_t flow, std::uint64_t first_sequence,
                                      MonoTime sent, std::span<const Due> requests) {
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

inline void SentBatches::wait_no_more(SentBatch& batch, std::uint64_t bits) {
  if (const std::uint64_t waited = bits & batch.waiting; waited != 0)
    flows_[batch.flow].waiting -= count_requests(waited);
  batch.waiting &= ~bits;
  batch.claimed &= ~bits;
  if ((batch.waiting | batch.claimed) != 0) return;
  (batch.older == kNone ? oldest_ : slots_[batch.older].newer) = batch.newer;
  (batch.newer == kNone ? newest_ : slots_[batch.newer].older) = batch.older;
}

inline void SentBatches::remove(std::uint32_t slot, std::uint64_t bits) {
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

}  // namespace volley
