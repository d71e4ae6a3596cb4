// Threads share no cache line that one of them writes while it works.
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "generators/engine/handoff.hpp"
#include "generators/engine/worker.hpp"

namespace volley {
namespace {

template <class T>
constexpr bool kHasLinesOfItsOwn = alignof(T) >= kCacheLine && sizeof(T) % kCacheLine == 0;

static_assert(kHasLinesOfItsOwn<SharedCount> && sizeof(SharedCount) == kCacheLine);
static_assert(kHasLinesOfItsOwn<Ring<std::unique_ptr<HandedRecord>>>);
static_assert(kHasLinesOfItsOwn<Handoff>);
static_assert(kHasLinesOfItsOwn<HandedRecord>);
static_assert(kHasLinesOfItsOwn<RunSignals>);
static_assert(kHasLinesOfItsOwn<Worker>);

std::uintptr_t line_of(const void* at) { return reinterpret_cast<std::uintptr_t>(at) / kCacheLine; }

TEST(Layout, workers_and_their_handoffs_lie_on_lines_of_their_own) {
  RunPlan plan;
  plan.flows = plan.threads = 4;
  plan.interval = std::chrono::seconds(1);
  RunSignals signals;
  std::vector<std::unique_ptr<Handoff>> handoffs;
  std::vector<std::unique_ptr<Worker>> workers;
  for (std::uint32_t i = 0; i < plan.threads; ++i) {
    handoffs.push_back(std::make_unique<Handoff>());
    workers.push_back(std::make_unique<Worker>(plan, i, Address(), 1, signals, *handoffs.back()));
  }
  // From the first line to the last of every object: no two overlap.
  std::vector<std::pair<std::uintptr_t, std::uintptr_t>> lines;
  const auto add = [&](const auto& object) {
    lines.emplace_back(line_of(&object),
                       line_of(reinterpret_cast<const char*>(&object) + sizeof object - 1));
  };
  add(signals);
  for (std::uint32_t i = 0; i < plan.threads; ++i) {
    add(*handoffs[i]);
    add(*workers[i]);
    add(workers[i]->recorder().of(true).counters);
    add(workers[i]->recorder().of(false).counters);
  }
  for (std::size_t i = 0; i < lines.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      EXPECT_TRUE(lines[i].second < lines[j].first || lines[j].second < lines[i].first)
          << i << " and " << j;
}

}  // namespace
}  // namespace volley
