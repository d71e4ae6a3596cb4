// GitLab's browser_performance report, which takes any metric with the direction it gets better in:
// an array of subjects. GitLab knows a metric by subject and name, so the unit is a fixed part of
// the name.
#include <cmath>
#include <nlohmann/json.hpp>

#include "reports/judge/metrics.hpp"
#include "reports/judge/scenarios.hpp"
#include "reports/render/renderer.hpp"

namespace volley {
namespace {

struct Shown {
  const char* unit;
  double factor, divisor;
};

// GitLab shows two decimals: ns would fill the line, ms would be all 0.
Shown shown_as(const MetricKind& kind) {
  if (kind.unit == "ns") return {" (us)", 1, 1e3};
  if (kind.unit == "per_s") return {" (1/s)", 1, 1};
  if (kind.unit == "bits_per_s") return {" (Mbit/s)", 1, 1e6};
  if (kind.unit == "ratio") return {" (%)", 100, 1};
  return {"", 1, 1};
}

}  // namespace

std::string render_gitlab(const Report& report) {
  auto subjects = nlohmann::ordered_json::array();
  for (const Scenario& scenario : scenarios_of(report)) {
    const auto whole = together(scenario.rounds);
    if (!whole) continue;
    auto metrics = nlohmann::ordered_json::array();
    for (const MetricKind& kind : headline_metrics()) {
      const auto value = kind.value(*whole);
      if (!value || kind.better == Better::neither) continue;
      const Shown shown = shown_as(kind);
      const double number = *value * shown.factor / shown.divisor;
      if (!std::isfinite(number)) continue;
      metrics.push_back({{"name", kind.name + shown.unit},
                         {"value", number},
                         {"desiredSize", kind.better == Better::lower ? "smaller" : "larger"}});
    }
    if (!metrics.empty())
      subjects.push_back({{"subject", scenario.id}, {"metrics", std::move(metrics)}});
  }
  return subjects.dump(2) + "\n";
}

}  // namespace volley
