#include "reports/render/schema_text.hpp"

#include <cstddef>

extern "C" {
extern const char volley_report_schema_begin[];
extern const char volley_report_schema_end[];
}

namespace volley {

std::string_view report_schema() {
  return {volley_report_schema_begin,
          static_cast<std::size_t>(volley_report_schema_end - volley_report_schema_begin)};
}

}  // namespace volley
