// JSON -> Report, the other way round from json.cpp and key for key the same. Derived figures
// (generator cpu_ratio, calls_per_message) are looked at but not taken over: they are derived
// again.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "reports/render/json_node.hpp"
#include "reports/render/json_parts.hpp"
#include "reports/render/json_run.hpp"
#include "reports/render/renderer.hpp"

namespace volley {
namespace {

constexpr std::size_t kMostRuns = 2000;  // each holds five histograms, however short its text

// Whether the file is of a later minor version, which may have keys we don't know.
bool read_version(const JsonNode& node) {
  const std::string version = node.text();
  const std::size_t point = version.find('.');
  const auto is_number = [](std::string_view digits) {
    return !digits.empty() && digits.size() < 10 &&
           digits.find_first_not_of("0123456789") == std::string_view::npos;
  };
  if (point == std::string::npos || !is_number(std::string_view(version).substr(0, point)) ||
      !is_number(std::string_view(version).substr(point + 1)))
    node.refuse("not a version", "1.0 and later 1.x");
  if (version.substr(0, point) != "1") node.refuse("a version this volley cannot read", "1.x");
  return version != Report::kSchemaVersion;
}

void read_tool(Report& report, const JsonNode& node, bool later) {
  JsonObject o(node);
  const JsonNode name = o.at("name");
  if (name.text() != "volley") name.refuse("not a report of volley", "volley");
  report.tool_version = o.at("version").text();
  report.tool_commit = o.at("commit").text();
  o.finish(later);
}

std::optional<RunFailure> read_error(const JsonNode& node, bool later) {
  if (node.is_null()) return std::nullopt;
  JsonObject o(node);
  RunFailure error{o.at("code").text(), o.at("message").text(), o.at("phase").text()};
  o.finish(later);
  return error;
}

void read_supplied(Report& report, const JsonNode& node, bool later) {
  JsonObject o(node);
  o.at("argv").elements([&](const JsonNode& word) { report.argv.push_back(word.text()); });
  report.labels = read_text_map(o.at("labels"));
  o.finish(later);
}

ComparedSide read_side(const JsonNode& node, bool later) {
  JsonObject o(node);
  ComparedSide side;
  side.protocol = read_word(o.at("protocol"), {"udp", "tcp"});
  side.rounds = o.at("rounds").count();
  side.achieved_per_s = o.at("achieved_per_s").number_or_null();
  side.p50_ns = o.at("p50_ns").nanos_or_null();
  side.p99_ns = o.at("p99_ns").nanos_or_null();
  side.p99_9_ns = o.at("p99_9_ns").nanos_or_null();
  // Reports of before percentiles were withheld lack the key.
  if (const auto withheld = o.find("withheld"))
    withheld->elements([&](const JsonNode& word) {
      side.withheld.push_back(read_word(word, {"p50", "p99", "p99_9"}));
    });
  side.sent = o.at("sent").count();
  side.completed = o.at("completed").count_or_null();
  side.lost = o.at("lost").count_or_null();
  side.loss_ratio = o.at("loss_ratio").number_or_null();
  o.finish(later);
  return side;
}

std::optional<Comparison> read_comparison(const JsonNode& node, bool later) {
  if (node.is_null()) return std::nullopt;
  JsonObject o(node);
  Comparison comparison;
  const JsonNode sides = o.at("sides");
  sides.elements([&](const JsonNode& side) { comparison.sides.push_back(read_side(side, later)); });
  if (comparison.sides.size() != 2) sides.refuse("not two sides", "udp and tcp");
  comparison.achieved_ratio = o.at("achieved_ratio").number_or_null();
  comparison.p99_ratio = o.at("p99_ratio").number_or_null();
  comparison.significance_tested = o.at("significance_tested").flag();
  comparison.sentence = o.at("sentence").text();
  o.finish(later);
  return comparison;
}

// Of a key that came later, or has nothing to say.
std::string later_text(JsonObject& object, const char* key) {
  const auto node = object.find(key);
  return node && !node->is_null() ? node->text() : std::string();
}

ThresholdResult read_threshold(const JsonNode& node, bool later) {
  JsonObject o(node);
  ThresholdResult threshold;
  threshold.expr = o.at("expr").text();
  threshold.value = o.at("value").number_or_null();
  threshold.limit = o.at("limit").number_or_null();
  threshold.unit = o.at("unit").text();
  threshold.pass = o.at("pass").flag();
  threshold.metric = later_text(o, "metric");
  threshold.run = later_text(o, "run");
  if (const auto round = o.find("round")) threshold.round = round->count_or_null();
  threshold.reason = later_text(o, "reason");
  threshold.missing = later_text(o, "missing");
  o.finish(later);
  return threshold;
}

}  // namespace

Report parse_report(std::string_view json) {
  const JsonNode::Json parsed = parse_limited_json(json);
  const JsonNode root(parsed);
  JsonObject o(root);
  const bool later = read_version(o.at("schema_version"));
  Report report;
  read_tool(report, o.at("tool"), later);
  report.status = read_word(o.at("status"), {"ok", "interrupted", "failed"});
  report.error = read_error(o.at("error"), later);
  report.started_at = o.at("started_at").text();
  report.host = read_text_map(o.at("host"));
  read_supplied(report, o.at("supplied"), later);
  o.at("runs").elements([&](const JsonNode& run) {
    if (report.runs.size() == kMostRuns)
      run.refuse("one run too many", fmt::format("at most {}, a duel's", kMostRuns));
    report.runs.push_back(read_run(run, later));
  });
  report.comparison = read_comparison(o.at("comparison"), later);
  o.at("thresholds").elements([&](const JsonNode& threshold) {
    report.thresholds.push_back(read_threshold(threshold, later));
  });
  look_at_overall(o.at("verdict"), later);
  // Reports of before they could be merged lack the key.
  if (const auto parts = o.find("parts")) report.parts = read_parts(*parts, later);
  o.finish(later);
  return report;
}

}  // namespace volley
