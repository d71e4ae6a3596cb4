// What became of each request on a standing flow: the book that rr keeps. Every request that was
// sent is judged here once (completed, error or lost); what comes in beside that is late, a
// duplicate, or noise.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "generators/engine/exchange.hpp"
#include "generators/engine/link.hpp"
#include "generators/engine/outstanding.hpp"
#include "generators/engine/worker.hpp"

namespace volley {

class Ledger {
 public:
  // `answers_in_order`: answers carry no name and come in order (unnamed answers over tcp), so a
  // lost request's answer is still owed and must not be taken for the next one's.
  Ledger(Worker& worker, bool answers_in_order)
      : worker_(worker),
        outstanding_(worker.flow_count(), worker.plan().timeout),
        answers_in_order_(answers_in_order) {}

  [[nodiscard]] const Outstanding& outstanding() const { return outstanding_; }
  [[nodiscard]] std::uint32_t flow_of(std::uint32_t slot) { return outstanding_.at(slot).flow; }
  [[nodiscard]] std::uint32_t next_slot() { return outstanding_.next_slot(); }

  // The oldest request in flight on a flow, or the lost one whose answer is owed.
  [[nodiscard]] std::optional<Expected> expected_of(const Flow& flow) {
    const std::uint32_t slot = outstanding_.oldest_of(flow.index);
    if (slot == kNoSlot) return std::nullopt;
    return Expected{outstanding_.at(slot).sequence, outstanding_.at(slot).bytes};
  }

  // A request of `bytes` has been handed to the kernel.
  void on_sent(Flow& flow, const Due& due, MonoTime sent, std::uint32_t bytes) {
    OutstandingRequest request;
    request.intended = due.intended;
    request.sent = sent;
    request.sequence = flow.next_sequence;
    request.flow = flow.index;
    request.bytes = bytes;
    request.measured = due.measured;
    outstanding_.add(request);
    if (due.measured && flow.first_measured > flow.next_sequence)
      flow.first_measured = flow.next_sequence;
    ++flow.next_sequence;
    worker_.recorder().on_sent(due.measured, due.intended, sent, bytes);
  }

  // What an answer does to its request. A completion is the caller's to record; anything else has
  // been recorded.
  [[nodiscard]] std::optional<Completion> on_answer(Flow& flow, const Answer& answer,
                                                    MonoTime received) {
    const std::uint32_t slot = answer.verdict == Answer::Verdict::foreign ? kNoSlot
                               : answer.named
                                   ? outstanding_.find(answer.slot, flow.index, answer.sequence)
                                   : outstanding_.oldest_of(flow.index);
    if (slot != kNoSlot && !outstanding_.at(slot).lost &&
        received - outstanding_.at(slot).sent <= worker_.plan().timeout)
      return conclude(flow, slot, answer, received);
    on_stray(flow, answer, slot, received);
    return std::nullopt;
  }

  // The request in the slot has had no answer within the timeout.
  void on_timeout(Flow& flow, std::uint32_t slot);
  // The flow is of no use any more: what is in flight on it has failed.
  void on_flow_death(Flow& flow, ErrorKind kind);

 private:
  // An answer to a request in flight.
  std::optional<Completion> conclude(Flow& flow, std::uint32_t slot, const Answer& answer,
                                     MonoTime received) {
    const OutstandingRequest request = outstanding_.at(slot);
    outstanding_.remove(slot);
    const auto arrival = flow.arrived.arrive(request.sequence);
    if (answer.verdict != Answer::Verdict::valid) {
      const bool unexpected = answer.verdict == Answer::Verdict::unexpected;
      worker_.recorder().on_error(request.measured,
                                  unexpected ? ErrorKind::unexpected : ErrorKind::malformed);
      return std::nullopt;
    }
    if (arrival == SequenceTracker::Arrival::reordered)
      worker_.recorder().on_reordered(request.measured);
    return Completion{request.intended, request.sent, received, answer.bytes, request.measured};
  }
  void on_stray(Flow& flow, const Answer& answer, std::uint32_t slot, MonoTime received);
  void on_named_stray(Flow& flow, std::uint64_t sequence, MonoTime received);

  Worker& worker_;
  Outstanding outstanding_;
  bool answers_in_order_;
};

}  // namespace volley
