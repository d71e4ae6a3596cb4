// Handshakes that took as long as the kernel waits before it sends a SYN again. A server whose
// accept queue is full drops SYNs in silence, and so does a network that loses them; either way the
// time to connect has a cluster where the next SYN was answered, far from all other handshakes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "reports/measure/histogram.hpp"
#include "reports/measure/time.hpp"

namespace volley {

inline constexpr std::size_t kSynRetries = 3;  // that are told apart

// When the kernel sends a SYN for the second, third and fourth time, counted from the first. It
// waits 1 s (RFC 6298 section 2.1) `linear` times more (net.ipv4.tcp_syn_linear_timeouts: 4 from
// Linux 6.5 on, 0 before) and then twice as long each time: 1 s, 3 s, 7 s; or 1 s, 2 s, 3 s.
[[nodiscard]] std::array<Nanos, kSynRetries> syn_retry_times(std::uint64_t linear);

// How much later than that a handshake may have ended and still count: a fifth of a second for its
// round trip and for a busy machine, and an eighth of the time for the kernel's timers, whose wheel
// has places so coarse. Clusters lie a second or more from each other, so they stay apart.
[[nodiscard]] constexpr Nanos syn_retry_slack(Nanos time) {
  return std::chrono::milliseconds(200) + time / 8;
}

// How many of the handshakes ended with the second, third and fourth SYN.
[[nodiscard]] std::array<std::uint64_t, kSynRetries> count_syn_retries(const Histogram& connect,
                                                                       std::uint64_t linear);

}  // namespace volley
