// What a person reads: what was asked, what came of every request, how long it took, what it cost,
// and what to doubt. At most 100 columns wide, as far as names allow.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "reports/judge/thresholds.hpp"
#include "reports/measure/units.hpp"
#include "reports/render/renderer.hpp"
#include "reports/render/text_run.hpp"
#include "reports/render/text_verdict.hpp"
#include "reports/render/words.hpp"

namespace volley {
namespace {

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return text;
}

std::string rate_or_dash(const std::optional<double>& rate) {
  return rate ? format_rate(*rate) : "-";
}

std::string ratio_text(const std::optional<double>& ratio) {
  return ratio ? fmt::format("{:.2f}", *ratio) : "-";
}

std::string duration_or(const std::optional<std::int64_t>& ns, const std::string& otherwise) {
  return ns ? format_duration(Nanos(*ns)) : otherwise;
}

// "12 (0.013 %)"
std::string loss_text(const std::optional<std::uint64_t>& lost,
                      const std::optional<double>& ratio) {
  if (!lost) return "-";
  return ratio ? fmt::format("{} ({})", format_count(*lost), format_ratio(*ratio))
               : format_count(*lost);
}

std::string product_per_s(const Report& report) {
  const std::string workload = report.runs.empty() ? "rr" : report.runs.front().workload;
  if (workload == "connect") return "connections/s";
  if (workload == "stream") return "messages/s";
  return "round trips/s";
}

// A percentile that lies among the lost, or is withheld, prints as such.
std::string side_percentile(const Report& report, const ComparedSide& side,
                            const std::optional<std::int64_t>& ns, const PercentileKey& key) {
  if (spoils_any(report.runs, side.protocol, key)) return "spoilt";
  if (is_withheld(side, key.key)) return "few";
  return duration_or(ns, side.lost.value_or(0) > 0 ? "lost" : "-");
}

// What was opened and what a connection costs, where connections were held.
void add_hold_rows(std::vector<std::vector<std::string>>& rows, const Report& report) {
  std::vector<std::vector<std::string>> added{{"opened"},          {"opened/s"},
                                              {"held at the end"}, {"generator, each"},
                                              {"target, each"},    {"kernel, each"}};
  bool any = false;
  for (const char* protocol : {"udp", "tcp"}) {
    const auto hold = median_hold(report.runs, protocol);
    any = any || hold;
    const HoldFigures f = hold.value_or(HoldFigures{});
    const std::vector<std::string> cells{
        hold ? format_count(f.opened) : "-",      rate_or_dash(f.opened_per_s),
        hold ? format_count(f.held_at_end) : "-", bytes_or_dash(f.memory.generator_bytes),
        bytes_or_dash(f.memory.target_bytes),     bytes_or_dash(f.memory.kernel_bytes)};
    for (std::size_t i = 0; i < added.size(); ++i) added[i].push_back(cells[i]);
  }
  if (any) rows.insert(rows.end(), added.begin(), added.end());
}

// UDP beside TCP: a column each.
std::string comparison_text(const Report& report, const Comparison& comparison) {
  std::vector<std::vector<std::string>> rows{{""},
                                             {"rounds"},
                                             {product_per_s(report)},
                                             {"response p50"},
                                             {"response p99"},
                                             {"response p99.9"},
                                             {"sent"},
                                             {"lost"}};
  for (const ComparedSide& side : comparison.sides) {
    const std::vector<std::string> cells{
        upper(printable(side.protocol)),
        format_count(side.rounds),
        rate_or_dash(side.achieved_per_s),
        side_percentile(report, side, side.p50_ns, kPercentiles[0]),
        side_percentile(report, side, side.p99_ns, kPercentiles[2]),
        side_percentile(report, side, side.p99_9_ns, kPercentiles[3]),
        format_count(side.sent),
        loss_text(side.lost, side.loss_ratio)};
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i].push_back(cells[i]);
  }
  add_hold_rows(rows, report);
  rows[0].emplace_back("UDP/TCP");
  rows[2].push_back(ratio_text(comparison.achieved_ratio));
  rows[4].push_back(ratio_text(comparison.p99_ratio));
  return columns(rows);
}

