// The two lists that github-action-benchmark keeps charts of: what gets better by being smaller,
// and what by being bigger. An entry always has its name, value and unit, because that reader makes
// "undefined" and 0 of what is missing; it refuses an empty list, so that is not written at all.
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

// That reader's words for our units.
std::string unit_of(const MetricKind& kind) {
  if (kind.unit == "per_s") return "ops/s";
  if (kind.unit == "bits_per_s") return "bit/s";
  return kind.unit;
}

Json entry_of(const std::string& scenario, const MetricKind& kind, double value,
              const RunReport& whole, std::size_t rounds) {
  Json entry = {{"name", fmt::format("{}/{}", scenario, kind.name)},
                {"unit", unit_of(kind)},
                {"value", value}};
  std::string extra = fmt::format("rounds: {}", rounds);
  const Claim* const claim = kind.claim ? kind.claim(whole) : nullptr;
  if (claim != nullptr && claim->low && claim->high) {
    // Its form has one distance for both sides: the longer one.
    const auto low = static_cast<double>(*claim->low);
    const auto high = static_cast<double>(*claim->high);
    entry["range"] = fmt::format("± {:.0f}", std::max({value - low, high - value, 0.0}));
    extra += fmt::format("\n95 % interval: {} to {} {}", *claim->low, *claim->high, unit_of(kind));
  }
  entry["extra"] = extra;
  return entry;
}

std::string entries_of(const Report& report, Better better) {
  Json entries = Json::array();
  for (const Scenario& scenario : scenarios_of(report)) {
    const std::optional<RunReport> whole = together(scenario.rounds);
    if (!whole) continue;
    for (const MetricKind& kind : headline_metrics()) {
      const std::optional<double> value = kind.value(*whole);
      if (kind.better != better || !value || !std::isfinite(*value)) continue;
      entries.push_back(entry_of(scenario.id, kind, *value, *whole, scenario.rounds.size()));
    }
  }
  return entries.empty() ? std::string() : entries.dump(2) + "\n";
}

}  // namespace

std::string render_github_smaller(const Report& report) {
  return entries_of(report, Better::lower);
}

std::string render_github_bigger(const Report& report) {
  return entries_of(report, Better::higher);
}

}  // namespace volley
