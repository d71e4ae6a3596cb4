// Key for key what the schema describes; what is unknown is null.
#include "reports/render/json_thresholds.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "reports/measure/ensure.hpp"

namespace volley {
namespace {

using Json = JsonNode::Json;

Json number(std::optional<double> value) {
  if (!value) return nullptr;
  ensure(std::isfinite(*value), "a figure in a report is finite");
  return *value;
}

Json number(std::optional<std::uint64_t> value) { return value ? Json(*value) : Json(nullptr); }
Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

}  // namespace

Json thresholds_json(const std::vector<ThresholdResult>& thresholds) {
  Json list = Json::array();
  for (const ThresholdResult& t : thresholds)
    list.push_back({{"expr", t.expr},
                    {"value", number(t.value)},
                    {"limit", number(t.limit)},
                    {"unit", t.unit},
                    {"pass", t.pass},
                    {"metric", text_or_null(t.metric)},
                    {"run", text_or_null(t.run)},
                    {"round", number(t.round)},
                    {"reason", text_or_null(t.reason)},
                    {"missing", text_or_null(t.missing)}});
  return list;
}

}  // namespace volley
