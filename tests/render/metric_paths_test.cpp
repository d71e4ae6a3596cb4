// The path of a metric is its place in the JSON, and what stands there is its value.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "reports/judge/metrics.hpp"
#include "reports/render/renderer.hpp"
#include "tests/samples/samples.hpp"

namespace volley {
namespace {

using Json = nlohmann::ordered_json;

// What stands at "requests.errors": a number, or the sum of a map's members.
std::optional<double> at(const Json& run, const MetricKind& kind) {
  std::string pointer = "/" + kind.path;
  std::replace(pointer.begin(), pointer.end(), '.', '/');
  const Json::json_pointer place(pointer);
  if (!run.contains(place))
    return kind.path.starts_with("requests.") ? std::optional(0.0) : std::nullopt;
  const Json& found = run.at(place);
  if (found.is_null()) return std::nullopt;
  if (!found.is_object()) return found.get<double>();
  double sum = 0;
  for (const Json& member : found) sum += member.get<double>();
  return sum;
}

RC_GTEST_PROP(MetricPaths, are_those_of_the_json_and_so_are_the_values, (std::uint64_t seed)) {
  const Report report = samples::any_report(seed);
  const Json json = Json::parse(render_json(report));
  for (std::size_t i = 0; i < report.runs.size(); ++i) {
    const RunReport& run = report.runs[i];
    for (const MetricKind& kind : metric_kinds()) {
      const std::optional<double> value = kind.value(run);
      // Where nothing was sent, counts of failures say nothing, whatever they are.
      if (!value && run.requests.sent == 0 && kind.path.starts_with("requests.")) continue;
      RC_ASSERT(value == at(json["runs"][i], kind));
    }
    for (const auto& [key, value] : run.protocol_figures) {
      const auto kind = find_metric(run.protocol + "." + key);
      if (kind) RC_ASSERT(kind->value(run) == value);
    }
  }
}

}  // namespace
}  // namespace volley
