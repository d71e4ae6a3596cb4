// One row per family. Numbers of a report are in ns, s, bits/s: here they become seconds and bytes.
#include "reports/render/families.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>

#include "reports/render/timeline.hpp"
#include "reports/render/words.hpp"

namespace volley {
namespace {

using Whole = const RunReport&;

Labels with(const Labels& labels, std::string name, std::string value) {
  Labels more = labels;
  more.emplace_back(std::move(name), std::move(value));
  return more;
}

void add(PointFamily& family, const Labels& labels, std::optional<double> value) {
  if (!value) return;
  if (const auto text = number_text(*value)) family.points.push_back({"", labels, *text, {}});
}

void add_count(PointFamily& family, const Labels& labels, std::optional<std::uint64_t> count) {
  if (count) family.points.push_back({"_total", labels, fmt::format("{}", *count), {}});
}

std::uint64_t total_of(const std::vector<KindCount>& kinds) {
  std::uint64_t sum = 0;
  for (const KindCount& kind : kinds) sum += kind.count;
  return sum;
}

// Every kind there is, so that a line does not begin only with the first failure.
void add_kinds(PointFamily& family, const Labels& labels, const std::vector<KindCount>& kinds) {
  for (std::size_t i = 0; i < kErrorKinds; ++i) {
    const std::string_view word = to_string(static_cast<ErrorKind>(i));
    std::uint64_t count = 0;
    for (const KindCount& kind : kinds)
      if (kind.kind == word) count += kind.count;
    add_count(family, with(labels, "kind", std::string(word)), count);
  }
}

struct Row {
  const char* name;
  FamilyKind kind;
  const char* unit;
  const char* help;
  void (*fill)(PointFamily&, const Labels&, Whole);
};

constexpr auto kGauge = FamilyKind::gauge;
constexpr auto kCounter = FamilyKind::counter;

// Requests and bytes: sums over the rounds.
constexpr std::array kCounters{
    Row{"volley_requests", kCounter, "",
        "Requests sent, by how each ended or, at the end of a run, that it had not.",
        [](PointFamily& f, const Labels& l, Whole w) {
          const RequestFigures& r = w.requests;
          add_count(f, with(l, "outcome", "completed"), r.completed);
          add_count(f, with(l, "outcome", "lost"), r.lost);
          add_count(f, with(l, "outcome", "error"), total_of(r.errors));
          add_count(f, with(l, "outcome", "in_flight"), r.in_flight);
        }},
    Row{"volley_planned_requests", kCounter, "", "Requests due in the measure phase.",
        [](PointFamily& f, const Labels& l, Whole w) { add_count(f, l, w.requests.planned); }},
    Row{"volley_sent_requests", kCounter, "", "Requests handed to the kernel.",
        [](PointFamily& f, const Labels& l, Whole w) { add_count(f, l, w.requests.sent); }},
    Row{"volley_unsent_requests", kCounter, "", "Requests that were due and never sent, by why.",
        [](PointFamily& f, const Labels& l, Whole w) { add_kinds(f, l, w.requests.unsent); }},
    Row{"volley_skipped_requests", kCounter, "",
        "Requests planned that were not due yet when the run was cut.",
        [](PointFamily& f, const Labels& l, Whole w) { add_count(f, l, w.requests.skipped); }},
    Row{"volley_errors", kCounter, "", "Requests sent that failed, by how.",
        [](PointFamily& f, const Labels& l, Whole w) { add_kinds(f, l, w.requests.errors); }},
    Row{"volley_late_answers", kCounter, "",
        "Answers that came after the timeout; their requests are among the lost.",
        [](PointFamily& f, const Labels& l, Whole w) { add_count(f, l, w.requests.late); }},
    Row{"volley_duplicate_answers", kCounter, "", "Answers that came once more.",
        [](PointFamily& f, const Labels& l, Whole w) { add_count(f, l, w.requests.duplicates); }},
    Row{"volley_reordered_answers", kCounter, "", "Answers that came behind later ones.",
        [](PointFamily& f, const Labels& l, Whole w) { add_count(f, l, w.requests.reordered); }},
    Row{"volley_held_back_requests", kCounter, "",
        "Requests that a limit of the plan let wait before they were sent.",
        [](PointFamily& f, const Labels& l, Whole w) { add_count(f, l, w.requests.held_back); }},
    Row{"volley_sent_bytes", kCounter, "bytes", "Payload bytes sent.",
        [](PointFamily& f, const Labels& l, Whole w) { add_count(f, l, w.bytes_sent); }},
    Row{"volley_received_bytes", kCounter, "bytes", "Payload bytes received.",
        [](PointFamily& f, const Labels& l, Whole w) { add_count(f, l, w.bytes_received); }},
};

// Loads: the median of the rounds.
constexpr std::array kGauges{
    Row{"volley_duration_seconds", kGauge, "seconds", "How long was measured, all rounds together.",
        [](PointFamily& f, const Labels& l, Whole w) { add(f, l, w.duration_s); }},
    Row{"volley_configured_requests_per_second", kGauge, "requests_per_second",
        "The load that the plan asked for (open loop).",
        [](PointFamily& f, const Labels& l, Whole w) { add(f, l, w.load.intended_per_s); }},
    Row{"volley_offered_requests_per_second", kGauge, "requests_per_second",
        "The load that was sent.",
        [](PointFamily& f, const Labels& l, Whole w) { add(f, l, w.load.offered_per_s); }},
    Row{"volley_achieved_requests_per_second", kGauge, "requests_per_second",
        "The load that was answered in time.",
        [](PointFamily& f, const Labels& l, Whole w) { add(f, l, w.load.achieved_per_s); }},
    Row{"volley_goodput_bytes_per_second", kGauge, "bytes_per_second",
        "Payload usefully received per second.",
        [](PointFamily& f, const Labels& l, Whole w) {
          if (w.goodput_bits_per_s) add(f, l, *w.goodput_bits_per_s / 8);
        }},
    Row{"volley_loss_ratio", kGauge, "ratio", "Requests lost, of those sent.",
        [](PointFamily& f, const Labels& l, Whole w) { add(f, l, w.requests.loss_ratio); }},
    Row{"volley_verdict", kGauge, "", "1 for the verdict on the numbers, 0 for the others.",
        [](PointFamily& f, const Labels& l, Whole w) {
          if (!w.verdict) return;
          for (const Verdict v :
               {Verdict::trusted, Verdict::degraded, Verdict::not_claimable, Verdict::invalid})
            add(f, with(l, "verdict", std::string(to_string(v))), v == w.verdict->overall ? 1 : 0);
        }},
};

struct LatencyRow {
  const char* name;
  const char* what;
  LatencyFigures RunReport::*figures;
};
constexpr std::array kLatencies{
    LatencyRow{"response",
               "Time from when a request was due to its answer; lost requests are endless",
               &RunReport::response},
    LatencyRow{"response_delivered",
               "Time from when a request was due to its answer; of completed requests only",
               &RunReport::response_delivered},
    LatencyRow{"service", "Time from when a request was sent to its answer", &RunReport::service},
    LatencyRow{"send_lag", "Time from when a request was due to when it was sent",
               &RunReport::send_lag},
    LatencyRow{"connect", "Time from when a connection was due to when it was established",
               &RunReport::connect}};

void fill_distribution(PointFamily& family, const Labels& labels, Whole whole,
                       const LatencyRow& row) {
  const LatencyFigures& figures = whole.*row.figures;
  if (!figures.histogram) return;
  const std::uint64_t infinite = endless_in(whole, row.figures);
  if (figures.histogram->count() + infinite == 0) return;
  add_distribution(family, labels, *figures.histogram, infinite);
}

void fill_percentiles(PointFamily& family, const Labels& labels, Whole whole,
                      const LatencyRow& row) {
  const LatencyFigures& figures = whole.*row.figures;
  const auto add_one = [&](std::string percentile, const std::optional<std::int64_t>& ns) {
    if (ns)
      add(family, with(labels, "percentile", std::move(percentile)),
          static_cast<double>(*ns) / 1e9);
  };
  for (const PercentileKey& key : kPercentiles) add_one(key.words + 1, figures.*key.figure);
  add_one("100", figures.max);
}

// Of the report as a whole.
PointFamily build_info(const Report& report) {
  PointFamily family{"volley_build", FamilyKind::info, "", "The program that measured.", {}};
  family.points.push_back(
      {"_info", {{"version", report.tool_version}, {"commit", report.tool_commit}}, "1", {}});
  return family;
}

PointFamily report_success(const Report& report, const Labels& labels) {
  PointFamily family{
      "volley_report_success", kGauge, "", "1: the program ended as it was asked.", {}};
  add(family, labels, report.status == "ok" ? 1 : 0);
  return family;
}

PointFamily start_time(const Report& report, const Labels& labels) {
  PointFamily family{
      "volley_start_time_seconds", kGauge, "seconds", "When it began, since 1970.", {}};
  if (const auto ms = started_ms(report.started_at))
    add(family, labels, static_cast<double>(*ms) / 1e3);
  return family;
}

// A condition that was given twice passes when it passed both times.
PointFamily thresholds(const Report& report, const Labels& labels) {
  PointFamily family{"volley_threshold_pass",
                     kGauge,
                     "",
                     "0: the condition of --fail-if was met, or could not be looked at.",
                     {}};
  for (const ThresholdResult& threshold : report.thresholds) {
    // As it will be written: two texts may come out alike.
    const Labels own = with(labels, "expr", printable(threshold.expr));
    const auto same = std::find_if(family.points.begin(), family.points.end(),
                                   [&](const Point& point) { return point.labels == own; });
    if (same == family.points.end())
      add(family, own, threshold.pass ? 1 : 0);
    else if (!threshold.pass)
      same->value = std::string(1, '0');
  }
  return family;
}

void add_rounds(std::vector<PointFamily>& families, const std::vector<ScenarioPoints>& scenarios) {
  PointFamily success{
      "volley_scenario_success", kGauge, "", "1: all of its rounds ran to their end.", {}};
  PointFamily rounds{
      "volley_rounds", kGauge, "", "Rounds of the scenario; the finished ones count.", {}};
  for (const ScenarioPoints& s : scenarios) {
    const auto finished = static_cast<double>(s.scenario.rounds.size());
    const auto unfinished = static_cast<double>(s.scenario.unfinished);
    add(success, s.labels, finished > 0 && unfinished == 0 ? 1 : 0);
    add(rounds, with(s.labels, "state", "finished"), finished);
    add(rounds, with(s.labels, "state", "unfinished"), unfinished);
  }
  families.push_back(std::move(success));
  families.push_back(std::move(rounds));
}

using ScenarioList = std::vector<ScenarioPoints>;

void add_figures(std::vector<PointFamily>& families, const ScenarioList& scenarios) {
  const auto add_family = [&](PointFamily family, auto fill) {
    for (const ScenarioPoints& s : scenarios)
      if (s.whole) fill(family, s.labels, *s.whole);
    families.push_back(std::move(family));
  };
  for (const Row& row : kGauges) add_family({row.name, row.kind, row.unit, row.help, {}}, row.fill);
  for (const Row& row : kCounters)
    add_family({row.name, row.kind, row.unit, row.help, {}}, row.fill);
  for (const LatencyRow& row : kLatencies) {
    add_family(
        {fmt::format("volley_{}_seconds", row.name),
         FamilyKind::histogram,
         "seconds",
         fmt::format("{}.", row.what),
         {}},
        [&row](PointFamily& f, const Labels& l, Whole w) { fill_distribution(f, l, w, row); });
    add_family(
        {fmt::format("volley_{}_percentile_seconds", row.name),
         kGauge,
         "seconds",
         fmt::format("{}: percentiles that hold.", row.what),
         {}},
        [&row](PointFamily& f, const Labels& l, Whole w) { fill_percentiles(f, l, w, row); });
  }
}

// Of the last interval of each scenario's last round.
void add_last_intervals(std::vector<PointFamily>& families, const ScenarioList& scenarios) {
  PointFamily response{"volley_interval_response_percentile_seconds",
                       kGauge,
                       "seconds",
                       "Response time of the requests completed in one interval: percentiles.",
                       {}};
  PointFamily send_lag{"volley_interval_send_lag_percentile_seconds",
                       kGauge,
                       "seconds",
                       "Send lag of the requests sent in one interval: percentiles.",
                       {}};
  const auto add_one = [](PointFamily& family, const Labels& labels, std::string percentile,
                          const std::optional<std::int64_t>& ns) {
    if (ns)
      add(family, with(labels, "percentile", std::move(percentile)),
          static_cast<double>(*ns) / 1e9);
  };
  for (const ScenarioPoints& s : scenarios) {
    if (s.scenario.rounds.empty() || s.scenario.rounds.back()->intervals.empty()) continue;
    const IntervalFigures& last = s.scenario.rounds.back()->intervals.back();
    add_one(response, s.labels, "50", last.response_p50_ns);
    add_one(response, s.labels, "99", last.response_p99_ns);
    add_one(response, s.labels, "100", last.response_max_ns);
    add_one(send_lag, s.labels, "99", last.send_lag_p99_ns);
  }
  families.push_back(std::move(response));
  families.push_back(std::move(send_lag));
}

}  // namespace

std::vector<ScenarioPoints> scenario_points(const Report& report) {
  const Labels supplied = user_labels(report.labels);
  std::vector<ScenarioPoints> all;
  for (Scenario& scenario : scenarios_of(report)) {
    ScenarioPoints points{std::move(scenario), {}, {}};
    points.whole = together(points.scenario.rounds);
    points.labels = {{"scenario", points.scenario.id}, {"protocol", points.scenario.protocol}};
    if (points.whole) points.labels.emplace_back("workload", points.whole->workload);
    points.labels.insert(points.labels.end(), supplied.begin(), supplied.end());
    all.push_back(std::move(points));
  }
  return all;
}

std::vector<PointFamily> families_of(const Report& report,
                                     const std::vector<ScenarioPoints>& scenarios) {
  const Labels supplied = user_labels(report.labels);
  std::vector<PointFamily> families{build_info(report), report_success(report, supplied),
                                    start_time(report, supplied), thresholds(report, supplied)};
  add_rounds(families, scenarios);
  add_figures(families, scenarios);
  std::erase_if(families, [](const PointFamily& family) { return family.points.empty(); });
  return families;
}

std::vector<PointFamily> families_so_far(const Report& report) {
  const ScenarioList scenarios = scenario_points(report);
  std::vector<PointFamily> families{build_info(report),
                                    start_time(report, user_labels(report.labels))};
  add_figures(families, scenarios);
  add_last_intervals(families, scenarios);
  std::erase_if(families, [](const PointFamily& family) { return family.points.empty(); });
  return families;
}

}  // namespace volley
