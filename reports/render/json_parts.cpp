#include "reports/render/json_parts.hpp"

#include <fmt/format.h>

#include "reports/judge/merge.hpp"
#include "reports/render/json_run.hpp"

namespace volley {
namespace {

using Json = JsonNode::Json;

Json count_or_null(const std::optional<std::uint64_t>& count) {
  return count ? Json(*count) : Json(nullptr);
}

Json text_map(const TextPairs& pairs) {
  Json map = Json::object();
  for (const auto& [key, value] : pairs) map[key] = value;
  return map;
}

Json run_json(const MergedRun& run) {
  return {{"name", run.name},
          {"sent", run.sent},
          {"completed", count_or_null(run.completed)},
          {"lost", count_or_null(run.lost)},
          {"cpu_s", run.cpu_s},
          {"verdict", run.verdict ? Json(to_string(*run.verdict)) : Json(nullptr)}};
}

Json part_json(const MergedPart& part) {
  Json runs = Json::array();
  for (const MergedRun& run : part.runs) runs.push_back(run_json(run));
  return {{"started_at", part.started_at},
          {"lasted_s", part.lasted_s},
          {"status", part.status},
          {"tool", {{"version", part.tool_version}, {"commit", part.tool_commit}}},
          {"host", text_map(part.host)},
          {"supplied", {{"argv", part.argv}, {"labels", text_map(part.labels)}}},
          {"runs", std::move(runs)}};
}

MergedRun read_merged_run(const JsonNode& node, bool later) {
  JsonObject o(node);
  MergedRun run;
  run.name = o.at("name").text();
  run.sent = o.at("sent").count();
  run.completed = o.at("completed").count_or_null();
  run.lost = o.at("lost").count_or_null();
  run.cpu_s = o.at("cpu_s").number();
  if (const JsonNode verdict = o.at("verdict"); !verdict.is_null()) {
    run.verdict = verdict_from(verdict.text());
    if (!run.verdict) verdict.refuse("unknown word", "TRUSTED, DEGRADED, NOT_CLAIMABLE, INVALID");
  }
  o.finish(later);
  return run;
}

MergedPart read_part(const JsonNode& node, bool later) {
  JsonObject o(node);
  MergedPart part;
  part.started_at = o.at("started_at").text();
  part.lasted_s = o.at("lasted_s").number();
  part.status = read_word(o.at("status"), {"ok", "interrupted"});
  const JsonNode tool_node = o.at("tool");
  JsonObject tool(tool_node);
  part.tool_version = tool.at("version").text();
  part.tool_commit = tool.at("commit").text();
  tool.finish(later);
  part.host = read_text_map(o.at("host"));
  const JsonNode supplied_node = o.at("supplied");
  JsonObject supplied(supplied_node);
  supplied.at("argv").elements([&](const JsonNode& word) { part.argv.push_back(word.text()); });
  part.labels = read_text_map(supplied.at("labels"));
  supplied.finish(later);
  o.at("runs").elements(
      [&](const JsonNode& run) { part.runs.push_back(read_merged_run(run, later)); });
  o.finish(later);
  return part;
}

}  // namespace

Json parts_json(const std::vector<MergedPart>& parts) {
  if (parts.empty()) return nullptr;
  Json list = Json::array();
  for (const MergedPart& part : parts) list.push_back(part_json(part));
  return list;
}

std::vector<MergedPart> read_parts(const JsonNode& node, bool later) {
  std::vector<MergedPart> parts;
  if (node.is_null()) return parts;
  node.elements([&](const JsonNode& part) {
    if (parts.size() == kMostParts)
      part.refuse("one part too many", fmt::format("at most {}", kMostParts));
    parts.push_back(read_part(part, later));
  });
  if (parts.size() < 2) node.refuse("fewer than two parts", "null, or two and more");
  return parts;
}

}  // namespace volley
