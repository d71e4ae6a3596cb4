// volley merge: the reports of several generators that ran at once, as one report.
#include "reports/judge/merge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "generators/cli/command.hpp"
#include "generators/cli/outcome.hpp"
#include "generators/cli/output_options.hpp"
#include "generators/cli/saved_report.hpp"
#include "generators/cli/version.hpp"
#include "reports/judge/threshold_parser.hpp"
#include "reports/measure/ensure.hpp"
#include "reports/render/output.hpp"
#include "reports/render/words.hpp"

namespace volley {
namespace {

struct Typed {
  std::vector<std::string> files;
  std::vector<std::string> reports;
  std::vector<std::string> fail_if;
  bool strict = false;
};

void check(const std::vector<std::string>& files) {
  if (files.size() < 2)
    throw UsageError(
        fmt::format("FILE: too few reports to merge ({}) [2 or more]; give one of each "
                    "generator, or render a single one with volley report",
                    files.size()));
  if (std::count(files.begin(), files.end(), "-") > 1)
    throw UsageError("FILE: stdin is given twice (-) [once]; save the other reports to files");
}

// The program that writes the report is this one; what the generators were stands in its parts.
Report merge_files(const std::vector<std::string>& files) {
  std::vector<NamedReport> reports;
  reports.reserve(files.size());
  for (const std::string& file : files) reports.push_back({file, read_report(file)});
  try {
    Report report = merge_reports(reports);
    report.tool_version = version();
    report.tool_commit = commit();
    return report;
  } catch (const RunError& e) {
    // It quotes the files, which may hold anything.
    throw RunError(e.code(), e.phase(), printable(e.what()));
  }
}

int carry_out(const Typed& typed) {
  check(typed.files);
  for (const std::string& text : typed.fail_if) (void)parse_threshold("--fail-if", text);
  ReportOutputs outputs(parse_report_targets(typed.reports, summary_file()), false);
  Report report = merge_files(typed.files);
  Outcome outcome;
  outcome.threshold_met = !judge_thresholds(report, typed.fail_if);
  outcome.untrusted = typed.strict && !is_trusted(report);
  return publish(outputs, report, exit_code_of(outcome));
}

}  // namespace

Action add_merge_command(CLI::App& app, const Invocation& /*invocation*/) {
  auto typed = std::make_shared<Typed>();
  app.description("Put reports of generators that ran at once together.");
  app.add_option("FILE", typed->files, "a report of each generator (--report json:FILE); -: stdin")
      ->required();
  app.add_option("--report", typed->reports,
                 format_list() + "without FILE on stdout (default text); may be repeated")
      ->type_name("FORMAT[:FILE]")
      ->allow_extra_args(false);
  app.add_option("--fail-if", typed->fail_if,
                 "judge all of it by this condition, as run and duel\ndo; may be repeated")
      ->type_name("CONDITION")
      ->allow_extra_args(false);
  app.add_flag("--strict", typed->strict, "exit 3 unless the verdict is TRUSTED");
  app.footer(
      "For several generators that loaded one target at the same time. Histograms are added, "
      "counts\n"
      "summed, nothing is averaged; what is no sum is left out.\n"
      "\n"
      "Examples\n"
      "  volley merge a.json b.json\n"
      "  volley merge out/*.json --report json:all.json --report text\n"
      "\n"
      "Exit: 0 done, 1 not of one load, or not written, 2 wrong use, 3 not TRUSTED, 99 --fail-if");
  return [typed] { return carry_out(*typed); };
}

}  // namespace volley
