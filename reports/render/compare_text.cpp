#include <fmt/format.h>

#include <cmath>
#include <string_view>
#include <vector>

#include "reports/judge/missing.hpp"
#include "reports/judge/thresholds.hpp"
#include "reports/render/compare.hpp"
#include "reports/render/words.hpp"

namespace volley {
namespace {

std::string verdict_words(const std::optional<Verdict>& verdict) {
  return verdict ? std::string(to_string(*verdict)) : "no verdict";
}

std::string report_line(std::string_view which, const ComparedReport& report) {
  return wrapped(
      fmt::format("{:<10}", which),
      printable(fmt::format("{}, volley {} ({}), {}, {}", report.started_at, report.tool_version,
                            report.tool_commit, report.status, verdict_words(report.verdict))));
}

std::string figure_cell(const std::optional<double>& value, const std::string& unit,
                        const std::string& missing) {
  return value ? value_text(*value, unit) : missing;
}

std::string change_cell(const FigureChange& figure) {
  if (!figure.difference) return "-";
  if (figure.unit == "ratio") return fmt::format("{:+.3f} points", *figure.difference * 100);
  if (figure.change_ratio) return fmt::format("{:+.1f} %", *figure.change_ratio * 100);
  return *figure.difference == 0 ? "none" : "from 0";
}

std::string limit_cell(const FigureChange& figure) {
  if (!figure.limit) return "-";
  return fmt::format("{:.4g} {}", *figure.limit * 100, figure.unit == "ratio" ? "points" : "%");
}

std::string change_word(Change change) {
  if (change == Change::unlimited) return "-";
  if (change == Change::not_comparable) return "not compared";
  return std::string(to_string(change));
}

std::string table_of(const ScenarioChange& scenario) {
  std::vector<std::vector<std::string>> rows{{"", "base", "new", "change", "limit", ""}};
  for (const FigureChange& figure : scenario.figures)
    rows.push_back({figure.name, figure_cell(figure.base, figure.unit, figure.base_missing),
                    figure_cell(figure.latest, figure.unit, figure.latest_missing),
                    change_cell(figure), limit_cell(figure), change_word(figure.change)});
  return columns(rows);
}

std::string load_lines(const ScenarioChange& scenario) {
  std::string text;
  for (const LoadDifference& difference : scenario.load)
    text += wrapped("  not the same load: ",
                    printable(fmt::format("{} was {}, is {}", difference.key,
                                          difference.base.value_or("not there"),
                                          difference.latest.value_or("not there"))));
  return text;
}

// Why a figure is not there, where that decided something.
std::string missing_lines(const ScenarioChange& scenario) {
  std::string text;
  for (const FigureChange& figure : scenario.figures) {
    if (!figure.limit) continue;
    if (!figure.latest_missing.empty())
      text += wrapped(
          "  new       ",
          fmt::format("{}{}", missing_text(figure.name, figure.latest_missing),
                      figure.change == Change::regressed ? "; that counts as a regression" : ""));
    if (!figure.base_missing.empty())
      text += wrapped("  base      ", missing_text(figure.name, figure.base_missing));
  }
  return text;
}

std::string scenario_text(const ScenarioChange& scenario) {
  std::string text = wrapped(
      "", fmt::format("{}: {}, was {}; {} against {}", scenario.id,
                      verdict_words(scenario.latest_verdict), verdict_words(scenario.base_verdict),
                      counted(scenario.latest_rounds, "round", "rounds"), scenario.base_rounds));
  return text + load_lines(scenario) + table_of(scenario) + missing_lines(scenario);
}

}  // namespace

std::string render_change_text(const ReportChange& change) {
  std::string text = report_line("base", change.base) + report_line("new", change.latest);
  for (const ScenarioChange& scenario : change.scenarios) text += '\n' + scenario_text(scenario);
  if (!change.gone.empty() || !change.added.empty()) text += '\n';
  for (const std::string& id : change.gone)
    text +=
        wrapped("gone      ", fmt::format("{}: only in the base; that counts as a regression", id));
  for (const std::string& id : change.added)
    text += wrapped("added     ", fmt::format("{}: not in the base, so not compared", id));
  return text + '\n' + wrapped("", change.sentence);
}

}  // namespace volley
