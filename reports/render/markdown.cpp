// A job summary in GitHub's Markdown. What decides comes first: a failure, each threshold that did
// not hold, else the verdict and the figures one looks at. Whatever is not ours is written so that
// it is shown as it is: no markup, no HTML, no command of a runner ("::error::") can come of it.
// Long lists are cut and say so, for a summary of 1 MiB or more is not taken at all.
#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "reports/judge/missing.hpp"
#include "reports/judge/scenarios.hpp"
#include "reports/judge/thresholds.hpp"
#include "reports/judge/verdicts.hpp"
#include "reports/measure/units.hpp"
#include "reports/render/renderer.hpp"
#include "reports/render/text_run.hpp"
#include "reports/render/text_verdict.hpp"
#include "reports/render/words.hpp"

namespace volley {
namespace {

// Of the whole; what does not fit is named.
constexpr std::size_t kMostBytes = 1'000'000;
constexpr std::size_t kMostFailures = 7;  // they and what is around them are ten lines
constexpr std::size_t kMostRows = 100;
// Bytes of a text, before escaping makes up to six of one.
constexpr std::size_t kWord = 100;
constexpr std::size_t kName = 200;
constexpr std::size_t kLine = 300;       // one of many
constexpr std::size_t kSentence = 2000;  // of which there are few

// Not in the middle of a character.
std::string shortened(std::string text, std::size_t most) {
  if (text.size() <= most) return text;
  std::size_t end = most;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80) --end;
  text.resize(end);
  return text + "…";
}

// Character references, which Markdown reads as text whatever they stand for.
std::string escaped(std::string_view raw, std::size_t most = kName) {
  constexpr std::string_view special = "&<>|`*_[]\\~#@$";
  const std::string text = shortened(printable(raw), most);
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    const bool doubled = c == ':' && ((at > 0 && text[at - 1] == ':') ||
                                      (at + 1 < text.size() && text[at + 1] == ':'));
    if (doubled || special.find(c) != std::string_view::npos)
      out += fmt::format("&#{};", static_cast<int>(c));
    else
      out += c;
  }
  return out;
}

using Row = std::vector<std::string>;

enum class Cells { texts, figures };

// A table of cells that are escaped already; the first row is its head.
std::string table(const std::vector<Row>& rows, Cells cells) {
  std::string text;
  const std::size_t shown = std::min(rows.size(), kMostRows + 1);
  for (std::size_t i = 0; i < shown; ++i) {
    text += fmt::format("| {} |\n", fmt::join(rows[i], " | "));
    if (i > 0) continue;
    text += "|";
    for (std::size_t column = 0; column < rows[0].size(); ++column)
      text += column == 0 || cells == Cells::texts ? " --- |" : " ---: |";
    text += "\n";
  }
  if (shown < rows.size())
    text += fmt::format("\n{} more rows are left out.\n", rows.size() - shown);
  return text;
}

std::string section(std::string_view title, const std::string& body) {
  return body.empty() ? std::string() : fmt::format("\n### {}\n\n{}", title, body);
}

std::string left_out(std::string_view title) {
  return section(title, "Left out: the summary would be too long to be taken.\n");
}

// The value of a threshold that had none counts as failed.
std::string value_of(const ThresholdResult& t) {
  if (t.value) return escaped(value_text(*t.value, t.unit), kWord);
  return t.reason.empty() ? "not evaluated"
                          : "not evaluated: " + escaped(missing_text(t.missing, t.reason), kLine);
}

std::string limit_of(const ThresholdResult& t) {
  return t.limit ? escaped(value_text(*t.limit, t.unit), kWord) : "-";
}

std::string metric_of(const ThresholdResult& t) {
  return escaped(t.expr.substr(0, t.expr.find_first_of("<>=!")));
}

std::string duration_or(const std::optional<std::int64_t>& ns) {
  return ns ? format_duration(Nanos(*ns)) : "-";
}

std::string rate_or(const std::optional<double>& rate) { return rate ? format_rate(*rate) : "-"; }

std::string loss_or(const std::optional<double>& ratio) {
  return ratio ? format_ratio(*ratio) : "-";
}

// "udp rr: 2,000/s, p50 31.2 us, p99 80 us, loss 0 %"
std::string figures_line(const Scenario& scenario) {
  const std::optional<RunReport> run = together(scenario.rounds);
  if (!run) return fmt::format("- {}: no round was finished\n", escaped(scenario.name));
  const bool answered = run->response.histogram.has_value();
  const LatencyFigures& figures = answered ? run->response : run->connect;
  return fmt::format("- {}: {} achieved, {} p50 {}, p99 {}, loss {}\n", escaped(scenario.name),
                     rate_or(run->load.achieved_per_s), answered ? "response" : "connect",
                     percentile_cell(figures, kPercentiles[0]),
                     percentile_cell(figures, kPercentiles[2]), loss_or(run->requests.loss_ratio));
}

