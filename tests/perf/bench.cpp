// What one request costs the generator besides its system calls: each step of the hot path alone.
// docs/performance.md holds the figures and their reading.
#include <benchmark/benchmark.h>

#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "generators/plan/schedule.hpp"
#include "reports/measure/histogram.hpp"
#include "reports/measure/sequence.hpp"
#include "reports/measure/time.hpp"
#include "targets/wire/frame.hpp"

namespace volley {
namespace {

// Inputs are drawn before the clock starts, enough of them that a branch predictor cannot learn
// them.
constexpr std::size_t kInputs = 1U << 14U;

void histogram_record(benchmark::State& state) {
  std::mt19937_64 random(1);
  std::lognormal_distribution<> response(11, 0.7);  // around 60 us
  std::vector<Nanos> values(kInputs);
  for (Nanos& v : values) v = Nanos(static_cast<std::int64_t>(response(random)));
  Histogram histogram;
  std::size_t i = 0;
  for ([[maybe_unused]] auto _ : state) histogram.record(values[i++ % kInputs]);
  benchmark::DoNotOptimize(histogram.count());
}
BENCHMARK(histogram_record);

void schedule_next(benchmark::State& state, Arrival::Kind kind) {
  ScheduleSpec spec;
  spec.arrival.kind = kind;
  spec.arrival.burst = 8;
  spec.rate = Rate{123'457'000'000};  // 123,457/s
  spec.duration = std::chrono::hours(24 * 365);
  Schedule schedule(spec);
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(schedule.next());
}
BENCHMARK_CAPTURE(schedule_next, constant, Arrival::Kind::constant);
BENCHMARK_CAPTURE(schedule_next, poisson, Arrival::Kind::poisson);
BENCHMARK_CAPTURE(schedule_next, burst, Arrival::Kind::burst);

void frame_write(benchmark::State& state) {
  std::array<std::byte, 64> datagram{};
  Frame frame{.session = 7, .slot = 3, .length = 40, .flow = 1};
  for ([[maybe_unused]] auto _ : state) {
    ++frame.sequence;
    write_frame(frame, datagram);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(frame_write);

void frame_read(benchmark::State& state) {
  std::array<std::byte, 64> datagram{};
  write_frame(Frame{.kind = FrameKind::response, .session = 7, .length = 40}, datagram);
  for ([[maybe_unused]] auto _ : state) {
    benchmark::ClobberMemory();
    benchmark::DoNotOptimize(read_datagram(datagram));
  }
}
BENCHMARK(frame_read);

void sequence_in_order(benchmark::State& state) {
  SequenceTracker tracker;
  std::uint64_t next = 0;
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(tracker.arrive(next++));
}
BENCHMARK(sequence_in_order);

// One number in sixteen comes 40 places late, one in sixteen twice.
void sequence_disturbed(benchmark::State& state) {
  std::vector<std::uint64_t> offsets(kInputs);
  std::mt19937_64 random(1);
  for (std::size_t i = 0; i < kInputs; ++i) {
    const std::uint64_t chance = random() % 16;
    offsets[i] = 100 + i - (chance == 0 ? 40 : chance == 1 ? 1 : 0);
  }
  SequenceTracker tracker;
  std::size_t i = 0;
  std::uint64_t base = 0;
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(tracker.arrive(base + offsets[i]));
    if (++i == kInputs) {
      i = 0;
      base += kInputs;
    }
  }
}
BENCHMARK(sequence_disturbed);

// Not ours, but the scale for all the others: why the clock is read once per batch.
void clock_read(benchmark::State& state) {
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(mono_now());
}
BENCHMARK(clock_read);

}  // namespace
}  // namespace volley
