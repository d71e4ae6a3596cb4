#include "generators/engine/outstanding.hpp"

#include "reports/measure/ensure.hpp"

namespace volley {

Outstanding::Outstanding(std::uint32_t flows, Nanos timeout) : flows_(flows), timeout_(timeout) {
  grow();
}

void Outstanding::grow() {
  const std::size_t old = slots_.size();
  const std::size_t grown = old == 0 ? 64 : old * 2;
  slots_.resize(grown);
  free_.reserve(grown);
  for (std::size_t slot = grown; slot > old; --slot)
    free_.push_back(static_cast<std::uint32_t>(slot - 1));
}

std::uint32_t Outstanding::next_slot() {
  if (free_.empty()) grow();
  return free_.back();
}

std::uint32_t Outstanding::add(const OutstandingRequest& request) {
  const std::uint32_t slot = next_slot();
  free_.pop_back();
  OutstandingRequest& r = slots_[slot];
  r = request;
  r.in_use = true;
  r.lost = false;
  r.older = newest_;
  r.newer = kNoSlot;
  (newest_ == kNoSlot ? oldest_ : slots_[newest_].newer) = slot;
  newest_ = slot;
  PerFlow& flow = flows_[r.flow];
  r.flow_older = flow.newest;
  r.flow_newer = kNoSlot;
  (flow.newest == kNoSlot ? flow.oldest : slots_[flow.newest].flow_newer) = slot;
  flow.newest = slot;
  ++flow.waiting;
  ++waiting_;
  return slot;
}

void Outstanding::leave_deadlines(OutstandingRequest& r) {
  (r.older == kNoSlot ? oldest_ : slots_[r.older].newer) = r.newer;
  (r.newer == kNoSlot ? newest_ : slots_[r.newer].older) = r.older;
  --flows_[r.flow].waiting;
  --waiting_;
}

void Outstanding::remove(std::uint32_t slot) {
  OutstandingRequest& r = slots_[slot];
  ensure(r.in_use, "a slot is freed once");
  if (!r.lost) leave_deadlines(r);
  PerFlow& flow = flows_[r.flow];
  (r.flow_older == kNoSlot ? flow.oldest : slots_[r.flow_older].flow_newer) = r.flow_newer;
  (r.flow_newer == kNoSlot ? flow.newest : slots_[r.flow_newer].flow_older) = r.flow_older;
  r.in_use = false;
  free_.push_back(slot);
}

void Outstanding::keep_as_lost(std::uint32_t slot) {
  leave_deadlines(slots_[slot]);
  slots_[slot].lost = true;
}

}  // namespace volley
