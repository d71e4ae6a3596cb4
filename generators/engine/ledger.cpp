#include "generators/engine/ledger.hpp"

#include <array>

namespace volley {
namespace {

// How many of `n` answers from number `first` on had been overtaken. figures: null when they are
// not to be counted.
std::uint64_t note_arrivals(Flow& flow, std::uint64_t first, std::uint32_t n, MonoTime received,
                            ReorderingFigures* figures) {
  std::uint64_t reordered = 0;
  for (std::uint32_t i = 0; i < n && !flow.arrived.arrive_in_order(first + i, n - i); ++i)
    if (flow.arrived.arrive(first + i, received, figures) == SequenceTracker::Arrival::reordered)
      ++reordered;
  return reordered;
}

}  // namespace

void Ledger::settle_claims() {
  for (const Claim& claim : claims_)
    conclude(*claim.flow, claim.answer.slot, claim.bits, claim.answer, claim.received);
  claims_.clear();
}

// In one piece: between the book, its lists and its histograms the calls were a fifth of it.
[[gnu::flatten]] void Ledger::settle() {
  settle_claims();
  for (const Completion& done : completed_) worker_.recorder().on_completed(done);
  completed_.clear();
}

void Ledger::conclude(Flow& flow, std::uint32_t slot, std::uint64_t bits, const Answer& answer,
                      MonoTime received) {
  take_down(flow, batches_.at(slot), bits, answer, received);
  batches_.remove(slot, bits);
}

// Answers to requests in flight.
void Ledger::take_down(Flow& flow, const SentBatch& batch, std::uint64_t bits, const Answer& answer,
                       MonoTime received) {
  const auto first = static_cast<std::uint32_t>(std::countr_zero(bits));
  const std::uint32_t n = answer.count;
  if (batch.measured) flow.arrived.count_from_here();
  const bool counts = batch.measured && answer.verdict == Answer::Verdict::valid;
  const std::uint64_t reordered = note_arrivals(flow, batch.first_sequence + first, n, received,
                                                counts ? &worker_.result().reordering : nullptr);
  worker_.result().returned.in_time += n;
  if (answer.verdict != Answer::Verdict::valid) {
    const bool unexpected = answer.verdict == Answer::Verdict::unexpected;
    worker_.recorder().on_error(batch.measured,
                                unexpected ? ErrorKind::unexpected : ErrorKind::malformed, n);
    return;
  }
  if (reordered > 0) worker_.recorder().on_reordered(batch.measured, reordered);
  if (auto& variation = worker_.result().variation)
    flow.variation.arrive(batch.first_sequence + first, n, Trip{received, received - batch.sent},
                          batch.measured ? &*variation : nullptr);
  Completion done{batch.intended, batch.sent, received, answer.bytes, batch.measured, n};
  if (!answer.named) {
    done.intended = batches_.intended_of(batch, first);
    completed_.push_back(done);
  } else if (batch.alike) {
    worker_.recorder().on_completed(done);
  } else {
    std::array<std::int64_t, kMostInBatch> responses;
    for (std::uint32_t i = 0; i < n; ++i)
      responses[i] = (received - batches_.intended_of(batch, first + i)).count();
    worker_.recorder().on_completed(done, std::span(responses).first(n));
  }
}

// Where answers carry names, one that cannot be read answers nobody: its request is lost, as one
// whose packet was corrupted (RFC 7680 section 2.4). Whose it was nobody can tell.
void Ledger::on_unreadable(MonoTime received) {
  ++worker_.result().returned.unreadable;
  worker_.note_event(ErrorKind::malformed, received);
}

// The next answer without a name is the next request's, so its place is taken out at once.
void Ledger::on_unnamed(Flow& flow, const Answer& answer, MonoTime received) {
  settle_claims();  // of other flows, or of the frames before one that is broken
  const auto oldest = batches_.oldest_of(flow.index);
  const std::uint64_t bit = oldest ? std::uint64_t{1} << oldest->bit : 0;
  if (oldest && (batches_.at(oldest->slot).waiting & bit) != 0 &&
      is_in_time(oldest->slot, received)) {
    note_judged(oldest->slot, bit, received);
    conclude(flow, oldest->slot, bit, answer, received);
    return;
  }
  on_unnamed_stray(flow, received);
}

// Named answers, not all of which have requests that wait for them in the slot they name.
void Ledger::on_not_found(Flow& flow, Answer answer, MonoTime received) {
  if (answer.count == 1) {
    settle_claims();  // this may be the second answer to one of those
    on_stray(flow, answer, received);
    return;
  }
  const std::uint32_t count = std::exchange(answer.count, 1);
  for (std::uint32_t i = 0; i < count; ++i, ++answer.sequence) on_answer(flow, answer, received);
}

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
  const std::uint64_t replicated = flow.arrived.replicated();
  const auto arrival = flow.arrived.arrive(answer.sequence, received, nullptr);
  if (measured) worker_.result().replicated += flow.arrived.replicated() - replicated;
  if (arrival == SequenceTracker::Arrival::too_old)
    worker_.note_event(ErrorKind::unexpected, received);
  else if (arrival == SequenceTracker::Arrival::duplicate)
    on_duplicate(measured);
  else
    on_late(measured);
}