// A list of which no more than the first few are shown.
std::string few(const std::vector<std::string>& lines, std::size_t most) {
  std::string text;
  const bool cut = lines.size() > most;
  const std::size_t shown = cut ? most - 1 : lines.size();
  for (std::size_t i = 0; i < shown; ++i) text += lines[i];
  if (cut) text += fmt::format("- and {} more, in the tables below\n", lines.size() - shown);
  return text;
}

std::string head(const Report& report, const std::vector<Scenario>& scenarios) {
  std::vector<std::string> failures;
  if (report.error)
    failures.push_back(fmt::format("- **the run failed**: {} ({}, in phase {})\n",
                                   escaped(report.error->message, kSentence),
                                   escaped(report.error->code), escaped(report.error->phase)));
  else if (report.status != "ok")
    failures.push_back(fmt::format("- **the run is {}**: the figures are of what was measured\n",
                                   escaped(report.status)));
  for (const ThresholdResult& t : report.thresholds)
    if (!t.pass)
      failures.push_back(fmt::format("- **FAIL** {}: {}, limit {} (unit {}; fails if {})\n",
                                     metric_of(t), value_of(t), limit_of(t), escaped(t.unit, kWord),
                                     escaped(t.expr)));
  const auto verdict = overall_verdict(report.runs);
  const std::string verdict_line =
      verdict ? fmt::format("- verdict **{}**: {}\n", verdict_words(verdict->overall),
                            escaped(verdict->headline, kSentence))
              : std::string();
  std::vector<std::string> figures;
  figures.reserve(scenarios.size());
  for (const Scenario& scenario : scenarios) figures.push_back(figures_line(scenario));
  const char* const word = !failures.empty()           ? "failed"
                           : report.thresholds.empty() ? "done"
                                                       : "passed";
  const std::string merge = report.parts.empty() ? "" : fmt::format(" ({})", merge_words(report));
  const std::string title = fmt::format("## volley: {}{}\n\n", word, merge);
  if (!failures.empty()) return title + few(failures, kMostFailures) + verdict_line;
  return title + verdict_line + few(figures, kMostFailures);
}

std::string scenarios_table(const std::vector<Scenario>& scenarios) {
  if (scenarios.empty()) return {};
  std::vector<Row> rows{{"scenario", "rounds", "achieved", "latency of", "p50", "p99", "p99.9",
                         "max", "loss", "verdict"}};
  for (const Scenario& scenario : scenarios) {
    const std::string rounds =
        scenario.unfinished > 0
            ? fmt::format("{} + {} unfinished", scenario.rounds.size(), scenario.unfinished)
            : fmt::format("{}", scenario.rounds.size());
    const std::optional<RunReport> run = together(scenario.rounds);
    if (!run) {
      rows.push_back({escaped(scenario.name), rounds, "-", "-", "-", "-", "-", "-", "-", "-"});
      continue;
    }
    const bool answered = run->response.histogram.has_value();
    const LatencyFigures& figures = answered ? run->response : run->connect;
    rows.push_back({escaped(scenario.name), rounds, rate_or(run->load.achieved_per_s),
                    answered ? "response" : "connect", percentile_cell(figures, kPercentiles[0]),
                    percentile_cell(figures, kPercentiles[2]),
                    percentile_cell(figures, kPercentiles[3]), latency_cell(figures, figures.max),
                    loss_or(run->requests.loss_ratio),
                    run->verdict ? verdict_words(run->verdict->overall) : "-"});
  }
  return table(rows, Cells::figures) +
         "\nfew: withheld, too little stands behind it; lost: it lies among the lost requests; "
         "spoilt: by the generator\n";
}

std::string comparison_table(const Report& report) {
  if (!report.comparison) return {};
  const Comparison& comparison = *report.comparison;
  std::vector<Row> rows{{""}, {"rounds"}, {"achieved"}, {"p50"}, {"p99"}, {"p99.9"}, {"loss"}};
  const auto cell = [&](const ComparedSide& side, const std::optional<std::int64_t>& ns,
                        const PercentileKey& key) -> std::string {
    if (spoils_any(report.runs, side.protocol, key)) return "spoilt";
    return is_withheld(side, key.key) ? "few" : duration_or(ns);
  };
  constexpr std::size_t most = 8;  // there are two; a file may have any number
  for (std::size_t i = 0; i < std::min(comparison.sides.size(), most); ++i) {
    const ComparedSide& side = comparison.sides[i];
    const Row cells{escaped(side.protocol == "udp"   ? "UDP"
                            : side.protocol == "tcp" ? "TCP"
                                                     : side.protocol),
                    fmt::format("{}", side.rounds),
                    rate_or(side.achieved_per_s),
                    cell(side, side.p50_ns, kPercentiles[0]),
                    cell(side, side.p99_ns, kPercentiles[2]),
                    cell(side, side.p99_9_ns, kPercentiles[3]),
                    loss_or(side.loss_ratio)};
    for (std::size_t row = 0; row < rows.size(); ++row) rows[row].push_back(cells[row]);
  }
  return table(rows, Cells::figures) + "\n" + escaped(comparison.sentence, kSentence) + "\n";
}

