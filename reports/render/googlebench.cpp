// The JSON of Google Benchmark: a row per time of a scenario and round. Rounds are repetitions, so
// compare.py's U test sees each. A row that lacks a number stops its readers, so a round that has
// not got one has no such row, and an unfinished round has none at all.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "reports/judge/metrics.hpp"
#include "reports/judge/scenarios.hpp"
#include "reports/measure/slow_build.hpp"
#include "reports/render/renderer.hpp"

namespace volley {
namespace {

using Json = nlohmann::ordered_json;

// What a round did once for every count of `iterations`.
std::uint64_t operations_of(const RunReport& run) {
  return run.requests.completed.value_or(run.requests.sent);
}

Json row_of(const Scenario& scenario, std::size_t round, const MetricKind& kind, double value) {
  const RunReport& run = *scenario.rounds[round];
  const std::string name = fmt::format("{}/{}", scenario.id, kind.name);
  const auto operations = static_cast<double>(operations_of(run));
  const double cpu_ns = (run.generator.cpu_user_s + run.generator.cpu_system_s) * 1e9;
  Json row = {{"name", name},
              {"run_name", name},
              {"run_type", "iteration"},
              {"repetitions", scenario.rounds.size()},
              {"repetition_index", round},
              {"threads", run.generator.threads},
              {"iterations", operations_of(run)},
              {"real_time", value},
              {"cpu_time", cpu_ns / operations},
              {"time_unit", "ns"},
              {"items_per_second", run.load.achieved_per_s.value_or(run.load.offered_per_s)}};
  if (run.goodput_bits_per_s) row["bytes_per_second"] = *run.goodput_bits_per_s / 8;
  return row;
}

void add_rows(Json& rows, const Scenario& scenario, std::size_t family) {
  std::size_t instance = 0;
  for (const MetricKind& kind : headline_metrics()) {
    if (kind.unit != "ns") continue;
    bool any = false;
    for (std::size_t round = 0; round < scenario.rounds.size(); ++round) {
      const std::optional<double> value = kind.value(*scenario.rounds[round]);
      if (!value || !std::isfinite(*value) || operations_of(*scenario.rounds[round]) == 0) continue;
      Json row = row_of(scenario, round, kind, *value);
      row["family_index"] = family;
      row["per_family_instance_index"] = instance;
      rows.push_back(std::move(row));
      any = true;
    }
    if (any) ++instance;
  }
}

bool has_slow_build(const TextPairs& host) {
  return std::any_of(host.begin(), host.end(), [](const auto& fact) {
    return fact.first == "build" && is_slow_build(fact.second);
  });
}

// Readers of the format warn of what a "debug" build measured.
const char* build_type(const Report& report) {
  const bool slow = has_slow_build(report.host) ||
                    std::any_of(report.parts.begin(), report.parts.end(),
                                [](const auto& part) { return has_slow_build(part.host); });
  return slow ? "debug" : "release";
}

Json context_of(const Report& report) {
  return {{"date", report.started_at},
          {"executable", "volley"},
          {"caches", Json::array()},
          {"load_avg", Json::array()},
          {"library_version", report.tool_version},
          {"library_build_type", build_type(report)},
          {"json_schema_version", 1}};
}

}  // namespace

std::string render_googlebench(const Report& report) {
  Json rows = Json::array();
  std::size_t family = 0;
  for (const Scenario& scenario : scenarios_of(report)) add_rows(rows, scenario, family++);
  const Json json = {{"context", context_of(report)}, {"benchmarks", std::move(rows)}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace volley
