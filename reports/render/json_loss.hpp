// The part of a run's JSON that says where datagrams were lost: written and read.
#pragma once

#include <optional>

#include "reports/measure/loss_places.hpp"
#include "reports/render/json_node.hpp"

namespace volley {

// null without an account; a place that cannot be seen is null too.
[[nodiscard]] JsonNode::Json loss_json(const std::optional<LossPlaces>& places);
[[nodiscard]] std::optional<LossPlaces> read_loss(const JsonNode& node, bool later);

}  // namespace volley
