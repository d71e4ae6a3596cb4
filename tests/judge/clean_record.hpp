// A record of a run in which nothing went wrong, for tests that spoil one thing of it each.
#pragma once

#include <algorithm>
#include <string>

#include "reports/judge/checks.hpp"
#include "reports/judge/summary.hpp"
#include "reports/measure/record.hpp"

namespace volley::clean {

inline constexpr int kSlices = 64;
inline constexpr int kEach = 1000;  // requests in a slice

// Answers of one slice: 100 us and more, up to some 200 us, the same in each slice.
inline std::int64_t response_of(int i) { return 100'000 + i * 50 + (i % 40 == 0 ? 50'000 : 0); }

// The slices of a record and, as their sum, its distributions, from a function of slice and number.
template <typename Response>
void fill(RunRecord& r, Response response) {
  r.slices = Slices(r.timeout);
  r.latencies = {};
  r.conduct.in_flight_ns = 0;
  const Nanos length = slice_end(Nanos(0));
  for (int slice = 0; slice < kSlices; ++slice) {
    Latencies part;
    RequestCounters counters;
    counters.sent = kEach;
    for (int i = 0; i < kEach; ++i) {
      const std::int64_t took = response(slice, i);
      part.response.record(took, 1);
      part.service.record(took - 200, 1);
      part.send_lag.record(200, 1);
      *r.conduct.in_flight_ns += static_cast<double>(took - 200);
    }
    r.slices.add(length * slice, part, counters);
    r.latencies.merge(part);
  }
}

// An open loop over UDP, 64,000 requests.
inline RunRecord record() {
  RunRecord r;
  r.name = "udp rr";
  r.protocol = "udp";
  r.workload = "rr";
  r.arrival = "poisson";
  r.timeout = std::chrono::seconds(2);
  r.duration = std::chrono::seconds(10);
  r.intended_per_s = 6'400;
  r.planned = r.counters.sent = r.counters.completed = kSlices * kEach;
  r.protocol_figures = {{"socket_drops", 0}};
  fill(r, [](int, int i) { return response_of(i); });
  Conduct& c = r.conduct;
  c.late_beyond = std::chrono::microseconds(40);
  c.gap_ratio = c.gap_requests = ByGapLength<double>{};
  c.steal_ratio = c.foreign_ratio = c.run_queue_wait_ratio = 0;
  c.busy_ratio = 0.3;
  c.throttled = 0;
  c.clock_source = "tsc";
  c.clock_resolution_ns = 20;
  c.clock_drift_ppm = 3;
  c.clock_step_ns = 100;
  SparseHistogram half;
  half.add(r.latencies.response);
  c.response_of_thread = {half, half};
  return r;
}

inline RunRecord closed_record() {
  RunRecord r = record();
  r.arrival = "closed";
  r.intended_per_s.reset();
  r.planned.reset();
  return r;
}

// The checks with this id, in their order.
inline std::vector<Check> checks_of(const RunRecord& r, const std::string& id) {
  const RunReport run = summarize(r);
  std::vector<Check> found;
  for (const Check& check : *run.checks)
    if (check.id == id) found.push_back(check);
  return found;
}

// The worst of them, n/a the best.
inline std::string status_of(const RunRecord& r, const std::string& id) {
  const std::vector<std::string> order{"not_applicable", "pass", "unknown", "warn", "fail"};
  std::size_t worst = 0;
  for (const Check& check : checks_of(r, id)) {
    const auto at = std::find(order.begin(), order.end(), to_string(check.status));
    worst = std::max(worst, static_cast<std::size_t>(at - order.begin()));
  }
  return order[worst];
}

}  // namespace volley::clean
