// How a run went on, interval by interval.
#include <fmt/format.h>

#include <algorithm>

#include "reports/measure/units.hpp"
#include "reports/render/html_escape.hpp"
#include "reports/render/html_figures.hpp"
#include "reports/render/html_sections.hpp"
#include "reports/render/html_table.hpp"

namespace volley {
namespace {

// Rows of all tables together, so that a page of many long rounds stays one that opens.
constexpr std::size_t kMostRows = 1200;

std::string rate_text(const IntervalFigures& interval) {
  const double length = interval.end_s - interval.start_s;
  if (!interval.completed || length <= 0) return "unknown";
  return format_rate(static_cast<double>(*interval.completed) / length);
}

std::vector<std::string> row_of(const IntervalFigures& i) {
  return {fmt::format("{:g} to {:g} s", i.start_s, i.end_s),
          rate_text(i),
          format_count(i.sent),
          html_count(i.completed),
          html_count(i.lost),
          format_count(i.errors),
          html_time(i.response_p50_ns),
          html_time(i.response_p99_ns),
          html_time(i.response_max_ns),
          html_time(i.send_lag_p99_ns)};
}

HtmlTable table_of(const Report& report, std::size_t at, std::size_t most) {
  const RunReport& run = report.runs[at];
  HtmlTable table{html_run_label(report, at) + ": every interval",
                  {"interval", "achieved", "sent", "completed", "lost", "errors", "response p50",
                   "response p99", "response max", "send lag p99"},
                  {},
                  true,
                  "long"};
  for (std::size_t i = 0; i < std::min(run.intervals.size(), most); ++i)
    table.rows.push_back(row_of(run.intervals[i]));
  return table;
}

}  // namespace

std::string html_course(const Report& report) {
  std::string tables;
  std::size_t all = 0;
  std::size_t shown = 0;
  bool any_response = false;
  for (std::size_t i = 0; i < report.runs.size(); ++i) {
    const RunReport& run = report.runs[i];
    all += run.intervals.size();
    const HtmlTable table = table_of(report, i, kMostRows - shown);
    shown += table.rows.size();
    tables += html_table(table);
    any_response = any_response || std::any_of(run.intervals.begin(), run.intervals.end(),
                                               [](const IntervalFigures& interval) {
                                                 return interval.response_p50_ns.has_value();
                                               });
  }
  if (tables.empty()) return {};
  if (shown < all)
    tables += html_paragraph(fmt::format("The first {} of {} intervals; the JSON has all.",
                                         format_count(shown), format_count(all)));
  std::string html =
      html_chart("course-rate", "Answers per second over time; the table below has every interval",
                 "Rate: answers per second, by the time their requests were due.", "");
  if (any_response)
    html += html_chart("course-response",
                       "Response p50 and p99 over time; the table below has every interval",
                       "Response time of each interval: p50 solid, p99 dashed. Of what was "
                       "answered; one interval alone claims nothing.",
                       "");
  html += html_chart("course-lost", "Lost requests over time; the table below has every interval",
                     "Lost requests of each interval.", tables);
  return html;
}

}  // namespace volley
