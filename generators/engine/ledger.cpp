#include "generators/engine/ledger.hpp"

namespace volley {

// An answer that says whose it is, to nothing in flight: late (the first one to a lost request), a
// duplicate, or noise.
void Ledger::on_stray(Flow& flow, const Answer& answer, MonoTime received) {
  if (answer.verdict == Answer::Verdict::foreign || answer.sequence >= flow.next_sequence) {
    worker_.note_event(ErrorKind::unexpected, received);
    return;
  }
  // The deadline list is looked at once a turn, so an answer may come in between.
  const std::uint64_t overdue = batches_.find(answer.slot, flow.index, answer.sequence, 1);
  if (overdue != 0) on_timeout(flow, answer.slot, overdue);
  const bool measured = answer.sequence >= flow.first_measured;
  const auto arrival = flow.arrived.arrive(answer.sequence);
  if (arrival == SequenceTracker::Arrival::too_old)
    worker_.note_event(ErrorKind::unexpected, received);
  else if (arrival == SequenceTracker::Arrival::duplicate)
    worker_.recorder().on_duplicate(measured);
  else
    worker_.recorder().on_late(measured);
}

// An answer without a name that no request in flight can have caused in time. In order: it belongs
// to the oldest one that is owed.
void Ledger::on_unnamed_stray(Flow& flow, MonoTime received) {
  if (const auto oldest = batches_.oldest_of(flow.index)) {
    const std::uint64_t bit = std::uint64_t{1} << oldest->bit;
    if ((batches_.at(oldest->slot).waiting & bit) != 0) on_timeout(flow, oldest->slot, bit);
    if (answers_in_order_) {
      worker_.recorder().on_late(batches_.at(oldest->slot).measured);
      batches_.remove(oldest->slot, bit);
      return;
    }
  }
  if (flow.next_sequence == 0)
    worker_.note_event(ErrorKind::unexpected, received);
  else if (std::exchange(flow.last_lost, false))
    worker_.recorder().on_late(flow.last_measured);
  else
    worker_.recorder().on_duplicate(flow.next_sequence > flow.first_measured);
}

void Ledger::on_timeout(Flow& flow, std::uint32_t slot, std::uint64_t bits) {
  const bool measured = batches_.at(slot).measured;
  worker_.recorder().on_lost(measured, static_cast<std::uint64_t>(std::popcount(bits)));
  flow.last_lost = true;
  flow.last_measured = measured;
  if (answers_in_order_)
    batches_.keep_as_owed(slot, bits);
  else
    batches_.remove(slot, bits);
}

void Ledger::on_flow_death(Flow& flow, ErrorKind kind) {
  while (const auto oldest = batches_.oldest_of(flow.index)) {
    const SentBatch& batch = batches_.at(oldest->slot);
    const std::uint64_t failed = batch.waiting;
    if (failed != 0)
      worker_.recorder().on_error(batch.measured, kind,
                                  static_cast<std::uint64_t>(std::popcount(failed)));
    batches_.remove(oldest->slot, batch.waiting | batch.owed);
  }
}

}  // namespace volley
