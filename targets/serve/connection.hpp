// The state of one TCP connection of a target. Buffers belong to the thread; a connection owns
// memory only while an answer of its is unsent.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "targets/serve/frame_stream.hpp"
#include "targets/serve/output_queue.hpp"
#include "targets/wire/frame.hpp"
#include "targets/wire/gathering.hpp"
#include "targets/wire/socket.hpp"

namespace volley {

// The longest piece of input that must be seen whole: a header and a hello.
inline constexpr std::size_t kLongestHead = kFrameBytes + 16;
inline constexpr std::uint32_t kNoConnection = std::numeric_limits<std::uint32_t>::max();

struct Connection {
  Descriptor socket;
  Address peer;
  std::uint32_t index = 0;
  std::uint32_t generation = 0;

  // How the peer speaks: decided by its first bytes.
  enum class Speech : std::uint8_t { unknown, plain, frames, discard };
  Speech speech = Speech::unknown;
  bool peer_done = false;  // it has closed its sending side
  bool ending = false;     // nothing more is taken; what is queued is sent, then we close our side
  bool shut = false;       // our sending side is closed
  bool reads = true;       // what the poller was told
  bool writes = false;
  bool timer_armed = false;
  bool told_once = false;        // Poller::tell_once
  std::uint8_t short_reads = 0;  // in a row that brought whole requests and nothing else

  // Input: the beginning of a head that is not whole, or what waits behind an unsent answer.
  std::vector<std::byte> unread;
  std::uint32_t payload_left = 0;  // of the current frame
  bool payload_echoed = false;     // else it is passed over
  Frame current;                   // the frame that payload_left belongs to
  Gathering gathering;             // of messages one way

  OutputQueue out;
  std::uint32_t filler_left = 0;  // of a sized response, still to be queued
  MonoTime due;                   // of the current answer

  // A control frame that waits for the end of a streamed frame, between which alone there is room
  // for its acknowledgement.
  std::optional<Frame> control;
  Hello hello;  // when it is a hello

  bool streams = false;
  bool named = false;  // the stream belongs to a session: a hello asked for it
  FrameStream stream;
  SessionStatistics counted;
  std::uint64_t requests = 0;  // plain chunks and request frames, for the event log
  std::uint64_t ordinal = 0;   // in the order of acceptance

  MonoTime last_active;
  std::uint32_t older = kNoConnection;  // neighbours in the order of activity
  std::uint32_t newer = kNoConnection;
};

}  // namespace volley
