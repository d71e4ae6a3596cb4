#include "reports/judge/compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "reports/judge/missing.hpp"
#include "reports/judge/scenarios.hpp"
#include "reports/judge/verdicts.hpp"

namespace volley {
namespace {

// So that 110 of 100 is not beyond 10 % by the last bit of a double.
constexpr double kRounding = 1e-9;

// One side of a scenario: its rounds, and their figures together.
struct Side {
  const Scenario& scenario;
  std::optional<RunReport> whole;
};

// A verdict names numbers as the JSON does, without the first word of the path.
std::string number_of(const MetricKind& metric) {
  return metric.path.substr(metric.path.find('.') + 1);
}

// Useful bytes are those of what was achieved: they have no verdict of their own.
bool decides(const std::string& judged, const std::string& number) {
  return judged == number || (number == "goodput_bits_per_s" && judged == "achieved_per_s");
}

// Neither have a distribution's mean, ends and spread: what spoiled one of its percentiles spoiled
// them.
bool is_of_spoiled(const RunReport& run, const MetricKind& metric) {
  const bool is_percentile = number_of(metric).find(".p") != std::string::npos;
  return metric.latency != nullptr && !is_percentile && !(run.*metric.latency).spoiled.empty();
}

bool is_invalid(const Scenario& scenario, const MetricKind& metric) {
  const std::string number = number_of(metric);
  for (const RunReport* round : scenario.rounds) {
    if (is_of_spoiled(*round, metric)) return true;
    if (!round->verdict) continue;
    for (const NumberVerdict& judged : round->verdict->numbers)
      if (decides(judged.number, number) && judged.verdict == Verdict::invalid) return true;
  }
  return false;
}

std::optional<double> figure_of(const Side& side, const MetricKind& metric, std::string& missing) {
  if (!side.whole) {
    missing = to_string(Missing::no_run);
    return std::nullopt;
  }
  const std::optional<double> value = metric.value(*side.whole);
  if (value && !is_invalid(side.scenario, metric)) return value;
  missing = to_string(value ? Missing::invalid : why_missing(*side.whole, metric));
  return std::nullopt;
}

// Whether `worse` lies beyond what the limit allows from `from`; `up` says which way worse is.
bool is_beyond(double from, double to, double most, bool up, bool of_difference) {
  if (of_difference) return (up ? to - from : from - to) > most + kRounding;
  return up ? to > from * (1 + most) * (1 + kRounding) : to < from * (1 - most) * (1 - kRounding);
}

Change change_of(const FigureChange& figure, const MetricKind& metric) {
  const bool gone = figure.base && !figure.latest;
  if (gone && figure.limit && figure.latest_missing != to_string(Missing::invalid))
    return Change::regressed;
  if (!figure.base || !figure.latest) return Change::not_comparable;
  if (!figure.limit) return Change::unlimited;
  const bool up = metric.better == Better::lower;
  const bool of_difference = metric.unit == "ratio";
  if (is_beyond(*figure.base, *figure.latest, *figure.limit, up, of_difference))
    return Change::regressed;
  if (is_beyond(*figure.base, *figure.latest, *figure.limit, !up, of_difference))
    return Change::improved;
  return Change::within;
}

FigureChange compare_figure(const Side& base, const Side& latest, const MetricKind& metric,
                            const RegressionLimit* limit) {
  FigureChange figure;
  figure.metric = metric.path;
  figure.name = metric.name;
  figure.unit = metric.unit;
  figure.base = figure_of(base, metric, figure.base_missing);
  figure.latest = figure_of(latest, metric, figure.latest_missing);
  if (limit != nullptr) figure.limit = limit->most;
  if (figure.base && figure.latest) {
    figure.difference = *figure.latest - *figure.base;
    if (*figure.base > 0) figure.change_ratio = *figure.latest / *figure.base - 1;
  }
  figure.change = change_of(figure, metric);
  return figure;
}

bool has_no_such(const FigureChange& figure) {
  const auto never = [](const std::string& why) {
    return why == to_string(Missing::not_measured) || why == to_string(Missing::no_run);
  };
  return never(figure.base_missing) && never(figure.latest_missing);
}

const RegressionLimit* limit_of(const std::vector<RegressionLimit>& limits,
                                const MetricKind& metric) {
  for (const RegressionLimit& limit : limits)
    if (limit.metric.path == metric.path) return &limit;
  return nullptr;
}

// Those one looks at, and those that have a limit.
std::vector<MetricKind> metrics_to_compare(const std::vector<RegressionLimit>& limits) {
  std::vector<MetricKind> metrics;
  for (MetricKind& metric : headline_metrics())
    if (metric.better != Better::neither) metrics.push_back(std::move(metric));
  for (const RegressionLimit& limit : limits) {
    const auto same = [&](const MetricKind& metric) { return metric.path == limit.metric.path; };
    if (std::none_of(metrics.begin(), metrics.end(), same)) metrics.push_back(limit.metric);
  }
  return metrics;
}

// None of these changes what is asked of a target; our own has another port in every run.
bool is_of_the_load(const std::string& key) {
  return key != "seed" && key != "interval" && key != "peer";
}

TextPairs load_of(const RunReport& run) {
  TextPairs load = run.config;
  const auto add = [&load](const char* key, const std::string& value) {
    const auto same = [&](const auto& pair) { return pair.first == key; };
    if (std::none_of(load.begin(), load.end(), same)) load.emplace_back(key, value);
  };
  add("workload", run.workload);
  add("arrival", run.arrival);
  return load;
}

std::optional<std::string> value_in(const TextPairs& pairs, const std::string& key) {
  for (const auto& [name, value] : pairs)
    if (name == key) return value;
  return std::nullopt;
}

std::vector<LoadDifference> compare_loads(const Scenario& base, const Scenario& latest) {
  std::vector<LoadDifference> differences;
  if (base.rounds.empty() || latest.rounds.empty()) return differences;
  const TextPairs before = load_of(*base.rounds.front());
  const TextPairs after = load_of(*latest.rounds.front());
  for (const auto& [key, value] : before)
    if (const auto other = value_in(after, key); is_of_the_load(key) && other != value)
      differences.push_back({key, value, other});
  for (const auto& [key, value] : after)
    if (is_of_the_load(key) && !value_in(before, key))
      differences.push_back({key, std::nullopt, value});
  return differences;
}

std::optional<Verdict> verdict_of(const Side& side) {
  if (!side.whole || !side.whole->verdict) return std::nullopt;
  return side.whole->verdict->overall;
}

ScenarioChange compare_scenario(const Scenario& base, const Scenario& latest,
                                const std::vector<RegressionLimit>& limits) {
  const Side before{base, together(base.rounds)};
  const Side after{latest, together(latest.rounds)};
  ScenarioChange change;
  change.id = base.id;
  change.base_rounds = base.rounds.size();
  change.latest_rounds = latest.rounds.size();
  change.base_verdict = verdict_of(before);
  change.latest_verdict = verdict_of(after);
  change.load = compare_loads(base, latest);
  for (const MetricKind& metric : metrics_to_compare(limits)) {
    const RegressionLimit* limit = limit_of(limits, metric);
    FigureChange figure = compare_figure(before, after, metric, limit);
    if (has_no_such(figure) && (limit == nullptr || !limit->asked)) continue;
    change.figures.push_back(std::move(figure));
  }
  return change;
}

ComparedReport facts_of(const Report& report) {
  ComparedReport facts{
      report.tool_version, report.tool_commit, report.started_at, report.status, {}};
  if (const auto verdict = overall_verdict(report.runs)) facts.verdict = verdict->overall;
  return facts;
}

const Scenario* find_scenario(const std::vector<Scenario>& scenarios, const std::string& id) {
  for (const Scenario& scenario : scenarios)
    if (scenario.id == id) return &scenario;
  return nullptr;
}

std::string change_words(const FigureChange& figure) {
  if (!figure.latest) return "gone";
  if (figure.unit == "ratio") return fmt::format("{:+.3f} points", *figure.difference * 100);
  if (!figure.change_ratio) return "from 0";
  return fmt::format("{:+.1f} %", *figure.change_ratio * 100);
}

std::string sentence_of(const ReportChange& change) {
  std::vector<std::string> worse;
  std::size_t passed_over = 0;
  for (const ScenarioChange& scenario : change.scenarios)
    for (const FigureChange& figure : scenario.figures) {
      if (figure.limit && figure.change == Change::not_comparable) ++passed_over;
      if (figure.change == Change::regressed)
        worse.push_back(fmt::format("{} {} ({})", scenario.id, figure.name, change_words(figure)));
    }
  for (const std::string& id : change.gone) worse.push_back(fmt::format("{} (gone)", id));
  std::string sentence = fmt::format("Regressed beyond its limit: {}", fmt::join(worse, ", "));
  if (worse.empty())
    sentence = change.limited == 0
                   ? "Not one figure with a limit could be compared"
                   : fmt::format("No regression in {} figures with a limit", change.limited);
  if (passed_over > 0)
    sentence += change.limited == 0 && worse.empty()
                    ? fmt::format(" ({} should have been)", passed_over)
                    : fmt::format("; {} more could not be compared", passed_over);
  return sentence +
         ". No significance was tested: two reports alone cannot tell a difference from chance.";
}

}  // namespace

std::string_view to_string(Change change) {
  switch (change) {
    case Change::within:
      return "within";
    case Change::improved:
      return "improved";
    case Change::regressed:
      return "regressed";
    case Change::unlimited:
      return "unlimited";
    case Change::not_comparable:
      return "not_comparable";
  }
  return "";
}

ReportChange compare_reports(const Report& base, const Report& latest,
                             const std::vector<RegressionLimit>& limits) {
  ReportChange change;
  change.base = facts_of(base);
  change.latest = facts_of(latest);
  const std::vector<Scenario> before = scenarios_of(base);
  const std::vector<Scenario> after = scenarios_of(latest);
  for (const Scenario& scenario : before) {
    if (const Scenario* other = find_scenario(after, scenario.id))
      change.scenarios.push_back(compare_scenario(scenario, *other, limits));
    else
      change.gone.push_back(scenario.id);
  }
  for (const Scenario& scenario : after)
    if (find_scenario(before, scenario.id) == nullptr) change.added.push_back(scenario.id);
  change.regressed = !change.gone.empty();
  for (const ScenarioChange& scenario : change.scenarios)
    for (const FigureChange& figure : scenario.figures) {
      change.regressed = change.regressed || figure.change == Change::regressed;
      if (figure.limit && figure.change != Change::not_comparable) ++change.limited;
    }
  change.sentence = sentence_of(change);
  return change;
}

}  // namespace volley
