// The findings of volley doctor as JSON.
#pragma once

#include <string>
#include <vector>

#include "reports/measure/finding.hpp"

namespace volley {

// {"schema_version": "1.0", "warnings": 1, "findings": [{id, level, found, spoils, fix}]}, ends
// with a line feed. `spoils` and `fix` are null where there is nothing to say.
[[nodiscard]] std::string render_findings_json(const std::vector<Finding>& findings);

}  // namespace volley
