// Our frame header: what tells one request from another on the wire.
//
//   offset size field
//        0    2 magic 0xF6 0xD7 (no text in ASCII or UTF-8 begins so)
//        2    1 version (1)
//        3    1 kind
//        4    4 session   one run of one generator; answers to another run are foreign
//        8    4 slot      the generator's place for the request; echoed, not interpreted. Of stream
//                         messages over UDP: when they were sent (stream_quality.hpp)
//       12    4 length    bytes of payload that follow the header
//       16    2 flow      low 16 bits of the flow's number
//       18    6 sequence  the request's number within its flow, from 0
//
// 24 bytes, little-endian. Over UDP a datagram is one frame: length equals what follows the header.
// The payload of a request or data frame is filler. A request that wants an answer of another size
// (`sized_request`) begins its payload with SizedRequest; the answer to one that asks when our
// target had it (`stamped_request`) begins its own with TargetStamps. Pure: no sockets. Everything
// read here is hostile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace volley {

enum class FrameKind : std::uint8_t {
  request = 1,           // answer with a response of the same size
  sized_request = 2,     // answer with the payload size that SizedRequest names
  response = 3,          // never answered
  data = 4,              // stream message, measured
  data_warm_up = 5,      // stream message of the warm-up
  stamped_request = 6,   // as request; with room for them the answer carries TargetStamps
  stamped_response = 7,  // never answered
  hello = 16,            // control, generator to target; payload Hello
  hello_ack = 17,        // control, target to generator; payload HelloAck
  statistics = 18,       // asks what this flow's session received; no payload beyond padding
  statistics_ack = 19,   // payload SessionStatistics
  goodbye = 20,          // ends the session (a source stops)
  goodbye_ack = 21,
  socket_counters = 22,      // asks what became of the requests that reached this socket; padding
  socket_counters_ack = 23,  // payload SocketCounters
  stream_quality = 24,       // asks how this run's streams arrived at the socket; padding
  stream_quality_ack = 25,   // payload StreamQuality (stream_quality.hpp)
};

inline constexpr std::size_t kFrameBytes = 24;
inline constexpr std::uint8_t kFrameVersion = 1;
inline constexpr std::uint64_t kLastSequence = (std::uint64_t{1} << 48U) - 1;
// No frame of ours has a larger payload, so a stream parser can refuse a hostile length at once.
inline constexpr std::uint32_t kMostPayload = 64U << 20U;  // 64 MiB

struct Frame {
  FrameKind kind = FrameKind::request;
  std::uint32_t session = 0;
  std::uint32_t slot = 0;
  std::uint32_t length = 0;
  std::uint16_t flow = 0;
  std::uint64_t sequence = 0;  // at most kLastSequence
  friend bool operator==(const Frame&, const Frame&) = default;
};

// Writes the header into the first kFrameBytes of `to`, which must be that long.
void write_frame(const Frame& frame, std::span<std::byte> to);

// The header at the start of `from`; none when it is too short, not ours, of another version or an
// unknown kind, or announces more than kMostPayload. Does not compare length with what follows.
[[nodiscard]] std::optional<Frame> read_frame(std::span<const std::byte> from);

// The header of a datagram that is one whole frame: length equals the bytes after the header.
[[nodiscard]] std::optional<Frame> read_datagram(std::span<const std::byte> datagram);

// Frames that lie in a row and differ in nothing but their numbers, which count up from the
// first's: writes `n` of them, `stride` bytes apart. Nothing but the headers is touched.
void write_frames(const Frame& first, std::size_t n, std::size_t stride, std::span<std::byte> to);
// How many datagrams at the start of `joined`, each of `size` bytes, are such frames, when the
// first one is a whole frame (read_datagram); at least 1.
[[nodiscard]] std::size_t count_consecutive(std::span<const std::byte> joined, std::size_t size);
// Datagrams of one size in a row, `each` bytes (at least 1), as the kernel joins them; only the
// last may be shorter. How many of them, from the first on, are whole frames of the first one's
// kind and session. 0: the first is no whole frame.
[[nodiscard]] std::size_t count_alike(std::span<const std::byte> row, std::size_t each);
// Turns a row of request frames into the responses to them: nothing but the kind changes.
void turn_into_responses(std::span<std::byte> row, std::size_t each);
// How many frames at the start of such a row are of one flow and slot, and have sequence numbers
// that follow one another.
[[nodiscard]] std::size_t count_sent_together(std::span<const std::byte> row, std::size_t each);
// The sequence number in a frame, which must be one, and its slot.
[[nodiscard]] std::uint64_t sequence_of(std::span<const std::byte> frame);
[[nodiscard]] std::uint32_t slot_of(std::span<const std::byte> frame);