// Several runs: a line each.
std::string runs_table(const Report& report) {
  std::vector<std::vector<std::string>> rows{
      {"run", product_per_s(report), "p50", "p99", "p99.9", "max", "lost", "status", "verdict"}};
  for (std::size_t i = 0; i < report.runs.size(); ++i) {
    const RunReport& run = report.runs[i];
    rows.push_back(
        {fmt::format("{} {}", i + 1, printable(run.name)), rate_or_dash(run.load.achieved_per_s),
         percentile_cell(run.response, kPercentiles[0]),
         percentile_cell(run.response, kPercentiles[2]),
         percentile_cell(run.response, kPercentiles[3]),
         latency_cell(run.response, run.response.max),
         loss_text(run.requests.lost, run.requests.loss_ratio), run.status, verdict_word(run)});
  }
  return columns(rows);
}

// What "few" in a table means, where it stands.
std::string few_text(const Report& report) {
  const auto has_few = [](const RunReport& run) {
    return is_withheld(run.response, kPercentiles[0]) ||
           is_withheld(run.response, kPercentiles[2]) || is_withheld(run.response, kPercentiles[3]);
  };
  if (std::none_of(report.runs.begin(), report.runs.end(), has_few)) return {};
  return "few: withheld, too few independent samples or events beyond; the JSON says how many it "
         "takes\n";
}

// The first run's heading stands for all of them; a warning is printed once.
std::string several_runs_text(const Report& report) {
  std::string text = wrapped("", several_runs_heading(report.runs.front()));
  text += '\n';
  if (report.comparison) text += comparison_text(report, *report.comparison) + '\n';
  text += runs_table(report) + few_text(report);
  std::set<std::string> seen;
  for (const RunReport& run : report.runs) {
    for (const std::string& line : trouble_lines(run)) {
      if (seen.empty()) text += '\n';
      if (seen.insert(line).second) text += line;
    }
  }
  const std::string verdict = verdict_text(report.runs);
  if (!verdict.empty()) text += '\n' + verdict;
  return text;
}

std::string thresholds_text(const Report& report) {
  std::string text;
  for (const ThresholdResult& t : report.thresholds) {
    text += wrapped(t.pass ? "pass  " : "FAIL  ",
                    printable(fmt::format("--fail-if '{}': {}", t.expr, result_text(t))));
  }
  return text;
}

std::string status_text(const Report& report) {
  if (report.error)
    return wrapped("FAILED    ",
                   fmt::format("{} ({}, in phase {})", printable(report.error->message),
                               printable(report.error->code), printable(report.error->phase)));
  if (report.status == "failed") return wrapped("FAILED    ", "the run failed");
  if (report.status == "interrupted")
    return wrapped("stopped   ",
                   "interrupted before its end: the figures are of what was measured until then");
  return {};
}

// What the figures below are the union of.
std::string parts_text(const Report& report) {
  if (report.parts.empty()) return {};
  return wrapped("", merge_words(report) + ": histograms added, counts summed") + '\n';
}

}  // namespace

std::string render_text(const Report& report) {
  std::string text;
  if (report.runs.size() == 1) text = run_text(report.runs.front());
  if (report.runs.size() > 1) text = several_runs_text(report);
  // A comparison of one round: the other never ran.
  if (report.runs.size() == 1 && report.comparison)
    text += '\n' + comparison_text(report, *report.comparison);
  const std::string thresholds = thresholds_text(report);
  const std::string status = status_text(report);
  if (!thresholds.empty()) text += (text.empty() ? "" : "\n") + thresholds;
  if (!status.empty()) text += (text.empty() ? "" : "\n") + status;
  if (text.empty()) text = "nothing was run\n";
  // Last, because that is where a reader looks for the result.
  if (report.comparison) text += '\n' + wrapped("", printable(report.comparison->sentence));
  return without_commands(parts_text(report) + text);
}

}  // namespace volley
