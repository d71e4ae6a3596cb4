#include "generators/cli/output_options.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "generators/cli/outcome.hpp"
#include "reports/judge/threshold_parser.hpp"
#include "reports/measure/ensure.hpp"
#include "reports/measure/units.hpp"
#include "reports/render/renderer.hpp"
#include "reports/render/words.hpp"

namespace volley {
namespace {

constexpr int kShownSlots = 5;

ProgressMode parse_progress(std::string_view text) {
  if (text == "auto") return ProgressMode::automatic;
  if (text == "plain") return ProgressMode::plain;
  if (text == "none") return ProgressMode::none;
  throw UsageError(
      fmt::format("--progress: no such choice ({}) [auto plain none]; choose one of these", text));
}

// Whether a file or a pipe is stdout under another name, like /dev/fd/1.
bool is_stdout(const std::string& path) {
  struct stat out {};
  struct stat place {};
  return ::fstat(STDOUT_FILENO, &out) == 0 && ::stat(path.c_str(), &place) == 0 &&
         (S_ISREG(out.st_mode) || S_ISFIFO(out.st_mode)) && out.st_dev == place.st_dev &&
         out.st_ino == place.st_ino;
}

// One file cannot be both what is written along and what appears at the end.
std::string checked_live(const std::string& path, const std::vector<ReportTarget>& reports) {
  if (path.empty())
    throw UsageError("--live: no file [FILE or -]; name one, like --live run.ndjson");
  std::string place = path == "/dev/stdout" || is_stdout(path) ? "-" : path;
  for (const ReportTarget& report : reports)
    if (writes_to(report, place))
      throw UsageError(fmt::format(
          "--live {}: a report goes there too ({}) [one]; give one of them another file", path,
          report.format));
  return place;
}

// The port is what OpenTelemetry gives to an exporter of this kind.
HostPort metrics_address(const std::string& text) {
  HostPort where = parse_host_port("--metrics-listen", text, 9464);
  // The server of prometheus-cpp, as Debian builds it, has IPv4 only.
  if (where.host.find(':') != std::string::npos)
    throw UsageError(fmt::format(
        "--metrics-listen {}: an IPv6 address [a name or an IPv4 address]; listen on 127.0.0.1 or "
        "0.0.0.0",
        text));
  return where;
}

}  // namespace

void declare_output_options(CLI::App& app, const std::shared_ptr<TypedOutputOptions>& typed) {
  const std::string group = "What to report";
  app.add_option("--report", typed->reports,
                 format_list() +
                     "without FILE on stdout (default text), but markdown\n"
                     "at the end of $GITHUB_STEP_SUMMARY, where that is\n"
                     "set; may be repeated")
      ->type_name("FORMAT[:FILE]")
      ->group(group)
      ->allow_extra_args(false);
  app.add_option("--fail-if", typed->fail_if,
                 "'p99>2ms' 'loss>=0.1%' 'achieved<0.99*intended'\n"
                 "'udp: send_lag p99>1ms' 'verdict<TRUSTED': exit 99\n"
                 "when it is so, or cannot be told; may be repeated.\n"
                 "A short name (p50 p90 p99 p99_9 p99_99 max loss\n"
                 "achieved offered intended errors late ...) or a path\n"
                 "of the JSON, with > >= < <= == !=")
      ->type_name("CONDITION")
      ->group(group)
      ->allow_extra_args(false);
  app.add_flag("--strict", typed->strict,
               "exit 3 unless the verdict is TRUSTED: what the report\n"
               "says about its own numbers")
      ->group(group);
  app.add_option("--live", typed->live,
                 "the lines of the format ndjson as they become known:\n"
                 "start, an interval each, warnings, end; - for stdout")
      ->type_name("FILE")
      ->group(group);
  app.add_option("--metrics-listen", typed->metrics_listen,
                 "serve http://HOST:PORT/metrics while it runs, for a\n"
                 "Prometheus to scrape (port 9464; 0: any)")
      ->type_name("HOST[:PORT]")
      ->group(group);
  app.add_option("--progress", typed->progress,
                 "on stderr: auto (a line on a terminal), plain (a\n"
                 "line per second), none (default auto)")
      ->type_name("HOW")
      ->group(group);
  app.add_flag("--dry-run", typed->dry_run, "print the plan, send nothing")->group(group);
  app.add_flag("--quiet", typed->quiet, "errors and asked reports only")->group(group);
}

OutputOptions convert(const TypedOutputOptions& typed, const Invocation& invocation) {
  OutputOptions options;
  options.reports = parse_report_targets(typed.reports, summary_file());
  if (typed.live) options.live = checked_live(*typed.live, options.reports);
  if (typed.metrics_listen) options.metrics_listen = metrics_address(*typed.metrics_listen);
  for (const std::string& text : typed.fail_if) (void)parse_threshold("--fail-if", text);
  options.fail_if = typed.fail_if;
  options.strict = typed.strict;
  if (typed.progress) options.progress = parse_progress(*typed.progress);
  options.dry_run = typed.dry_run;
  options.quiet = typed.quiet;
  // Any other --report stays unwritten, so that --dry-run can be put before a whole command line.
  if (options.dry_run && wants_json(invocation))
    throw UsageError("--dry-run, --report json: a plan is printed as text; leave out --report");
  return options;
}

std::string describe(const RunPlan& plan) {
  const std::string endpoint = plan.where
                                   ? to_string(Endpoint{plan.protocol, *plan.where})
                                   : fmt::format("{}, our own target", to_string(plan.protocol));
  std::string text = fmt::format("plan of {} (nothing was sent)\n", run_name(plan));
  const auto line = [&text](std::string_view key, std::string_view value) {
    text += fmt::format("  {:<14} {}\n", key, value);
  };
  line("endpoint", endpoint);
  for (const auto& [key, value] : effective_values(plan)) line(key, value);
  if (!plan.open_loop()) return text;

  Schedule schedule(schedule_of(plan));
  text += "first requests due\n";
  for (int i = 0; i < kShownSlots; ++i) {
    const auto slot = schedule.next();
    if (!slot) break;
    const std::uint64_t flow = slot->index % plan.flows;
    text += fmt::format("  {:>12}  flow {}, thread {}{}\n", format_duration_exact(slot->due), flow,
                        flow % plan.threads, slot->measured ? "" : ", warm-up");
  }
  return text;
}

std::string summary_file() {
  const char* const file = std::getenv("GITHUB_STEP_SUMMARY");
  return file == nullptr ? std::string() : std::string(file);
}

std::string format_list() {
  constexpr std::size_t width = 50;
  return wrapped("", fmt::format("{};", fmt::join(format_names(), ", ")), width);
}

bool stderr_is_terminal() {
  const char* term = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) == 1 && term != nullptr && std::string_view(term) != "dumb";
}

}  // namespace volley