// True when the first bytes (1 or more) can still become a frame of ours: the magic, as far as
// there are bytes. A TCP target uses it to tell a session from plain text.
[[nodiscard]] bool may_be_frame(std::span<const std::byte> first_bytes);

// Control frames are padded to these sizes, so that no answer to one is larger than its cause.
inline constexpr std::size_t kControlBytes = 96;
inline constexpr std::size_t kMostControlBytes = 280;
[[nodiscard]] constexpr std::size_t control_bytes(FrameKind kind) {
  return kind == FrameKind::stream_quality || kind == FrameKind::stream_quality_ack
             ? kMostControlBytes
             : kControlBytes;
}

// A session's purpose, named in its hello.
enum class SessionKind : std::uint8_t { echo = 0, sink = 1, source = 2, both = 3 };

struct SizedRequest {                // 12 bytes at the start of the payload
  std::uint32_t response_bytes = 0;  // payload of the answer
  std::uint64_t cookie = 0;          // from HelloAck; proves the sender's address; 0: none
};
struct Hello {  // 16 bytes
  SessionKind session_kind = SessionKind::echo;
  std::uint32_t message_bytes = 0;  // source: payload of each data frame it shall send
  std::uint64_t cookie = 0;         // 0 in the first hello
};
struct HelloAck {            // 16 bytes
  std::uint64_t cookie = 0;  // keyed hash of the sender's address; put it into requests
  std::uint32_t most_response_bytes = 0;
  bool accepted = false;  // false: this target does not do what was asked
};
struct SessionStatistics {     // 64 bytes
  std::uint64_t messages = 0;  // first copies of data frames
  std::uint64_t bytes = 0;     // their payload and headers
  std::uint64_t duplicates = 0;
  std::uint64_t reordered = 0;
  std::uint64_t warm_up_messages = 0;
  std::uint64_t sent_messages = 0;  // source: data frames sent
  std::uint64_t sent_bytes = 0;
  std::uint64_t malformed = 0;  // things that were not data frames of this session
};
// What a target's UDP socket has done so far: everybody's requests since it was opened. Two answers
// from the same place and their difference say what became of those sent in between.
struct SocketCounters {           // 72 bytes
  std::uint16_t place = 0;        // which of the target's places answers …
  std::uint16_t places = 1;       // … of how many; the same sender always reaches the same one
  bool joins = false;             // the kernel joins datagrams there, and counts them as one drop
  std::uint64_t taken = 0;        // requests that were read, those left unanswered by rule included
  std::uint64_t answered = 0;     // datagrams sent in answer, copies included
  std::uint64_t duplicated = 0;   // answers sent twice on purpose
  std::uint64_t dropped = 0;      // requests consumed in silence on purpose
  std::uint64_t discarded = 0;    // answers that found no room where they were to wait
  std::uint64_t send_errors = 0;  // answers that the kernel refused
  std::uint64_t ignored = 0;      // requests left unanswered by rule, or malformed
  std::uint64_t kernel_drops = 0;  // datagrams that found the socket's buffer full
  friend bool operator==(const SocketCounters&, const SocketCounters&) = default;
};

// When our target had a request, by its CLOCK_MONOTONIC; 24 bytes at the start of the payload of
// request (filler) and answer.
struct TargetStamps {
  std::int64_t kernel_received_ns = 0;  // its kernel got the datagram; 0: not known
  std::int64_t received_ns = 0;         // the target took it up
  std::int64_t sent_ns = 0;             // and called its kernel to send the answer
};

inline constexpr std::size_t kSizedRequestBytes = 12;
inline constexpr std::size_t kTargetStampsBytes = 24;

// Payload codecs: little-endian, fixed size; reading gives none when there are too few bytes or a
// field is out of range.
void write_payload(const SizedRequest& value, std::span<std::byte> to);
void write_payload(const Hello& value, std::span<std::byte> to);
void write_payload(const HelloAck& value, std::span<std::byte> to);
void write_payload(const TargetStamps& value, std::span<std::byte> to);
void write_payload(const SessionStatistics& value, std::span<std::byte> to);
void write_payload(const SocketCounters& value, std::span<std::byte> to);
[[nodiscard]] std::optional<SizedRequest> read_sized_request(std::span<const std::byte> payload);
[[nodiscard]] std::optional<Hello> read_hello(std::span<const std::byte> payload);
[[nodiscard]] std::optional<HelloAck> read_hello_ack(std::span<const std::byte> payload);
[[nodiscard]] std::optional<TargetStamps> read_target_stamps(std::span<const std::byte> payload);
[[nodiscard]] std::optional<SessionStatistics> read_session_statistics(
    std::span<const std::byte> payload);
[[nodiscard]] std::optional<SocketCounters> read_socket_counters(
    std::span<const std::byte> payload);

}  // namespace volley
