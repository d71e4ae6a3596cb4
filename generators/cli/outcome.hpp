// How the program ends: the exit code and, when JSON was asked for, a report on every path.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "generators/cli/command.hpp"
#include "generators/cli/live.hpp"
#include "reports/judge/summary.hpp"
#include "reports/measure/ensure.hpp"
#include "reports/render/output.hpp"

namespace volley {

// What may be wrong with a run that took place.
struct Outcome {
  RunStatus status = RunStatus::ok;
  int signal = 0;              // that interrupted it
  bool untrusted = false;      // and --strict was given
  bool threshold_met = false;  // a --fail-if was met or could not be evaluated
  bool regression = false;
};

// The first that applies: failed (1), interrupted (130, 143), untrusted (3), threshold (99),
// regression (98), done (0).
[[nodiscard]] int exit_code_of(const Outcome& outcome);

// A report with everything that is known before a run: version, host, command line, date.
[[nodiscard]] Report begin_report(const Invocation& invocation);
// A report about a run that did not take place.
[[nodiscard]] Report failed_report(const Invocation& invocation, const RunFailure& failure);

// True when the command line asks for JSON on stdout, also when the rest of it is nonsense.
[[nodiscard]] bool wants_json(const Invocation& invocation);

// "volley: TEXT" on stderr.
void complain(const std::string& text);

// Publishes, and says so on stderr when something could not be written. Returns `code`, or 1 when
// that is what matters more.
[[nodiscard]] int publish(ReportOutputs& outputs, const Report& report, int code);
// The same, and the last line of a stream before it.
[[nodiscard]] int publish(LiveStream& live, ReportOutputs& outputs, const Report& report, int code);

// Judges the conditions, adds them to the report's thresholds, and tells stderr which did not pass.
// Whether all did.
[[nodiscard]] bool judge_thresholds(Report& report, const std::vector<std::string>& fail_if);
// Whether the report's verdict is TRUSTED; otherwise stderr is told, and of which file it is, where
// there are several.
[[nodiscard]] bool is_trusted(const Report& report, const std::string& file = "");

// Puts status, error and thresholds of finished runs into the report, tells stderr what failed, and
// returns the exit code.
[[nodiscard]] int conclude(Report& report, const std::vector<RunRecord>& records,
                           const std::vector<std::string>& fail_if, bool strict);
// The same for a run that could not start: no threshold could be evaluated.
[[nodiscard]] int conclude(Report& report, const RunError& error,
                           const std::vector<std::string>& fail_if);

}  // namespace volley
