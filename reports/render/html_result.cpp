// The top of the page answers three questions before anything else: may I believe it, which is
// better, and by how much.
#include <fmt/format.h>

#include <algorithm>

#include "reports/judge/verdicts.hpp"
#include "reports/measure/units.hpp"
#include "reports/render/html_escape.hpp"
#include "reports/render/html_figures.hpp"
#include "reports/render/html_sections.hpp"
#include "reports/render/html_table.hpp"
#include "reports/render/text_verdict.hpp"
#include "reports/render/words.hpp"

namespace volley {
namespace {

// What a verdict means for somebody who reads no manual.
struct Banner {
  const char* css_class;
  const char* sign;  // so that the colour says nothing by itself
  std::string word;
  const char* meaning;
};

Banner banner_of(const Report& report) {
  if (report.status == "failed")
    return {"bad", "✗", "FAILED", "The run failed: there is nothing to believe."};
  const auto overall = overall_verdict(report.runs);
  if (!overall) return {"none", "?", "NOT JUDGED", "This report does not judge its own figures."};
  switch (overall->overall) {
    case Verdict::trusted:
      return {"good", "✓", "TRUSTED", "You may believe these figures."};
    case Verdict::degraded:
      return {"fair", "!", "DEGRADED", "Believe these figures with care."};
    case Verdict::not_claimable:
      return {"fair", "!", "NOT CLAIMABLE", "Too little was measured to claim a percentile."};
    case Verdict::invalid:
      break;
  }
  return {"bad", "✗", "INVALID", "Do not believe these figures."};
}

std::string banner_html(const Report& report) {
  const Banner banner = banner_of(report);
  std::string html = fmt::format(
      "<div class=\"verdict {}\"><p><span class=\"sign\" aria-hidden=\"true\">{}</span> "
      "<strong>{}</strong> {}",
      banner.css_class, banner.sign, banner.word, banner.meaning);
  if (report.comparison && !report.comparison->significance_tested && report.status != "failed")
    html += " Whether the difference is more than chance has not been tested.";
  html += "</p>\n";
  if (report.error)
    html += html_paragraph(fmt::format("{} ({}, in phase {})", report.error->message,
                                       report.error->code, report.error->phase));
  else if (const auto overall = overall_verdict(report.runs))
    html += html_paragraph(overall->headline);
  if (report.status == "interrupted")
    html += html_paragraph(
        "Interrupted before its end: the figures are of what was measured until then.");
  const auto failed =
      std::count_if(report.thresholds.begin(), report.thresholds.end(),
                    [](const ThresholdResult& threshold) { return !threshold.pass; });
  if (!report.thresholds.empty())
    html += fmt::format(
        "<p><a href=\"#thresholds\">{}</a></p>\n",
        failed == 0 ? "Every threshold was kept."
                    : fmt::format("{} of {} thresholds failed.", failed, report.thresholds.size()));
  return html + "</div>\n";
}

// "1.29 times", of two that differ by less than is printed: "as many".
std::string times_words(const Report& report, double ratio) {
  const bool udp = ratio >= 1;
  const double times = udp ? ratio : 1 / ratio;
  if (times < 1.005) return fmt::format("UDP and TCP made as many {}", html_product(report));
  return fmt::format("{} made <em>{:.2f} times</em> the {} of {}", udp ? "UDP" : "TCP", times,
                     html_product(report), udp ? "TCP" : "UDP");
}

std::string p99_words(double ratio) {
  const bool udp = ratio <= 1;
  const double times = udp ? ratio : 1 / ratio;
  if (times > 0.995) return ", with the same response p99";
  return fmt::format("; {}’s response p99 was lower, <em>{:.2f} times</em> that of {}",
                     udp ? "UDP" : "TCP", times, udp ? "TCP" : "UDP");
}

std::string answer_html(const Report& report) {
  if (report.comparison) {
    const Comparison& c = *report.comparison;
    if (!c.achieved_ratio || *c.achieved_ratio <= 0) return "UDP and TCP could not be compared";
    return times_words(report, *c.achieved_ratio) +
           (c.p99_ratio && *c.p99_ratio > 0 ? p99_words(*c.p99_ratio) : "");
  }
  if (report.runs.empty()) return report.status == "failed" ? "The run failed" : "Nothing was run";
  if (report.runs.size() > 1) return fmt::format("{} runs", report.runs.size());
  const RunReport& run = report.runs.front();
  if (run.status == "failed") return fmt::format("{}: the run failed", html_text(run.name));
  std::string words =
      run.load.achieved_per_s
          ? fmt::format("{}: <em>{}</em> {} achieved", html_protocol(run.protocol),
                        format_rate(*run.load.achieved_per_s), html_product(report))
          : fmt::format("{}: <em>{}</em> offered, how many arrived is unknown",
                        html_protocol(run.protocol), format_rate(run.load.offered_per_s));
  const LatencyFigures& latency = html_main_latency(run);
  for (const PercentileKey* key : {&kPercentiles[2], &kPercentiles[0]})
    if (const auto& figure = latency.*key->figure)
      return words + fmt::format(", {} {} <em>{}</em>", html_main_latency_words(run), key->words,
                                 format_duration(Nanos(*figure)));
  return words;
}

// Under which load, in a line.
std::string circumstances(const Report& report) {
  if (report.runs.empty()) return {};
  const RunReport& run = report.runs.front();
  std::string words = run.workload + ", ";
  if (!report.parts.empty())
    words = fmt::format("{} together: ", counted(report.parts.size(), "generator", "generators")) +
            words;
  if (run.arrival == "closed")
    words += "closed loop";
  else
    words += fmt::format("open loop ({})", run.arrival);
  if (run.load.intended_per_s) words += ", " + format_rate(*run.load.intended_per_s) + " intended";
  for (const auto& [key, value] : run.config)
    if (key == "flows" || key == "size" || key == "threads")
      words += fmt::format(", {} {}", key, value);
  words += fmt::format("; {} measured{}", html_seconds(run.duration_s),
                       report.runs.size() > 1 ? " each" : "");
  if (run.warm_up_s > 0) words += fmt::format(" after {} of warm-up", html_seconds(run.warm_up_s));
  if (report.runs.size() == 1) words += "; " + run.endpoint;
  return html_paragraph(words, "circumstances");
}

std::string side_percentile(const Report& report, const ComparedSide& side,
                            const std::optional<std::int64_t>& ns, const PercentileKey& key) {
  if (spoils_any(report.runs, side.protocol, key))
    return "withheld<small>the generator spoiled it</small>";
  if (is_withheld(side, key.key))
    return "withheld<small>too few independent samples or tail events</small>";
  if (!ns && side.lost.value_or(0) > 0) return "lost<small>it lies among the lost requests</small>";
  return html_time(ns);
}

std::string ratio_html(const std::optional<double>& ratio) {
  return ratio ? fmt::format("{:.2f}", *ratio) : "–";
}

std::string compared_html(const Report& report) {
  const Comparison& comparison = *report.comparison;
  HtmlTable table{"UDP beside TCP: medians of the rounds, percentiles of all their answers",
                  {""},
                  {},
                  true,
                  "large"};
  const std::string product(html_product(report));
  std::vector<std::vector<std::string>> rows{
      {product + " per second"}, {"response p50"}, {"response p99"},
      {"response p99.9"},        {"lost"},         {"rounds"}};
  for (const ComparedSide& side : comparison.sides) {
    table.head.push_back(fmt::format("<span class=\"key {0}\"></span>{1}",
                                     side.protocol == "udp" ? "udp" : "tcp",
                                     html_protocol(side.protocol)));
    const std::vector<std::string> cells{
        html_rate(side.achieved_per_s),
        side_percentile(report, side, side.p50_ns, kPercentiles[0]),
        side_percentile(report, side, side.p99_ns, kPercentiles[2]),
        side_percentile(report, side, side.p99_9_ns, kPercentiles[3]),
        html_loss(side.lost, side.sent, side.loss_ratio),
        format_count(side.rounds)};
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i].push_back(cells[i]);
  }
  table.head.emplace_back("UDP / TCP");
  rows[0].push_back(ratio_html(comparison.achieved_ratio));
  rows[2].push_back(ratio_html(comparison.p99_ratio));
  for (auto& row : rows) row.resize(table.head.size(), "–");
  table.rows = std::move(rows);
  return html_table(table) + html_paragraph(comparison.sentence, "sentence");
}

std::string tile(std::string_view name, const std::string& value) {
  return fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", name, value);
}

std::string tiles_html(const RunReport& run) {
  const LatencyFigures& latency = html_main_latency(run);
  const std::string_view words = html_main_latency_words(run);
  std::string html = "<dl class=\"figures\">\n";
  html += tile("achieved",
               html_rate(run.load.achieved_per_s) +
                   (run.load.intended_per_s ? fmt::format("<small>of {} intended</small>",
                                                          format_rate(*run.load.intended_per_s))
                                            : ""));
  if (latency.histogram) {
    html += tile(fmt::format("{} p50", words), html_percentile(latency, kPercentiles[0]));
    html += tile(fmt::format("{} p99", words), html_percentile(latency, kPercentiles[2]));
    html += tile(fmt::format("{} p99.9", words), html_percentile(latency, kPercentiles[3]));
  }
  const bool withheld = run.requests.lost && run.requests.sent > 0 && !run.requests.loss_ratio;
  html += tile("lost",
               withheld ? "withheld<small>the generator spoiled it</small>"
                        : html_loss(run.requests.lost, run.requests.sent, run.requests.loss_ratio));
  if (run.goodput_bits_per_s) html += tile("goodput", format_bits_per_s(*run.goodput_bits_per_s));
  return html + "</dl>\n";
}

std::string runs_html(const Report& report) {
  HtmlTable table{"Every run",
                  {"run", html_text(html_product(report)) + " per second", "p50", "p99", "p99.9",
                   "lost", "status", "verdict"},
                  {},
                  true,
                  {}};
  for (std::size_t i = 0; i < report.runs.size(); ++i) {
    const RunReport& run = report.runs[i];
    const LatencyFigures& latency = html_main_latency(run);
    table.rows.push_back({html_text(html_run_label(report, i)), html_rate(run.load.achieved_per_s),
                          html_percentile(latency, kPercentiles[0]),
                          html_percentile(latency, kPercentiles[2]),
                          html_percentile(latency, kPercentiles[3]),
                          html_loss(run.requests.lost, run.requests.sent, run.requests.loss_ratio),
                          html_text(run.status), html_text(verdict_word(run))});
  }
  const std::string html = html_table(table);
  // Beside a comparison they are the small print.
  return report.comparison ? html_details(fmt::format("The {} rounds", report.runs.size()), html)
                           : html;
}

}  // namespace

std::string html_result(const Report& report) {
  std::string html = banner_html(report);
  html += fmt::format("<h1 id=\"result\">{}</h1>\n", answer_html(report));
  html += circumstances(report);
  if (report.comparison)
    html += compared_html(report);
  else if (report.runs.size() == 1)
    html += tiles_html(report.runs.front());
  if (report.runs.size() > 1) html += runs_html(report);
  return html;
}

}  // namespace volley
