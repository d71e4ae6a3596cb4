// What speaks for and against the figures: thresholds, troubles, what became of every request, and
// the checks.
#include <fmt/format.h>

#include <algorithm>

#include "reports/judge/thresholds.hpp"
#include "reports/judge/verdicts.hpp"
#include "reports/measure/units.hpp"
#include "reports/render/html_escape.hpp"
#include "reports/render/html_figures.hpp"
#include "reports/render/html_sections.hpp"
#include "reports/render/html_table.hpp"
#include "reports/render/text_run.hpp"
#include "reports/render/text_verdict.hpp"

namespace volley {
namespace {

std::string with_unit(double value, const std::string& unit) {
  constexpr double most = 9e18;
  if (unit == "ns" && value >= 0 && value < most)
    return format_duration(Nanos(static_cast<std::int64_t>(value)));
  if (unit == "per_s") return format_rate(value);
  if (unit == "ratio") return format_ratio(value);
  if (unit == "bits_per_s") return format_bits_per_s(value);
  if (unit == "count" && value >= 0 && value < most)
    return format_count(static_cast<std::uint64_t>(value));
  return fmt::format("{:.6g} {}", value, html_text(unit));
}

std::string value_or(const std::optional<double>& value, const std::string& unit,
                     const char* otherwise) {
  return value ? with_unit(*value, unit) : otherwise;
}

std::string marked(const char* css_class, const char* sign, std::string_view word) {
  return fmt::format("<span class=\"mark {}\"><span aria-hidden=\"true\">{}</span> {}</span>",
                     css_class, sign, word);
}

std::string status_html(CheckStatus status) {
  switch (status) {
    case CheckStatus::pass:
      return marked("good", "✓", "pass");
    case CheckStatus::warn:
      return marked("fair", "!", "warn");
    case CheckStatus::fail:
      return marked("bad", "✗", "fail");
    case CheckStatus::unknown:
      return marked("fair", "?", "unknown");
    case CheckStatus::not_applicable:
      break;
  }
  return marked("none", "–", "not applicable");
}

std::string checks_table(const RunReport& run, const std::string& caption) {
  HtmlTable table{caption, {"check", "result", "found", "passes up to", "value"}, {}, false, {}};
  for (const Check& check : *run.checks)
    table.rows.push_back({fmt::format("{} {}", html_text(check.id), html_text(check.name)),
                          status_html(check.status), html_text(check.text),
                          value_or(check.threshold, check.unit, "–"),
                          value_or(check.value, check.unit, "–")});
  return html_table(table);
}

std::string kinds_html(const std::vector<KindCount>& kinds) {
  if (kinds.empty()) return "0";
  std::uint64_t sum = 0;
  std::string words;
  for (const KindCount& kind : kinds) {
    sum += kind.count;
    words += fmt::format("{}{} {}", words.empty() ? "" : ", ", format_count(kind.count),
                         html_text(kind.kind));
  }
  return format_count(sum) + "<small>" + words + "</small>";
}

// "errors    4 malformed": the label and the words of a line of the text report.
std::string trouble_html(std::string_view line) {
  const std::size_t label = std::min(line.find(' '), line.size());
  return fmt::format("<li><strong>{}</strong>: {}</li>\n", html_text(line.substr(0, label)),
                     html_lines(line.substr(label)));
}

}  // namespace

std::string html_thresholds(const Report& report) {
  HtmlTable table{"Conditions under which this run was to fail (--fail-if)",
                  {"fails if", "result", "found", "limit"},
                  {},
                  false,
                  {}};
  for (const ThresholdResult& t : report.thresholds)
    table.rows.push_back({fmt::format("<code>{}</code>", html_text(t.expr)),
                          t.pass ? marked("good", "✓", "kept") : marked("bad", "✗", "FAILED"),
                          html_text(t.value ? value_text(*t.value, t.unit) : result_text(t)),
                          html_text(t.limit ? value_text(*t.limit, t.unit) : "–")});
  return html_table(table);
}

std::string html_troubles(const Report& report) {
  std::vector<std::string> seen;
  std::string items;
  for (const RunReport& run : report.runs)
    for (const std::string& line : trouble_lines(run)) {
      if (std::find(seen.begin(), seen.end(), line) != seen.end()) continue;
      seen.push_back(line);
      items += trouble_html(line);
    }
  return items.empty() ? "" : "<ul>\n" + items + "</ul>\n";
}

std::string html_requests(const Report& report) {
  HtmlTable table{"What became of every request",
                  {"run", "planned", "unsent", "sent", "completed", "lost", "late", "errors",
                   "in flight", "duplicates", "reordered", "held back"},
                  {},
                  true,
                  {}};
  for (std::size_t i = 0; i < report.runs.size(); ++i) {
    const RunReport& run = report.runs[i];
    const RequestFigures& r = run.requests;
    table.rows.push_back(
        {html_text(html_run_label(report, i)), r.planned ? format_count(*r.planned) : "no plan",
         kinds_html(r.unsent), format_count(r.sent), html_count(r.completed), html_count(r.lost),
         format_count(r.late), kinds_html(r.errors), html_count(r.in_flight),
         format_count(r.duplicates), format_count(r.reordered), format_count(r.held_back)});
  }
  return html_table(table);
}

std::string html_checks(const Report& report) {
  std::string html;
  const bool several = report.runs.size() > 1;
  for (std::size_t i = 0; i < report.runs.size(); ++i) {
    const RunReport& run = report.runs[i];
    if (!run.checks) continue;
    const std::string name = html_run_label(report, i);
    const std::string table = checks_table(run, "Checks of " + name);
    html += several ? html_details(fmt::format("{}: {}", name, verdict_word(run)), table) : table;
  }
  if (html.empty()) return {};
  const std::string doubts = verdict_text(report.runs);
  return fmt::format(
             "<pre tabindex=\"0\" aria-label=\"The verdict and the checks that did not pass\">{}"
             "</pre>\n",
             html_lines(doubts)) +
         html;
}

}  // namespace volley
