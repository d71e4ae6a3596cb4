// What was asked of this machine for a run, and what it gave: the rows of the report's conditions.
#pragma once

#include <memory>
#include <vector>

#include "generators/engine/route.hpp"
#include "generators/engine/worker.hpp"
#include "reports/measure/condition.hpp"

namespace volley {

// When the workers have ended. One row for each of kConditionNames.
[[nodiscard]] std::vector<Condition> conditions_of(
    const RunPlan& plan, const Route& route, const std::vector<std::unique_ptr<Worker>>& workers);

}  // namespace volley
