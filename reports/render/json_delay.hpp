// A run's "delay_by_place" and "one_way_ns" as JSON, and back, and what calibrates them. Only files
// of this folder include this header, because it brings nlohmann/json along.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>

#include "reports/measure/delay_places.hpp"
#include "reports/render/json_node.hpp"

namespace volley {

[[nodiscard]] nlohmann::ordered_json calibration_json(
    const std::optional<Calibration>& calibration);
[[nodiscard]] nlohmann::ordered_json delay_json(const std::optional<DelayByPlace>& delay);
[[nodiscard]] nlohmann::ordered_json one_way_json(const std::optional<DelayByPlace>& delay);

[[nodiscard]] std::optional<Calibration> read_calibration(const JsonNode& node, bool later);
// Refuses what no run can have come to. `later`: unknown keys are passed over.
[[nodiscard]] std::optional<DelayByPlace> read_delay(const JsonNode& node, bool later);
// The one-way delays belong to what read_delay() has found, and may be there only beside it.
void read_one_way(const JsonNode& node, std::optional<DelayByPlace>& delay, bool later);

}  // namespace volley
