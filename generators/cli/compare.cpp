// volley compare: whether a saved report is worse than another by more than a limit.
#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "generators/cli/command.hpp"
#include "generators/cli/outcome.hpp"
#include "generators/cli/saved_report.hpp"
#include "reports/judge/compare.hpp"
#include "reports/measure/ensure.hpp"
#include "reports/render/compare.hpp"
#include "reports/render/output.hpp"

namespace volley {
namespace {

struct Typed {
  std::string base, latest;
  std::vector<std::string> limits;
  std::vector<std::string> reports;
  bool strict = false;
};

std::vector<ReportTarget> targets_of(const std::vector<std::string>& reports) {
  std::vector<ReportTarget> targets = parse_report_targets(reports);
  for (const ReportTarget& target : targets)
    if (target.format != "text" && target.format != "json")
      throw UsageError(
          fmt::format("--report: not a report of compare ({}) [text json]; choose one of these",
                      target.format));
  return targets;
}

ReportChange compare_files(const Typed& typed, const std::vector<RegressionLimit>& limits,
                           bool& trusted) {
  const Report base = read_report(typed.base);
  const Report latest = read_report(typed.latest);
  ReportChange change = compare_reports(base, latest, limits);
  if (change.scenarios.empty())
    throw RunError("nothing_to_compare", "report",
                   fmt::format("{} and {}: no run has the same name in both; compare reports of "
                               "the same command",
                               typed.base, typed.latest));
  // Both are looked at, so that stderr tells of both.
  if (typed.strict) {
    const bool base_trusted = is_trusted(base, typed.base);
    trusted = is_trusted(latest, typed.latest) && base_trusted;
  }
  return change;
}

int carry_out(const Typed& typed) {
  if (typed.base == "-" && typed.latest == "-")
    throw UsageError("NEW: both reports from stdin (-) [one]; give the name of a file");
  const std::vector<RegressionLimit> limits =
      parse_regression_limits("--max-regression", typed.limits);
  ReportOutputs outputs(targets_of(typed.reports), false);
  Outcome outcome;
  bool trusted = true;
  const ReportChange change = compare_files(typed, limits, trusted);
  outcome.untrusted = !trusted;
  outcome.regression = change.regressed;
  try {
    outputs.publish([&change](const std::string& format) {
      return format == "json" ? render_change_json(change) : render_change_text(change);
    });
  } catch (const RunError& error) {
    complain(error.what());
    return kExitFailed;
  }
  const bool judged = change.limited > 0 || change.regressed;
  if (!judged)
    complain(fmt::format(
        "{} and {}: no figure with a limit could be compared, so nothing is known of a regression; "
        "see why each is missing, and set a limit on one that both reports have "
        "(--max-regression METRIC:SHARE)",
        typed.base, typed.latest));
  return judged ? exit_code_of(outcome) : kExitFailed;
}

}  // namespace

Action add_compare_command(CLI::App& app, const Invocation& /*invocation*/) {
  auto typed = std::make_shared<Typed>();
  app.description("Say whether a saved report is worse than another.");
  app.add_option("BASE", typed->base, "a report written by --report json:FILE; -: stdin")
      ->required();
  app.add_option("NEW", typed->latest, "the report that is held against it")->required();
  app.add_option("--max-regression", typed->limits,
                 "how much worse is too much: 5% of the base for\n"
                 "achieved, goodput, response and connect p50 and p99\n"
                 "(default 10%), or METRIC:SHARE for one of any metric;\n"
                 "of the loss it is the difference (default 0.1%);\n"
                 "may be repeated")
      ->type_name("[METRIC:]SHARE")
      ->allow_extra_args(false);
  app.add_option("--report", typed->reports,
                 "text (default) or json, to stdout or into FILE;\nmay be repeated")
      ->type_name("FORMAT[:FILE]")
      ->allow_extra_args(false);
  app.add_flag("--strict", typed->strict, "exit 3 unless the verdict of both is TRUSTED");
  app.footer(
      "No significance is tested: two reports cannot tell a difference from chance.\n"
      "\n"
      "Examples\n"
      "  volley compare base.json new.json\n"
      "  volley compare base.json new.json --max-regression 5% --max-regression p99:25%\n"
      "\n"
      "Exit: 0 no regression, 1 no report or nothing compares, 2 wrong use, 3 not TRUSTED, 98 "
      "worse.");
  return [typed] { return carry_out(*typed); };
}

}  // namespace volley
