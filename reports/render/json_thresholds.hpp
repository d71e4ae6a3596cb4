// The thresholds of a report as JSON, for the formats that have them whole.
#pragma once

#include <vector>

#include "reports/judge/summary.hpp"
#include "reports/render/json_node.hpp"

namespace volley {

// An array, one object a threshold, with the keys of reports/schema/report.schema.json.
[[nodiscard]] JsonNode::Json thresholds_json(const std::vector<ThresholdResult>& thresholds);

}  // namespace volley
