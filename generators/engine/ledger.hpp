// What became of each request on a standing flow: the book that rr keeps. Every request that was
// sent is judged here once (completed, error or lost); what comes in beside that is late, a
// duplicate, or noise.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "generators/engine/exchange.hpp"
#include "generators/engine/link.hpp"
#include "generators/engine/sent_batches.hpp"
#include "generators/engine/worker.hpp"

namespace volley {

class Ledger {
 public:
  // `answers_in_order`: answers carry no name and come in order (unnamed answers over tcp), so a
  // lost request's answer is still owed and must not be taken for the next one's.
  Ledger(Worker& worker, bool answers_in_order)
      : worker_(worker),
        batches_(worker.flow_count(), worker.plan().timeout),
        sizes_(worker.plan().sizes, worker.plan().seed),
        answers_in_order_(answers_in_order) {}

  [[nodiscard]] const SentBatches& batches() const { return batches_; }
  [[nodiscard]] std::uint32_t next_slot() { return batches_.next_slot(); }

  // The oldest request in flight on a flow, or the lost one whose answer is owed.
  [[nodiscard]] std::optional<Expected> expected_of(const Flow& flow) const {
    const auto place = batches_.oldest_of(flow.index);
    if (!place) return std::nullopt;
    const std::uint64_t sequence = batches_.at(place->slot).first_sequence + place->bit;
    return Expected{sequence, sizes_.size_of(flow.number, sequence)};
  }

  // The flow's next requests, of one phase and of `bytes` altogether, have been handed to the
  // kernel.
  void on_sent(Flow& flow, std::span<const Due> requests, MonoTime sent, std::uint64_t bytes) {
    batches_.add(flow.index, flow.next_sequence, sent, requests);
    if (requests.front().measured && flow.first_measured > flow.next_sequence)
      flow.first_measured = flow.next_sequence;
    flow.next_sequence += requests.size();
    worker_.recorder().on_sent(requests, sent, bytes);
  }

  // What an answer does to its request. on_completed(Completion) is called with what is then for
  // the caller to record; anything else has been recorded.
  template <class OnCompleted>
  void on_answer(Flow& flow, Answer answer, MonoTime received, OnCompleted&& on_completed) {
    if (!answer.named && answer.verdict != Answer::Verdict::foreign) {
      const auto oldest = batches_.oldest_of(flow.index);
      const std::uint64_t bit = oldest ? std::uint64_t{1} << oldest->bit : 0;
      if (oldest && (batches_.at(oldest->slot).waiting & bit) != 0 &&
          is_in_time(oldest->slot, received))
        conclude(flow, oldest->slot, bit, answer, received, on_completed);
      else
        on_unnamed_stray(flow, received);
      return;
    }
    const std::uint64_t bits =
        answer.named ? batches_.find(answer.slot, flow.index, answer.sequence, answer.count) : 0;
    if (bits != 0 && is_in_time(answer.slot, received)) {
      conclude(flow, answer.slot, bits, answer, received, on_completed);
    } else if (answer.count == 1) {
      on_stray(flow, answer, received);
    } else {
      const std::uint32_t count = std::exchange(answer.count, 1);
      for (std::uint32_t i = 0; i < count; ++i, ++answer.sequence)
        on_answer(flow, answer, received, on_completed);
    }
  }

  // The waiting requests in the slot have had no answers within the timeout.
  void on_timeout(Flow& flow, std::uint32_t slot) {
    on_timeout(flow, slot, batches_.at(slot).waiting);
  }
  // The flow is of no use any more: what is in flight on it has failed.
  void on_flow_death(Flow& flow, ErrorKind kind);

 private:
  [[nodiscard]] bool is_in_time(std::uint32_t slot, MonoTime received) const {
    return received - batches_.at(slot).sent <= worker_.plan().timeout;
  }

  // Answers to requests in flight.
  template <class OnCompleted>
  void conclude(Flow& flow, std::uint32_t slot, std::uint64_t bits, const Answer& answer,
                MonoTime received, OnCompleted&& on_completed) {
    const SentBatch batch = batches_.at(slot);
    const auto first = static_cast<std::uint32_t>(std::countr_zero(bits));
    const std::uint32_t n = answer.count;
    const std::uint64_t reordered = note_arrivals(flow, batch.first_sequence + first, n);
    batches_.remove(slot, bits);
    if (answer.verdict != Answer::Verdict::valid) {
      const bool unexpected = answer.verdict == Answer::Verdict::unexpected;
      worker_.recorder().on_error(batch.measured,
                                  unexpected ? ErrorKind::unexpected : ErrorKind::malformed, n);
      return;
    }
    if (reordered > 0) worker_.recorder().on_reordered(batch.measured, reordered);
    Completion done{batch.intended, batch.sent, received, answer.bytes, batch.measured, n, n};
    if (batch.alike) {
      on_completed(done);
      return;
    }
    done.times = 1;
    for (std::uint32_t i = 0; i < n; ++i) {
      done.intended = batches_.intended_of(batch, first + i);
      on_completed(done);
      done.served = 0;
    }
  }

  // How many of `n` answers from number `first` on had been overtaken.
  static std::uint64_t note_arrivals(Flow& flow, std::uint64_t first, std::uint32_t n) {
    std::uint64_t reordered = 0;
    if (flow.arrived.arrive_in_order(first, n)) return reordered;
    for (std::uint32_t i = 0; i < n; ++i)
      if (flow.arrived.arrive(first + i) == SequenceTracker::Arrival::reordered) ++reordered;
    return reordered;
  }

  void on_timeout(Flow& flow, std::uint32_t slot, std::uint64_t bits);
  void on_stray(Flow& flow, const Answer& answer, MonoTime received);
  void on_unnamed_stray(Flow& flow, MonoTime received);

  Worker& worker_;
  SentBatches batches_;
  SizeChooser sizes_;
  bool answers_in_order_;
};

}  // namespace volley
