// May this datagram be answered, and how? The rules that keep a target from becoming an amplifier
// or one half of an endless conversation. Pure: facts in, a decision out.
//
//   - An answer is never answered: response and acknowledgement frames are told by their kind,
//   plain
//     answers by a mark. A target sends plain answers with the time to live kMarkedTtl and leaves
//     plain datagrams unanswered that arrive with one that can have been it (up to 32 hops ago).
//     Hosts send with 64, 128 or 255, so nobody else is near (255 only after 33 hops).
//   - Nothing is answered that seems to come from the target itself or from a port below 1024,
//     where echo, chargen and DNS servers live.
//   - Beyond loopback only our frames are answered, unless the user opened the target; on loopback
//     too when the user wants it so.
//   - Beyond loopback an answer is never larger than its cause, unless the target is open or the
//     sender has shown with a cookie that it receives what is sent to its address.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "targets/wire/frame.hpp"

namespace volley {

inline constexpr int kMarkedTtl = 222;
inline constexpr int kMarkedHops = 32;
inline constexpr std::uint16_t kFirstFreePort = 1024;
// The largest payload of one UDP datagram over IPv4 (65,535 - 20 - 8), taken for IPv6 too.
inline constexpr std::size_t kMostAnswerBytes = 65'507;

// What holds for every datagram of a socket.
struct AnswerPolicy {
  bool echoes = true;        // false: a sink
  bool on_loopback = false;  // the socket is bound to a loopback address
  bool open = false;
  bool frames_only = false;      // plain text is answered nowhere
  bool guard = true;             // false only in a test build
  std::size_t prefix_bytes = 0;  // in front of plain answers
  [[nodiscard]] bool may_enlarge() const { return on_loopback || open; }
};

struct DatagramFacts {
  std::size_t bytes = 0;
  std::optional<Frame> frame = {};  // when it is one whole frame of ours
  std::uint16_t peer_port = 0;
  bool from_own_address = false;
  int ttl = -1;                      // as it arrived; -1: unknown
  std::uint32_t response_bytes = 0;  // sized_request: payload that is asked for
  bool proven = false;               // sized_request: carries a valid cookie
};

enum class Decision : std::uint8_t {
  respond,        // the request frame turned into a response of the same size
  respond_sized,  // a response with the payload that was asked for
  echo,           // the plain payload, marked, behind the prefix
  control,        // an acknowledgement of at most the same size
  count_data,     // a stream message: never answered
  take,           // a request or plain payload at a sink: never answered
  ignore_answer,
  ignore_own_address,
  ignore_low_port,
  ignore_marked,
  ignore_not_frame,
  ignore_unproven,
  ignore_malformed,
};

[[nodiscard]] Decision decide(const AnswerPolicy& policy, const DatagramFacts& facts);

}  // namespace volley