// An answer without a name that no request in flight can have caused in time. In order: it belongs
// to the oldest one that is owed.
void Ledger::on_unnamed_stray(Flow& flow, MonoTime received) {
  if (const auto oldest = batches_.oldest_of(flow.index)) {
    const std::uint64_t bit = std::uint64_t{1} << oldest->bit;
    if ((batches_.at(oldest->slot).waiting & bit) != 0) on_timeout(flow, oldest->slot, bit);
    if (answers_in_order_) {
      on_late(batches_.at(oldest->slot).measured);
      batches_.remove(oldest->slot, bit);
      return;
    }
  }
  if (flow.next_sequence == 0)
    worker_.note_event(ErrorKind::unexpected, received);
  else if (std::exchange(flow.last_lost, false))
    on_late(flow.last_measured);
  else
    on_duplicate(flow.next_sequence > flow.first_measured);
}

void Ledger::on_late(bool measured) {
  ++worker_.result().returned.late;
  worker_.recorder().on_late(measured);
}

void Ledger::on_duplicate(bool measured) {
  ++worker_.result().returned.duplicates;
  worker_.recorder().on_duplicate(measured);
}

void Ledger::on_timeout(Flow& flow, std::uint32_t slot, std::uint64_t bits) {
  const bool measured = batches_.at(slot).measured;
  note_judged(slot, bits, batches_.at(slot).sent + worker_.plan().timeout);
  worker_.recorder().on_lost(measured, static_cast<std::uint64_t>(std::popcount(bits)));
  flow.last_lost = true;
  flow.last_measured = measured;
  if (answers_in_order_)
    batches_.keep_as_owed(slot, bits);
  else
    batches_.remove(slot, bits);
}

void Ledger::on_flow_death(Flow& flow, ErrorKind kind) {
  settle_claims();
  while (const auto oldest = batches_.oldest_of(flow.index)) {
    const SentBatch& batch = batches_.at(oldest->slot);
    const std::uint64_t failed = batch.waiting;
    if (failed != 0) in_flight_known_ = false;  // nobody knows when it failed
    if (failed != 0)
      worker_.recorder().on_error(batch.measured, kind,
                                  static_cast<std::uint64_t>(std::popcount(failed)));
    batches_.remove(oldest->slot, batch.waiting | batch.owed);
  }
}

void Ledger::take_figures() {
  if (in_flight_known_ && in_flight_.count() == 0)
    worker_.result().in_flight_ns = in_flight_.area_ns();
}

}  // namespace volley
