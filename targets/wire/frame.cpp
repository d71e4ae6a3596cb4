#include "targets/wire/frame.hpp"

#include <algorithm>

#include "reports/measure/ensure.hpp"
#include "targets/wire/little_endian.hpp"

namespace volley {
namespace {

constexpr std::byte kMagic0{0xF6};
constexpr std::byte kMagic1{0xD7};

bool is_known_kind(std::uint8_t kind) {
  return (kind >= 1 && kind <= 7) || (kind >= 16 && kind <= 25);
}

// A header as three words, which are what is cheap to write.
struct Words {
  std::uint64_t head, middle, tail;
};

Words words_of(const Frame& frame) {
  const auto word = [](std::uint64_t low, std::uint64_t high, unsigned shift) {
    return low | (high << shift);
  };
  constexpr auto magic = std::to_integer<std::uint64_t>(kMagic0) |
                         (std::to_integer<std::uint64_t>(kMagic1) << 8U) |
                         (std::uint64_t{kFrameVersion} << 16U);
  return {word(word(magic, static_cast<std::uint8_t>(frame.kind), 24), frame.session, 32),
          word(frame.slot, frame.length, 32), word(frame.flow, frame.sequence, 16)};
}

void store(const Words& words, std::span<std::byte> to, std::size_t at) {
  store_little(words.head, to, at);
  store_little(words.middle, to, at + 8);
  store_little(words.tail, to, at + 16);
}

// Flow and sequence share a word, the sequence in its upper part.
constexpr std::uint64_t kNextNumber = 1U << 16U;

constexpr std::size_t kHelloBytes = 16;
constexpr std::size_t kHelloAckBytes = 16;
constexpr std::size_t kSessionStatisticsBytes = 64;
constexpr std::size_t kSocketCountersBytes = 72;

}  // namespace

void write_frame(const Frame& frame, std::span<std::byte> to) {
  ensure(to.size() >= kFrameBytes, "a frame header needs 24 bytes");
  ensure(frame.sequence <= kLastSequence, "a sequence has 48 bits");
  store(words_of(frame), to, 0);
}

std::optional<Frame> read_frame(std::span<const std::byte> from) {
  if (from.size() < kFrameBytes || from[0] != kMagic0 || from[1] != kMagic1) return std::nullopt;
  if (from[2] != std::byte{kFrameVersion}) return std::nullopt;
  const auto kind = static_cast<std::uint8_t>(from[3]);
  if (!is_known_kind(kind)) return std::nullopt;
  const auto length = load_little<std::uint32_t>(from, 12);
  if (length > kMostPayload) return std::nullopt;
  const auto tail = load_little<std::uint64_t>(from, 16);
  return Frame{.kind = static_cast<FrameKind>(kind),
               .session = load_little<std::uint32_t>(from, 4),
               .slot = load_little<std::uint32_t>(from, 8),
               .length = length,
               .flow = static_cast<std::uint16_t>(tail & 0xFFFFU),
               .sequence = tail >> 16U};
}

std::optional<Frame> read_datagram(std::span<const std::byte> datagram) {
  const std::optional<Frame> frame = read_frame(datagram);
  if (!frame || frame->length != datagram.size() - kFrameBytes) return std::nullopt;
  return frame;
}

void write_frames(const Frame& first, std::size_t n, std::size_t stride, std::span<std::byte> to) {
  ensure(n >= 1 && stride >= kFrameBytes && to.size() >= (n - 1) * stride + kFrameBytes,
         "frames in a row have room");
  ensure(first.sequence + (n - 1) <= kLastSequence, "a sequence has 48 bits");
  Words words = words_of(first);
  for (std::size_t at = 0; at < n * stride; at += stride, words.tail += kNextNumber)
    store(words, to, at);
}

std::size_t count_consecutive(std::span<const std::byte> joined, std::size_t size) {
  ensure(size >= kFrameBytes && joined.size() >= size, "the first datagram is a whole frame");
  const auto head = load_little<std::uint64_t>(joined, 0);
  const auto middle = load_little<std::uint64_t>(joined, 8);
  auto tail = load_little<std::uint64_t>(joined, 16);
  const std::size_t most = joined.size() / size;
  std::size_t n = 1;
  for (; n < most; ++n) {
    const std::size_t at = n * size;
    tail += kNextNumber;
    const std::uint64_t differs = (load_little<std::uint64_t>(joined, at) ^ head) |
                                  (load_little<std::uint64_t>(joined, at + 8) ^ middle) |
                                  (load_little<std::uint64_t>(joined, at + 16) ^ tail);
    if (differs != 0) break;
  }
  return n;
}

std::size_t count_alike(std::span<const std::byte> row, std::size_t each) {
  if (!read_datagram(row.first(std::min(each, row.size())))) return 0;
  // Magic, version, kind and session are the first eight bytes, and valid in the first frame.
  const auto head = load_little<std::uint64_t>(row, 0);
  const auto length = static_cast<std::uint32_t>(each - kFrameBytes);
  std::size_t count = 1;
  std::size_t at = each;
  for (; at + each <= row.size(); at += each, ++count) {
    if (load_little<std::uint64_t>(row, at) != head ||
        load_little<std::uint32_t>(row, at + 12) != length) {
      return count;
    }
  }
  if (at >= row.size()) return count;
  const auto last = row.subspan(at);
  return read_datagram(last) && load_little<std::uint64_t>(last, 0) == head ? count + 1 : count;
}

void turn_into_responses(std::span<std::byte> row, std::size_t each) {
  for (std::size_t at = 0; at < row.size(); at += each) {
    row[at + 3] = static_cast<std::byte>(FrameKind::response);
  }
}

std::size_t count_sent_together(std::span<const std::byte> row, std::size_t each) {
  const std::uint32_t slot = slot_of(row);
  auto tail = load_little<std::uint64_t>(row, 16);
  // Behind the last number there is none.
  const std::uint64_t most = kLastSequence - sequence_of(row) + 1;
  std::size_t count = 0;
  for (std::size_t at = 0; at < row.size() && count < most; at += each, ++count) {
    if (load_little<std::uint64_t>(row, at + 16) != tail ||
        load_little<std::uint32_t>(row, at + 8) != slot)
      break;
    tail += kNextNumber;
  }
  return count;
}

std::uint64_t sequence_of(std::span<const std::byte> frame) {
  return load_little<std::uint64_t>(frame, 16) >> 16U;
}

std::uint32_t slot_of(std::span<const std::byte> frame) {
  return load_little<std::uint32_t>(frame, 8);
}

bool may_be_frame(std::span<const std::byte> first_bytes) {
  if (first_bytes.empty() || first_bytes[0] != kMagic0) return false;
  return first_bytes.size() == 1 || first_bytes[1] == kMagic1;
}

void write_payload(const SizedRequest& value, std::span<std::byte> to) {
  ensure(to.size() >= kSizedRequestBytes, "a sized request needs 12 bytes");
  store_little(value.response_bytes, to, 0);
  store_little(value.cookie, to, 4);
}

void write_payload(const Hello& value, std::span<std::byte> to) {
  ensure(to.size() >= kHelloBytes, "a hello needs 16 bytes");
  store_little(std::uint32_t{static_cast<std::uint8_t>(value.session_kind)}, to, 0);
  store_little(value.message_bytes, to, 4);
  store_little(value.cookie, to, 8);
}

void write_payload(const HelloAck& value, std::span<std::byte> to) {
  ensure(to.size() >= kHelloAckBytes, "an answer to a hello needs 16 bytes");
  store_little(value.cookie, to, 0);
  store_little(value.most_response_bytes, to, 8);
  store_little(value.accepted ? std::uint32_t{1} : std::uint32_t{0}, to, 12);
}

void write_payload(const TargetStamps& value, std::span<std::byte> to) {
  ensure(to.size() >= kTargetStampsBytes, "a target's stamps need 24 bytes");
  store_little(static_cast<std::uint64_t>(value.kernel_received_ns), to, 0);
  store_little(static_cast<std::uint64_t>(value.received_ns), to, 8);
  store_little(static_cast<std::uint64_t>(value.sent_ns), to, 16);
}

void write_payload(const SessionStatistics& value, std::span<std::byte> to) {
  ensure(to.size() >= kSessionStatisticsBytes, "session statistics need 64 bytes");
  store_little(value.messages, to, 0);
  store_little(value.bytes, to, 8);
  store_little(value.duplicates, to, 16);
  store_little(value.reordered, to, 24);
  store_little(value.warm_up_messages, to, 32);
  store_little(value.sent_messages, to, 40);
  store_little(value.sent_bytes, to, 48);
  store_little(value.malformed, to, 56);
}

void write_payload(const SocketCounters& value, std::span<std::byte> to) {
  ensure(to.size() >= kSocketCountersBytes, "socket counters need 72 bytes");
  store_little(value.place, to, 0);
  store_little(value.places, to, 2);
  store_little(value.joins ? std::uint32_t{1} : std::uint32_t{0}, to, 4);
  store_little(value.taken, to, 8);
  store_little(value.answered, to, 16);
  store_little(value.duplicated, to, 24);
  store_little(value.dropped, to, 32);
  store_little(value.discarded, to, 40);
  store_little(value.send_errors, to, 48);
  store_little(value.ignored, to, 56);
  store_little(value.kernel_drops, to, 64);
}

std::optional<SizedRequest> read_sized_request(std::span<const std::byte> payload) {
  if (payload.size() < kSizedRequestBytes) return std::nullopt;
  const SizedRequest value{.response_bytes = load_little<std::uint32_t>(payload, 0),
                           .cookie = load_little<std::uint64_t>(payload, 4)};
  if (value.response_bytes > kMostPayload) return std::nullopt;
  return value;
}

std::optional<Hello> read_hello(std::span<const std::byte> payload) {
  if (payload.size() < kHelloBytes) return std::nullopt;
  const auto kind = load_little<std::uint32_t>(payload, 0);
  if (kind > static_cast<std::uint32_t>(SessionKind::both)) return std::nullopt;
  const Hello value{.session_kind = static_cast<SessionKind>(kind),
                    .message_bytes = load_little<std::uint32_t>(payload, 4),
                    .cookie = load_little<std::uint64_t>(payload, 8)};
  if (value.message_bytes > kMostPayload) return std::nullopt;
  return value;
}

std::optional<HelloAck> read_hello_ack(std::span<const std::byte> payload) {
  if (payload.size() < kHelloAckBytes) return std::nullopt;
  const auto accepted = load_little<std::uint32_t>(payload, 12);
  const HelloAck value{.cookie = load_little<std::uint64_t>(payload, 0),
                       .most_response_bytes = load_little<std::uint32_t>(payload, 8),
                       .accepted = accepted == 1};
  if (accepted > 1 || value.most_response_bytes > kMostPayload) return std::nullopt;
  return value;
}

// Stamps that no clock shows (a year is 3e16 ns) are none: differences of what is left cannot
// overflow.
std::optional<TargetStamps> read_target_stamps(std::span<const std::byte> payload) {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 62U;
  if (payload.size() < kTargetStampsBytes) return std::nullopt;
  const auto kernel = load_little<std::uint64_t>(payload, 0);
  const auto received = load_little<std::uint64_t>(payload, 8);
  const auto sent = load_little<std::uint64_t>(payload, 16);
  if (kernel > kMost || received > kMost || sent > kMost) return std::nullopt;
  return TargetStamps{.kernel_received_ns = static_cast<std::int64_t>(kernel),
                      .received_ns = static_cast<std::int64_t>(received),
                      .sent_ns = static_cast<std::int64_t>(sent)};
}

std::optional<SessionStatistics> read_session_statistics(std::span<const std::byte> payload) {
  if (payload.size() < kSessionStatisticsBytes) return std::nullopt;
  return SessionStatistics{.messages = load_little<std::uint64_t>(payload, 0),
                           .bytes = load_little<std::uint64_t>(payload, 8),
                           .duplicates = load_little<std::uint64_t>(payload, 16),
                           .reordered = load_little<std::uint64_t>(payload, 24),
                           .warm_up_messages = load_little<std::uint64_t>(payload, 32),
                           .sent_messages = load_little<std::uint64_t>(payload, 40),
                           .sent_bytes = load_little<std::uint64_t>(payload, 48),
                           .malformed = load_little<std::uint64_t>(payload, 56)};
}

std::optional<SocketCounters> read_socket_counters(std::span<const std::byte> payload) {
  if (payload.size() < kSocketCountersBytes) return std::nullopt;
  const auto joins = load_little<std::uint32_t>(payload, 4);
  const SocketCounters value{.place = load_little<std::uint16_t>(payload, 0),
                             .places = load_little<std::uint16_t>(payload, 2),
                             .joins = joins == 1,
                             .taken = load_little<std::uint64_t>(payload, 8),
                             .answered = load_little<std::uint64_t>(payload, 16),
                             .duplicated = load_little<std::uint64_t>(payload, 24),
                             .dropped = load_little<std::uint64_t>(payload, 32),
                             .discarded = load_little<std::uint64_t>(payload, 40),
                             .send_errors = load_little<std::uint64_t>(payload, 48),
                             .ignored = load_little<std::uint64_t>(payload, 56),
                             .kernel_drops = load_little<std::uint64_t>(payload, 64)};
  if (joins > 1 || value.place >= value.places) return std::nullopt;
  return value;
}

}  // namespace volley
