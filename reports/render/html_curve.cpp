// The curves of the distributions over 1/(1-p): every further decade of the axis is a nine more of
// the percentile, so that the tail gets as much room as the middle (HdrHistogram's way).
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "reports/measure/units.hpp"
#include "reports/render/html_escape.hpp"
#include "reports/render/html_figures.hpp"
#include "reports/render/html_sections.hpp"
#include "reports/render/html_table.hpp"

namespace volley {
namespace {

constexpr std::size_t kMostCurves = 12;
constexpr int kPointsPerDecade = 20;

using Latency = const LatencyFigures& (*)(const RunReport&);
const LatencyFigures& send_lag_of(const RunReport& run) { return run.send_lag; }

// One distribution of the runs of a side together.
struct Together {
  Histogram histogram;
  std::uint64_t lost = 0;  // counted in as endless
  // The largest percentile (ppm) up to which all that the report publishes may be claimed; 0: none.
  std::uint32_t claimed = 0;
};

bool is_claimed(const HtmlSide& side, Latency latency, const PercentileKey& key) {
  std::vector<Claim> claims;
  for (const RunReport* run : side.runs) {
    const LatencyFigures& figures = latency(*run);
    if (is_spoiled(figures, key)) return false;
    if (figures.claims) claims.push_back((*figures.claims).*key.claim);
  }
  // A report of before there were claims withholds nothing.
  if (claims.empty()) return true;
  return claims.size() == 1 ? claims.front().holds : hold_together(key.percentile, claims);
}

Together together(const HtmlSide& side, Latency latency) {
  Together all;
  for (const RunReport* run : side.runs) {
    const LatencyFigures& figures = latency(*run);
    if (figures.histogram) all.histogram.merge(*figures.histogram);
    if (&figures == &run->response) all.lost += endless_in(*run, &RunReport::response);
    if (&figures == &run->connect) all.lost += endless_in(*run, &RunReport::connect);
  }
  for (const PercentileKey& key : kPercentiles) {
    if (!is_claimed(side, latency, key)) break;
    all.claimed = key.percentile.ppm;
  }
  return all;
}

double on_axis(std::uint32_t ppm) { return 1e6 / static_cast<double>(1'000'000 - ppm); }

// "[1,52012],[1.12202,52100]": 1/(1-p) and ns, up to the last sample that has an end.
std::string points_json(const Together& all) {
  const double total = static_cast<double>(all.histogram.count()) + static_cast<double>(all.lost);
  std::string json;
  for (int i = 0;; ++i) {
    const double x = std::pow(10.0, static_cast<double>(i) / kPointsPerDecade);
    const bool last = x >= total;
    const double rank = last ? total : std::max(1.0, std::ceil((1.0 - 1.0 / x) * total));
    if (rank > static_cast<double>(all.histogram.count())) return json;
    const auto counter = all.histogram.counter_of_rank(static_cast<std::uint64_t>(rank));
    if (!counter) return json;
    const std::int64_t ns = std::min(Histogram::highest_of(*counter), all.histogram.max()->count());
    json += fmt::format("{}[{:.6g},{}]", json.empty() ? "" : ",", last ? total : x, ns);
    if (last) return json;
  }
}

std::string curves_json(const std::vector<HtmlSide>& sides, Latency latency) {
  std::string json;
  for (std::size_t i = 0; i < std::min(sides.size(), kMostCurves); ++i) {
    const Together all = together(sides[i], latency);
    if (all.histogram.empty()) continue;
    json += fmt::format(
        "{}{{\"run\":{},\"runs\":{},\"protocol\":\"{}\",\"claimed_to\":{:.6g},\"lost\":{},"
        "\"points\":[{}]}}",
        json.empty() ? "" : ",", sides[i].first, sides[i].runs.size(),
        sides[i].protocol == "tcp" ? "tcp" : "udp", all.claimed > 0 ? on_axis(all.claimed) : 0.0,
        all.lost, points_json(all));
  }
  return json;
}

// The points of the curve that people ask for. Where nothing may be claimed there is no figure.
std::string curve_table(const std::vector<HtmlSide>& sides, Latency latency,
                        const std::string& caption) {
  static constexpr std::array<std::uint32_t, 11> percentiles{250'000, 500'000, 750'000, 900'000,
                                                             950'000, 990'000, 995'000, 999'000,
                                                             999'500, 999'900, 999'990};
  HtmlTable table{caption, {"share answered within", "1/(1−p)"}, {}, true, {}};
  for (const std::uint32_t ppm : percentiles)
    table.rows.push_back({fmt::format("{:g} %", static_cast<double>(ppm) * 1e-4),
                          fmt::format("{:.6g}", on_axis(ppm))});
  for (std::size_t i = 0; i < std::min(sides.size(), kMostCurves); ++i) {
    const Together all = together(sides[i], latency);
    if (all.histogram.empty()) continue;
    table.head.push_back(sides[i].label);
    for (std::size_t row = 0; row < percentiles.size(); ++row) {
      const auto at = all.histogram.at(Percentile{percentiles[row]}, all.lost);
      table.rows[row].push_back(percentiles[row] > all.claimed ? "withheld"
                                : at                           ? format_duration(*at)
                                                               : "lost");
    }
  }
  return table.head.size() > 2 ? html_table(table) : "";
}

void add_row(HtmlTable& table, std::string name, const LatencyFigures& figures) {
  if (!figures.histogram || figures.count == 0) return;
  std::vector<std::string> row{std::move(name)};
  for (const PercentileKey& key : kPercentiles) row.push_back(html_percentile(figures, key));
  row.push_back(figures.max ? html_time(figures.max) : figures.beyond_lost ? "lost" : "none");
  row.push_back(format_count(figures.count));
  table.rows.push_back(std::move(row));
}

std::string percentile_table(const Report& report) {
  HtmlTable table{"Percentiles, and between what and what they lie (95 %)", {""}, {}, true, {}};
  for (const PercentileKey& key : kPercentiles) table.head.emplace_back(key.words);
  table.head.insert(table.head.end(), {"max", "samples"});
  for (std::size_t i = 0; i < report.runs.size(); ++i) {
    const RunReport& run = report.runs[i];
    const std::string of =
        report.runs.size() > 1 ? fmt::format("{} {}: ", i + 1, html_text(run.name)) : "";
    add_row(table, of + "response", run.response);
    if (run.response.beyond_lost) add_row(table, of + "of the answered", run.response_delivered);
    if (report.runs.size() == 1) add_row(table, "service", run.service);
    if (report.runs.size() == 1 || run.workload == "connect")
      add_row(table, of + "connect", run.connect);
  }
  return html_table(table);
}

}  // namespace

std::string html_curves_json(const Report& report) {
  const std::vector<HtmlSide> sides = html_sides(report);
  return fmt::format("{{\"main\":[{}],\"send_lag\":[{}]}}", curves_json(sides, html_main_latency),
                     curves_json(sides, send_lag_of));
}

std::string html_response(const Report& report) {
  const std::vector<HtmlSide> sides = html_sides(report);
  const std::string table =
      curve_table(sides, html_main_latency, "Time within which such a share was answered");
  if (table.empty()) return {};
  const bool connect = html_main_latency_words(report.runs.front()) == "connect";
  std::string html = html_chart(
      "curve-main",
      fmt::format("Curve of {} time over percentile; the table below has its points",
                  connect ? "connect" : "response"),
      fmt::format("{} Lower and flatter is better. Dashed: not claimed, because too little "
                  "stands behind it or the generator spoiled it{}.",
                  connect ? "How long connecting took, until the handshake was done."
                          : "Response time, from when a request was due until its answer was in; "
                            "lost requests count as endless.",
                  sides.size() > kMostCurves ? fmt::format("; the first {} of {} runs are drawn",
                                                           kMostCurves, sides.size())
                                             : ""),
      table);
  const std::string percentiles = percentile_table(report);
  // Beside a comparison the rounds are the small print.
  return html + (report.comparison ? html_details("Percentiles of every round", percentiles)
                                   : percentiles);
}

std::string html_send_lag(const Report& report) {
  const std::vector<HtmlSide> sides = html_sides(report);
  const std::string table =
      curve_table(sides, send_lag_of, "Send lag that such a share of requests did not exceed");
  if (table.empty()) return {};
  HtmlTable figures{"Send lag: percentiles with their 95 % intervals", {""}, {}, true, {}};
  for (const PercentileKey& key : kPercentiles) figures.head.emplace_back(key.words);
  figures.head.insert(figures.head.end(), {"max", "samples"});
  for (std::size_t i = 0; i < report.runs.size(); ++i)
    add_row(figures, html_text(html_run_label(report, i)), report.runs[i].send_lag);
  return html_chart("curve-send_lag",
                    "Curve of send lag over percentile; the table below has its points",
                    "How late the generator sent, after a request was due. What is large here "
                    "beside the response time is the generator's doing, not the target's.",
                    table) +
         (report.comparison ? html_details("Send lag of every round", html_table(figures))
                            : html_table(figures));
}

}  // namespace volley
