// Reports to merge, that started at the same time: of clean runs, and of whatever requests.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "reports/judge/merge.hpp"
#include "tests/judge/clean_record.hpp"

namespace volley::merging {

inline NamedReport named(std::string name, std::vector<RunReport> runs) {
  Report report;
  report.tool_version = "0.1.0";
  report.tool_commit = "0123abcd";
  report.started_at = "2026-11-22T13:12:58.123Z";
  report.host = {{"kernel", "Linux 6.1.0"}, {"name", name}};
  report.argv = {"volley", "run", "udp"};
  report.labels = {{"branch", "main"}, {"who", name}};
  report.runs = std::move(runs);
  return {std::move(name), std::move(report)};
}

inline NamedReport named(std::string name, const RunRecord& record) {
  return named(std::move(name), std::vector{summarize(record)});
}

// 64,000 requests that take so much longer than those of clean::record().
inline RunRecord clean_record(std::int64_t slower_by) {
  RunRecord r = clean::record();
  r.endpoint = "udp://127.0.0.1:2924";
  r.config = {{"size", "64"}, {"rate", "6400/s"}, {"flows", "4"}, {"seed", "1"}};
  clean::fill(r, [&](int, int i) { return clean::response_of(i) + slower_by; });
  return r;
}

using Durations = std::vector<std::uint32_t>;  // of requests, in ns

inline RunRecord empty_record() {
  RunRecord r;
  r.name = "udp rr";
  r.protocol = "udp";
  r.workload = "rr";
  r.arrival = "poisson";
  r.endpoint = "udp://127.0.0.1:2924";
  r.config = {{"size", "64"}, {"rate", "500/s"}, {"flows", "4"}, {"seed", "1"}};
  r.timeout = std::chrono::seconds(2);
  r.duration = std::chrono::seconds(10);
  r.planned = 0;
  r.intended_per_s = 500;
  r.target_side = TargetSide{0, 0, 0, 0, {}};
  return r;
}

// A request that took so long, or (by a few of its values) was lost, failed or could not be sent.
inline void note(IntervalRecord& interval, std::uint32_t took) {
  RequestCounters& c = interval.counters;
  if (took % 29 == 0) {
    ++c.unsent[took % 2 == 0 ? 3 : 8];
    return;
  }
  ++c.sent;
  c.bytes_sent += 64;
  interval.latencies.send_lag.record(took % 1000, 1);
  if (took % 17 == 0) {
    ++c.lost;
    if (took % 2 == 0) ++c.late;
  } else if (took % 19 == 0) {
    ++c.errors[took % 2 == 0 ? 1 : 5];
  } else {
    ++c.completed;
    c.bytes_received += 64;
    c.duplicates += took % 5 == 0 ? 1 : 0;
    c.reordered += took % 7 == 0 ? 1 : 0;
    interval.latencies.response.record(took + 1, 1);
    interval.latencies.service.record(took, 1);
  }
}

// A record of these requests, a third of them in each of three intervals.
inline RunRecord record_of(const Durations& requests) {
  RunRecord r = empty_record();
  for (std::uint32_t i = 0; i < 3; ++i) {
    IntervalRecord interval;
    interval.index = i;
    interval.begin = std::chrono::seconds(i);
    interval.end = std::chrono::seconds(i + 1);
    for (std::size_t j = i; j < requests.size(); j += 3) note(interval, requests[j]);
    add_interval(r, interval);
  }
  r.slices = Slices(Nanos(0));
  IntervalRecord slice;
  for (std::size_t i = 0; i < 40 && i < requests.size(); ++i) {
    slice.clear();
    for (std::size_t j = i; j < requests.size(); j += 40) note(slice, requests[j]);
    r.slices.add(slice_end(Nanos(0)) * static_cast<std::int64_t>(i), slice.latencies,
                 slice.counters);
  }
  r.planned = requests.size();
  r.generator.threads = 1;
  r.generator.context_switches = requests.size();
  r.generator.send_calls = r.counters.sent;
  r.target_side->received_messages = r.counters.completed;
  for (const std::uint32_t took : requests)
    if (took % 23 == 0)
      r.socket_events.push_back({static_cast<ErrorKind>(took % 3), 1, Nanos(took), Nanos(took)});
  return r;
}

}  // namespace volley::merging
