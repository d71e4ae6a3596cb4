#include "reports/render/ndjson.hpp"

#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "reports/judge/verdicts.hpp"
#include "reports/measure/ensure.hpp"
#include "reports/render/json_thresholds.hpp"
#include "reports/render/renderer.hpp"

namespace volley {
namespace {

using Json = nlohmann::ordered_json;

Json number(double value) {
  ensure(std::isfinite(value), "a figure in a report is finite");
  return value;
}

template <typename T>
Json number(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

std::string line_of(std::string_view event, Json run, const Json& facts) {
  Json data = {{"run", std::move(run)}};
  data.update(facts);
  const Json line = {{"event", event}, {"data", std::move(data)}};
  return line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json text_map(const TextPairs& pairs) {
  Json map = Json::object();
  for (const auto& [key, value] : pairs) map[key] = value;
  return map;
}

std::uint64_t total_of(const std::vector<KindCount>& kinds) {
  std::uint64_t sum = 0;
  for (const KindCount& kind : kinds) sum += kind.count;
  return sum;
}

Json latency_json(const LatencyFigures& f) {
  Json json = {{"count", f.count},
               {"min", number(f.min)},
               {"mean", number(f.mean)},
               {"stddev", number(f.stddev)}};
  for (const PercentileKey& key : kPercentiles) json[key.key] = number(f.*key.figure);
  json["max"] = number(f.max);
  return json;
}

Json requests_json(const RequestFigures& r) {
  return {{"planned", number(r.planned)},
          {"unsent", total_of(r.unsent)},
          {"skipped", number(r.skipped)},
          {"sent", r.sent},
          {"completed", number(r.completed)},
          {"lost", number(r.lost)},
          {"late", r.late},
          {"errors", total_of(r.errors)},
          {"in_flight", number(r.in_flight)},
          {"duplicates", r.duplicates},
          {"reordered", r.reordered},
          {"held_back", r.held_back},
          {"loss_ratio", number(r.loss_ratio)}};
}

Json verdict_json(Verdict overall, const std::string& headline) {
  return {{"overall", to_string(overall)}, {"headline", headline}};
}

}  // namespace

std::string ndjson_start(const Report& report) {
  return line_of("start", nullptr,
                 {{"schema_version", Report::kSchemaVersion},
                  {"tool", {{"name", "volley"}, {"version", report.tool_version}}},
                  {"started_at", report.started_at},
                  {"labels", text_map(report.labels)}});
}

std::string ndjson_start(std::size_t run, const RunStart& start) {
  return line_of("start", run,
                 {{"name", start.name},
                  {"protocol", start.protocol},
                  {"endpoint", start.endpoint},
                  {"workload", start.workload},
                  {"arrival", start.arrival},
                  {"intended_per_s", number(start.intended_per_s)},
                  {"config", text_map(start.config)}});
}

std::string ndjson_interval(std::size_t run, const IntervalFigures& i) {
  return line_of("interval", run,
                 {{"start_s", number(i.start_s)},
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
                  {"send_lag_p99_ns", number(i.send_lag_p99_ns)}});
}

std::string ndjson_warning(std::size_t run, std::string_view text) {
  return line_of("warning", run, {{"text", text}});
}

std::string ndjson_end(std::size_t run, const RunReport& figures) {
  const std::optional<RunVerdict>& verdict = figures.verdict;
  return line_of(
      "end", run,
      {{"status", figures.status},
       {"duration_s", number(figures.duration_s)},
       {"load",
        {{"intended_per_s", number(figures.load.intended_per_s)},
         {"offered_per_s", number(figures.load.offered_per_s)},
         {"achieved_per_s", number(figures.load.achieved_per_s)}}},
       {"requests", requests_json(figures.requests)},
       {"bytes",
        {{"sent", figures.bytes_sent},
         {"received", figures.bytes_received},
         {"goodput_bits_per_s", number(figures.goodput_bits_per_s)}}},
       {"latency_ns",
        {{"response", latency_json(figures.response)},
         {"response_delivered", latency_json(figures.response_delivered)},
         {"service", latency_json(figures.service)},
         {"send_lag", latency_json(figures.send_lag)},
         {"connect", latency_json(figures.connect)}}},
       {"verdict", verdict ? verdict_json(verdict->overall, verdict->headline) : Json(nullptr)}});
}

std::string ndjson_end(const Report& report) {
  const auto verdict = overall_verdict(report.runs);
  Json error = nullptr;
  if (report.error)
    error = {{"code", report.error->code},
             {"message", report.error->message},
             {"phase", report.error->phase}};
  return line_of(
      "end", nullptr,
      {{"status", report.status},
       {"error", std::move(error)},
       {"thresholds", thresholds_json(report.thresholds)},
       {"verdict", verdict ? verdict_json(verdict->overall, verdict->headline) : Json(nullptr)},
       {"comparison", report.comparison ? Json(report.comparison->sentence) : Json(nullptr)}});
}

std::string render_ndjson(const Report& report) {
  std::string text = ndjson_start(report);
  std::size_t number = 0;
  for (const RunReport& run : report.runs) {
    ++number;
    text += ndjson_start(number, {run.name, run.protocol, run.endpoint, run.workload, run.arrival,
                                  run.load.intended_per_s, run.config});
    for (const IntervalFigures& interval : run.intervals) text += ndjson_interval(number, interval);
    for (const std::string& warning : run.generator.warnings)
      text += ndjson_warning(number, warning);
    text += ndjson_end(number, run);
  }
  return text + ndjson_end(report);
}

}  // namespace volley
