// The options that say what becomes of the figures, shared by run and duel.
#pragma once

#include <CLI/CLI.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "generators/cli/command.hpp"
#include "generators/cli/progress.hpp"
#include "generators/plan/plan.hpp"
#include "reports/render/output.hpp"
#include "targets/wire/endpoint.hpp"

namespace volley {

// As typed.
struct TypedOutputOptions {
  std::vector<std::string> reports;
  std::vector<std::string> fail_if;
  std::optional<std::string> live;
  std::optional<std::string> metrics_listen;
  std::optional<std::string> progress;
  bool strict = false;
  bool dry_run = false;
  bool quiet = false;
};

struct OutputOptions {
  std::vector<ReportTarget> reports;
  std::vector<std::string> fail_if;  // checked
  std::optional<std::string> live;   // "-": stdout, which then has no report
  std::optional<HostPort> metrics_listen;
  bool strict = false;
  ProgressMode progress = ProgressMode::automatic;
  bool dry_run = false;
  bool quiet = false;

  // Whether a report nobody asked for goes to stdout.
  [[nodiscard]] bool prints_text() const { return !quiet && live != "-"; }
};

void declare_output_options(CLI::App& app, const std::shared_ptr<TypedOutputOptions>& typed);
// Throws UsageError.
[[nodiscard]] OutputOptions convert(const TypedOutputOptions& typed, const Invocation& invocation);

// What --dry-run prints: the effective values and, in an open loop, the first due times.
[[nodiscard]] std::string describe(const RunPlan& plan);

// The file at whose end GitHub's runner looks for a job summary; empty: there is none.
[[nodiscard]] std::string summary_file();
// The formats of --report, for its help: lines that end with a line feed.
[[nodiscard]] std::string format_list();

// A progress line on stderr.
[[nodiscard]] bool stderr_is_terminal();

}  // namespace volley
