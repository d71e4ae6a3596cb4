// The parts of a merged report, as JSON and back.
#pragma once

#include <vector>

#include "reports/judge/summary.hpp"
#include "reports/render/json_node.hpp"

namespace volley {

// null: the report is of one generator.
[[nodiscard]] JsonNode::Json parts_json(const std::vector<MergedPart>& parts);
// Refuses a list of fewer than two, and one of more than 10,000.
[[nodiscard]] std::vector<MergedPart> read_parts(const JsonNode& node, bool later);

}  // namespace volley
