#include "generators/engine/ledger.hpp"

namespace volley {

// An answer to nothing in flight: late (the first one to a lost request), a duplicate, or noise.
void Ledger::on_stray(Flow& flow, const Answer& answer, std::uint32_t slot, MonoTime received) {
  // The deadline list is looked at once a turn, so an answer may come in between.
  if (slot != kNoSlot && !outstanding_.at(slot).lost) {
    on_timeout(flow, slot);
    if (!answers_in_order_) slot = kNoSlot;
  }
  if (slot != kNoSlot) {
    worker_.recorder().on_late(outstanding_.at(slot).measured);
    outstanding_.remove(slot);
  } else if (answer.verdict == Answer::Verdict::foreign || flow.next_sequence == 0 ||
             (answer.named && answer.sequence >= flow.next_sequence)) {
    worker_.note_event(ErrorKind::unexpected, received);
  } else if (answer.named) {
    on_named_stray(flow, answer.sequence, received);
  } else if (std::exchange(flow.last_lost, false)) {
    worker_.recorder().on_late(flow.last_measured);
  } else {
    worker_.recorder().on_duplicate(flow.next_sequence > flow.first_measured);
  }
}

void Ledger::on_named_stray(Flow& flow, std::uint64_t sequence, MonoTime received) {
  const bool measured = sequence >= flow.first_measured;
  const auto arrival = flow.arrived.arrive(sequence);
  if (arrival == SequenceTracker::Arrival::too_old)
    worker_.note_event(ErrorKind::unexpected, received);
  else if (arrival == SequenceTracker::Arrival::duplicate)
    worker_.recorder().on_duplicate(measured);
  else
    worker_.recorder().on_late(measured);
}

void Ledger::on_timeout(Flow& flow, std::uint32_t slot) {
  const bool measured = outstanding_.at(slot).measured;
  worker_.recorder().on_lost(measured);
  flow.last_lost = true;
  flow.last_measured = measured;
  if (answers_in_order_)
    outstanding_.keep_as_lost(slot);
  else
    outstanding_.remove(slot);
}

void Ledger::on_flow_death(Flow& flow, ErrorKind kind) {
  for (std::uint32_t slot; (slot = outstanding_.oldest_of(flow.index)) != kNoSlot;) {
    const OutstandingRequest request = outstanding_.at(slot);
    outstanding_.remove(slot);
    if (!request.lost) worker_.recorder().on_error(request.measured, kind);
  }
}

}  // namespace volley
