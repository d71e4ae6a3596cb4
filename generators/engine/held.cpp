#include "generators/engine/held.hpp"

#include <algorithm>
#include <utility>

namespace volley {
namespace {

constexpr std::uint64_t kRemembered = 64;

std::uint64_t bit_of(std::uint64_t sequence) {
  return std::uint64_t{1} << (sequence % kRemembered);
}

bool is_remembered(const HeldFlow& flow, std::uint64_t sequence) {
  return sequence + kRemembered >= flow.next_sequence;
}

void note_answered(HeldFlow& flow, std::uint64_t sequence) {
  flow.next_expected = std::max(flow.next_expected, sequence + 1);
  if (is_remembered(flow, sequence)) flow.answered |= bit_of(sequence);
}

}  // namespace

HeldBook::HeldBook(Worker& worker, bool answers_in_order)
    : worker_(worker),
      outstanding_(worker.flow_count(), worker.plan().timeout),
      answers_in_order_(answers_in_order) {}

std::optional<Expected> HeldBook::expected_of(std::uint32_t index) {
  const std::uint32_t slot = outstanding_.oldest_of(index);
  if (slot == kNoSlot) return std::nullopt;
  return Expected{outstanding_.at(slot).sequence, outstanding_.at(slot).bytes};
}

void HeldBook::on_sent(HeldFlow& flow, std::uint32_t index, const Due& due, MonoTime sent,
                       std::uint32_t bytes) {
  OutstandingRequest request;
  request.intended = due.intended;
  request.sent = sent;
  request.sequence = flow.next_sequence;
  request.flow = index;
  request.bytes = bytes;
  request.measured = due.measured;
  outstanding_.add(request);
  if (due.measured && flow.first_measured > flow.next_sequence)
    flow.first_measured = flow.next_sequence;
  if (flow.next_sequence == 0) ++worker_.result().hold->probed;
  flow.answered &= ~bit_of(flow.next_sequence);
  ++flow.next_sequence;
  worker_.note_sent(sent);
  worker_.recorder().on_sent(due, sent, bytes);
}

void HeldBook::on_answer(HeldFlow& flow, std::uint32_t index, const Answer& answer,
                         MonoTime received) {
  const std::uint32_t slot = answer.verdict == Answer::Verdict::foreign ? kNoSlot
                             : answer.named ? outstanding_.find(answer.slot, index, answer.sequence)
                                            : outstanding_.oldest_of(index);
  if (slot != kNoSlot && !outstanding_.at(slot).lost &&
      received - outstanding_.at(slot).sent <= worker_.plan().timeout)
    conclude(flow, slot, answer, received);
  else
    on_stray(flow, answer, slot, received);
}

void HeldBook::conclude(HeldFlow& flow, std::uint32_t slot, const Answer& answer,
                        MonoTime received) {
  const OutstandingRequest request = outstanding_.at(slot);
  outstanding_.remove(slot);
  const bool overtaken = request.sequence < flow.next_expected;
  note_answered(flow, request.sequence);
  if (answer.verdict != Answer::Verdict::valid) {
    const bool unexpected = answer.verdict == Answer::Verdict::unexpected;
    worker_.recorder().on_error(request.measured,
                                unexpected ? ErrorKind::unexpected : ErrorKind::malformed);
    return;
  }
  if (overtaken) worker_.recorder().on_reordered(request.measured, 1);
  worker_.recorder().on_completed(
      {request.intended, request.sent, received, answer.bytes, request.measured});
}

// An answer to nothing in flight: late (the first one to a lost probe), a duplicate, or noise.
void HeldBook::on_stray(HeldFlow& flow, const Answer& answer, std::uint32_t slot,
                        MonoTime received) {
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

void HeldBook::on_named_stray(HeldFlow& flow, std::uint64_t sequence, MonoTime received) {
  const bool measured = sequence >= flow.first_measured;
  if (!is_remembered(flow, sequence)) {
    worker_.note_event(ErrorKind::unexpected, received);
  } else if ((flow.answered & bit_of(sequence)) != 0) {
    worker_.recorder().on_duplicate(measured);
  } else {
    note_answered(flow, sequence);
    worker_.recorder().on_late(measured);
  }
}

void HeldBook::on_timeout(HeldFlow& flow, std::uint32_t slot) {
  const bool measured = outstanding_.at(slot).measured;
  worker_.recorder().on_lost(measured);
  flow.last_lost = true;
  flow.last_measured = measured;
  if (answers_in_order_)
    outstanding_.keep_as_lost(slot);
  else
    outstanding_.remove(slot);
}

void HeldBook::on_death(std::uint32_t index, ErrorKind kind) {
  for (std::uint32_t slot; (slot = outstanding_.oldest_of(index)) != kNoSlot;) {
    const OutstandingRequest request = outstanding_.at(slot);
    outstanding_.remove(slot);
    if (!request.lost) worker_.recorder().on_error(request.measured, kind);
  }
}

}  // namespace volley
