// volley report: a saved JSON report rendered again, to the same text as after its run.
#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "generators/cli/command.hpp"
#include "generators/cli/outcome.hpp"
#include "generators/cli/output_options.hpp"
#include "generators/cli/saved_report.hpp"
#include "generators/cli/standard_streams.hpp"
#include "reports/judge/threshold_parser.hpp"
#include "reports/measure/ensure.hpp"
#include "reports/render/output.hpp"
#include "reports/render/schema_text.hpp"

namespace volley {
namespace {

struct Typed {
  std::optional<std::string> file;
  bool schema = false;
  std::vector<std::string> reports;
  std::vector<std::string> fail_if;
  bool strict = false;
};

int print_schema() { return print_all(report_schema()) ? kExitDone : kExitFailed; }

int carry_out(const Typed& typed) {
  if (typed.schema) return print_schema();
  if (!typed.file) throw UsageError("FILE: it is missing; see volley report --help");
  // Wrong use is seen before a file is touched.
  for (const std::string& text : typed.fail_if) (void)parse_threshold("--fail-if", text);
  ReportOutputs outputs(parse_report_targets(typed.reports, summary_file()), false);
  Report report = read_report(*typed.file);
  // What is asked now takes the place of what was asked then.
  if (!typed.fail_if.empty()) report.thresholds.clear();
  Outcome outcome;
  outcome.threshold_met = !judge_thresholds(report, typed.fail_if);
  outcome.untrusted = typed.strict && !is_trusted(report);
  return publish(outputs, report, exit_code_of(outcome));
}

}  // namespace

Action add_report_command(CLI::App& app, const Invocation& /*invocation*/) {
  auto typed = std::make_shared<Typed>();
  app.description("Render a saved JSON report again.");
  app.add_option("FILE", typed->file, "a report written by --report json:FILE; -: stdin")
      ->type_name("");
  app.add_option("--report", typed->reports,
                 format_list() +
                     "without FILE on stdout (default text), but markdown\n"
                     "at the end of $GITHUB_STEP_SUMMARY, where that is\n"
                     "set; may be repeated")
      ->type_name("FORMAT[:FILE]")
      ->allow_extra_args(false);
  app.add_option("--fail-if", typed->fail_if,
                 "judge it by this condition, as run and duel do, in\n"
                 "place of those it was made with; may be repeated")
      ->type_name("CONDITION")
      ->allow_extra_args(false);
  app.add_flag("--strict", typed->strict, "exit 3 unless the verdict is TRUSTED");
  app.add_flag("--schema", typed->schema, "print the JSON Schema of reports, and end");
  app.footer(
      "Examples\n"
      "  volley report out/report.json\n"
      "  volley report out/report.json --report csv:out/report.csv\n"
      "  volley report --schema > report.schema.json\n"
      "  volley report out/report.json --fail-if 'p99>2ms' --fail-if 'verdict<DEGRADED'\n"
      "\n"
      "Exit: 0 done, 1 no report, or not written, 2 wrong use, 3 not TRUSTED (--strict), 99 "
      "--fail-if");
  return [typed] { return carry_out(*typed); };
}

}  // namespace volley
