#include "generators/cli/outcome.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <string_view>

#include "generators/cli/annotations.hpp"
#include "generators/cli/standard_streams.hpp"
#include "generators/cli/version.hpp"
#include "generators/engine/host.hpp"
#include "reports/judge/missing.hpp"
#include "reports/judge/threshold_parser.hpp"
#include "reports/judge/thresholds.hpp"
#include "reports/judge/verdicts.hpp"
#include "reports/render/words.hpp"

namespace volley {
namespace {

bool is_json_on_stdout(std::string_view report) {
  return report == "json" || report == "json:-" || report == "json:/dev/stdout";
}

std::string threshold_text(const ThresholdResult& result) {
  const std::string what = result_text(result);
  return printable(result.value
                       ? fmt::format("--fail-if '{}': {}; see the report", result.expr, what)
                       : fmt::format("--fail-if '{}': {}, so it counts as met; {}", result.expr,
                                     what, way_out(result.reason)));
}

}  // namespace

int exit_code_of(const Outcome& outcome) {
  if (outcome.status == RunStatus::failed) return kExitFailed;
  if (outcome.status == RunStatus::interrupted) return kExitSignalBase + outcome.signal;
  if (outcome.untrusted) return kExitUntrusted;
  if (outcome.threshold_met) return kExitThreshold;
  return outcome.regression ? kExitRegression : kExitDone;
}

Report begin_report(const Invocation& invocation) {
  Report report;
  report.tool_version = version();
  report.tool_commit = commit();
  report.started_at = format_utc(wall_now());
  report.host = host_facts();
  report.argv = invocation.argv;
  return report;
}

Report failed_report(const Invocation& invocation, const RunFailure& failure) {
  Report report = begin_report(invocation);
  report.status = to_string(RunStatus::failed);
  report.error = failure;
  return report;
}

bool wants_json(const Invocation& invocation) {
  constexpr std::string_view joined = "--report=";
  const std::vector<std::string>& argv = invocation.argv;
  for (std::size_t i = 1; i < argv.size(); ++i) {
    if (argv[i - 1] == "--report" && is_json_on_stdout(argv[i])) return true;
    const std::string_view word = argv[i];
    if (word.substr(0, joined.size()) == joined && is_json_on_stdout(word.substr(joined.size())))
      return true;
  }
  return false;
}

void complain(const std::string& text) {
  std::fflush(stdout);
  tell(stderr, without_commands(fmt::format("volley: {}\n", text)));
}

int publish(ReportOutputs& outputs, const Report& report, int code) {
  annotate(report);
  try {
    outputs.publish(report);
  } catch (const RunError& error) {
    complain(error.what());
    return kExitFailed;
  }
  return code;
}

int publish(LiveStream& live, ReportOutputs& outputs, const Report& report, int code) {
  const bool whole = live.end(report);
  const int published = publish(outputs, report, code);
  return whole ? published : kExitFailed;
}

bool judge_thresholds(Report& report, const std::vector<std::string>& fail_if) {
  bool passed = true;
  for (const std::string& text : fail_if) {
    report.thresholds.push_back(evaluate(parse_threshold("--fail-if", text), report));
    if (report.thresholds.back().pass) continue;
    passed = false;
    complain(threshold_text(report.thresholds.back()));
  }
  return passed;
}

bool is_trusted(const Report& report, const std::string& file) {
  const std::string subject = file.empty() ? "--strict" : fmt::format("--strict: {}", file);
  const auto verdict = overall_verdict(report.runs);
  const bool judged =
      verdict && std::all_of(report.runs.begin(), report.runs.end(),
                             [](const RunReport& run) { return run.verdict.has_value(); });
  if (!judged) {
    complain(printable(fmt::format(
        "{}: not every run was judged, so nothing is known about its numbers", subject)));
    return false;
  }
  if (verdict->overall == Verdict::trusted) return true;
  complain(printable(fmt::format("{}: the numbers are not to be trusted without a doubt ({}): {}",
                                 subject, to_string(verdict->overall), verdict->headline)));
  return false;
}

int conclude(Report& report, const std::vector<RunRecord>& records,
             const std::vector<std::string>& fail_if, bool strict) {
  Outcome outcome;
  for (const RunRecord& record : records) {
    if (record.status == RunStatus::failed) {
      outcome.status = RunStatus::failed;
      report.error = record.failure;
    } else if (record.status == RunStatus::interrupted && outcome.status == RunStatus::ok) {
      outcome.status = RunStatus::interrupted;
      outcome.signal = record.signal;
    }
  }
  report.status = to_string(outcome.status);
  if (report.error) complain(report.error->message);
  if (outcome.status == RunStatus::interrupted)
    complain(fmt::format("interrupted (signal {}): the report holds what was measured until then",
                         outcome.signal));
  outcome.threshold_met = !judge_thresholds(report, fail_if);
  outcome.untrusted = strict && !is_trusted(report);
  for (const RunReport& run : report.runs) {
    const std::string broken = broken_identity(run.requests);
    if (!broken.empty())
      complain(fmt::format("{}: the counts do not add up: {}", run.name, broken));
  }
  return exit_code_of(outcome);
}

int conclude(Report& report, const RunError& error, const std::vector<std::string>& fail_if) {
  report.status = to_string(RunStatus::failed);
  report.error = RunFailure{error.code(), error.what(), error.phase()};
  for (const std::string& text : fail_if)
    report.thresholds.push_back(evaluate(parse_threshold("--fail-if", text), report));
  complain(error.what());
  return kExitFailed;
}

}  // namespace volley
