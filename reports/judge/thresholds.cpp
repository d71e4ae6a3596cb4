#include "reports/judge/thresholds.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "reports/measure/ensure.hpp"
#include "reports/measure/units.hpp"

namespace volley {
namespace {

enum class Unit : std::uint8_t { time, ratio, rate, count };

struct Metric {
  std::string_view name;
  Unit unit;
};
constexpr std::array kMetrics{Metric{"p50", Unit::time},         Metric{"p90", Unit::time},
                              Metric{"p99", Unit::time},         Metric{"p99_9", Unit::time},
                              Metric{"p99_99", Unit::time},      Metric{"max", Unit::time},
                              Metric{"loss", Unit::ratio},       Metric{"achieved", Unit::rate},
                              Metric{"offered", Unit::rate},     Metric{"intended", Unit::rate},
                              Metric{"errors", Unit::count},     Metric{"late", Unit::count},
                              Metric{"duplicates", Unit::count}, Metric{"reordered", Unit::count}};

struct Operator {
  std::string_view text;
  Comparator comparator;
};
// The longer ones first, so that ">=" is not read as ">".
constexpr std::array kOperators{
    Operator{">=", Comparator::at_least}, Operator{"<=", Comparator::at_most},
    Operator{"==", Comparator::equal},    Operator{"!=", Comparator::unequal},
    Operator{">", Comparator::above},     Operator{"<", Comparator::below}};

std::string without_blanks(std::string_view text) {
  std::string result;
  for (const char c : text)
    if (c != ' ' && c != '\t') result.push_back(c);
  return result;
}

std::string metric_names() {
  std::string names;
  for (const Metric& metric : kMetrics)
    names += fmt::format("{}{}", names.empty() ? "" : " ", metric.name);
  return names;
}

std::string_view unit_name(Unit unit) {
  switch (unit) {
    case Unit::time:
      return "ns";
    case Unit::ratio:
      return "ratio";
    case Unit::rate:
      return "per_s";
    case Unit::count:
      return "count";
  }
  return "";
}

double parse_limit(std::string_view subject, Unit unit, std::string_view text) {
  switch (unit) {
    case Unit::time:
      return static_cast<double>(
          parse_duration(subject, text, Nanos(0), std::chrono::hours(1)).count());
    case Unit::ratio:
      return parse_ratio(subject, text);
    case Unit::rate:
      return parse_rate(subject, text).per_second();
    case Unit::count:
      return static_cast<double>(parse_count(subject, text, 0));
  }
  return 0;
}

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

template <typename T>
std::optional<double> as_double(const std::optional<T>& value) {
  return value ? std::optional<double>(static_cast<double>(*value)) : std::nullopt;
}

std::optional<double> response_metric(const LatencyFigures& response, std::string_view metric) {
  for (const PercentileKey& key : kPercentiles)
    if (metric == key.key) return as_double(response.*key.figure);
  return as_double(response.max);
}

}  // namespace

Threshold parse_threshold(std::string_view subject, std::string_view text) {
  Threshold threshold;
  threshold.expr = without_blanks(text);
  const std::string_view expr = threshold.expr;
  const auto at = expr.find_first_of("<>=!");
  const Operator* found = nullptr;
  if (at != std::string_view::npos)
    for (const Operator& candidate : kOperators)
      if (found == nullptr && expr.substr(at, candidate.text.size()) == candidate.text)
        found = &candidate;
  if (found == nullptr)
    throw UsageError(
        fmt::format("{}: no comparison in it ({}) [> >= < <= == !=]; write it like "
                    "'p99>2ms' or 'loss>=0.1%'",
                    subject, text));
  const auto name = expr.substr(0, at);
  const Metric* metric = nullptr;
  for (const Metric& candidate : kMetrics)
    if (candidate.name == name) metric = &candidate;
  if (metric == nullptr)
    throw UsageError(fmt::format("{}: not a metric ({}) [{}]; choose one of these", subject, name,
                                 metric_names()));
  threshold.metric = name;
  threshold.comparator = found->comparator;
  threshold.limit = parse_limit(fmt::format("{} '{}'", subject, expr), metric->unit,
                                expr.substr(at + found->text.size()));
  threshold.unit = unit_name(metric->unit);
  return threshold;
}

std::optional<double> metric_of(const RunReport& run, std::string_view metric) {
  const RequestFigures& requests = run.requests;
  if (metric == "loss") return requests.loss_ratio;
  if (metric == "achieved") return run.load.achieved_per_s;
  if (metric == "offered") return run.load.offered_per_s;
  if (metric == "intended") return run.load.intended_per_s;
  // Where nothing was sent, nothing can be said to have gone well.
  if (requests.sent == 0 &&
      (metric == "late" || metric == "duplicates" || metric == "reordered" || metric == "errors"))
    return std::nullopt;
  if (metric == "late") return static_cast<double>(requests.late);
  if (metric == "duplicates") return static_cast<double>(requests.duplicates);
  if (metric == "reordered") return static_cast<double>(requests.reordered);
  if (metric == "errors") {
    std::uint64_t sum = 0;
    for (const KindCount& error : requests.errors) sum += error.count;
    return static_cast<double>(sum);
  }
  return response_metric(run.response, metric);
}

ThresholdResult evaluate(const Threshold& threshold, const std::vector<RunReport>& runs) {
  ThresholdResult result{threshold.expr, std::nullopt, threshold.limit, threshold.unit, false};
  bool all_known = !runs.empty();
  for (const RunReport& run : runs) {
    const auto value = metric_of(run, threshold.metric);
    if (!value) {
      all_known = false;
      continue;
    }
    if (compare(*value, threshold.comparator, threshold.limit)) {
      result.value = value;
      return result;
    }
    if (!result.value) result.value = value;
  }
  if (!all_known) result.value.reset();
  result.pass = all_known;
  return result;
}

}  // namespace volley
