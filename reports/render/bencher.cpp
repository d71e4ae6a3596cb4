// Bencher Metric Format: benchmark -> measure -> value and bounds. Its measures have no unit in the
// file, so the slug names it; only its own two, latency (nanoseconds) and throughput (operations a
// second), are what they are.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "reports/judge/metrics.hpp"
#include "reports/judge/scenarios.hpp"
#include "reports/render/renderer.hpp"

namespace volley {
namespace {

using Json = nlohmann::ordered_json;

// "response_p99" -> "response-p99-ns"
std::string slug_of(const MetricKind& kind) {
  if (kind.name == "achieved") return "throughput";
  std::string slug = kind.name;
  const bool has_unit = kind.unit == "count" || slug.ends_with(kind.unit);
  if (!has_unit) slug += "-" + kind.unit;
  std::replace(slug.begin(), slug.end(), '_', '-');
  return slug;
}

Json measure_of(const MetricKind& kind, double value, const RunReport& whole) {
  Json measure = {{"value", value}};
  const Claim* const claim = kind.claim ? kind.claim(whole) : nullptr;
  if (claim != nullptr && claim->low) measure["lower_value"] = static_cast<double>(*claim->low);
  if (claim != nullptr && claim->high) measure["upper_value"] = static_cast<double>(*claim->high);
  return measure;
}

Json measures_of(const RunReport& whole) {
  Json measures = Json::object();
  for (const MetricKind& kind : headline_metrics()) {
    const std::optional<double> value = kind.value(whole);
    if (!value || !std::isfinite(*value)) continue;
    Json measure = measure_of(kind, *value, whole);
    // The median of what one waits for: the answer, or where there is none the connection.
    const bool median =
        kind.name == "response_p50" || (kind.name == "connect_p50" && !whole.response.histogram);
    if (median) measures["latency"] = measure;
    measures[slug_of(kind)] = std::move(measure);
  }
  return measures;
}

}  // namespace

std::string render_bencher(const Report& report) {
  Json benchmarks = Json::object();
  for (const Scenario& scenario : scenarios_of(report)) {
    const std::optional<RunReport> whole = together(scenario.rounds);
    if (!whole) continue;
    Json measures = measures_of(*whole);
    if (!measures.empty()) benchmarks[scenario.id] = std::move(measures);
  }
  return benchmarks.dump(2) + "\n";
}

}  // namespace volley
