#include "reports/judge/missing.hpp"

#include <fmt/format.h>

#include <array>

namespace volley {
namespace {

struct Words {
  Missing reason;
  std::string_view word;
  std::string_view text;  // behind the metric's name
  std::string_view way_out;
};
constexpr std::array kWords{
    Words{Missing::no_run, "no_run", "cannot be had: there is no such run",
          "name one that the report has"},
    Words{Missing::not_measured, "not_measured", "is not measured by this run",
          "ask for a figure that it has"},
    Words{Missing::not_judged, "not_judged", "is not there: the run did not judge itself",
          "ask for a figure that it has"},
    Words{Missing::lost, "lost", "falls among the lost requests, which have no end",
          "look at the loss, or ask for response_delivered"},
    Words{Missing::not_claimable, "not_claimable",
          "is withheld: too little stands behind it (NOT_CLAIMABLE)",
          "measure longer, or ask for a lower percentile"},
    Words{Missing::invalid, "invalid", "is withheld: the generator spoiled it (INVALID)",
          "the checks in the report say how"}};

const PercentileKey* percentile_of(const MetricKind& metric) {
  for (const PercentileKey& key : kPercentiles)
    if (metric.path.ends_with(fmt::format(".{}", key.key))) return &key;
  return nullptr;
}

Missing why_missing(const LatencyFigures& figures, const MetricKind& metric) {
  if (const PercentileKey* key = percentile_of(metric)) {
    if (is_spoiled(figures, *key)) return Missing::invalid;
    if (is_withheld(figures, *key)) return Missing::not_claimable;
  }
  return figures.beyond_lost ? Missing::lost : Missing::not_measured;
}

}  // namespace

std::string_view to_string(Missing reason) {
  for (const Words& words : kWords)
    if (words.reason == reason) return words.word;
  return "";
}

Missing why_missing(const RunReport& run, const MetricKind& metric) {
  if (metric.latency != nullptr) return why_missing(run.*metric.latency, metric);
  if (metric.unit == "verdict") return Missing::not_judged;
  // The verdict took it out; nothing else does where both counts are known.
  if (metric.name == "loss_ratio" && run.requests.sent > 0 && run.requests.lost)
    return Missing::invalid;
  return Missing::not_measured;
}

std::string missing_text(std::string_view metric, std::string_view reason) {
  for (const Words& words : kWords)
    if (words.word == reason) return fmt::format("{} {}", metric, words.text);
  return fmt::format("{} is missing", metric);
}

std::string_view way_out(std::string_view reason) {
  for (const Words& words : kWords)
    if (words.word == reason) return words.way_out;
  return "ask for a figure that the run has";
}

}  // namespace volley
