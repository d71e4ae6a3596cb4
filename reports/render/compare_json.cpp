#include <nlohmann/json.hpp>

#include "reports/render/compare.hpp"

namespace volley {
namespace {

using Json = nlohmann::ordered_json;

template <typename T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

Json verdict_json(const std::optional<Verdict>& verdict) {
  return verdict ? Json(to_string(*verdict)) : Json(nullptr);
}

Json report_json(const ComparedReport& report) {
  return {{"started_at", report.started_at},
          {"tool_version", report.tool_version},
          {"tool_commit", report.tool_commit},
          {"status", report.status},
          {"verdict", verdict_json(report.verdict)}};
}

Json figure_json(const FigureChange& figure) {
  const bool of_difference = figure.unit == "ratio";
  return {{"metric", figure.metric},
          {"name", figure.name},
          {"unit", figure.unit},
          {"base", or_null(figure.base)},
          {"new", or_null(figure.latest)},
          {"base_missing", text_or_null(figure.base_missing)},
          {"new_missing", text_or_null(figure.latest_missing)},
          {"difference", or_null(figure.difference)},
          {"change_ratio", or_null(figure.change_ratio)},
          {"limit_ratio", or_null(figure.limit)},
          {"limit_of", !figure.limit   ? Json(nullptr)
                       : of_difference ? Json("difference")
                                       : Json("base")},
          {"change", to_string(figure.change)}};
}

Json scenario_json(const ScenarioChange& scenario) {
  Json load = Json::array();
  for (const LoadDifference& difference : scenario.load)
    load.push_back({{"key", difference.key},
                    {"base", or_null(difference.base)},
                    {"new", or_null(difference.latest)}});
  Json figures = Json::array();
  for (const FigureChange& figure : scenario.figures) figures.push_back(figure_json(figure));
  return {{"id", scenario.id},
          {"base_rounds", scenario.base_rounds},
          {"new_rounds", scenario.latest_rounds},
          {"base_verdict", verdict_json(scenario.base_verdict)},
          {"new_verdict", verdict_json(scenario.latest_verdict)},
          {"load_differences", std::move(load)},
          {"figures", std::move(figures)}};
}

}  // namespace

std::string render_change_json(const ReportChange& change) {
  Json scenarios = Json::array();
  for (const ScenarioChange& scenario : change.scenarios)
    scenarios.push_back(scenario_json(scenario));
  const Json json = {{"schema_version", "1.0"},
                     {"base", report_json(change.base)},
                     {"new", report_json(change.latest)},
                     {"scenarios", std::move(scenarios)},
                     {"gone", change.gone},
                     {"added", change.added},
                     {"regressed", change.regressed},
                     {"significance_tested", false},
                     {"sentence", change.sentence}};
  // A saved report may hold bytes that are no UTF-8; JSON must not.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace volley
