// The lines in which due requests wait in their flows (Flow::waiting), and how they leave them:
// what rr and stream share.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "generators/engine/demand.hpp"
#include "generators/engine/link.hpp"
#include "generators/engine/recorder.hpp"
#include "generators/engine/sent_batches.hpp"

namespace volley {

// Room for the requests of one call. It is kept from call to call: to make it anew would cost more
// than a request does otherwise.
using CallRoom = std::array<Due, kMostInBatch>;

// The first of a flow's line: at most `most`, of one phase. They are copied into `room`.
[[nodiscard]] inline std::span<const Due> next_call(const Flow& flow, std::uint32_t most,
                                                    CallRoom& room) {
  std::uint32_t count = 0;
  for (auto due = flow.waiting.begin();
       count < most && due != flow.waiting.end() && due->measured == flow.waiting.front().measured;
       ++due)
    room[count++] = *due;
  return std::span(room).first(count);
}
// The same for a closed loop: what the flow owes at `now`.
[[nodiscard]] inline std::span<const Due> next_call(Demand& demand, std::uint32_t flow,
                                                    MonoTime now, std::uint32_t most,
                                                    CallRoom& room) {
  std::uint32_t count = 0;
  for (std::optional<Due> due; count < most && (due = demand.take(flow, now)); ++count)
    room[count] = *due;
  return std::span(room).first(count);
}

// What still stands in the line could not go out when it was due. Counts each request once, however
// often it is put off.
inline void hold_back(Flow& flow, Recorder& recorder) {
  for (auto due = flow.waiting.rbegin(); due != flow.waiting.rend() && !due->held_back; ++due) {
    recorder.on_held_back(due->measured);
    due->held_back = true;
  }
}

// Gives up what stands in the line.
inline void drop_line(Flow& flow, Recorder& recorder, ErrorKind kind) {
  for (const Due& due : flow.waiting) recorder.on_unsent(due.measured, kind);
  flow.waiting.clear();
}

class DueLines {
 public:
  // Open loop: puts everything that is due by the clock into its flow's line and calls send(flow)
  // for each flow that got something, so that its share leaves with as few calls as it takes.
  template <class Send>
  void serve(Demand& demand, MonoTime now, std::span<Flow> flows, Recorder& recorder, Send&& send) {
    demand.for_each_due(now, [&](std::uint32_t index, const Due& due) {
      recorder.on_due(due);
      if (flows[index].dead) {
        recorder.on_unsent(due.measured, ErrorKind::flow_dead);
        return;
      }
      flows[index].waiting.push_back(due);
      if (with_due_.empty() || with_due_.back() != index) with_due_.push_back(index);
    });
    for (const std::uint32_t index : with_due_) {
      send(flows[index]);
      hold_back(flows[index], recorder);
    }
    with_due_.clear();
  }

 private:
  std::vector<std::uint32_t> with_due_;
};

}  // namespace volley
