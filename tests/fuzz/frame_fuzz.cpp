// Fuzzes everything that reads foreign bytes off the wire: the frame header and the control
// payloads. Whatever is taken must be in range and must come back when it is written again.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "reports/measure/ensure.hpp"
#include "targets/wire/frame.hpp"
#include "targets/wire/stream_quality.hpp"

namespace volley {
namespace {

void check_frame(std::span<const std::byte> input) {
  const std::optional<Frame> frame = read_frame(input);
  const std::optional<Frame> datagram = read_datagram(input);
  if (!frame) {
    ensure(!datagram, "a datagram that is a frame begins with one");
    return;
  }
  ensure(frame->length <= kMostPayload, "a length is in range");
  ensure(frame->sequence <= kLastSequence, "a sequence has 48 bits");
  for (std::size_t size = 1; size <= input.size() && size <= 4; ++size) {
    ensure(may_be_frame(input.first(size)), "every beginning of a frame may be one");
  }
  const bool whole = frame->length == input.size() - kFrameBytes;
  ensure(datagram.has_value() == whole, "a datagram is a frame when its length is the rest");
  if (datagram) ensure(*datagram == *frame, "both readers see the same header");
  // The header has no spare bits, so it is written back byte by byte.
  std::array<std::byte, kFrameBytes> again{};
  write_frame(*frame, again);
  ensure(std::equal(again.begin(), again.end(), input.begin()),
         "a frame is written as it was read");
  for (std::size_t size = 0; size < kFrameBytes; ++size) {
    ensure(!read_frame(input.first(size)), "a cut header is no frame");
  }
}

// Payloads may have spare bits; what was read is then read again.
void check_payloads(std::span<const std::byte> payload) {
  std::array<std::byte, kMostControlBytes> bytes{};
  if (const auto value = read_sized_request(payload)) {
    ensure(value->response_bytes <= kMostPayload, "a response size is in range");
    write_payload(*value, bytes);
    ensure(std::equal(bytes.begin(), bytes.begin() + kSizedRequestBytes, payload.begin()),
           "a sized request is written as it was read");
  }
  if (const auto value = read_hello(payload)) {
    ensure(value->session_kind <= SessionKind::both, "a session kind is known");
    ensure(value->message_bytes <= kMostPayload, "a message size is in range");
    write_payload(*value, bytes);
    const auto again = read_hello(bytes);
    ensure(again && again->session_kind == value->session_kind &&
               again->message_bytes == value->message_bytes && again->cookie == value->cookie,
           "a hello is read again as it was");
  }
  if (const auto value = read_hello_ack(payload)) {
    ensure(value->most_response_bytes <= kMostPayload, "a response size is in range");
    write_payload(*value, bytes);
    const auto again = read_hello_ack(bytes);
    ensure(again && again->cookie == value->cookie && again->accepted == value->accepted &&
               again->most_response_bytes == value->most_response_bytes,
           "an answer to a hello is read again as it was");
  }
  if (const auto value = read_session_statistics(payload)) {
    write_payload(*value, bytes);
    ensure(std::equal(bytes.begin(), bytes.begin() + 64, payload.begin()),
           "session statistics are written as they were read");
  }
  if (const auto value = read_socket_counters(payload)) {
    ensure(value->place < value->places, "a place is one of those there are");
    write_payload(*value, bytes);
    ensure(read_socket_counters(bytes) == value, "socket counters are read again as they were");
  }
  if (const auto value = read_stream_quality(payload)) {
    ensure(value->place < value->places, "a place is one of those there are");
    write_payload(*value, bytes);
    ensure(read_stream_quality(bytes) == value, "a stream's quality is read again as it was");
    (void)put_together(std::array{value->figures, value->figures});
  }
}

}  // namespace
}  // namespace volley

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::byte> input = std::as_bytes(std::span(data, size));
  volley::check_frame(input);
  volley::check_payloads(input);
  // Behind a header lies a payload; without this the fuzzer would have to find both at once.
  if (size > volley::kFrameBytes) volley::check_payloads(input.subspan(volley::kFrameBytes));
  return 0;
}
