// When the runs of a report were. A report says when it began and how long its phases took, not
// when each began: the runs are laid end to end. What passed between them (a target that started, a
// pause of a duel) is not in it, so moments are early by that much, the later runs' more. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "reports/judge/summary.hpp"

namespace volley {

// "2026-11-22T13:12:58.123Z" in ms since 1970 UTC; none: it is no such text.
[[nodiscard]] std::optional<std::int64_t> started_ms(std::string_view iso8601);

struct Timeline {
  // Of each run of the report, when its measure phase began, in ms since the report began.
  std::vector<std::int64_t> measured_from_ms;
  std::int64_t end_ms = 0;  // of the last run, drain included
};
[[nodiscard]] Timeline timeline_of(const Report& report);

// Seconds as whole ms, between 0 and what a year has: files may say anything.
[[nodiscard]] std::int64_t in_ms(double seconds);

}  // namespace volley
