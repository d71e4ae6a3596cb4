// Where a request's time went: sampled requests that were stamped on their way, and what follows
// from the stamps. Pure.
//
// A stamped request has up to seven times:
//
//   intended ≤ sent ≤ kernel sent ≤ target's kernel received ≤ target received ≤ target sent
//            ≤ kernel received ≤ received
//
// and the places lie between them. Times of the target are by its own CLOCK_MONOTONIC, all others
// by the generator's; on one host (and in one time namespace) that is one clock. Which it is shows
// in the stamps: by one clock nothing arrives before it was sent. By two clocks their distance is
// estimated from the quickest round trip (RFC 5905, section 8: half of what the two ways differ
// by), which no way of sharing that trip between its two ways can put off by more than half of it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "reports/measure/calibration.hpp"
#include "reports/measure/time.hpp"

namespace volley {

struct StampedRequest {
  MonoTime intended, sent, received;
  std::optional<MonoTime> kernel_sent;      // handed to the device
  std::optional<MonoTime> kernel_received;  // the answer came from it
  // By the target's clock.
  std::optional<MonoTime> target_kernel_received;
  MonoTime target_received, target_sent;
};

enum class DelayPlace : std::uint8_t {
  send_lag,           // intended to sent
  generator_kernel,   // to the device
  forward,            // the way there: to the target's kernel; without kernel stamps to the target
  target_queue,       // until the target took it up
  target_service,     // until it called its kernel to send the answer
  backward,           // the way back, the target's sending included
  generator_wake_up,  // until the generator had read it
};
inline constexpr std::size_t kDelayPlaces = 7;
// The key in a report: "send_lag" …
[[nodiscard]] std::string_view to_string(DelayPlace place);

// Order statistics: the smallest value that at least such a share of the samples do not exceed.
struct DelaySpread {
  Nanos min{0}, p50{0}, p99{0}, max{0};
};

// How the requests around a percentile of response spent their time: means over the `samples` next
// to it in rank, so that the places add up to `response`.
struct DelayAt {
  double percentile = 0;  // 0.5, 0.99, 0.999
  std::uint64_t samples = 0;
  Nanos response{0};
  std::array<std::optional<Nanos>, kDelayPlaces> places{};
};

struct DelayByPlace {
  std::uint64_t asked = 0;     // measured requests that were to be stamped
  std::uint64_t samples = 0;   // of these: came back stamped, within the timeout
  std::uint64_t complete = 0;  // of these: with all the stamps of both kernels
  bool kernel_times = false;   // the figures below are of the complete ones, and of all places
  std::array<std::optional<DelaySpread>, kDelayPlaces> places{};
  std::vector<DelayAt> waterfall;  // of those percentiles that at least 10 samples lie beyond

  bool same_clock = true;
  Nanos clock_offset{0};  // what the target's clock is ahead; 0 for one clock
  Nanos clock_error{0};   // of times of two clocks, at most; of one: of converting kernel stamps
  std::uint64_t order_violations = 0;  // samples that were somewhere before they had been there
  Nanos worst_violation{0};
  bool clock_stepped = false;  // the wall clock was set meanwhile: no kernel stamp was used
  std::optional<DelaySpread> one_way_forward, one_way_backward;
  std::optional<Calibration> calibration;  // of the generator's readings during the run
};

// What came beside the samples.
struct StampingNotes {
  std::uint64_t asked = 0;
  Nanos conversion_error{0};   // of kernel stamps, at most
  bool clock_stepped = false;  // CLOCK_REALTIME moved against CLOCK_MONOTONIC
};
// What a thread's stamping came to.
struct StampingResult {
  std::vector<StampedRequest> samples;  // of the measure phase
  StampingNotes notes;
};

// Figures are missing where there are no samples for them.
[[nodiscard]] DelayByPlace delays_by_place(std::span<const StampedRequest> samples,
                                           const StampingNotes& notes);

}  // namespace volley
