// volley run: load for one endpoint, one record, one report.
#include "generators/engine/run.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "generators/cli/command.hpp"
#include "generators/cli/live.hpp"
#include "generators/cli/metrics_endpoint.hpp"
#include "generators/cli/outcome.hpp"
#include "generators/cli/output_options.hpp"
#include "generators/cli/progress.hpp"
#include "generators/cli/run_options.hpp"
#include "generators/plan/plan.hpp"
#include "reports/judge/summary.hpp"
#include "reports/measure/ensure.hpp"
#include "reports/measure/units.hpp"

namespace volley {
namespace {

struct Typed {
  std::string endpoint;
  std::shared_ptr<TypedRunOptions> run = std::make_shared<TypedRunOptions>();
  std::shared_ptr<TypedOutputOptions> output = std::make_shared<TypedOutputOptions>();
};

// The words udp and tcp stand for our own target, started for the run.
void set_endpoint(RunOptions& options, const std::string& text) {
  if (text == "udp" || text == "tcp") {
    options.protocol = text == "udp" ? Protocol::udp : Protocol::tcp;
    return;
  }
  const Endpoint endpoint = parse_endpoint("ENDPOINT", text);
  options.protocol = endpoint.protocol;
  options.where = endpoint.where;
}

int carry_out(const Typed& typed, const Invocation& invocation) {
  const OutputOptions output = convert(*typed.output, invocation);
  RunOptions options = convert(*typed.run);
  set_endpoint(options, typed.endpoint);
  const RunPlan plan = make_plan(options, plan_limits(), load_trace(options));
  if (output.dry_run) {
    fmt::print("{}", describe(plan));
    return std::fflush(stdout) == 0 ? kExitDone : kExitFailed;
  }

  ReportOutputs outputs(output.reports, !output.prints_text());
  Report report = begin_report(invocation);
  report.labels = plan.labels;
  MetricsEndpoint metrics(output.metrics_listen, report);
  ProgressLine progress(stderr, output.progress, stderr_is_terminal(), output.quiet);
  LiveStream live(output.live, [&progress] { progress.finish(); });
  if (!metrics.url().empty()) progress.note(fmt::format("metrics at {}", metrics.url()));
  live.begin(report);
  try {
    const RunRecord record = run(plan, joined({hooks_of(progress), live.hooks(), metrics.hooks()}));
    progress.finish();
    report.runs.push_back(summarize(record));
    live.end(report.runs.back());
    metrics.end(report.runs.back());
    return publish(live, outputs, report,
                   conclude(report, {record}, output.fail_if, output.strict));
  } catch (const RunError& error) {
    progress.finish();
    return publish(live, outputs, report, conclude(report, error, output.fail_if));
  }
}

}  // namespace

Action add_run_command(CLI::App& app, const Invocation& invocation) {
  auto typed = std::make_shared<Typed>();
  app.description("Send load to a target and report how it answered.");
  app.add_option("ENDPOINT", typed->endpoint,
                 "udp://HOST:PORT or tcp://HOST:PORT (port 2924), or the word\n"
                 "udp or tcp: our own target on loopback, for this run")
      ->type_name("")
      ->required();
  declare_run_options(app, typed->run, format_duration_exact(RunOptions::kDefaultDuration));
  declare_output_options(app, typed->output);
  app.footer(
      "Times are 90us 1.5ms 10s 2m, sizes 64 4KiB 1MB, rates 500/s 10k 1.5M/s.\n"
      "\n"
      "Examples\n"
      "  volley run udp --flows 8\n"
      "  volley run tcp://192.0.2.7:2924 --rate 10k --duration 1m --report json:r.json\n"
      "  volley run tcp --workload hold --flows 19000 --rate 1k\n"
      "  volley run tcp://127.0.0.1:6379 --request 'PING\\r\\n' --reply until:'\\r\\n'\n"
      "\n"
      "Exit: 0 done, 1 the run failed, 2 wrong use, 3 untrusted, 99 a --fail-if was met,"
      " 130 Ctrl-C.");
  return [typed, invocation] { return carry_out(*typed, invocation); };
}

}  // namespace volley
