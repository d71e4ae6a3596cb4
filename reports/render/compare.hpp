// Two reports compared (judge/compare), for a person and for a program. Pure.
#pragma once

#include <string>

#include "reports/judge/compare.hpp"

namespace volley {

// A table a scenario: base, new, change, limit and what that comes to; the sentence stands last.
[[nodiscard]] std::string render_change_text(const ReportChange& change);
// The JSON of reports/schema/compare.schema.json: strict, never NaN, keys in a fixed order, ends
// with a line feed.
[[nodiscard]] std::string render_change_json(const ReportChange& change);

}  // namespace volley
