// The part of a run's JSON that says under which conditions it ran: written and read.
#pragma once

#include <vector>

#include "reports/measure/condition.hpp"
#include "reports/render/json_node.hpp"

namespace volley {

// null without any.
[[nodiscard]] JsonNode::Json conditions_json(const std::vector<Condition>& conditions);
[[nodiscard]] std::vector<Condition> read_conditions(const JsonNode& node, bool later);

}  // namespace volley
