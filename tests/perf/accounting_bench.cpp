// What rr adds to the system calls of a request: laying it out, booking it, finding the request
// that an answer belongs to, loss and order, two or three histograms. The link is a fake: answers
// are the requests turned into responses, in memory, in batches as the kernel would join them.
//
// The figure is CPU time of this thread per request (Google Benchmark's default clock). What the
// fake itself takes is the last row, to be taken off.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <vector>

#include "generators/engine/handoff.hpp"
#include "generators/engine/ledger.hpp"
#include "generators/engine/message_batch.hpp"
#include "generators/engine/worker.hpp"
#include "targets/wire/frame.hpp"

namespace volley {
namespace {

RunPlan plan_of_frames(std::uint32_t bytes) {
  RunPlan plan;
  plan.sizes = {{bytes, 1}};
  plan.timeout = std::chrono::seconds(2);
  plan.interval = std::chrono::hours(1);
  return plan;
}

enum class DueTimes { together, apart };

void set_due(std::vector<Due>& dues, MonoTime now, DueTimes times) {
  for (std::size_t i = 0; i < dues.size(); ++i)
    dues[i].intended =
        now + (times == DueTimes::apart ? Nanos(7 * static_cast<std::int64_t>(i)) : Nanos(0));
}

// The network and the target.
std::span<const std::byte> answer(std::span<const std::byte> requests,
                                  std::vector<std::byte>& memory) {
  const auto row = std::span(memory).first(requests.size());
  std::copy(requests.begin(), requests.end(), row.begin());
  turn_into_responses(row, 64);
  return row;
}

void count_per_request(benchmark::State& state) {
  state.counters["per_request"] =
      benchmark::Counter(static_cast<double>(state.iterations() * state.range(0)),
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

// `state.range(0)` requests a batch, in 64-byte messages.
void account(benchmark::State& state, DueTimes times) {
  const RunPlan plan = plan_of_frames(64);
  RunSignals signals;
  Handoff handoff;
  Worker worker(plan, 0, Address(), 1, signals, handoff);
  worker.recorder().start(mono_now());
  FrameExchange exchange(plan, 1);
  MessageBatch messages(64, exchange.sample(), true);
  Ledger ledger(worker, false);
  Flow flow;
  const auto n = static_cast<std::uint32_t>(state.range(0));
  std::vector<Due> dues(n);
  std::vector<std::byte> memory(std::size_t{64} * 64);
  MonoTime now = mono_now();
  for ([[maybe_unused]] auto _ : state) {
    set_due(dues, now, times);
    now += std::chrono::microseconds(1);
    messages.clear();
    exchange.encode(Outgoing{0, ledger.next_slot(), flow.next_sequence, 64, 0}, n,
                    messages.add(64, n));
    ledger.on_sent(flow, dues, now, messages.bytes().size());
    now += std::chrono::microseconds(30);
    for (auto rest = answer(messages.bytes(), memory); !rest.empty();) {
      const Answer found = exchange.recognise_joined(rest, 64, std::nullopt);
      rest = rest.subspan(std::size_t{64} * found.count);
      ledger.on_answer(flow, found, now);
    }
    ledger.settle();
  }
  if (worker.recorder().of(true).counters.completed !=
      static_cast<std::uint64_t>(state.iterations()) * n)
    state.SkipWithError("not every request was completed");
  count_per_request(state);
}
BENCHMARK_CAPTURE(account, closed_loop, DueTimes::together)->Arg(1)->Arg(64);
BENCHMARK_CAPTURE(account, open_loop, DueTimes::apart)->Arg(1)->Arg(64);

void account_fake_link(benchmark::State& state) {
  std::vector<Due> dues(static_cast<std::size_t>(state.range(0)));
  std::vector<std::byte> requests(64 * dues.size());
  std::vector<std::byte> memory(requests.size());
  MonoTime now = mono_now();
  for ([[maybe_unused]] auto _ : state) {
    set_due(dues, now, DueTimes::apart);
    now += std::chrono::microseconds(31);
    benchmark::DoNotOptimize(dues.data());
    benchmark::DoNotOptimize(answer(requests, memory));
    benchmark::ClobberMemory();
  }
  count_per_request(state);
}
BENCHMARK(account_fake_link)->Arg(1)->Arg(64);

}  // namespace
}  // namespace volley
