// reports/schema/report.schema.json as it was when volley was built.
#pragma once

#include <string_view>

namespace volley {

[[nodiscard]] std::string_view report_schema();

}  // namespace volley
