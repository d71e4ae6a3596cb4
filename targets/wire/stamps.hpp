// When the kernel had a datagram: software stamps of SO_TIMESTAMPING, taken where a datagram
// leaves for its device and where it comes from there. Both are CLOCK_REALTIME.
//
// Once any socket of the host wants the times of what it receives, the kernel stamps all that comes
// to the host. It begins a moment after it was asked, so the first datagrams have no stamp.
#pragma once

#include <cstdint>
#include <optional>

#include "reports/measure/time.hpp"
#include "targets/wire/socket.hpp"

namespace volley {

// Asks for the time of all that the socket receives (ReceiveBatch::read_kernel_times reads it).
// errno.
[[nodiscard]] int stamp_received(const Descriptor& socket);
// Asks for that, and that sends may ask for theirs (SendBatch::stamp). errno.
[[nodiscard]] int stamp_both(const Descriptor& socket);

// When the kernel gave a datagram to its device.
struct SendStamp {
  std::uint32_t number = 0;  // which of the sends that asked on this socket, from 0
  Nanos time{0};             // CLOCK_REALTIME
};
// The next stamp that waits at the socket; none: there is none. As long as one waits, polling says
// that the socket has failed. A call of its own, so for samples only.
[[nodiscard]] std::optional<SendStamp> take_send_stamp(const Descriptor& socket);

// What CLOCK_REALTIME is ahead of CLOCK_MONOTONIC. Both are slewed alike, so it changes only when
// the host's time is set.
struct WallOffset {
  Nanos ahead{0};
  Nanos error{0};  // at most: half of what the two readings around it took
};
// The best of a few readings: some 0.1 us.
[[nodiscard]] WallOffset wall_offset();

}  // namespace volley
