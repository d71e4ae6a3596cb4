// Pieces of the stream workload that its two directions share: control frames on a flow.
#pragma once

#include <optional>
#include <vector>

#include "generators/engine/link.hpp"
#include "generators/engine/worker.hpp"
#include "targets/wire/frame.hpp"

namespace volley {

// Sends a control frame on a flow and waits for the answer of `answer_kind`; over UDP it is sent
// again every 100 ms. None: no answer of ours within `patience` (a foreign server). Bytes that come
// before the answer and are not control frames of ours are handed to nobody. Blocking: only for
// set-up and for the end of a run. `state` says where within a frame of a busy stream the next byte
// stands (tcp).
struct ControlAnswer {
  Frame frame;
  std::vector<std::byte> payload;
};
[[nodiscard]] std::optional<ControlAnswer> ask(const Worker& worker, Protocol protocol,
                                               const Descriptor& socket, FrameKind kind,
                                               std::span<const std::byte> payload,
                                               FrameKind answer_kind, Nanos patience,
                                               const StreamState& state = {});

// One frame of kControlBytes with the payload at its start.
[[nodiscard]] std::vector<std::byte> control_frame(FrameKind kind, std::uint32_t session,
                                                   std::span<const std::byte> payload);

}  // namespace volley
