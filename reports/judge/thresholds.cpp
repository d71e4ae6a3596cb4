#include "reports/judge/thresholds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "reports/judge/missing.hpp"
#include "reports/judge/scenarios.hpp"
#include "reports/measure/units.hpp"

namespace volley {
namespace {

bool compare(double value, Comparator comparator, double limit) {
  switch (comparator) {
    case Comparator::above:
      return value > limit;
    case Comparator::at_least:
      return value >= limit;
    case Comparator::below:
      return value < limit;
    case Comparator::at_most:
      return value <= limit;
    case Comparator::equal:
      return value == limit;
    case Comparator::unequal:
      return value != limit;
  }
  return true;
}

// How much is left until the condition is met. Of == and != nothing is closer than anything else.
double distance(double value, Comparator comparator, double limit) {
  switch (comparator) {
    case Comparator::above:
    case Comparator::at_least:
      return limit - value;
    case Comparator::below:
    case Comparator::at_most:
      return value - limit;
    case Comparator::equal:
    case Comparator::unequal:
      break;
  }
  return 0;
}

// "udp" and "tcp" are protocols first; anything else is a scenario's id.
std::vector<const RunReport*> runs_in(const Report& report, const std::string& scope) {
  std::vector<const RunReport*> runs;
  const std::vector<Scenario> scenarios = scenarios_of(report);
  for (const RunReport& run : report.runs) {
    const bool inside =
        scope.empty() || run.protocol == scope ||
        std::any_of(scenarios.begin(), scenarios.end(), [&](const Scenario& scenario) {
          return scenario.id == scope && scenario.name == run.name &&
                 scenario.protocol == run.protocol;
        });
    if (inside) runs.push_back(&run);
  }
  return runs;
}

std::vector<const RunReport*> judged_runs(const Threshold& threshold, const Report& report) {
  std::vector<const RunReport*> runs = runs_in(report, threshold.scope);
  for (const char* protocol : {"udp", "tcp"})
    if (threshold.metric.path.starts_with(fmt::format("{}.", protocol)))
      runs.erase(std::remove_if(runs.begin(), runs.end(),
                                [&](const RunReport* run) { return run->protocol != protocol; }),
                 runs.end());
  return runs;
}

void name_run(ThresholdResult& result, const Report& report, const RunReport& run) {
  result.run = run.name;
  std::uint64_t same = 0;
  for (const RunReport& other : report.runs) {
    if (other.name != run.name) continue;
    ++same;
    if (&other == &run) result.round = same;
  }
  if (same == 1) result.round.reset();
}

struct Measured {
  std::optional<double> value, limit;
  const MetricKind* missing = nullptr;
};

Measured measure(const Threshold& threshold, const RunReport& run) {
  Measured measured;
  measured.value = threshold.metric.value(run);
  if (!measured.value) measured.missing = &threshold.metric;
  if (const auto* multiple = std::get_if<MetricMultiple>(&threshold.limit)) {
    const std::optional<double> other = multiple->metric.value(run);
    if (other && std::isfinite(multiple->factor * *other))
      measured.limit = multiple->factor * *other;
    if (!measured.limit && measured.missing == nullptr) measured.missing = &multiple->metric;
  } else {
    measured.limit = std::get<double>(threshold.limit);
  }
  return measured;
}

void take(ThresholdResult& result, const Report& report, const RunReport& run,
          const Measured& measured) {
  result.value = measured.value;
  result.limit = measured.limit;
  name_run(result, report, run);
}

// A limit that was typed stands in the condition; one that hangs on the run does not.
bool hangs_on_a_metric(const ThresholdResult& result) {
  const std::string& expr = result.expr;
  const std::size_t at = expr.find_last_of("<>=!");
  if (at == std::string::npos || at + 1 == expr.size() || result.unit == "verdict") return false;
  const char first = expr[at + 1];
  return (first >= 'a' && first <= 'z') || expr.find('*', at) != std::string::npos;
}

}  // namespace

double rank_of(Verdict verdict) {
  return static_cast<double>(Verdict::invalid) - static_cast<double>(verdict);
}

MetricKind verdict_metric() {
  MetricKind kind;
  kind.path = kind.name = kind.short_name = kind.unit = "verdict";
  kind.better = Better::higher;
  kind.value = [](const RunReport& run) -> std::optional<double> {
    if (!run.verdict) return std::nullopt;
    return rank_of(run.verdict->overall);
  };
  return kind;
}

ThresholdResult evaluate(const Threshold& threshold, const Report& report) {
  ThresholdResult result;
  result.expr = threshold.expr;
  result.unit = threshold.metric.unit;
  result.metric = threshold.metric.path;
  const double* const fixed = std::get_if<double>(&threshold.limit);
  if (fixed != nullptr) result.limit = *fixed;
  const RunReport* lacking = nullptr;
  const MetricKind* missing = nullptr;
  std::optional<double> closest;
  for (const RunReport* run : judged_runs(threshold, report)) {
    const Measured measured = measure(threshold, *run);
    if (measured.missing != nullptr) {
      if (lacking == nullptr) {
        lacking = run;
        missing = measured.missing;
      }
      continue;
    }
    if (compare(*measured.value, threshold.comparator, *measured.limit)) {
      take(result, report, *run, measured);
      return result;
    }
    const double left = distance(*measured.value, threshold.comparator, *measured.limit);
    if (closest && left >= *closest) continue;
    closest = left;
    take(result, report, *run, measured);
  }
  result.pass = closest.has_value() && lacking == nullptr;
  if (result.pass) return result;
  result.value.reset();
  if (fixed == nullptr) result.limit.reset();
  result.reason = to_string(lacking == nullptr ? Missing::no_run : why_missing(*lacking, *missing));
  result.missing = lacking == nullptr ? threshold.metric.path : missing->path;
  if (lacking != nullptr) name_run(result, report, *lacking);
  return result;
}

std::string value_text(double value, std::string_view unit) {
  constexpr double most = 9e18;
  const bool whole = value >= 0 && value < most;
  if (unit == "ns" && whole) return format_duration(Nanos(static_cast<std::int64_t>(value)));
  if (unit == "s") return fmt::format("{:.2f} s", value);
  if (unit == "per_s") return format_rate(value);
  if (unit == "ratio") return format_ratio(value);
  if (unit == "bits_per_s") return format_bits_per_s(value);
  if (unit == "bytes" && whole) return format_size(static_cast<std::uint64_t>(value));
  if (unit == "verdict" && value >= 0 && value <= rank_of(Verdict::trusted))
    return std::string(to_string(
        static_cast<Verdict>(static_cast<int>(Verdict::invalid) - static_cast<int>(value))));
  if (unit != "count") return fmt::format("{} {}", value, unit);
  if (whole && value == static_cast<double>(static_cast<std::uint64_t>(value)))
    return format_count(static_cast<std::uint64_t>(value));
  return fmt::format("{:.4g}", value);
}

std::string result_text(const ThresholdResult& result) {
  std::string where;
  if (!result.run.empty() && result.round)
    where = fmt::format(", in run {} of {}", *result.round, result.run);
  if (!result.value) {
    if (result.reason.empty()) return "it could not be evaluated";
    return fmt::format("it could not be evaluated: {}{}",
                       missing_text(result.missing, result.reason), where);
  }
  const std::string limit = result.limit && hangs_on_a_metric(result)
                                ? fmt::format(" against {}", value_text(*result.limit, result.unit))
                                : "";
  return fmt::format("it is {}{}{}", value_text(*result.value, result.unit), limit, where);
}

}  // namespace volley
