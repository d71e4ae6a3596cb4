// What a sink tells of how a run's streams arrived, and how it knows when a message was sent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "reports/measure/arrival_quality.hpp"
#include "reports/measure/time.hpp"

namespace volley {

// A stream message over UDP carries its sender's CLOCK_MONOTONIC of before the send call, in units
// of 16 ns and without what does not fit 32 bits. Differences of delays need no more: they are
// right while delays lie within 34 s of each other.
using TimeMark = std::uint32_t;
[[nodiscard]] constexpr TimeMark time_mark(MonoTime time) {
  return static_cast<TimeMark>(static_cast<std::uint64_t>(time.time_since_epoch().count()) >> 4U);
}
// By how much one time lies after the other.
[[nodiscard]] constexpr Nanos between_marks(TimeMark earlier, TimeMark later) {
  return Nanos(std::int64_t{static_cast<std::int32_t>(later - earlier)} * 16);
}

// Of all flows of one run whose messages reach one socket of the target.
struct StreamQuality {       // 256 bytes
  std::uint16_t place = 0;   // which of the target's places answers …
  std::uint16_t places = 1;  // … of how many
  ArrivalQuality figures;
  friend bool operator==(const StreamQuality&, const StreamQuality&) = default;
};

inline constexpr std::size_t kStreamQualityBytes = 256;

// Little-endian, fixed size; reading gives none when there are too few bytes or a field is out of
// range.
void write_payload(const StreamQuality& value, std::span<std::byte> to);
[[nodiscard]] std::optional<StreamQuality> read_stream_quality(std::span<const std::byte> payload);

}  // namespace volley
