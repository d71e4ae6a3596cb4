// A session with our own target on a flow: hello, statistics, and the messages it sends us.
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "generators/engine/link.hpp"
#include "generators/engine/worker.hpp"
#include "targets/wire/frame.hpp"
#include "targets/wire/stream_quality.hpp"

namespace volley {

// Where within a frame of a busy stream the next byte stands (tcp).
struct FramePosition {
  std::string header;         // what has come of the next header
  std::uint64_t to_skip = 0;  // payload still to come before it
};

// Cuts what comes down a stream into messages: our data frames, or, from a foreign source, so many
// bytes each.
class IncomingMessages {
 public:
  explicit IncomingMessages(std::uint32_t message_bytes) : message_bytes_(message_bytes) {}
  void expect_frames() { frames_ = true; }

  // Calls on_messages(count, their bytes). False: something else than our data frames came.
  template <class OnMessages>
  bool feed(std::span<const std::byte> bytes, OnMessages&& on_messages) {
    if (!frames_) {
      foreign_bytes_ += bytes.size();
      const std::uint64_t whole = foreign_bytes_ / message_bytes_;
      foreign_bytes_ %= message_bytes_;
      if (whole > 0) on_messages(whole, whole * message_bytes_);
      return true;
    }
    while (!bytes.empty()) {
      if (!in_payload_) {
        if (!take_header(bytes)) return false;
        if (!in_payload_) return true;  // the header is not whole yet
      }
      const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(at_.to_skip, bytes.size()));
      at_.to_skip -= n;
      bytes = bytes.subspan(n);
      if (at_.to_skip > 0) return true;
      in_payload_ = false;
      on_messages(std::uint64_t{1}, kFrameBytes + length_);
    }
    return true;
  }
  [[nodiscard]] const FramePosition& rest_of_frame() const { return at_; }

 private:
  // Takes header bytes off the front; in_payload_ says whether it is whole. False: not ours.
  bool take_header(std::span<const std::byte>& bytes);

  std::uint32_t message_bytes_;
  bool frames_ = false;
  std::uint64_t foreign_bytes_ = 0;  // of a message that is not whole yet
  FramePosition at_;
  bool in_payload_ = false;
  std::uint64_t length_ = 0;  // payload of the current frame
};

// Tells our target what the flow is for. Not ours: no answer of ours within `patience` (a foreign
// server), or the target does not do that. `rest`: what came behind the answer (tcp). Blocking:
// only for set-up.
struct HelloResult {
  bool ours = false;
  std::uint64_t cookie = 0;
  std::vector<std::byte> rest;
};
[[nodiscard]] HelloResult say_hello(Worker& worker, Protocol protocol, const Descriptor& socket,
                                    const Hello& hello, Nanos patience);

// What our sink has counted on this flow. None: it hung up, or was silent for the plan's timeout.
// Over TCP the question stands behind what the connection still holds, and a busy sink takes its
// time: there the timeout begins anew whenever bytes move, until `at_most`. The rest of a message
// that the end has cut goes first, or the sink would take the question for it. After a stop nobody
// is waited for longer than 300 ms. Blocking: only for the end of a run.
[[nodiscard]] std::optional<SessionStatistics> ask_statistics(Worker& worker, Protocol protocol,
                                                              const Flow& flow, MonoTime at_most,
                                                              const FramePosition& position);

// How our UDP sink saw the streams of this run that reach the same place as this flow. None: it was
// silent for half a second, or does not know. Blocking: only for the end of a run.
[[nodiscard]] std::optional<StreamQuality> ask_quality(Worker& worker, const Flow& flow);

}  // namespace volley
