// A report as a stream: lines of {"event":"start"|"interval"|"warning"|"end","data":{…}}, each
// whole and ended by a line feed. What concerns one run carries its number "run", counted from 1;
// what concerns the whole has "run": null. A saved report and a run that is still going print the
// same lines. Unknown values are null. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "reports/judge/summary.hpp"

namespace volley {

// What is known of a run when it begins.
struct RunStart {
  std::string name, protocol, endpoint, workload, arrival;
  std::optional<double> intended_per_s;  // open loop
  TextPairs config;                      // effective values, in order
};

// The first line of a stream: version, date, labels.
[[nodiscard]] std::string ndjson_start(const Report& report);
[[nodiscard]] std::string ndjson_start(std::size_t run, const RunStart& start);
// `interval` is one of the measure phase, in seconds since its start; the intervals of a run add up
// to the totals of its end.
[[nodiscard]] std::string ndjson_interval(std::size_t run, const IntervalFigures& interval);
[[nodiscard]] std::string ndjson_warning(std::size_t run, std::string_view text);
// The totals and figures of a run.
[[nodiscard]] std::string ndjson_end(std::size_t run, const RunReport& figures);
// The last line of a stream: status, error, thresholds, verdict, comparison.
[[nodiscard]] std::string ndjson_end(const Report& report);

}  // namespace volley
