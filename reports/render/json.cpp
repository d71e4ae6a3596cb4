// Report -> JSON, key for key what reports/schema/report.schema.json describes. Every key is always
// there; what is unknown is null. Only the maps (config, errors …) have keys of their own.
#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <nlohmann/json.hpp>

#include "reports/judge/derived.hpp"
#include "reports/judge/verdicts.hpp"
#include "reports/measure/ensure.hpp"
#include "reports/render/hdr.hpp"
#include "reports/render/json_conditions.hpp"
#include "reports/render/json_delay.hpp"
#include "reports/render/json_loss.hpp"
#include "reports/render/json_parts.hpp"
#include "reports/render/json_thresholds.hpp"
#include "reports/render/renderer.hpp"

namespace volley {
namespace {

using Json = nlohmann::ordered_json;

Json number(double value) {
  ensure(std::isfinite(value), "a figure in a report is finite");
  return value;
}

Json number(std::optional<double> value) { return value ? number(*value) : Json(nullptr); }
Json number(std::optional<std::uint64_t> value) { return value ? Json(*value) : Json(nullptr); }
Json number(std::optional<std::int64_t> value) { return value ? Json(*value) : Json(nullptr); }

// Bytes and counts among the protocol's figures read better as whole numbers.
Json plain_number(std::optional<double> value) {
  constexpr double exact = 9'007'199'254'740'992.0;  // 2^53
  if (value && std::abs(*value) < exact && std::trunc(*value) == *value)
    return static_cast<std::int64_t>(*value);
  return number(value);
}

Json text_map(const TextPairs& pairs) {
  Json map = Json::object();
  for (const auto& [key, value] : pairs) map[key] = value;
  return map;
}

Json kind_map(const std::vector<KindCount>& kinds) {
  Json map = Json::object();
  for (const KindCount& kind : kinds) map[kind.kind] = kind.count;
  return map;
}

Json load_json(const LoadFigures& load) {
  return {{"intended_per_s", number(load.intended_per_s)},
          {"offered_per_s", number(load.offered_per_s)},
          {"achieved_per_s", number(load.achieved_per_s)}};
}

Json requests_json(const RequestFigures& r) {
  return {{"planned", number(r.planned)},
          {"unsent", kind_map(r.unsent)},
          {"skipped", number(r.skipped)},
          {"sent", r.sent},
          {"completed", number(r.completed)},
          {"lost", number(r.lost)},
          {"late", r.late},
          {"errors", kind_map(r.errors)},
          {"in_flight", number(r.in_flight)},
          {"duplicates", r.duplicates},
          {"reordered", r.reordered},
          {"held_back", r.held_back},
          {"loss_ratio", number(r.loss_ratio)}};
}

// Of each percentile that holds: between what and what it lies, by 95 %.
Json ci95_json(const std::optional<Claims>& claims) {
  if (!claims) return nullptr;
  Json map = Json::object();
  for (const PercentileKey& key : kPercentiles) {
    const Claim& claim = (*claims).*key.claim;
    map[key.key] =
        claim.holds ? Json{{"low", number(claim.low)}, {"high", number(claim.high)}} : nullptr;
  }
  return map;
}

// What stands behind each percentile.
Json evidence_json(const std::optional<Claims>& claims) {
  if (!claims) return nullptr;
  Json map = Json::object();
  for (const PercentileKey& key : kPercentiles) {
    const Claim& claim = (*claims).*key.claim;
    map[key.key] = {{"effective_samples", number(claim.effective_samples)},
                    {"tail_events", claim.tail_events},
                    {"samples_needed", number(claim.samples_needed)}};
  }
  return map;
}

Json latency_json(const LatencyFigures& f, bool with_histogram = true) {
  const bool encoded = with_histogram && f.histogram;
  return {{"count", f.count},
          {"min", number(f.min)},
          {"mean", number(f.mean)},
          {"stddev", number(f.stddev)},
          {"p50", number(f.p50)},
          {"p90", number(f.p90)},
          {"p99", number(f.p99)},
          {"p99_9", number(f.p99_9)},
          {"p99_99", number(f.p99_99)},
          {"max", number(f.max)},
          {"out_of_range", f.out_of_range},
          {"beyond", f.beyond_lost ? Json("lost") : Json(nullptr)},
          {"histogram", encoded ? Json(encode_hdr(*f.histogram)) : Json(nullptr)},
          {"ci95", ci95_json(f.claims)},
          {"evidence", evidence_json(f.claims)}};
}

Json latencies_json(const RunReport& run) {
  return {{"response", latency_json(run.response)},
          // The samples are those of response: their histogram is written once, there.
          {"response_delivered", latency_json(run.response_delivered, false)},
          {"service", latency_json(run.service)},
          {"send_lag", latency_json(run.send_lag)},
          {"connect", latency_json(run.connect)}};
}

Json events_json(const std::vector<SocketEventFigures>& events) {
  Json map = Json::object();
  for (const SocketEventFigures& event : events)
    map[event.kind] = {{"count", event.count},
                       {"first_s", number(event.first_s)},
                       {"last_s", number(event.last_s)}};
  return map;
}

Json figures_json(const std::vector<std::pair<std::string, std::optional<double>>>& figures) {
  Json map = Json::object();
  for (const auto& [key, value] : figures) map[key] = plain_number(value);
  return map;
}

Json generator_json(const RunReport& run) {
  const GeneratorSide& g = run.generator;
  return {{"threads", g.threads},
          {"wall_s", number(g.wall_s)},
          {"cpu_user_s", number(g.cpu_user_s)},
          {"cpu_system_s", number(g.cpu_system_s)},
          {"cpu_ratio", number(generator_cpu_ratio(g))},
          {"context_switches", g.context_switches},
          {"wait", g.wait},
          {"send_calls", number(g.send_calls)},
          {"receive_calls", number(g.receive_calls)},
          {"calls_per_message", number(calls_per_message(run))},
          {"calibration", calibration_json(g.calibration)},
          {"warnings", g.warnings}};
}

Json target_json(const std::optional<TargetSide>& target) {
  if (!target) return nullptr;
  return {{"received_messages", number(target->received_messages)},
          {"received_bytes", number(target->received_bytes)},
          {"duplicates", number(target->duplicates)},
          {"reordered", number(target->reordered)},
          {"cpu_s", number(target->cpu_s)}};
}

Json hold_json(const std::optional<HoldFigures>& hold) {
  if (!hold) return nullptr;
  return {{"connections_wanted", hold->connections_wanted},
          {"opened", hold->opened},
          {"failed", kind_map(hold->failed)},
          {"open_duration_s", number(hold->open_duration_s)},
          {"opened_per_s", number(hold->opened_per_s)},
          {"held_at_end", hold->held_at_end},
          {"died", kind_map(hold->died)},
          {"probed", hold->probed},
          {"generator_bytes_per_connection", plain_number(hold->memory.generator_bytes)},
          {"target_bytes_per_connection", plain_number(hold->memory.target_bytes)},
          {"kernel_bytes_per_connection", plain_number(hold->memory.kernel_bytes)}};
}

Json interval_json(const IntervalFigures& i) {
  return {{"start_s", number(i.start_s)},
          {"end_s", number(i.end_s)},
          {"sent", i.sent},
          {"completed", number(i.completed)},
          {"lost", number(i.lost)},
          {"late", i.late},
          {"errors", i.errors},
          {"unsent", i.unsent},
          {"duplicates", i.duplicates},
          {"reordered", i.reordered},
          {"held_back", i.held_back},
          {"bytes_sent", i.bytes_sent},
          {"bytes_received", i.bytes_received},
          {"response_p50_ns", number(i.response_p50_ns)},
          {"response_p99_ns", number(i.response_p99_ns)},
          {"response_max_ns", number(i.response_max_ns)},
          {"send_lag_p99_ns", number(i.send_lag_p99_ns)}};
}

Json checks_json(const std::optional<std::vector<Check>>& checks) {
  if (!checks) return nullptr;
  Json list = Json::array();
  for (const Check& check : *checks)
    list.push_back({{"id", check.id},
                    {"name", check.name},
                    {"status", to_string(check.status)},
                    {"value", plain_number(check.value)},
                    {"threshold", plain_number(check.threshold)},
                    {"unit", check.unit},
                    {"affects", check.affects},
                    {"text", check.text}});
  return list;
}

Json verdict_json(const std::optional<RunVerdict>& verdict) {
  if (!verdict) return nullptr;
  Json numbers = Json::object();
  for (const NumberVerdict& number : verdict->numbers)
    numbers[number.number] = {{"verdict", to_string(number.verdict)},
                              {"decided_by", number.decided_by}};
  return {{"overall", to_string(verdict->overall)},
          {"headline", verdict->headline},
          {"numbers", std::move(numbers)}};
}

Json overall_json(const std::vector<RunReport>& runs) {
  const auto overall = overall_verdict(runs);
  if (!overall) return nullptr;
  return {{"overall", to_string(overall->overall)}, {"headline", overall->headline}};
}

Json run_json(const RunReport& run) {
  ensure(run.protocol == "udp" || run.protocol == "tcp", "a run's protocol is udp or tcp");
  Json intervals = Json::array();
  for (const IntervalFigures& interval : run.intervals)
    intervals.push_back(interval_json(interval));
  Json json = {{"name", run.name},
               {"protocol", run.protocol},
               {"endpoint", run.endpoint},
               {"workload", run.workload},
               {"arrival", run.arrival},
               {"status", run.status},
               {"config", text_map(run.config)},
               {"duration_s", number(run.duration_s)},
               {"warm_up_s", number(run.warm_up_s)},
               {"drain_s", number(run.drain_s)},
               {"load", load_json(run.load)},
               {"requests", requests_json(run.requests)},
               {"bytes",
                {{"sent", run.bytes_sent},
                 {"received", run.bytes_received},
                 {"goodput_bits_per_s", number(run.goodput_bits_per_s)}}},
               {"latency_ns", latencies_json(run)},
               {"one_way_ns", one_way_json(run.delay_by_place)},
               {"jitter", nullptr},
               {"socket_events", events_json(run.socket_events)}};
  json[run.protocol] = figures_json(run.protocol_figures);
  json["generator"] = generator_json(run);
  json["conditions"] = conditions_json(run.conditions);
  json["target_side"] = target_json(run.target_side);
  json["hold"] = hold_json(run.hold);
  json["delay_by_place"] = delay_json(run.delay_by_place);
  json["loss_by_place"] = loss_json(run.loss_places);
  json["intervals"] = std::move(intervals);
  json["checks"] = checks_json(run.checks);
  json["verdict"] = verdict_json(run.verdict);
  return json;
}

Json comparison_json(const std::optional<Comparison>& comparison) {
  if (!comparison) return nullptr;
  Json sides = Json::array();
  for (const ComparedSide& side : comparison->sides)
    sides.push_back({{"protocol", side.protocol},
                     {"rounds", side.rounds},
                     {"achieved_per_s", number(side.achieved_per_s)},
                     {"p50_ns", number(side.p50_ns)},
                     {"p99_ns", number(side.p99_ns)},
                     {"p99_9_ns", number(side.p99_9_ns)},
                     {"withheld", side.withheld},
                     {"sent", side.sent},
                     {"completed", number(side.completed)},
                     {"lost", number(side.lost)},
                     {"loss_ratio", number(side.loss_ratio)}});
  return {{"sides", std::move(sides)},
          {"achieved_ratio", number(comparison->achieved_ratio)},
          {"p99_ratio", number(comparison->p99_ratio)},
          {"significance_tested", comparison->significance_tested},
          {"sentence", comparison->sentence}};
}

Json error_json(const std::optional<RunFailure>& error) {
  if (!error) return nullptr;
  return {{"code", error->code}, {"message", error->message}, {"phase", error->phase}};
}

}  // namespace

std::string render_json(const Report& report) {
  Json runs = Json::array();
  for (const RunReport& run : report.runs) runs.push_back(run_json(run));
  const Json json = {
      {"schema_version", Report::kSchemaVersion},
      {"tool",
       {{"name", "volley"}, {"version", report.tool_version}, {"commit", report.tool_commit}}},
      {"status", report.status},
      {"error", error_json(report.error)},
      {"started_at", report.started_at},
      {"host", text_map(report.host)},
      {"supplied", {{"argv", report.argv}, {"labels", text_map(report.labels)}}},
      {"runs", std::move(runs)},
      {"comparison", comparison_json(report.comparison)},
      {"thresholds", thresholds_json(report.thresholds)},
      {"verdict", overall_json(report.runs)},
      {"parts", parts_json(report.parts)}};
  // A path or a label may hold bytes that are no UTF-8; JSON must not.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace volley
