// A connection that is held: the little that is kept for each of them, and the book of the probes
// that go over them. Judged like any request (ledger.hpp says the same of rr), but with a word of
// 64 bits in place of a bitmap of its own: of so many connections each has few probes.
#pragma once

#include <cstdint>
#include <optional>

#include "generators/engine/demand.hpp"
#include "generators/engine/exchange.hpp"
#include "generators/engine/outstanding.hpp"
#include "generators/engine/worker.hpp"
#include "targets/wire/socket.hpp"

namespace volley {

struct HeldFlow {
  Descriptor socket;
  enum class State : std::uint8_t { unopened, opening, open, dead };
  State state = State::unopened;
  bool blocked = false;   // the socket took no more; waiting until it is writable
  bool strained = false;  // has something that waits or is not whole, kept elsewhere
  // Unnamed answers: whether the last probe was lost and its answer may still come.
  bool last_lost = false;
  bool last_measured = false;
  std::uint64_t next_sequence = 0;
  std::uint64_t first_measured = ~std::uint64_t{0};  // lower numbers are warm-up
  std::uint64_t next_expected = 0;                   // one above the highest number answered
  std::uint64_t answered = 0;                        // of the last 64 probes, bit n % 64
};
// A kibibyte is what a held connection may cost in all.
static_assert(sizeof(HeldFlow) <= 64);

class HeldBook {
 public:
  // `answers_in_order`: answers carry no name and come in order (unnamed answers over tcp), so a
  // lost probe's answer is still owed and must not be taken for the next one's.
  HeldBook(Worker& worker, bool answers_in_order);

  [[nodiscard]] const Outstanding& outstanding() const { return outstanding_; }
  [[nodiscard]] std::uint32_t flow_of(std::uint32_t slot) { return outstanding_.at(slot).flow; }
  [[nodiscard]] std::uint32_t next_slot() { return outstanding_.next_slot(); }
  // The oldest probe in flight on a connection, or the lost one whose answer is owed.
  [[nodiscard]] std::optional<Expected> expected_of(std::uint32_t index);

  // A probe of `bytes` has been handed to the kernel.
  void on_sent(HeldFlow& flow, std::uint32_t index, const Due& due, MonoTime sent,
               std::uint32_t bytes);
  void on_answer(HeldFlow& flow, std::uint32_t index, const Answer& answer, MonoTime received);
  // The probe in the slot has had no answer within the timeout.
  void on_timeout(HeldFlow& flow, std::uint32_t slot);
  // The connection is of no use any more: what is in flight on it has failed.
  void on_death(std::uint32_t index, ErrorKind kind);

 private:
  void conclude(HeldFlow& flow, std::uint32_t slot, const Answer& answer, MonoTime received);
  void on_stray(HeldFlow& flow, const Answer& answer, std::uint32_t slot, MonoTime received);
  void on_named_stray(HeldFlow& flow, std::uint64_t sequence, MonoTime received);

  Worker& worker_;
  Outstanding outstanding_;
  bool answers_in_order_;
};

}  // namespace volley
