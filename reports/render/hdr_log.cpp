// Files of HdrHistogram's own tools. The log (format 1.3) has a line per finished run and latency,
// tagged SCENARIO.LATENCY, in ns: rounds of a scenario are lines of one tag, which readers add up.
// It cannot hold the endless ones, so there is no tag "response". The percentile table (.hgrm) of a
// protocol can: lost requests are in its counts and percentiles, and it ends where they begin.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>

#include "reports/judge/scenarios.hpp"
#include "reports/render/hdr.hpp"
#include "reports/render/renderer.hpp"
#include "reports/render/timeline.hpp"

namespace volley {
namespace {

constexpr double kNanosPerMilli = 1e6;

// "Tue Nov 14 22:13:20 UTC 2023"
std::string date_words(std::int64_t since_1970_ms) {
  using namespace std::chrono;
  constexpr std::array days_of_week{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array months_of_year{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const sys_time<milliseconds> at{milliseconds(since_1970_ms)};
  const auto day_of = floor<days>(at);
  const year_month_day date{day_of};
  const hh_mm_ss time{floor<seconds>(at - day_of)};
  return fmt::format("{} {} {:02} {:02}:{:02}:{:02} UTC {}",
                     days_of_week.at(weekday(day_of).c_encoding()),
                     months_of_year.at(static_cast<unsigned>(date.month()) - 1),
                     static_cast<unsigned>(date.day()), time.hours().count(),
                     time.minutes().count(), time.seconds().count(), static_cast<int>(date.year()));
}

struct LogLatency {
  const char* name;
  LatencyFigures RunReport::*figures;
};
constexpr std::array kLogged{LogLatency{"response_delivered", &RunReport::response_delivered},
                             LogLatency{"service", &RunReport::service},
                             LogLatency{"send_lag", &RunReport::send_lag},
                             LogLatency{"connect", &RunReport::connect}};

bool has_samples(const LatencyFigures& figures) {
  return figures.histogram && !figures.histogram->empty();
}

// One row of a percentile table.
std::string row(double value_ns, double level, std::uint64_t count) {
  const std::string start =
      fmt::format("{:12.3f} {:2.12f} {:10}", value_ns / kNanosPerMilli, level / 100, count);
  // As HdrHistogram writes it: 1/(1-1) is left out.
  return level < 100 ? fmt::format("{} {:14.2f}\n", start, 1 / (1 - level / 100)) : start + '\n';
}

// The next percentile looked at: five to each half of what remains (HdrHistogram's default).
double next_level(double level) {
  const double halves = std::floor(std::log2(100 / (100 - level))) + 1;
  return level + 100 / (5 * std::exp2(halves));
}

std::string rows_of(const Histogram& histogram, std::uint64_t lost) {
  const auto total = static_cast<double>(histogram.count() + lost);
  const auto most = histogram.max()->count();
  const auto counters = histogram.counters();
  std::string text;
  double level = 0;
  std::uint64_t seen = 0;
  for (std::size_t i = Histogram::index_of(histogram.min()->count()); seen < histogram.count();
       ++i) {
    if (counters[i] == 0) continue;
    seen += counters[i];
    const bool all = seen == histogram.count();
    const auto value = static_cast<double>(std::min(Histogram::highest_of(i), most));
    while (level < 100 && level <= 100 * static_cast<double>(seen) / total) {
      text += row(value, level, seen);
      level = next_level(level);
      if (all && lost == 0) break;
    }
    if (all && lost == 0) text += row(value, 100, seen);
  }
  return text;
}

std::string percentile_table(const Histogram& histogram, std::uint64_t lost) {
  std::string text = fmt::format("{:>12} {:>14} {:>10} {:>14}\n\n", "Value", "Percentile",
                                 "TotalCount", "1/(1-Percentile)");
  text += rows_of(histogram, lost);
  // The layout of measure/histogram: 32 powers of two with 2048 parts, of which all but the first
  // share half.
  constexpr std::size_t kParts = 2048;
  constexpr std::size_t kPowers = Histogram::kCounters / (kParts / 2) - 1;
  text +=
      fmt::format("#[Mean    = {:12.3f}, StdDeviation   = {:12.3f}]\n",
                  *histogram.mean_ns() / kNanosPerMilli, *histogram.stddev_ns() / kNanosPerMilli);
  text += fmt::format("#[Max     = {:12.3f}, Total count    = {:12}]\n",
                      static_cast<double>(histogram.max()->count()) / kNanosPerMilli,
                      histogram.count() + lost);
  text += fmt::format("#[Buckets = {:12}, SubBuckets     = {:12}]\n", kPowers, kParts);
  if (lost > 0) text += fmt::format("#[Lost    = {:12}, longer than any Value]\n", lost);
  return text;
}

// Of the first scenario of a protocol that has samples.
std::string table_of(const Report& report, std::string_view protocol) {
  for (const Scenario& scenario : scenarios_of(report)) {
    if (scenario.protocol != protocol) continue;
    const auto whole = together(scenario.rounds);
    if (!whole) continue;
    if (has_samples(whole->response))
      return percentile_table(*whole->response.histogram, endless_in(*whole, &RunReport::response));
    if (!whole->response.histogram && has_samples(whole->connect))
      return percentile_table(*whole->connect.histogram, endless_in(*whole, &RunReport::connect));
  }
  return {};
}

}  // namespace

std::string render_hdr_log(const Report& report) {
  std::string lines;
  const Timeline timeline = timeline_of(report);
  const std::vector<Scenario> scenarios = scenarios_of(report);
  for (std::size_t i = 0; i < report.runs.size(); ++i) {
    const RunReport* run = &report.runs[i];
    const auto scenario = std::find_if(scenarios.begin(), scenarios.end(), [&](const Scenario& s) {
      return std::find(s.rounds.begin(), s.rounds.end(), run) != s.rounds.end();
    });
    if (scenario == scenarios.end()) continue;
    for (const LogLatency& latency : kLogged) {
      const LatencyFigures& figures = run->*latency.figures;
      if (!has_samples(figures)) continue;
      lines += fmt::format("Tag={}.{},{:.3f},{:.3f},{:.3f},{}\n", scenario->id, latency.name,
                           static_cast<double>(timeline.measured_from_ms[i]) / 1e3,
                           static_cast<double>(in_ms(run->duration_s)) / 1e3,
                           static_cast<double>(figures.histogram->max()->count()) / kNanosPerMilli,
                           encode_hdr(*figures.histogram));
    }
  }
  if (lines.empty()) return {};
  std::string text = "#[Histogram log format version 1.3]\n";
  if (const auto ms = started_ms(report.started_at))
    text += fmt::format("#[StartTime: {}.{:03} (seconds since epoch), {}]\n", *ms / 1000,
                        *ms % 1000, date_words(*ms));
  text +=
      "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\","
      "\"Interval_Compressed_Histogram\"\n";
  return text + lines;
}

std::string render_hgrm_udp(const Report& report) { return table_of(report, "udp"); }
std::string render_hgrm_tcp(const Report& report) { return table_of(report, "tcp"); }

}  // namespace volley
