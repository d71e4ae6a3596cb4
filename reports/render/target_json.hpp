// What a target counted, as JSON and as a line of text.
#pragma once

#include <string>

#include "reports/measure/target_record.hpp"

namespace volley {

struct ToolVersion {
  std::string version;
  std::string commit;
};

// Strict JSON, keys in a fixed order, ends with a line feed. `udp` and `tcp` are null where the
// target did not listen.
[[nodiscard]] std::string target_statistics_json(const TargetRecord& record,
                                                 const ToolVersion& tool);
// One line, ends with a line feed. Counts that stayed at zero are left out, but for the main ones.
[[nodiscard]] std::string target_statistics_text(const TargetRecord& record);

}  // namespace volley
