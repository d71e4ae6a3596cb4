// How the streams of runs arrived at one UDP socket: for each of the last runs what its flows'
// messages tell of reordering, copies and delay variation. Bounded, whoever sends: some 40 MiB a
// socket if eight strangers make all of it, and two or three for a run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "reports/measure/arrival_quality.hpp"
#include "targets/serve/cookie.hpp"
#include "targets/wire/stream_quality.hpp"

namespace volley {

class StreamFigures {
  struct Run;

 public:
  // What is remembered of one flow. It belongs to whoever keeps the flow, who lets it stay where it
  // is from admit() to forget().
  struct Flow {
    // 8 KiB of bits at most, so that those of 4096 flows stay below 34 MiB.
    ArrivalTracker arrived{kWindow};
    VariationTracker variation;
    Run* run = nullptr;  // null: nobody asks for more than which numbers came
  };
  // For a new flow of a run. Where the run has kMostFlows already, only its numbers are kept.
  void admit(Flow& flow, const Address& peer, std::uint32_t session);
  // The flow ends; what it told stays with its run.
  static void forget(Flow& flow);

  // Consecutive messages of a flow that left with one call and were read with one.
  struct Messages {
    std::uint64_t first = 0;
    std::uint64_t n = 1;
    bool measured = true;
    TimeMark sent = 0;
  };
  // True: they are the next ones, and that has been taken down. False: nothing has; let the first
  // arrive by itself.
  [[nodiscard]] static bool arrive_in_order(Flow& flow, const Messages& messages,
                                            MonoTime received) {
    if (messages.measured) flow.arrived.count_from_here();
    if (!flow.arrived.arrive_in_order(messages.first, messages.n)) return false;
    if (flow.run == nullptr) return true;
    note_first_copies(flow, messages, trip_of(*flow.run, messages.sent, received));
    return true;
  }
  // The first of them alone.
  static SequenceTracker::Arrival arrive(Flow& flow, const Messages& messages, MonoTime received);

  // Of all flows of the run so far. None: nobody has heard of it, or it has made room.
  [[nodiscard]] std::optional<ArrivalQuality> of(const Address& peer, std::uint32_t session) const;

  static constexpr std::size_t kMostRuns = 8;
  static constexpr std::size_t kMostFlows = 64;
  static constexpr std::uint64_t kWindow = std::uint64_t{1} << 16U;

 private:
  struct Run {
    PeerKey key;
    std::uint64_t issue = 0;
    std::vector<Flow*> flows;      // those that have not been forgotten
    std::optional<TimeMark> base;  // what the first message took, which delays are told from
    std::uint64_t duplicates = 0, replicated = 0;  // ArrivalQuality
    ReorderingFigures reordering;
    VariationFigures variation;
    DelayAboveLeast delays;
  };
  Run& run_of(const PeerKey& key);
  static void leave(Flow& flow);
  // The delay but for a constant.
  static Trip trip_of(Run& run, TimeMark sent, MonoTime received) {
    const TimeMark took = time_mark(received) - sent;
    if (!run.base) run.base = took;
    return {.received = received, .delay = between_marks(*run.base, took)};
  }
  static void note_first_copies(Flow& flow, const Messages& messages, const Trip& trip) {
    Run& run = *flow.run;
    if (!messages.measured) {
      flow.variation.arrive(messages.first, messages.n, trip, nullptr);
      return;
    }
    flow.variation.arrive(messages.first, messages.n, trip, &run.variation);
    run.delays.record(trip.delay, messages.n);
  }
  static void add_jitter(const Flow& flow, VariationFigures& to);
  [[nodiscard]] const Run* find(const PeerKey& key) const;

  std::vector<std::unique_ptr<Run>> runs_;
  std::uint64_t issues_ = 0;
};

}  // namespace volley
