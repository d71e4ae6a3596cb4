// Dates by the calendar of <chrono>; no time zones, no locale.
#include "reports/render/timeline.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>

namespace volley {
namespace {

// The number that stands there with so many digits; none: something else does.
std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
  int value = 0;
  for (const char c : text.substr(at, count)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

// Of ".123456Z" 123; of "Z" 0.
std::optional<int> milliseconds_of(std::string_view rest) {
  if (rest == "Z") return 0;
  if (rest.size() < 3 || rest.size() > 11 || rest.front() != '.' || rest.back() != 'Z')
    return std::nullopt;
  rest = rest.substr(1, rest.size() - 2);
  if (!digits(rest, 0, rest.size())) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < 3; ++i) value = value * 10 + (i < rest.size() ? rest[i] - '0' : 0);
  return value;
}

}  // namespace

std::optional<std::int64_t> started_ms(std::string_view iso8601) {
  using namespace std::chrono;
  constexpr std::string_view shape = "0000-00-00T00:00:00";
  if (iso8601.size() <= shape.size()) return std::nullopt;
  for (std::size_t i = 0; i < shape.size(); ++i)
    if (shape[i] != '0' && iso8601[i] != shape[i]) return std::nullopt;
  const auto y = digits(iso8601, 0, 4);
  const auto m = digits(iso8601, 5, 2);
  const auto d = digits(iso8601, 8, 2);
  const auto h = digits(iso8601, 11, 2);
  const auto min = digits(iso8601, 14, 2);
  const auto s = digits(iso8601, 17, 2);
  const auto ms = milliseconds_of(iso8601.substr(shape.size()));
  if (!y || !m || !d || !h || !min || !s || !ms) return std::nullopt;
  const year_month_day date{year(*y), month(static_cast<unsigned>(*m)),
                            day(static_cast<unsigned>(*d))};
  if (!date.ok() || *h > 23 || *min > 59 || *s > 60) return std::nullopt;
  const auto at = sys_days(date) + hours(*h) + minutes(*min) + seconds(*s) + milliseconds(*ms);
  const std::int64_t since_1970 = duration_cast<milliseconds>(at.time_since_epoch()).count();
  return since_1970 >= 0 ? std::optional(since_1970) : std::nullopt;
}

std::int64_t in_ms(double seconds) {
  constexpr double most = 366.0 * 86'400.0;
  if (!(seconds > 0)) return 0;
  return static_cast<std::int64_t>(std::round(std::min(seconds, most) * 1e3));
}

Timeline timeline_of(const Report& report) {
  Timeline timeline;
  for (const RunReport& run : report.runs) {
    const std::int64_t phases = in_ms(run.warm_up_s + run.duration_s + run.drain_s);
    timeline.measured_from_ms.push_back(timeline.end_ms + in_ms(run.warm_up_s));
    timeline.end_ms += std::max(phases, in_ms(run.generator.wall_s));
  }
  return timeline;
}

}  // namespace volley
