// Whether figures were taken with a program that is slow by the way it was built.
#pragma once

#include <string_view>

namespace volley {

// Of what host facts call `build`: "gcc 12.2 unoptimized", "gcc 12.2 optimized thread-sanitizer".
[[nodiscard]] inline bool is_slow_build(std::string_view build) {
  return build.find("unoptimized") != std::string_view::npos ||
         build.find("sanitizer") != std::string_view::npos;
}

}  // namespace volley
