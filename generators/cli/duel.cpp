// volley duel: UDP against TCP, round by round, one table.
#include "generators/campaign/duel.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
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

// A duel has many rounds: each is shorter than a single run, so that the whole is a coffee and not
// a lunch.
constexpr Nanos kRoundDuration = std::chrono::seconds(3);

struct Typed {
  std::optional<std::string> where;
  std::optional<std::string> rounds;
  std::shared_ptr<TypedRunOptions> run = std::make_shared<TypedRunOptions>();
  std::shared_ptr<TypedOutputOptions> output = std::make_shared<TypedOutputOptions>();
};

DuelOptions options_from(const Typed& typed) {
  DuelOptions options;
  options.run = convert(*typed.run);
  if (typed.where) options.run.where = parse_host_port("HOST[:PORT]", *typed.where);
  if (typed.rounds)
    options.rounds = static_cast<std::uint32_t>(parse_count("--rounds", *typed.rounds, 1, 1'000));
  const bool is_trace = options.run.arrival && options.run.arrival->kind == Arrival::Kind::trace;
  if (!options.run.duration && !options.run.requests && !is_trace)
    options.run.duration = kRoundDuration;
  options.trace = load_trace(options.run);
  return options;
}

std::string describe_duel(const DuelOptions& options) {
  std::string text = fmt::format("duel of {} rounds of each protocol\n", options.rounds);
  for (const std::uint32_t round : {0U, 1U})
    text += describe(plan_of_round(options, round, plan_limits()));
  return text;
}

DuelHooks hooks_for(ProgressLine& progress) {
  DuelHooks hooks;
  hooks.run = hooks_of(progress);
  hooks.on_round = [&progress](std::uint32_t round, std::uint32_t rounds, Protocol protocol) {
    progress.milestone(fmt::format("round {} of {}: {}", round + 1, rounds, to_string(protocol)));
  };
  return hooks;
}

int carry_out(const Typed& typed, const Invocation& invocation) {
  const OutputOptions output = convert(*typed.output, invocation);
  const DuelOptions options = options_from(typed);
  if (output.dry_run) {
    fmt::print("{}", describe_duel(options));
    return std::fflush(stdout) == 0 ? kExitDone : kExitFailed;
  }

  ReportOutputs outputs(output.reports, !output.prints_text());
  Report report = begin_report(invocation);
  report.labels = options.run.labels;
  MetricsEndpoint metrics(output.metrics_listen, report);
  ProgressLine progress(stderr, output.progress, stderr_is_terminal(), output.quiet);
  LiveStream live(output.live, [&progress] { progress.finish(); });
  if (!metrics.url().empty()) progress.note(fmt::format("metrics at {}", metrics.url()));
  live.begin(report);
  try {
    DuelHooks hooks = hooks_for(progress);
    hooks.run = joined({std::move(hooks.run), live.hooks(), metrics.hooks()});
    hooks.on_end = [&](const RunRecord& record) {
      report.runs.push_back(summarize(record));
      live.end(report.runs.back());
      metrics.end(report.runs.back());
    };
    const std::vector<RunRecord> records = duel(options, hooks);
    progress.finish();
    report.comparison = compare_protocols(report.runs);
    return publish(live, outputs, report, conclude(report, records, output.fail_if, output.strict));
  } catch (const RunError& error) {
    progress.finish();
    return publish(live, outputs, report, conclude(report, error, output.fail_if));
  }
}

}  // namespace

Action add_duel_command(CLI::App& app, const Invocation& invocation) {
  auto typed = std::make_shared<Typed>();
  app.description("Compare UDP with TCP: one plan over both, in turns.");
  app.add_option("HOST[:PORT]", typed->where,
                 "a target with UDP and TCP on one port (port 2924)\n"
                 "(default: our own on loopback, for this duel)")
      ->type_name("");
  app.add_option("--rounds", typed->rounds,
                 fmt::format("of each protocol (default {})", DuelOptions{}.rounds))
      ->type_name("N")
      ->group("How much, and when");
  declare_run_options(app, typed->run, format_duration_exact(kRoundDuration) + " a round");
  declare_output_options(app, typed->output);
  app.footer(
      "Times are 90us 1.5ms 10s 2m, sizes 64 4KiB 1MB, rates 500/s 10k 1.5M/s.\n"
      "The rounds go UDP TCP TCP UDP …, so that a change of the machine meets both alike. Whether\n"
      "the difference is more than chance is not tested.\n"
      "\n"
      "Examples\n"
      "  volley duel\n"
      "  volley duel 192.0.2.7 --rate 5k --rounds 8 --report text --report json:duel.json\n"
      "  volley duel --flows 64 --threads 2 --duration 1s --fail-if 'loss>0'\n"
      "\n"
      "Exit: 0 done, 1 a round failed, 2 wrong use, 3 untrusted, 99 a --fail-if was met,"
      " 130 Ctrl-C.");
  return [typed, invocation] { return carry_out(*typed, invocation); };
}

}  // namespace volley
