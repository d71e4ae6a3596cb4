// A run of a saved report. Its histograms are believed only as far as they can be checked: their
// counters are decoded within limits, and their sum must be the count that stands beside them.
#include "reports/render/json_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "reports/render/hdr.hpp"
#include "reports/render/json_conditions.hpp"
#include "reports/render/json_delay.hpp"
#include "reports/render/json_loss.hpp"

namespace volley {
namespace {

std::vector<KindCount> read_kinds(const JsonNode& node) {
  std::vector<KindCount> kinds;
  node.members([&](const std::string& key, const JsonNode& value) {
    if (!error_kind_from(key)) value.refuse("unknown kind", "the kinds of the schema");
    kinds.push_back({key, value.count()});
  });
  return kinds;
}

LoadFigures read_load(const JsonNode& node, bool later) {
  JsonObject o(node);
  LoadFigures load;
  load.intended_per_s = o.at("intended_per_s").number_or_null();
  load.offered_per_s = o.at("offered_per_s").number();
  load.achieved_per_s = o.at("achieved_per_s").number_or_null();
  o.finish(later);
  return load;
}

RequestFigures read_requests(const JsonNode& node, bool later) {
  JsonObject o(node);
  RequestFigures r;
  r.planned = o.at("planned").count_or_null();
  r.unsent = read_kinds(o.at("unsent"));
  r.skipped = o.at("skipped").count_or_null();
  r.sent = o.at("sent").count();
  r.completed = o.at("completed").count_or_null();
  r.lost = o.at("lost").count_or_null();
  r.late = o.at("late").count();
  r.errors = read_kinds(o.at("errors"));
  r.in_flight = o.at("in_flight").count_or_null();
  r.duplicates = o.at("duplicates").count();
  r.reordered = o.at("reordered").count();
  r.held_back = o.at("held_back").count();
  r.loss_ratio = o.at("loss_ratio").number_or_null();
  o.finish(later);
  return r;
}

// The figures without the histogram, which read_histogram() adds.
LatencyFigures read_figures(JsonObject& o) {
  LatencyFigures f;
  f.count = o.at("count").count();
  f.min = o.at("min").nanos_or_null();
  f.mean = o.at("mean").number_or_null();
  f.stddev = o.at("stddev").number_or_null();
  for (const PercentileKey& key : kPercentiles) f.*key.figure = o.at(key.key).nanos_or_null();
  f.max = o.at("max").nanos_or_null();
  f.out_of_range = o.at("out_of_range").count();
  const JsonNode beyond = o.at("beyond");
  f.beyond_lost = !beyond.is_null() && !read_word(beyond, {"lost"}).empty();
  return f;
}

// `exact` has the figures that the counters cannot tell: min, max and mean.
std::optional<Histogram> read_histogram(const JsonNode& node, const LatencyFigures& exact) {
  if (node.is_null()) {
    if (exact.count > 0) node.refuse("no histogram for its samples", "one, as \"count\" is not 0");
    return std::nullopt;
  }
  std::vector<std::uint64_t> counters;
  try {
    counters = decode_hdr(node.text());
  } catch (const BadHdr& e) {
    node.refuse(e.what(), "an HdrHistogram in V2 compressed encoding");
  }
  std::uint64_t sum = 0;  // fits: decode_hdr has added them up
  for (const std::uint64_t count : counters) sum += count;
  constexpr std::uint64_t most = std::uint64_t{1} << 53U;  // what sums and ratios stay exact for
  if (sum > most) node.refuse(fmt::format("it has {} samples", sum), "at most 2^53");
  if (sum != exact.count)
    node.refuse(fmt::format("it has {} samples", sum),
                fmt::format("as many as \"count\": {}", exact.count));
  Histogram histogram;
  histogram.restore(counters, Nanos(exact.min.value_or(0)),
                    Nanos(exact.max.value_or(Histogram::kHighest)),
                    exact.mean.value_or(0.0) * static_cast<double>(sum));
  return histogram;
}

void read_interval_of(Claim& claim, const JsonNode& node, bool later) {
  claim.holds = !node.is_null();
  if (!claim.holds) return;
  JsonObject o(node);
  claim.low = o.at("low").nanos_or_null();
  claim.high = o.at("high").nanos_or_null();
  o.finish(later);
}

void read_evidence_of(Claim& claim, const JsonNode& node, bool later) {
  JsonObject o(node);
  claim.effective_samples = o.at("effective_samples").number();
  claim.tail_events = o.at("tail_events").count();
  claim.samples_needed = o.at("samples_needed").count_or_null();
  o.finish(later);
}

// What the figures may claim. A report of before there were claims has no "evidence".
std::optional<Claims> read_claims(JsonObject& o, bool later) {
  const JsonNode ci95 = o.at("ci95");
  if (ci95.is_null()) {
    if (const auto evidence = o.find("evidence"); evidence && !later) evidence->require_null();
    return std::nullopt;
  }
  const JsonNode evidence = o.at("evidence");
  Claims claims;
  JsonObject intervals(ci95);
  JsonObject evidences(evidence);
  for (const PercentileKey& key : kPercentiles) {
    Claim& claim = claims.*key.claim;
    read_interval_of(claim, intervals.at(key.key), later);
    read_evidence_of(claim, evidences.at(key.key), later);
  }
  intervals.finish(later);
  evidences.finish(later);
  return claims;
}

void finish_latency(LatencyFigures& figures, JsonObject& o, bool later) {
  figures.claims = read_claims(o, later);
  o.finish(later);
}

LatencyFigures read_latency(const JsonNode& node, bool later) {
  JsonObject o(node);
  LatencyFigures f = read_figures(o);
  f.histogram = read_histogram(o.at("histogram"), f);
  finish_latency(f, o, later);
  return f;
}

// The two share their samples; response has their histogram, response_delivered their exact
// figures.
void read_responses(RunReport& run, const JsonNode& response, const JsonNode& delivered,
                    bool later) {
  JsonObject of_all(response);
  JsonObject of_completed(delivered);
  run.response = read_figures(of_all);
  run.response_delivered = read_figures(of_completed);
  run.response.histogram = read_histogram(of_all.at("histogram"), run.response_delivered);
  run.response_delivered.histogram = run.response.histogram;
  of_completed.at("histogram").require_null();
  if (run.response.count != run.response_delivered.count)
    delivered.refuse("its count is not that of response", "the same samples");
  finish_latency(run.response, of_all, later);
  finish_latency(run.response_delivered, of_completed, later);
}

void read_latencies(RunReport& run, const JsonNode& node, bool later) {
  JsonObject o(node);
  const JsonNode response = o.at("response");
  read_responses(run, response, o.at("response_delivered"), later);
  run.service = read_latency(o.at("service"), later);
  run.send_lag = read_latency(o.at("send_lag"), later);
  run.connect = read_latency(o.at("connect"), later);
  o.finish(later);
}

std::vector<SocketEventFigures> read_events(const JsonNode& node, bool later) {
  std::vector<SocketEventFigures> events;
  node.members([&](const std::string& key, const JsonNode& value) {
    if (!error_kind_from(key)) value.refuse("unknown kind", "the kinds of the schema");
    JsonObject o(value);
    SocketEventFigures event;
    event.kind = key;
    event.count = o.at("count").count();
    event.first_s = o.at("first_s").number();
    event.last_s = o.at("last_s").number();
    o.finish(later);
    events.push_back(std::move(event));
  });
  return events;
}

GeneratorSide read_generator(const JsonNode& node, bool later) {
  JsonObject o(node);
  GeneratorSide g;
  g.threads = static_cast<unsigned>(o.at("threads").count(std::numeric_limits<unsigned>::max()));
  g.wall_s = o.at("wall_s").number();
  g.cpu_user_s = o.at("cpu_user_s").number();
  g.cpu_system_s = o.at("cpu_system_s").number();
  static_cast<void>(o.at("cpu_ratio").number_or_null());
  g.context_switches = o.at("context_switches").count();
  g.wait = o.at("wait").text();
  g.send_calls = o.at("send_calls").count_or_null();
  g.receive_calls = o.at("receive_calls").count_or_null();
  static_cast<void>(o.at("calls_per_message").number_or_null());
  // Reports of before every run was calibrated lack the key.
  if (const auto found = o.find("calibration")) g.calibration = read_calibration(*found, later);
  o.at("warnings").elements([&](const JsonNode& line) { g.warnings.push_back(line.text()); });
  o.finish(later);
  return g;
}

std::optional<TargetSide> read_target(const JsonNode& node, bool later) {
  if (node.is_null()) return std::nullopt;
  JsonObject o(node);
  TargetSide t;
  t.received_messages = o.at("received_messages").count_or_null();
  t.received_bytes = o.at("received_bytes").count_or_null();
  t.duplicates = o.at("duplicates").count_or_null();
  t.reordered = o.at("reordered").count_or_null();
  t.cpu_s = o.at("cpu_s").number_or_null();
  o.finish(later);
  return t;
}

std::optional<HoldFigures> read_hold(const JsonNode& node, bool later) {
  if (node.is_null()) return std::nullopt;
  JsonObject o(node);
  HoldFigures hold;
  hold.connections_wanted = o.at("connections_wanted").count();
  hold.opened = o.at("opened").count();
  hold.failed = read_kinds(o.at("failed"));
  hold.open_duration_s = o.at("open_duration_s").number();
  hold.opened_per_s = o.at("opened_per_s").number_or_null();
  hold.held_at_end = o.at("held_at_end").count();
  hold.died = read_kinds(o.at("died"));
  hold.probed = o.at("probed").count();
  hold.memory.generator_bytes = o.at("generator_bytes_per_connection").number_or_null();
  hold.memory.target_bytes = o.at("target_bytes_per_connection").number_or_null();
  hold.memory.kernel_bytes = o.at("kernel_bytes_per_connection").number_or_null();
  o.finish(later);
  return hold;
}

IntervalFigures read_interval(const JsonNode& node, bool later) {
  JsonObject o(node);
  IntervalFigures i;
  i.start_s = o.at("start_s").number();
  i.end_s = o.at("end_s").number();
  i.sent = o.at("sent").count();
  i.completed = o.at("completed").count_or_null();
  i.lost = o.at("lost").count_or_null();
  i.late = o.at("late").count();
  i.errors = o.at("errors").count();
  i.unsent = o.at("unsent").count();
  i.duplicates = o.at("duplicates").count();
  i.reordered = o.at("reordered").count();
  i.held_back = o.at("held_back").count();
  i.bytes_sent = o.at("bytes_sent").count();
  i.bytes_received = o.at("bytes_received").count();
  i.response_p50_ns = o.at("response_p50_ns").nanos_or_null();
  i.response_p99_ns = o.at("response_p99_ns").nanos_or_null();
  i.response_max_ns = o.at("response_max_ns").nanos_or_null();
  i.send_lag_p99_ns = o.at("send_lag_p99_ns").nanos_or_null();
  o.finish(later);
  return i;
}

void read_bytes(RunReport& run, const JsonNode& node, bool later) {
  JsonObject o(node);
  run.bytes_sent = o.at("sent").count();
  run.bytes_received = o.at("received").count();
  run.goodput_bits_per_s = o.at("goodput_bits_per_s").number_or_null();
  o.finish(later);
}

}  // namespace

RunReport read_run(const JsonNode& node, bool later) {
  JsonObject o(node);
  RunReport run;
  run.name = o.at("name").text();
  run.protocol = read_word(o.at("protocol"), {"udp", "tcp"});
  run.endpoint = o.at("endpoint").text();
  run.workload = o.at("workload").text();
  run.arrival = o.at("arrival").text();
  run.status = read_word(o.at("status"), {"ok", "interrupted", "failed"});
  run.config = read_text_map(o.at("config"));
  run.duration_s = o.at("duration_s").number();
  run.warm_up_s = o.at("warm_up_s").number();
  run.drain_s = o.at("drain_s").number();
  run.load = read_load(o.at("load"), later);
  run.requests = read_requests(o.at("requests"), later);
  read_bytes(run, o.at("bytes"), later);
  read_latencies(run, o.at("latency_ns"), later);
  run.socket_events = read_events(o.at("socket_events"), later);
  o.at(run.protocol == "udp" ? "udp" : "tcp")
      .members([&](const std::string& key, const JsonNode& value) {
        run.protocol_figures.emplace_back(key, value.number_or_null());
      });
  run.generator = read_generator(o.at("generator"), later);
  run.target_side = read_target(o.at("target_side"), later);
  // Reports of before there was this workload, or that account, lack the key.
  if (const auto found = o.find("conditions")) run.conditions = read_conditions(*found, later);
  if (const auto hold = o.find("hold")) run.hold = read_hold(*hold, later);
  if (const auto delay = o.find("delay_by_place")) run.delay_by_place = read_delay(*delay, later);
  read_one_way(o.at("one_way_ns"), run.delay_by_place, later);
  if (const auto loss = o.find("loss_by_place")) run.loss_places = read_loss(*loss, later);
  o.at("intervals").elements([&](const JsonNode& interval) {
    run.intervals.push_back(read_interval(interval, later));
  });
  const JsonNode checks = o.at("checks");
  read_judgement(run, checks, o.at("verdict"), later);
  const JsonNode unknown = o.at("jitter");
  if (!later) unknown.require_null();
  o.finish(later);
  return run;
}

TextPairs read_text_map(const JsonNode& node) {
  TextPairs pairs;
  node.members([&](const std::string& key, const JsonNode& value) {
    pairs.emplace_back(key, value.text());
  });
  return pairs;
}

std::string read_word(const JsonNode& node, std::initializer_list<std::string_view> words) {
  std::string word = node.text();
  if (std::find(words.begin(), words.end(), word) == words.end())
    node.refuse("unknown word", fmt::format("{}", fmt::join(words, ", ")));
  return word;
}

}  // namespace volley