std::string thresholds_table(const Report& report) {
  if (report.thresholds.empty()) return {};
  std::vector<Row> rows{{"fails if", "value", "limit", "unit", "result"}};
  // What failed must not be what is cut.
  for (const bool pass : {false, true})
    for (const ThresholdResult& t : report.thresholds)
      if (t.pass == pass)
        rows.push_back({escaped(t.expr), value_of(t), limit_of(t), escaped(t.unit, kWord),
                        pass ? "pass" : "**FAIL**"});
  return table(rows, Cells::texts);
}

std::string checks_table(const Report& report) {
  std::vector<Row> rows{{"check", "status", "what was found"}};
  for (const CheckStatus status : {CheckStatus::fail, CheckStatus::warn, CheckStatus::unknown})
    for (const RunReport& run : report.runs)
      for (const Check& check : run.checks.value_or(std::vector<Check>())) {
        if (check.status != status || is_moot(run, check)) continue;
        Row row{escaped(check.id, kWord), std::string(to_string(status)),
                escaped(check.text, kLine)};
        if (rows.size() > 2 * kMostRows || std::find(rows.begin(), rows.end(), row) == rows.end())
          rows.push_back(std::move(row));
      }
  return rows.size() > 1 ? table(rows, Cells::texts) : std::string();
}

std::string warnings_list(const Report& report) {
  std::vector<std::string> lines;
  for (const RunReport& run : report.runs)
    for (const std::string& warning : run.generator.warnings) {
      std::string line = fmt::format("- {}\n", escaped(warning, kLine));
      if (lines.size() > kMostRows || std::find(lines.begin(), lines.end(), line) == lines.end())
        lines.push_back(std::move(line));
    }
  std::string text;
  for (std::size_t i = 0; i < std::min(lines.size(), kMostRows); ++i) text += lines[i];
  if (lines.size() > kMostRows)
    text += fmt::format("- {} more are left out\n", lines.size() - kMostRows);
  return text;
}

void add_pairs(std::vector<Row>& rows, std::string_view group, const TextPairs& pairs) {
  for (const auto& [key, value] : pairs)
    rows.push_back({fmt::format("{} {}", group, escaped(key, kWord)), "", escaped(value, kWord)});
}

std::string conditions(const Report& report) {
  std::vector<Row> rows{{"what", "asked", "found"}};
  rows.push_back({"started at", "", escaped(report.started_at)});
  rows.push_back({"volley", "", escaped(report.tool_version)});
  if (!report.runs.empty()) {
    const RunReport& run = report.runs.front();
    rows.push_back({"endpoint", "", escaped(run.endpoint)});
    for (const Condition& c : run.conditions)
      rows.push_back({escaped(c.name, kWord), escaped(c.asked.value_or("-"), kWord),
                      escaped(c.effective.value_or("-"), kWord)});
    add_pairs(rows, "config", run.config);
  }
  add_pairs(rows, "host", report.host);
  add_pairs(rows, "label", report.labels);
  return fmt::format("\n<details>\n<summary>Conditions{}</summary>\n\n{}\n</details>\n",
                     report.runs.size() > 1 ? " (of the first run)" : "",
                     table(rows, Cells::texts));
}

}  // namespace

std::string render_markdown(const Report& report) {
  const std::vector<Scenario> scenarios = scenarios_of(report);
  std::string text = head(report, scenarios);
  const auto add = [&](std::string_view title, const std::string& part) {
    text += part.empty() || text.size() + part.size() <= kMostBytes ? part : left_out(title);
  };
  const auto add_section = [&](std::string_view title, const std::string& body) {
    add(title, section(title, body));
  };
  add_section("UDP beside TCP", comparison_table(report));
  add_section("Figures", scenarios_table(scenarios));
  add_section("Thresholds", thresholds_table(report));
  add_section("Checks that did not pass", checks_table(report));
  add_section("Warnings", warnings_list(report));
  add("Conditions", conditions(report));
  return text;
}

}  // namespace volley
