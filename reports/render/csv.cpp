// One line per run, the columns in the order of the JSON. A missing value is an empty field; where
// it is missing because it lies among the lost requests, response_beyond says "lost", and where too
// little stands behind it, response_withheld names it.
#include <fmt/format.h>

#include <utility>

#include "reports/render/renderer.hpp"
#include "reports/render/words.hpp"

namespace volley {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

std::string text_of(double value) { return fmt::format("{}", value); }
std::string text_of(std::uint64_t value) { return fmt::format("{}", value); }
template <typename T>
std::string text_of(const std::optional<T>& value) {
  return value ? fmt::format("{}", *value) : std::string();
}

std::string total_of(const std::vector<KindCount>& kinds) {
  std::uint64_t sum = 0;
  for (const KindCount& kind : kinds) sum += kind.count;
  return text_of(sum);
}

// RFC 4180: a field with a comma or a quote stands in quotes, a quote in it twice. (Line breaks are
// gone: one run is one line, also for tools that read line by line.)
std::string quoted(const std::string& field) {
  if (field.find_first_of(",\"") == std::string::npos) return field;
  std::string text = "\"";
  for (const char c : field) {
    if (c == '"') text += '"';
    text += c;
  }
  return text + "\"";
}

// "p99_9 p99_99"
std::string withheld_keys(const LatencyFigures& f) {
  std::string keys;
  for (const PercentileKey& key : kPercentiles)
    if (is_withheld(f, key) || is_spoiled(f, key))
      keys += fmt::format("{}{}", keys.empty() ? "" : " ", key.key);
  return keys;
}

void add_latency(Fields& fields, const std::string& name, const LatencyFigures& f) {
  fields.emplace_back(name + "_count", text_of(f.count));
  fields.emplace_back(name + "_min_ns", text_of(f.min));
  fields.emplace_back(name + "_mean_ns", text_of(f.mean));
  fields.emplace_back(name + "_stddev_ns", text_of(f.stddev));
  for (const PercentileKey& key : kPercentiles)
    fields.emplace_back(fmt::format("{}_{}_ns", name, key.key), text_of(f.*key.figure));
  fields.emplace_back(name + "_max_ns", text_of(f.max));
  fields.emplace_back(name + "_beyond", f.beyond_lost ? "lost" : "");
  fields.emplace_back(name + "_withheld", withheld_keys(f));
}

Fields fields_of(const Report& report, const RunReport& run) {
  const RequestFigures& r = run.requests;
  Fields fields{
      {"started_at", report.started_at},
      {"tool_version", report.tool_version},
      {"name", run.name},
      {"protocol", run.protocol},
      {"endpoint", run.endpoint},
      {"workload", run.workload},
      {"arrival", run.arrival},
      {"status", run.status},
      {"duration_s", text_of(run.duration_s)},
      {"warm_up_s", text_of(run.warm_up_s)},
      {"intended_per_s", text_of(run.load.intended_per_s)},
      {"offered_per_s", text_of(run.load.offered_per_s)},
      {"achieved_per_s", text_of(run.load.achieved_per_s)},
      {"planned", text_of(r.planned)},
      {"unsent", total_of(r.unsent)},
      {"skipped", text_of(r.skipped)},
      {"sent", text_of(r.sent)},
      {"completed", text_of(r.completed)},
      {"lost", text_of(r.lost)},
      {"late", text_of(r.late)},
      {"errors", total_of(r.errors)},
      {"in_flight", text_of(r.in_flight)},
      {"duplicates", text_of(r.duplicates)},
      {"reordered", text_of(r.reordered)},
      {"held_back", text_of(r.held_back)},
      {"loss_ratio", text_of(r.loss_ratio)},
      {"bytes_sent", text_of(run.bytes_sent)},
      {"bytes_received", text_of(run.bytes_received)},
      {"goodput_bits_per_s", text_of(run.goodput_bits_per_s)},
      {"verdict", run.verdict ? std::string(to_string(run.verdict->overall)) : std::string()},
  };
  add_latency(fields, "response", run.response);
  add_latency(fields, "response_delivered", run.response_delivered);
  add_latency(fields, "service", run.service);
  add_latency(fields, "send_lag", run.send_lag);
  add_latency(fields, "connect", run.connect);
  return fields;
}

}  // namespace

std::string render_csv(const Report& report) {
  // A report without a run (it failed before one began) still has its header.
  std::string text;
  for (const auto& [name, value] : fields_of(report, {})) text += (text.empty() ? "" : ",") + name;
  text += '\n';
  for (const RunReport& run : report.runs) {
    std::string line;
    for (const auto& [name, value] : fields_of(report, run)) line += quoted(printable(value)) + ',';
    line.back() = '\n';
    text += line;
  }
  return text;
}

}  // namespace volley
