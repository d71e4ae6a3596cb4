// How a condition is written (docs/thresholds.md). Pure.
//
//   CONDITION  [SCOPE:] METRIC OPERATOR LIMIT
//   SCOPE      udp, tcp, or a scenario's id: "udp-rr"
//   METRIC     a path (latency_ns.response.p99, requests.errors.refused, udp.jitter_ns), a name
//              (response_p99), a short name (p99, which is response; p99.9 is p99_9), up to three
//              words that make a name (p99 response, send lag p99), or verdict
//   OPERATOR   > >= < <= == !=
//   LIMIT      a number with the metric's unit (2ms, 0.1%, 10k/s, 1Gbit/s, 4KiB, 20k), METRIC,
//              FACTOR * METRIC, METRIC * FACTOR (of the same unit); of a verdict TRUSTED, DEGRADED,
//              NOT_CLAIMABLE, INVALID
//
// Blanks may stand anywhere between these. At most 200 characters of ASCII.
#pragma once

#include <string_view>

#include "reports/judge/thresholds.hpp"

namespace volley {

// Throws UsageError of several lines: "SUBJECT 'CONDITION', column N: what (given) [allowed]; what
// to do", the condition, and a caret below the column (from 1) where it goes wrong. Bytes that are
// no printable ASCII are shown as "?", so that it can be printed whoever wrote the condition.
[[nodiscard]] Threshold parse_threshold(std::string_view subject, std::string_view text);

// A metric as it may be written in a condition, for other options that take one. Throws the same.
[[nodiscard]] MetricKind parse_metric(std::string_view subject, std::string_view text);

}  // namespace volley
