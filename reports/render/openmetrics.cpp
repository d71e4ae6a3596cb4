// OpenMetrics 1.0, in two flavours: plain, to be scraped, and with times, to be backfilled. In the
// second, counters grow over the run's intervals, and all else has the time of the report's end.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "reports/render/families.hpp"
#include "reports/render/renderer.hpp"
#include "reports/render/timeline.hpp"

namespace volley {
namespace {

std::string_view type_word(FamilyKind kind) {
  constexpr std::array<std::string_view, 4> words{"gauge", "counter", "histogram", "info"};
  return words.at(static_cast<std::size_t>(kind));
}

std::string text_of(const std::vector<PointFamily>& families) {
  std::string text;
  for (const PointFamily& family : families) {
    text += fmt::format("# TYPE {} {}\n", family.name, type_word(family.kind));
    if (!family.unit.empty()) text += fmt::format("# UNIT {} {}\n", family.name, family.unit);
    text += fmt::format("# HELP {} {}\n", family.name, family.help);
    for (const Point& point : family.points) {
      text += point_text(family, point);
      if (point.at_ms) text += fmt::format(" {}.{:03}", *point.at_ms / 1000, *point.at_ms % 1000);
      text += '\n';
    }
  }
  return text + "# EOF\n";
}

// A counter that intervals have, too.
struct Growing {
  const char* name;
  const char* outcome;  // of volley_requests; null: no such label
  std::optional<std::uint64_t> (*count)(const IntervalFigures&);
};
using Known = std::optional<std::uint64_t>;
constexpr std::array kGrowing{
    Growing{"volley_requests", "completed", [](const IntervalFigures& i) { return i.completed; }},
    Growing{"volley_requests", "lost", [](const IntervalFigures& i) { return i.lost; }},
    Growing{"volley_requests", "error", [](const IntervalFigures& i) { return Known(i.errors); }},
    Growing{"volley_sent_requests", nullptr,
            [](const IntervalFigures& i) { return Known(i.sent); }},
    Growing{"volley_late_answers", nullptr, [](const IntervalFigures& i) { return Known(i.late); }},
    Growing{"volley_duplicate_answers", nullptr,
            [](const IntervalFigures& i) { return Known(i.duplicates); }},
    Growing{"volley_reordered_answers", nullptr,
            [](const IntervalFigures& i) { return Known(i.reordered); }},
    Growing{"volley_held_back_requests", nullptr,
            [](const IntervalFigures& i) { return Known(i.held_back); }},
    Growing{"volley_sent_bytes", nullptr,
            [](const IntervalFigures& i) { return Known(i.bytes_sent); }},
    Growing{"volley_received_bytes", nullptr,
            [](const IntervalFigures& i) { return Known(i.bytes_received); }},
};

// A percentile that intervals have.
struct Varying {
  const char* name;
  const char* help;
  const char* percentile;
  std::optional<std::int64_t> IntervalFigures::*ns;
};
constexpr const char* kResponseHelp =
    "Response time of the requests completed in one interval: percentiles.";
constexpr std::array kVarying{
    Varying{"volley_interval_response_percentile_seconds", kResponseHelp, "50",
            &IntervalFigures::response_p50_ns},
    Varying{"volley_interval_response_percentile_seconds", kResponseHelp, "99",
            &IntervalFigures::response_p99_ns},
    Varying{"volley_interval_response_percentile_seconds", kResponseHelp, "100",
            &IntervalFigures::response_max_ns},
    Varying{"volley_interval_send_lag_percentile_seconds",
            "Send lag of the requests sent in one interval: percentiles.", "99",
            &IntervalFigures::send_lag_p99_ns},
};

// Calls `begin(at_ms)` with the moment the first round was measured from, then `visit(interval,
// at_ms, forward)` for the intervals of all rounds, by the end of each. Only one that is later than
// all before it goes forward: a file may say anything, and a series must.
template <typename Begin, typename Visit>
void for_each_interval(const Report& report, const Timeline& timeline, std::int64_t origin_ms,
                       const Scenario& scenario, Begin begin, Visit visit) {
  std::int64_t last = INT64_MIN;
  for (const RunReport* round : scenario.rounds) {
    const auto place = static_cast<std::size_t>(round - report.runs.data());
    const std::int64_t from = origin_ms + timeline.measured_from_ms.at(place);
    if (round == scenario.rounds.front()) {
      begin(from);
      last = from;
    }
    for (const IntervalFigures& interval : round->intervals) {
      const std::int64_t at = from + in_ms(interval.end_s);
      visit(interval, at, at > last);
      last = std::max(last, at);
    }
  }
}

// Puts what the counter was during the run before its last point.
void add_growth(PointFamily& family, const Growing& growing, const Report& report,
                const Timeline& timeline, std::int64_t origin_ms, const ScenarioPoints& s) {
  Labels labels = s.labels;
  if (growing.outcome != nullptr) labels.emplace_back("outcome", growing.outcome);
  const auto last = std::find_if(family.points.begin(), family.points.end(),
                                 [&](const Point& point) { return point.labels == labels; });
  if (last == family.points.end()) return;
  std::vector<Point> growth;
  std::uint64_t sum = 0;
  for_each_interval(
      report, timeline, origin_ms, s.scenario,
      [&](std::int64_t at) {
        growth.push_back({"_total", labels, "0", at});
      },
      [&](const IntervalFigures& interval, std::int64_t at, bool forward) {
        sum += growing.count(interval).value_or(0);
        if (forward) growth.push_back({"_total", labels, fmt::format("{}", sum), at});
      });
  family.points.insert(last, growth.begin(), growth.end());
}

PointFamily varying_family(const Varying& first, const Report& report, const Timeline& timeline,
                           std::int64_t origin_ms, const std::vector<ScenarioPoints>& scenarios) {
  PointFamily family{first.name, FamilyKind::gauge, "seconds", first.help, {}};
  for (const ScenarioPoints& s : scenarios)
    for (const Varying& varying : kVarying) {
      if (family.name != varying.name) continue;
      Labels labels = s.labels;
      labels.emplace_back("percentile", varying.percentile);
      for_each_interval(
          report, timeline, origin_ms, s.scenario, [](std::int64_t) {},
          [&](const IntervalFigures& interval, std::int64_t at, bool forward) {
            const auto& ns = interval.*varying.ns;
            const auto text = ns ? number_text(static_cast<double>(*ns) / 1e9) : std::nullopt;
            if (text && forward) family.points.push_back({"", labels, *text, at});
          });
    }
  return family;
}

// Later than every interval: some end after the run did, when answers came in late.
std::int64_t end_of(const Report& report, const Timeline& timeline) {
  std::int64_t end = timeline.end_ms;
  for (std::size_t i = 0; i < report.runs.size(); ++i)
    for (const IntervalFigures& interval : report.runs[i].intervals)
      end = std::max(end, timeline.measured_from_ms[i] + in_ms(interval.end_s) + 1);
  return end + 1;
}

}  // namespace

std::string render_openmetrics(const Report& report) {
  return text_of(families_of(report, scenario_points(report)));
}

std::string render_openmetrics_timestamped(const Report& report) {
  const auto origin_ms = started_ms(report.started_at);
  if (!origin_ms) return text_of({});  // nothing in it has a time
  const Timeline timeline = timeline_of(report);
  const std::vector<ScenarioPoints> scenarios = scenario_points(report);
  std::vector<PointFamily> families = families_of(report, scenarios);
  const std::int64_t end_ms = *origin_ms + end_of(report, timeline);
  for (PointFamily& family : families)
    for (Point& point : family.points) point.at_ms = end_ms;
  for (PointFamily& family : families)
    for (const Growing& growing : kGrowing)
      if (family.name == growing.name)
        for (const ScenarioPoints& s : scenarios)
          add_growth(family, growing, report, timeline, *origin_ms, s);
  for (const Varying* first : {&kVarying.front(), &kVarying.back()}) {
    PointFamily family = varying_family(*first, report, timeline, *origin_ms, scenarios);
    if (!family.points.empty()) families.push_back(std::move(family));
  }
  return text_of(families);
}

}  // namespace volley
