// volley target: the options of our own servers.
#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "generators/cli/choose.hpp"
#include "generators/cli/command.hpp"
#include "generators/cli/standard_streams.hpp"
#include "generators/cli/version.hpp"
#include "reports/measure/ensure.hpp"
#include "reports/measure/units.hpp"
#include "reports/render/output.hpp"
#include "reports/render/target_json.hpp"
#include "targets/serve/options.hpp"
#include "targets/serve/server.hpp"
#include "targets/wire/tuning.hpp"

namespace volley {
namespace {

using namespace std::string_view_literals;

constexpr Nanos kLongest = std::chrono::hours(24 * 365);

// As typed; converted by our own parsers, because CLI11's let too much through.
struct Typed {
  std::string kind;
  std::vector<std::string> listen;
  std::string threads, backlog, max_connections, idle_timeout, wait, deal, offload, seed;
  std::optional<std::string> max_duration, drop, duplicate, reorder, delay, service_time, stall;
  std::optional<std::string> report;
  std::string reply_prefix, event_log;
  bool pin = false, discard = false, frames_only = false, one_peer = false, open = false,
       print = false, log_messages = false, log_connections = false;
  bool stop_on_empty = false, quiet = false;
};

BehaviourOptions behaviour_from(const Typed& typed) {
  BehaviourOptions b;
  if (typed.drop) b.drop = parse_drop("--drop", *typed.drop);
  if (typed.duplicate) b.duplicate_ratio = parse_ratio("--duplicate", *typed.duplicate);
  if (typed.reorder) b.reorder_ratio = parse_ratio("--reorder", *typed.reorder);
  if (typed.delay) {
    b.delay = parse_duration("--delay", *typed.delay, Nanos{0}, std::chrono::hours(1));
  }
  if (typed.service_time) b.service = parse_service_time("--service-time", *typed.service_time);
  if (typed.stall) b.stall = parse_stall("--stall", *typed.stall);
  b.seed = parse_count("--seed", typed.seed, 0);
  return b;
}

ServeOptions options_from(const Typed& typed) {
  ServeOptions o;
  o.kind = parse_target_kind("KIND", typed.kind);
  for (const std::string& text : typed.listen) {
    o.listen.push_back(parse_host_port("--listen", text));
  }
  o.threads =
      static_cast<unsigned>(parse_count("--threads", typed.threads, 1, ServeOptions::kMostThreads));
  o.backlog = static_cast<int>(parse_count("--backlog", typed.backlog, 1, 1'000'000));
  o.max_connections = parse_count("--max-connections", typed.max_connections, 0);
  o.idle_timeout = parse_duration("--idle-timeout", typed.idle_timeout, Nanos{0}, kLongest);
  if (typed.max_duration) {
    o.max_duration = parse_duration("--max-duration", *typed.max_duration,
                                    std::chrono::milliseconds(1), kLongest);
  }
  o.wait =
      choose<Wait>("--wait", typed.wait,
                   std::array{std::pair{"auto"sv, Wait::automatic},
                              std::pair{"block"sv, Wait::block}, std::pair{"spin"sv, Wait::spin}});
  o.pin = typed.pin;
  o.deal = choose<Deal>("--deal", typed.deal,
                        std::array{std::pair{"even"sv, Deal::even}, std::pair{"cpu"sv, Deal::cpu}});
  o.offload =
      choose<Offload>("--offload", typed.offload,
                      std::array{std::pair{"auto"sv, Offload::automatic},
                                 std::pair{"on"sv, Offload::on}, std::pair{"off"sv, Offload::off}});
  o.discard = typed.discard;
  o.frames_only = typed.frames_only;
  o.one_peer = typed.one_peer;
  o.open = typed.open;
  o.print = typed.print;
  o.reply_prefix = typed.reply_prefix;
  o.log_messages = typed.log_messages;
  o.log_connections = typed.log_connections;
  o.stop_on_empty = typed.stop_on_empty;
  o.behaviour = behaviour_from(typed);
  o.event_log = typed.event_log;
  check(o);
  check_cpus(o, static_cast<unsigned>(allowed_cpus().size()));
  return o;
}

// At most one report: text, json, or json in a file beside the text.
std::vector<ReportTarget> report_from(const Typed& typed) {
  if (!typed.report) return {};
  auto targets = parse_report_targets({*typed.report});
  if (targets.front().format != "json" && targets.front().format != "text") {
    throw UsageError(
        fmt::format("--report: a target has no such report ({}) [json text]; write it "
                    "like json or json:FILE",
                    *typed.report));
  }
  return targets;
}

void check_stdout(const Typed& typed, bool json_on_stdout) {
  const bool prints = typed.print || typed.log_messages || typed.log_connections;
  if (!json_on_stdout || !prints) return;
  throw UsageError(
      "--report json: stdout carries the report, and what is printed or logged would stand in the "
      "middle of it; write the report to a file, like --report json:target.json");
}

std::string initialized(const ServeOptions& o) {
  std::string text = fmt::format("initialized: {}, {} thread{}", to_string(o.kind), o.threads,
                                 o.threads == 1 ? "" : "s");
  if (serves(o.kind, Protocol::tcp)) text += fmt::format(", backlog {}", o.backlog);
  return text;
}

// The last piece of "udp://127.0.0.1:2924".
std::string port_of(const std::string& endpoint) {
  return endpoint.substr(endpoint.rfind(':') + 1);
}

int carry_out(const Typed& typed) {
  const ServeOptions options = options_from(typed);
  const std::vector<ReportTarget> reports = report_from(typed);
  const bool json_on_stdout =
      !reports.empty() && reports.front().format == "json" && reports.front().path == "-";
  check_stdout(typed, json_on_stdout);
  ReportOutputs outputs(reports, typed.quiet);
  const auto note = [&](const std::string& sentence) {
    if (!typed.quiet) tell(stderr, fmt::format("{}\n", sentence));
  };
  note(initialized(options));
  // JSON has stdout to itself; whoever reads the endpoints then finds them on stderr.
  std::FILE* const says = json_on_stdout ? stderr : stdout;
  ServeHooks hooks;
  hooks.on_note = note;
  hooks.on_ready = [&](const std::vector<std::string>& listening) {
    for (const std::string& endpoint : listening) note("binding completed: " + endpoint);
    for (const std::string& endpoint : listening) fmt::print(says, "listening {}\n", endpoint);
    std::fflush(says);
    note("waiting on port " + port_of(listening.front()));
  };
  const TargetRecord record = serve(options, hooks);
  const ToolVersion tool{.version = std::string(version()), .commit = std::string(commit())};
  outputs.publish([&](const std::string& format) {
    return format == "json" ? target_statistics_json(record, tool) : target_statistics_text(record);
  });
  return kExitDone;
}

void declare_serving(CLI::App& app, Typed& t) {
  app.add_option("KIND", t.kind,
                 "all         UDP and TCP echo on one port; sink and source for\n"
                 "            sessions that ask\n"
                 "udp-echo    answers every datagram\n"
                 "udp-sink    counts datagrams\n"
                 "tcp-accept  accepts, reads, discards, until the peer closes\n"
                 "tcp-echo    sends back what comes\n"
                 "tcp-sink    reads and counts\n"
                 "tcp-source  sends as fast as the peer takes it")
      ->capture_default_str();
  app.add_option("--listen", t.listen,
                 fmt::format("may be repeated; port 0 picks a free one (default {}:{})",
                             ServeOptions::kDefaultHost, kDefaultPort))
      ->type_name("HOST:PORT")
      ->expected(1)
      ->allow_extra_args(false)  // a KIND behind it is no second address
      ->take_all();
  app.add_option("--threads", t.threads, "each with sockets of its own on the same port")
      ->type_name("N")
      ->capture_default_str();
  app.add_option("--backlog", t.backlog, "TCP connections that may wait to be accepted")
      ->type_name("N")
      ->capture_default_str();
  app.add_option("--max-connections", t.max_connections,
                 "over all threads; further ones are closed at once (0: no limit)")
      ->type_name("N")
      ->capture_default_str();
  app.add_option("--idle-timeout", t.idle_timeout, "closes silent TCP connections (0: never)")
      ->type_name("TIME")
      ->capture_default_str();
  app.add_option("--max-duration", t.max_duration, "ends by itself")->type_name("TIME");
  app.add_option("--wait", t.wait,
                 "what a thread with nothing to do does: block (sleep), spin (look\n"
                 "again and again, on a CPU per thread), auto (block)")
      ->type_name("HOW")
      ->capture_default_str();
  app.add_flag("--pin", t.pin, "ties each thread to a CPU, from the last one backwards");
  app.add_option("--deal", t.deal,
                 "which thread serves a TCP connection: even (one with fewest), cpu (the\n"
                 "one tied to the CPU where the connection comes in; with --pin)")
      ->type_name("HOW")
      ->capture_default_str();
  app.add_option("--offload", t.offload,
                 "UDP: the kernel joins requests and divides answers of one size\n"
                 "(UDP_GRO, UDP_SEGMENT): auto (where it can), on, off")
      ->type_name("HOW")
      ->capture_default_str();
  app.add_flag("--discard", t.discard,
               "TCP: let the kernel drop what nobody looks at (stream payload of 16 KiB\n"
               "and more, what a plain sink is sent) instead of copying it");
  app.add_flag("--frames-only", t.frames_only,
               "UDP: answer volley's own frames, and plain text not even on loopback;\n"
               "spares the kernel what only plain text makes necessary");
  app.add_flag("--one-peer", t.one_peer,
               "udp-echo, tcp-echo: keep to the first peer that sends 64 requests in a\n"
               "row, each alone, in frames; each answer costs the kernel less, and\n"
               "others are refused for as long as the target lives");
  app.add_flag("--open", t.open,
               "beyond loopback too, answer plain text, and larger than the request:\nonly where "
               "no stranger can send to it");
}

void declare_seed_modes(CLI::App& app, Typed& t) {
  app.add_flag("--print", t.print, "print the data that comes (but for volley's own frames)")
      ->group("What it prints");
  app.add_flag("--log-messages", t.log_messages, "Token message[IP:PORT] - DATA, for each datagram")
      ->group("What it prints");
  app.add_flag("--log-connections", t.log_connections, "Connection established with IP:PORT")
      ->group("What it prints");
  app.add_option("--reply-prefix", t.reply_prefix, "in front of every plain UDP answer")
      ->type_name("TEXT")
      ->group("What it prints");
  app.add_flag("--stop-on-empty", t.stop_on_empty, "an empty datagram ends the target")
      ->group("What it prints");
  app.add_option("--report", t.report, "final statistics: text (default), json, json:FILE")
      ->type_name("FORMAT[:FILE]")
      ->group("What it prints");
  app.add_flag("--quiet", t.quiet, "no notes and no text statistics")->group("What it prints");
}

void declare_behaviour(CLI::App& app, Typed& t) {
  const auto add = [&app](const char* name, auto& into, const char* text, const char* type) {
    return app.add_option(name, into, text)->type_name(type)->group("Programmed trouble");
  };
  add("--drop", t.drop, "requests to consume in silence (UDP): 1%, every:10, after:100", "RULE");
  add("--duplicate", t.duplicate, "answers to send twice (UDP): 2%", "SHARE");
  add("--reorder", t.reorder,
      "answers to hold until 3 later ones of the flow left,\nat most 50ms (UDP)", "SHARE");
  add("--delay", t.delay, "every answer leaves so much later", "TIME");
  add("--service-time", t.service_time,
      "one virtual server per thread, with a queue: fixed:1ms, exp:200us", "KIND:TIME");
  add("--stall", t.stall, "nothing is read or answered: 1s@4s, counted from the first request",
      "TIME@TIME");
  add("--seed", t.seed, "same seed, same trouble", "N")->capture_default_str();
  add("--event-log", t.event_log, "CSV of every request received, dropped, answered", "FILE");
}

}  // namespace

Action add_target_command(CLI::App& app, const Invocation& /*invocation*/) {
  auto typed = std::make_shared<Typed>();
  const ServeOptions defaults;
  typed->kind = to_string(defaults.kind);
  typed->threads = fmt::to_string(defaults.threads);
  typed->backlog = fmt::to_string(defaults.backlog);
  typed->max_connections = fmt::to_string(defaults.max_connections);
  typed->idle_timeout = format_duration_exact(defaults.idle_timeout);
  typed->wait = to_string(defaults.wait);
  typed->deal = to_string(defaults.deal);
  typed->offload = to_string(defaults.offload);
  typed->seed = fmt::to_string(defaults.behaviour.seed);
  app.description("Serve: reference UDP and TCP servers to send load to.");
  declare_serving(app, *typed);
  declare_seed_modes(app, *typed);
  declare_behaviour(app, *typed);
  app.footer(
      "Prints `listening udp://HOST:PORT` lines on stdout once all is ready. Ends on Ctrl-C.\n"
      "\n"
      "Examples\n"
      "  volley target\n"
      "  volley target udp-echo --reply-prefix 'OK...' --log-messages\n"
      "  volley target tcp-accept --listen 0.0.0.0:2924 --log-connections\n"
      "  volley target udp-echo --drop 1% --delay 5ms --seed 7 --event-log events.csv\n"
      "\n"
      "Exit: 0 done (also by Ctrl-C or SIGTERM), 1 it cannot listen, 2 wrong use.");
  return [typed] { return carry_out(*typed); };
}

}  // namespace volley
