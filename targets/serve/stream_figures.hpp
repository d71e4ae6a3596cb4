// How the streams of runs arrived at one UDP socket: for each of the last runs what its flows'
// messages tell of reordering, copies and delay variation. Bounded, whoever sends: some 60 MiB a
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
 public:
  // Where a flow's figures are. Those of a run that has made room for another are not found again.
  struct Ticket {
    std::uint64_t issue = 0;  // 0: it has none
    std::size_t run = 0, flow = 0;
  };
  // For a new flow of a run; none where the run has kMostFlows already.
  [[nodiscard]] Ticket admit(const Address& peer, std::uint32_t session);

  // Consecutive messages of a flow that left with one call and were read with one.
  struct Messages {
    std::uint64_t first = 0;
    std::uint64_t n = 1;
    bool measured = true;
    TimeMark sent = 0;
  };
  void arrive(const Ticket& ticket, const Messages& messages, MonoTime received);

  // Of all flows of the run so far. None: nobody has heard of it, or it has made room.
  [[nodiscard]] std::optional<ArrivalQuality> of(const Address& peer, std::uint32_t session) const;

  static constexpr std::size_t kMostRuns = 8;
  static constexpr std::size_t kMostFlows = 64;
  static constexpr std::uint64_t kWindow = std::uint64_t{1} << 16U;

 private:
  struct Flow {
    ArrivalTracker arrived{kWindow};
    VariationTracker variation;
  };
  struct Run {
    PeerKey key;
    std::uint64_t issue = 0;
    std::vector<std::unique_ptr<Flow>> flows;
    std::optional<TimeMark> base;  // what the first message took, which delays are told from
    ArrivalQuality counted;        // arrived, duplicates, replicated
    ReorderingFigures reordering;
    VariationFigures variation;
    DelayAboveLeast delays;
  };
  static void arrive_singly(Run& run, Flow& flow, const Messages& messages, const Trip& trip);
  static void note_in_order(Run& run, Flow& flow, const Messages& messages, const Trip& trip);
  [[nodiscard]] const Run* find(const PeerKey& key) const;

  std::vector<std::unique_ptr<Run>> runs_;
  std::uint64_t issues_ = 0;
};

}  // namespace volley
