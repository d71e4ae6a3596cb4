// What became of each request on a standing flow: the book that rr keeps. Every request that was
// sent is judged here once (completed, error or lost); what comes in beside that is late, a
// duplicate, or noise.
//
// An answer is booked in two steps. on_answer() finds its request, which makes room in the flow;
// settle() takes the rest down. In between the next requests can leave: the peer need not wait for
// the book, whose histograms lie cold after a wait.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "generators/engine/exchange.hpp"
#include "generators/engine/in_flight.hpp"
#include "generators/engine/link.hpp"
#include "generators/engine/sent_batches.hpp"
#include "generators/engine/worker.hpp"
#include "reports/measure/ensure.hpp"

namespace volley {

class Ledger {
 public:
  // `answers_in_order`: answers carry no name and come in order (unnamed answers over tcp), so a
  // lost request's answer is still owed and must not be taken for the next one's.
  Ledger(Worker& worker, bool answers_in_order)
      : worker_(worker),
        batches_(worker.flow_count(), worker.plan().timeout),
        sizes_(worker.plan().sizes, worker.plan().seed),
        answers_in_order_(answers_in_order) {
    if (worker.plan().protocol == Protocol::udp && worker.plan().exchange == ExchangeKind::frame)
      worker.result().variation.emplace();
  }

  [[nodiscard]] const SentBatches& batches() const { return batches_; }
  [[nodiscard]] std::uint32_t next_slot() { return batches_.next_slot(); }

  // The oldest request in flight on a flow, or the lost one whose answer is owed. For exchanges
  // whose answers carry no name.
  [[nodiscard]] std::optional<Expected> expected_of(const Flow& flow) const {
    ensure(claims_.empty(), "answers without a name are booked one after the other");
    const auto place = batches_.oldest_of(flow.index);
    if (!place) return std::nullopt;
    const std::uint64_t sequence = batches_.at(place->slot).first_sequence + place->bit;
    return Expected{sequence, sizes_.size_of(flow.number, sequence)};
  }

  // The flow's next requests, of one phase and of `bytes` altogether, have been handed to the
  // kernel.
  void on_sent(Flow& flow, std::span<const Due> requests, MonoTime sent, std::uint64_t bytes) {
    batches_.add(flow.index, flow.next_sequence, sent, requests);
    if (requests.front().measured)
      in_flight_.change(static_cast<std::int64_t>(requests.size()), sent);
    if (requests.front().measured && flow.first_measured > flow.next_sequence)
      flow.first_measured = flow.next_sequence;
    flow.next_sequence += requests.size();
    worker_.recorder().on_sent(requests, sent, bytes);
  }

  // An answer came. The flow must stay where it is until settle().
  void on_answer(Flow& flow, const Answer& answer, MonoTime received) {
    if (!answer.named && answer.verdict != Answer::Verdict::foreign) {
      if (worker_.plan().exchange == ExchangeKind::frame)
        on_unreadable(received);
      else
        on_unnamed(flow, answer, received);
      return;
    }
    const std::uint64_t bits =
        answer.named ? batches_.find(answer.slot, flow.index, answer.sequence, answer.count) : 0;
    if (bits == 0 || !is_in_time(answer.slot, received)) {
      on_not_found(flow, answer, received);
      return;
    }
    batches_.claim(answer.slot, bits);
    note_judged(answer.slot, bits, received);
    claims_.push_back({&flow, answer, bits, received});
  }
  // Takes down what the answers so far have done; before batches() is asked for more than
  // waiting_of().
  void settle();

  // The waiting requests in the slot have had no answers within the timeout.
  void on_timeout(Flow& flow, std::uint32_t slot) {
    on_timeout(flow, slot, batches_.at(slot).waiting);
  }
  // The flow is of no use any more: what is in flight on it has failed.
  void on_flow_death(Flow& flow, ErrorKind kind);
  // At the end: what was in flight, into the worker's result.
  void take_figures();

 private:
  struct Claim {
    Flow* flow;
    Answer answer;
    std::uint64_t bits;  // of its slot
    MonoTime received;
  };
  [[nodiscard]] bool is_in_time(std::uint32_t slot, MonoTime received) const {
    return received - batches_.at(slot).sent <= worker_.plan().timeout;
  }

  // Requests that are in flight no more, from `at` on.
  void note_judged(std::uint32_t slot, std::uint64_t bits, MonoTime at) {
    if (batches_.at(slot).measured)
      in_flight_.change(-static_cast<std::int64_t>(count_requests(bits)), at);
  }

  void settle_claims();
  void conclude(Flow& flow, std::uint32_t slot, std::uint64_t bits, const Answer& answer,
                MonoTime received);
  void take_down(Flow& flow, const SentBatch& batch, std::uint64_t bits, const Answer& answer,
                 MonoTime received);
  void on_unreadable(MonoTime received);
  void on_unnamed(Flow& flow, const Answer& answer, MonoTime received);
  void on_not_found(Flow& flow, Answer answer, MonoTime received);
  void on_timeout(Flow& flow, std::uint32_t slot, std::uint64_t bits);
  void on_stray(Flow& flow, const Answer& answer, MonoTime received);
  void on_unnamed_stray(Flow& flow, MonoTime received);
  void on_late(bool measured);
  void on_duplicate(bool measured);

  Worker& worker_;
  SentBatches batches_;
  std::vector<Claim> claims_;
  std::vector<Completion> completed_;  // of answers without a name
  SizeChooser sizes_;
  bool answers_in_order_;
  InFlight in_flight_;  // measured
  bool in_flight_known_ = true;
};

}  // namespace volley
