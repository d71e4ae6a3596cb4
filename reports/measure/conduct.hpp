// How the generator itself, and the machine under it, behaved while it measured: what the report's
// checks of itself rest on (judge/checks). Numbers only. A figure that could not be had is missing,
// never 0: unknown is not good.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reports/measure/away_gaps.hpp"
#include "reports/measure/send_times.hpp"
#include "reports/measure/slices.hpp"
#include "reports/measure/time.hpp"

namespace volley {

// All of the measure phase, whose length is RunRecord::duration.
struct Conduct {
  // A request that left so much later than it was due is late (RequestCounters::sent_late).
  Nanos late_beyond{0};

  // The loop of a sending thread; of the thread where it is largest.
  // Time that lay in gaps, in which the loop neither sent, read nor waited, or woke up too late
  // from a wait: share of the phase.
  std::optional<ByGapLength<double>> gap_ratio;
  // Closed loop: requests that were in flight in such gaps, each time as many as can be.
  std::optional<ByGapLength<double>> gap_requests;
  std::optional<double> busy_ratio;  // share of the phase in which it did not wait
  // Share of the phase in which the thread could have run and had no CPU.
  std::optional<double> run_queue_wait_ratio;

  // Of the CPUs this process may use.
  std::optional<double> steal_ratio;    // time that the hypervisor gave to others
  std::optional<double> foreign_ratio;  // time used by neither this process nor its own target
  // Periods in which a quota on CPU time held this process back (cgroups).
  std::optional<std::uint64_t> throttled;

  std::string clock_source;  // the kernel's; empty: unknown
  std::optional<double> clock_resolution_ns;
  // CLOCK_MONOTONIC against CLOCK_MONOTONIC_RAW, in parts per million, without its sign.
  std::optional<double> clock_drift_ppm;
  std::optional<double> clock_step_ns;  // CLOCK_REALTIME against CLOCK_MONOTONIC, likewise

  // rr: the sum over all measured requests of the time from sending to the answer or to giving it
  // up, from a count of what was in flight that is kept beside the book of requests.
  std::optional<double> in_flight_ns;

  // Open loop, Poisson: of each thread, stretches of consecutive requests. Each of n threads has
  // every n-th request; where flows cannot be dealt so, there are none.
  std::vector<std::vector<SendTimes>> send_times;

  // The response times of each thread.
  std::vector<SparseHistogram> response_of_thread;
};

}  // namespace volley
