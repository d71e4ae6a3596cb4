#include "reports/measure/record.hpp"

namespace volley {

void Latencies::merge(const Latencies& other) {
  response.merge(other.response);
  service.merge(other.service);
  send_lag.merge(other.send_lag);
  connect.merge(other.connect);
  if (!other.held_lag || other.held_lag->empty()) return;
  if (!held_lag) held_lag.emplace();
  held_lag->merge(*other.held_lag);
}

void Latencies::clear() {
  response.clear();
  service.clear();
  send_lag.clear();
  connect.clear();
  if (held_lag) held_lag->clear();
}

void IntervalRecord::clear() {
  index = 0;
  begin = end = Nanos(0);
  counters = {};
  latencies.clear();
}

std::string_view to_string(RunStatus status) {
  switch (status) {
    case RunStatus::ok:
      return "ok";
    case RunStatus::interrupted:
      return "interrupted";
    case RunStatus::failed:
      break;
  }
  return "failed";
}

void add_interval(RunRecord& record, const IntervalRecord& merged) {
  record.counters += merged.counters;
  record.latencies.merge(merged.latencies);
  IntervalSummary summary;
  summary.index = merged.index;
  summary.begin = merged.begin;
  summary.end = merged.end;
  summary.counters = merged.counters;
  summary.response_p50 = merged.latencies.response.at(kP50);
  summary.response_p99 = merged.latencies.response.at(kP99);
  summary.response_max = merged.latencies.response.max();
  summary.send_lag_p99 = merged.latencies.send_lag.at(kP99);
  record.intervals.push_back(summary);
}

}  // namespace volley
