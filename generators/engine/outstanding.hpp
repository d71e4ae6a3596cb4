// The requests of one thread that wait for their answers: a table of slots, threaded by two lists.
//
// One list holds all waiting requests in the order they were sent; as every request has the same
// timeout, its head is the next to expire. The other list, one per flow, holds the flow's requests
// in order, for exchanges whose answers carry no name and come in order. Everything is constant
// time; the table grows by doubling and never shrinks, so a slot number stays valid.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "reports/measure/time.hpp"

namespace volley {

inline constexpr std::uint32_t kNoSlot = std::numeric_limits<std::uint32_t>::max();

struct OutstandingRequest {
  MonoTime intended;
  MonoTime sent;
  std::uint64_t sequence = 0;
  std::uint32_t flow = 0;   // index within the thread
  std::uint32_t bytes = 0;  // of the request
  bool measured = false;    // false: of the warm-up
  bool lost = false;        // timed out, but its answer is still owed (answers in order)
  bool in_use = false;

 private:
  friend class Outstanding;
  std::uint32_t older = kNoSlot, newer = kNoSlot;            // by time of sending
  std::uint32_t flow_older = kNoSlot, flow_newer = kNoSlot;  // within the flow
};

class Outstanding {
 public:
  // `flows` of this thread; `timeout` counts from the time of sending.
  Outstanding(std::uint32_t flows, Nanos timeout);

  // A free slot, filled and put at the end of both lists.
  std::uint32_t add(const OutstandingRequest& request);
  // The slot that the next add() will use, so that it can be written into a request before.
  [[nodiscard]] std::uint32_t next_slot();
  void remove(std::uint32_t slot);
  // Takes a request out of the deadline list but keeps its place in its flow's order.
  void keep_as_lost(std::uint32_t slot);

  [[nodiscard]] OutstandingRequest& at(std::uint32_t slot) { return slots_[slot]; }
  // The slot if it holds just this request, still waiting; else kNoSlot. Hostile values are fine.
  [[nodiscard]] std::uint32_t find(std::uint32_t slot, std::uint32_t flow,
                                   std::uint64_t sequence) const {
    if (slot >= slots_.size()) return kNoSlot;
    const OutstandingRequest& r = slots_[slot];
    return r.in_use && !r.lost && r.flow == flow && r.sequence == sequence ? slot : kNoSlot;
  }
  // The oldest request of a flow, lost ones that are still owed included; kNoSlot: none.
  [[nodiscard]] std::uint32_t oldest_of(std::uint32_t flow) const { return flows_[flow].oldest; }
  [[nodiscard]] std::uint32_t next_of(std::uint32_t slot) const { return slots_[slot].flow_newer; }
  // The slot that expires next, when it has expired by `now`; else kNoSlot.
  [[nodiscard]] std::uint32_t expired(MonoTime now) const {
    return oldest_ != kNoSlot && slots_[oldest_].sent + timeout_ <= now ? oldest_ : kNoSlot;
  }
  // When the next request expires; only with requests waiting.
  [[nodiscard]] MonoTime next_deadline() const { return slots_[oldest_].sent + timeout_; }

  [[nodiscard]] bool empty() const { return waiting_ == 0; }
  [[nodiscard]] std::uint64_t waiting() const { return waiting_; }  // over all flows
  [[nodiscard]] std::uint32_t waiting_of(std::uint32_t flow) const { return flows_[flow].waiting; }

 private:
  struct PerFlow {
    std::uint32_t oldest = kNoSlot, newest = kNoSlot;
    std::uint32_t waiting = 0;
  };
  void grow();
  void leave_deadlines(OutstandingRequest& r);

  std::vector<OutstandingRequest> slots_;
  std::vector<std::uint32_t> free_;
  std::vector<PerFlow> flows_;
  Nanos timeout_;
  std::uint32_t oldest_ = kNoSlot, newest_ = kNoSlot;
  std::uint64_t waiting_ = 0;
};

}  // namespace volley
