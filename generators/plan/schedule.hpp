// When each request is due: a pure, seeded function. No clock, no sockets, no threads.
//
// Slot k of a schedule is due at a fixed offset from the start of the run and belongs to flow
// k mod flows, which belongs to thread (k mod flows) mod threads. So the set of due times is the
// same for any number of threads. Offsets are computed in whole numbers: slot k of a constant
// schedule is due at floor(k * 10^15 / rate in micro-requests per second) ns, without drift;
// poisson gaps are -ln(u) / rate (RFC 2330 section 11.1.3, method 3: the whole schedule is fixed in
// advance), added up with 32 fractional bits.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "generators/plan/options.hpp"
#include "reports/measure/time.hpp"

namespace volley {

struct ScheduleSpec {
  Arrival arrival;  // not closed
  Rate rate;        // unused by trace
  std::uint64_t seed = 1;
  std::shared_ptr<const std::vector<Nanos>> trace;  // due times, never decreasing
  Nanos warm_up{0};                                 // slots due before this are warm-up
  std::optional<Nanos> duration;          // measured slots are due before warm_up + duration
  std::optional<std::uint64_t> requests;  // at most this many measured slots
};

struct Slot {
  std::uint64_t index = 0;
  Nanos due{0};          // since the start of the run
  bool measured = true;  // false: warm-up
};

// All slots of a run in order. A value: copies go on independently.
class Schedule {
 public:
  explicit Schedule(const ScheduleSpec& spec);
  // The next slot; none at the end.
  [[nodiscard]] std::optional<Slot> next();

 private:
  [[nodiscard]] std::optional<Nanos> due_of_next();
  ScheduleSpec spec_;
  std::uint64_t index_ = 0;
  std::uint64_t measured_ = 0;
  std::uint64_t sum_ns_ = 0;        // poisson: whole ns so far
  std::uint32_t sum_fraction_ = 0;  // and 2^-32 ns
};

// The slots of one thread: it passes over those of the others, so that all threads agree on the
// whole without talking to each other.
class ThreadSchedule {
 public:
  ThreadSchedule(const ScheduleSpec& spec, std::uint32_t flows, std::uint32_t threads,
                 std::uint32_t thread);
  // The next slot of this thread without taking it; null at the end.
  [[nodiscard]] const Slot* peek() const { return slot_ ? &*slot_ : nullptr; }
  void pop();
  [[nodiscard]] std::uint32_t flow_of(const Slot& slot) const {
    return static_cast<std::uint32_t>(slot.index % flows_);
  }
  // Measured slots taken so far.
  [[nodiscard]] std::uint64_t measured_taken() const { return measured_taken_; }
  // Measured slots still to come: walks a copy over at most `most` slots of all threads; none:
  // there are more.
  [[nodiscard]] std::optional<std::uint64_t> measured_left(std::uint64_t most) const;

 private:
  Schedule all_;
  std::uint32_t flows_;
  std::uint32_t threads_;
  std::uint32_t thread_;
  std::optional<Slot> slot_;
  std::uint64_t measured_taken_ = 0;
};

// One due time a line: a time with its unit ("1.5ms") since the start of the run, never decreasing;
// empty lines and lines from '#' on are passed over. Throws UsageError with the line's number.
[[nodiscard]] std::vector<Nanos> parse_trace(std::string_view subject, std::string_view text);

// The n-th number of a seeded sequence, equally spread over 64 bits (SplitMix64: Steele, Lea and
// Flood, OOPSLA 2014). Pure: any thread may ask for any n.
[[nodiscard]] constexpr std::uint64_t seeded(std::uint64_t seed, std::uint64_t n) {
  std::uint64_t z = seed * 0xD1342543DE82EF95U + (n + 1) * 0x9E3779B97F4A7C15U;
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31U);
}

}  // namespace volley
