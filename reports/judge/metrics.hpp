// The numbers of a run that can be asked for by name: by --fail-if, by compare, and by what feeds
// dashboards. One list, so that a number has one name, one unit and one direction everywhere. Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reports/judge/summary.hpp"

namespace volley {

// Which way a number gets better.
enum class Better : std::uint8_t { lower, higher, neither };

struct MetricKind {
  std::string path;        // its place in a run of the JSON: "latency_ns.response.p99"
  std::string name;        // stable, [a-z0-9_]: "response_p99"
  std::string short_name;  // "p99"; empty: it has none
  std::string unit;        // ns s per_s bits_per_s bytes ratio count
  Better better = Better::neither;
  // None: the run has no such figure (no sample, withheld, among the lost, another protocol's).
  std::function<std::optional<double>(const RunReport&)> value;
  // The 95 % interval of a percentile; null: this kind has none.
  std::function<const Claim*(const RunReport&)> claim;
  // The distribution that it is a figure of; null: of none.
  LatencyFigures RunReport::*latency = nullptr;
};

// All of them, in the order of the JSON, but for the figures of one protocol ("udp.jitter_ns"),
// whose keys only a run knows.
[[nodiscard]] std::vector<MetricKind> metric_kinds();

// A metric by its path, name or short name; also "udp.KEY" and "tcp.KEY", whatever the key (its
// unit is read from its ending: _ns _s _bytes _ratio _bits_per_s _per_s, else it is a count). None:
// there is no such metric.
[[nodiscard]] std::optional<MetricKind> find_metric(std::string_view name);

// Those that say how a run went, in the order in which one looks at them: the loads, the loss,
// response, connect and service times, send lag.
[[nodiscard]] std::vector<MetricKind> headline_metrics();

}  // namespace volley
