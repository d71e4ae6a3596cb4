// From a record to its figures. The one idea: a figure that cannot be known is missing, and a lost
// request is an answer that took for ever, so it belongs to every percentile of the response.
#include "reports/judge/summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

#include "reports/judge/checks.hpp"
#include "reports/judge/verdicts.hpp"

namespace volley {
namespace {

__extension__ using Wide = unsigned __int128;

std::optional<std::int64_t> count_of(std::optional<Nanos> t) {
  return t ? std::optional(t->count()) : std::nullopt;
}

// Divided, not multiplied by 1e-9: a whole number of seconds stays whole.
double seconds(Nanos t) { return static_cast<double>(t.count()) / 1e9; }

std::optional<double> per_second(std::uint64_t n, Nanos duration) {
  if (duration <= Nanos(0)) return std::nullopt;
  return static_cast<double>(n) / seconds(duration);
}

std::vector<KindCount> kinds_that_happened(const ErrorCounts& counts) {
  std::vector<KindCount> kinds;
  for (std::size_t i = 0; i < counts.size(); ++i)
    if (counts[i] > 0)
      kinds.push_back({std::string(to_string(static_cast<ErrorKind>(i))), counts[i]});
  return kinds;
}

// Zero where the records contradict themselves; broken_identity() then says so.
std::uint64_t what_is_left(std::uint64_t whole, Wide parts) {
  return parts > whole ? 0 : whole - static_cast<std::uint64_t>(parts);
}

Wide total_of(const std::vector<KindCount>& kinds) {
  Wide sum = 0;
  for (const KindCount& kind : kinds) sum += kind.count;
  return sum;
}

RequestFigures request_figures(const RunRecord& record) {
  const RequestCounters& c = record.counters;
  RequestFigures r;
  r.planned = record.planned;
  r.unsent = kinds_that_happened(c.unsent);
  r.sent = c.sent;
  r.late = c.late;
  r.errors = kinds_that_happened(c.errors);
  r.duplicates = c.duplicates;
  r.reordered = c.reordered;
  r.held_back = c.held_back;
  if (r.planned) r.skipped = what_is_left(*r.planned, c.sent + total_of(r.unsent));
  if (!record.has_answers) return r;
  r.completed = c.completed;
  r.lost = c.lost;
  r.in_flight = what_is_left(c.sent, Wide{c.completed} + c.lost + total_of(r.errors));
  if (c.sent > 0) r.loss_ratio = static_cast<double>(c.lost) / static_cast<double>(c.sent);
  return r;
}

std::vector<SocketEventFigures> event_figures(const std::vector<SocketEvent>& events) {
  std::vector<SocketEventFigures> figures;
  for (const SocketEvent& event : events) {
    const std::string kind(to_string(event.kind));
    const auto same = std::find_if(figures.begin(), figures.end(),
                                   [&](const SocketEventFigures& f) { return f.kind == kind; });
    if (same == figures.end()) {
      figures.push_back({kind, event.count, seconds(event.first), seconds(event.last)});
      continue;
    }
    same->count += event.count;
    same->first_s = std::min(same->first_s, seconds(event.first));
    same->last_s = std::max(same->last_s, seconds(event.last));
  }
  return figures;
}

std::optional<HoldFigures> hold_figures(const std::optional<HoldSide>& hold) {
  if (!hold) return std::nullopt;
  HoldFigures f;
  f.connections_wanted = hold->wanted;
  f.opened = hold->opened;
  f.failed = kinds_that_happened(hold->failed);
  f.open_duration_s = seconds(hold->open_duration);
  f.opened_per_s = per_second(hold->opened, hold->open_duration);
  f.held_at_end = hold->held_at_end;
  f.died = kinds_that_happened(hold->died);
  f.probed = hold->probed;
  f.memory = hold->memory;
  return f;
}

// Payload that reached the one who wanted it: bytes_received holds what the receivers of a stream
// counted, too. Unknown for a stream into a sink that says nothing.
std::optional<std::uint64_t> useful_bytes(const RunRecord& record) {
  if (record.workload == "stream" && !record.has_answers) return std::nullopt;
  return record.counters.bytes_received;
}

// The figures of one of the record's distributions, judged by how its samples fell on the slices.
LatencyFigures judged(const RunRecord& record, const Histogram& all,
                      SparseHistogram Slice::*recorded, std::uint64_t lost) {
  LatencyFigures figures = figures_of(all, lost);
  if (all.empty() && all.above() == 0 && lost == 0) return figures;
  std::vector<SliceSamples> samples;
  for (const Slice& slice : record.slices.all())
    samples.push_back({slice.*recorded, lost > 0 ? slice.lost : 0});
  return withhold(figures, claims_of(all, lost, samples));
}

void fill_latencies(RunReport& run, const RunRecord& record) {
  const std::uint64_t lost = record.has_answers ? record.counters.lost : 0;
  const Latencies& l = record.latencies;
  if (record.has_response) {
    run.response = judged(record, l.response, &Slice::response, lost);
    run.response_delivered = judged(record, l.response, &Slice::response, 0);
    run.service = judged(record, l.service, &Slice::service, 0);
  }
  run.send_lag = judged(record, l.send_lag, &Slice::send_lag, 0);
  // Where a request is a handshake, a lost request is a handshake that took for ever.
  const bool is_handshake = record.workload == "connect";
  const bool makes_connections =
      is_handshake || (record.workload == "crr" && record.protocol == "tcp");
  if (makes_connections || !l.connect.empty())
    run.connect = judged(record, l.connect, &Slice::connect, is_handshake ? lost : 0);
}

RunReport begin_report_of(const RunRecord& record) {
  RunReport run;
  run.name = record.name;
  run.protocol = record.protocol;
  run.endpoint = record.endpoint;
  run.workload = record.workload;
  run.arrival = record.arrival;
  run.status = std::string(to_string(record.status));
  run.config = record.config;
  run.warm_up_s = seconds(record.warm_up);
  return run;
}

// Requests, bytes and loads over the time in which they were measured.
void fill_load(RunReport& run, const RunRecord& record, Nanos measured) {
  run.duration_s = seconds(measured);
  run.requests = request_figures(record);
  run.load.intended_per_s = record.intended_per_s;
  run.load.offered_per_s = per_second(record.counters.sent, measured).value_or(0.0);
  if (record.has_answers) run.load.achieved_per_s = per_second(record.counters.completed, measured);
  run.bytes_sent = record.counters.bytes_sent;
  run.bytes_received = record.counters.bytes_received;
  if (const auto useful = useful_bytes(record))
    if (const auto bytes_per_s = per_second(*useful, measured))
      run.goodput_bits_per_s = *bytes_per_s * 8.0;
}

}  // namespace

IntervalFigures interval_figures(const IntervalSummary& interval, bool has_answers) {
  const RequestCounters& c = interval.counters;
  IntervalFigures f;
  f.start_s = seconds(interval.begin);
  f.end_s = seconds(interval.end);
  f.sent = c.sent;
  if (has_answers) {
    f.completed = c.completed;
    f.lost = c.lost;
  }
  f.late = c.late;
  f.errors = total(c.errors);
  f.unsent = total(c.unsent);
  f.duplicates = c.duplicates;
  f.reordered = c.reordered;
  f.held_back = c.held_back;
  f.bytes_sent = c.bytes_sent;
  f.bytes_received = c.bytes_received;
  f.response_p50_ns = count_of(interval.response_p50);
  f.response_p99_ns = count_of(interval.response_p99);
  f.response_max_ns = count_of(interval.response_max);
  f.send_lag_p99_ns = count_of(interval.send_lag_p99);
  return f;
}

LatencyFigures figures_of(const Histogram& histogram, std::uint64_t lost) {
  LatencyFigures f;
  f.count = histogram.count();
  f.min = count_of(histogram.min());
  for (const PercentileKey& key : kPercentiles)
    f.*key.figure = count_of(histogram.at(key.percentile, lost));
  f.beyond_lost = lost > 0;
  // One sample without an end makes the largest and the mean unknowable.
  if (lost == 0 && histogram.above() == 0) {
    f.max = count_of(histogram.max());
    f.mean = histogram.mean_ns();
    f.stddev = histogram.stddev_ns();
  }
  f.out_of_range = histogram.below() + histogram.above();
  f.histogram = histogram;
  return f;
}

bool is_withheld(const LatencyFigures& f, const PercentileKey& key) {
  return f.claims && !((*f.claims).*key.claim).holds;
}

bool is_spoiled(const LatencyFigures& f, const PercentileKey& key) {
  return std::find(f.spoiled.begin(), f.spoiled.end(), key.percentile.ppm) != f.spoiled.end();
}

std::uint64_t endless_in(const RunReport& run, LatencyFigures RunReport::*latency) {
  const bool handshakes = run.workload == "connect" && latency == &RunReport::connect;
  return latency == &RunReport::response || handshakes ? run.requests.lost.value_or(0) : 0;
}

LatencyFigures withhold(LatencyFigures figures, const Claims& claims) {
  for (const PercentileKey& key : kPercentiles)
    if (!(claims.*key.claim).holds) (figures.*key.figure).reset();
  figures.claims = claims;
  return figures;
}

RunReport summarize(const RunRecord& record) {
  RunReport run = begin_report_of(record);
  run.conditions = record.conditions;
  run.drain_s = seconds(record.drain);
  fill_load(run, record, record.duration);
  fill_latencies(run, record);
  run.socket_events = event_figures(record.socket_events);
  run.protocol_figures = record.protocol_figures;
  run.generator = record.generator;
  run.target_side = record.target_side;
  run.hold = hold_figures(record.hold);
  run.delay_by_place = record.delay_by_place;
  run.loss_places = record.loss_places;
  for (const IntervalSummary& interval : record.intervals)
    run.intervals.push_back(interval_figures(interval, record.has_answers));
  run.checks = check(record, run);
  run.verdict = conclude(run, *run.checks);
  withhold_invalid(run);
  return run;
}

RunReport tally(const RunRecord& record) {
  RunReport run = begin_report_of(record);
  run.status = std::string(to_string(RunStatus::ok));
  const IntervalSummary last =
      record.intervals.empty() ? IntervalSummary{} : record.intervals.back();
  fill_load(run, record, last.end);
  // No outcome, but what has none yet: a count that falls again.
  run.requests.in_flight.reset();
  const auto counted = [](const Histogram& histogram) {
    LatencyFigures figures;
    figures.count = histogram.count();
    figures.histogram = histogram;
    return figures;
  };
  const Latencies& l = record.latencies;
  if (record.has_response) {
    run.response = run.response_delivered = counted(l.response);
    run.service = counted(l.service);
  }
  run.send_lag = counted(l.send_lag);
  run.connect = counted(l.connect);
  run.intervals.push_back(interval_figures(last, record.has_answers));
  return run;
}

std::string broken_identity(const RequestFigures& r) {
  const Wide unsent = total_of(r.unsent);
  const Wide errors = total_of(r.errors);
  if (r.planned && r.skipped && Wide{*r.planned} != Wide{r.sent} + unsent + *r.skipped)
    return fmt::format(
        "planned = sent + unsent + skipped does not hold: {} planned, {} sent, "
        "{} unsent, {} skipped",
        *r.planned, r.sent, unsent, *r.skipped);
  if (r.completed && r.lost && r.in_flight &&
      Wide{r.sent} != Wide{*r.completed} + *r.lost + errors + *r.in_flight)
    return fmt::format(
        "sent = completed + lost + errors + in_flight does not hold: {} sent, "
        "{} completed, {} lost, {} errors, {} in flight",
        r.sent, *r.completed, *r.lost, errors, *r.in_flight);
  if (r.lost && r.late > *r.lost)
    return fmt::format("late <= lost does not hold: {} late, {} lost", r.late, *r.lost);
  return {};
}

}  // namespace volley
