#include "reports/render/json_conditions.hpp"

namespace volley {
namespace {

using Json = JsonNode::Json;

Json text_json(const std::optional<std::string>& text) {
  return text ? Json(*text) : Json(nullptr);
}

std::optional<std::string> text_or_null(const JsonNode& node) {
  return node.is_null() ? std::nullopt : std::optional(node.text());
}

}  // namespace

Json conditions_json(const std::vector<Condition>& conditions) {
  if (conditions.empty()) return nullptr;
  Json json = Json::object();
  for (const Condition& condition : conditions)
    json[condition.name] = {{"asked", text_json(condition.asked)},
                            {"effective", text_json(condition.effective)}};
  return json;
}

std::vector<Condition> read_conditions(const JsonNode& node, bool later) {
  std::vector<Condition> conditions;
  if (node.is_null()) return conditions;
  JsonObject all(node);
  for (const char* name : kConditionNames) {
    const JsonNode row = all.at(name);
    JsonObject o(row);
    const JsonNode asked = o.at("asked");
    conditions.push_back({name, text_or_null(asked), text_or_null(o.at("effective"))});
    o.finish(later);
  }
  all.finish(later);
  return conditions;
}

}  // namespace volley
