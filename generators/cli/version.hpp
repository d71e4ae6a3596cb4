// Which volley this is. The commit is looked up by every build (version.cmake).
#pragma once

#include <string_view>

namespace volley {

[[nodiscard]] std::string_view version();  // "0.1.0"
[[nodiscard]] std::string_view commit();   // "1a2b3c4d5e6f", with "-dirty" after changes; "unknown"

}  // namespace volley
