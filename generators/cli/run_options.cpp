#include "generators/cli/run_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>
#include <utility>

#include "generators/cli/choose.hpp"
#include "generators/engine/host.hpp"
#include "generators/plan/payload.hpp"
#include "reports/measure/ensure.hpp"
#include "reports/measure/units.hpp"
#include "targets/wire/frame.hpp"
#include "targets/wire/tuning.hpp"

namespace volley {
namespace {

using namespace std::chrono_literals;
using namespace std::string_view_literals;

constexpr std::uint64_t kMostMessageBytes = kMostPayload + kFrameBytes;
constexpr std::uint64_t kMostFlows = 1'000'000;
constexpr std::uint64_t kMostThreads = 1'024;

std::uint32_t parse_u32(std::string_view subject, std::string_view text, std::uint64_t min,
                        std::uint64_t max) {
  return static_cast<std::uint32_t>(parse_count(subject, text, min, max));
}

Arrival parse_arrival(std::string_view text) {
  constexpr std::string_view subject = "--arrival";
  constexpr std::string_view burst = "burst:";
  constexpr std::string_view trace = "trace:";
  Arrival arrival;
  if (text.substr(0, burst.size()) == burst) {
    arrival.kind = Arrival::Kind::burst;
    arrival.burst = parse_count("--arrival burst", text.substr(burst.size()), 1, 1'000'000);
  } else if (text.substr(0, trace.size()) == trace && text.size() > trace.size()) {
    arrival.kind = Arrival::Kind::trace;
    arrival.trace_file = text.substr(trace.size());
  } else if (text == "poisson") {
    arrival.kind = Arrival::Kind::poisson;
  } else if (text == "constant") {
    arrival.kind = Arrival::Kind::constant;
  } else if (text != "closed") {
    throw UsageError(
        fmt::format("{}: no such choice ({}) [poisson constant burst:N trace:FILE "
                    "closed]; choose one of these",
                    subject, text));
  }
  return arrival;
}

std::pair<std::string, std::string> parse_label(std::string_view text) {
  const auto at = text.find('=');
  if (at == std::string_view::npos || at == 0)
    throw UsageError(fmt::format(
        "--label: not a name and a value ({}) [NAME=VALUE]; write it like --label host=a", text));
  return {std::string(text.substr(0, at)), std::string(text.substr(at + 1))};
}

void convert_message(const TypedRunOptions& typed, RunOptions& options) {
  if (typed.workload)
    options.workload = choose<Workload>(
        "--workload", *typed.workload,
        std::array{std::pair{"rr"sv, Workload::rr}, std::pair{"crr"sv, Workload::crr},
                   std::pair{"connect"sv, Workload::connect},
                   std::pair{"stream"sv, Workload::stream}, std::pair{"hold"sv, Workload::hold}});
  if (typed.direction)
    options.direction = choose<Direction>(
        "--direction", *typed.direction,
        std::array{std::pair{"up"sv, Direction::up}, std::pair{"down"sv, Direction::down},
                   std::pair{"both"sv, Direction::both}});
  if (typed.direction && options.workload != Workload::stream)
    throw UsageError(
        fmt::format("--direction {}: only a stream has a direction (--workload {}); "
                    "use --workload stream, or leave out --direction",
                    *typed.direction, to_string(options.workload)));
  if (typed.close)
    options.close =
        choose<Close>("--close", *typed.close,
                      std::array{std::pair{"rst"sv, Close::rst}, std::pair{"fin"sv, Close::fin}});
  if (typed.size && typed.size_mix)
    throw UsageError(
        "--size, --size-mix: both say how large a message is; leave out one of the two");
  if (typed.size)
    options.sizes = {
        {static_cast<std::uint32_t>(parse_size("--size", *typed.size, 1, kMostMessageBytes)), 1}};
  if (typed.size_mix) options.sizes = parse_size_mix("--size-mix", *typed.size_mix);
  if (typed.response_size)
    options.response_size = static_cast<std::uint32_t>(
        parse_size("--response-size", *typed.response_size, 1, kMostMessageBytes));
  if (typed.request) options.request = parse_bytes("--request", *typed.request);
  if (typed.reply) options.reply = parse_reply("--reply", *typed.reply);
  if (typed.expect) {
    options.expect = unescape("--expect", *typed.expect);
    if (options.expect->empty())
      throw UsageError("--expect: an empty text is in every answer; name some bytes of it");
  }
}

void convert_load(const TypedRunOptions& typed, RunOptions& options) {
  if (typed.rate) options.rate = parse_rate("--rate", *typed.rate);
  if (typed.arrival) options.arrival = parse_arrival(*typed.arrival);
  if (typed.flows) options.flows = parse_u32("--flows", *typed.flows, 1, kMostFlows);
  if (typed.depth) options.depth = parse_u32("--depth", *typed.depth, 1, kMostFlows);
  if (typed.probe_share) options.probe_share = parse_ratio("--probe-share", *typed.probe_share);
  if (typed.threads) options.threads = parse_u32("--threads", *typed.threads, 1, kMostThreads);
  options.pin = typed.pin;
  options.discard = typed.discard;
  options.stamps = typed.stamps;
  if (typed.wait)
    options.wait = choose<Wait>(
        "--wait", *typed.wait,
        std::array{std::pair{"auto"sv, Wait::automatic}, std::pair{"block"sv, Wait::block},
                   std::pair{"spin"sv, Wait::spin}});
  if (typed.offload)
    options.offload = choose<Offload>(
        "--offload", *typed.offload,
        std::array{std::pair{"auto"sv, Offload::automatic}, std::pair{"on"sv, Offload::on},
                   std::pair{"off"sv, Offload::off}});
  if (typed.batch) options.batch = parse_u32("--batch", *typed.batch, 1, kMostBatch);
  if (typed.duration) options.duration = parse_duration("--duration", *typed.duration, 1ms, 24h);
  if (typed.requests) options.requests = parse_count("--requests", *typed.requests, 1);
  if (typed.warm_up) {
    options.warm_up = parse_duration("--warm-up", *typed.warm_up, 0s, 1h);
  } else if (options.arrival && options.arrival->kind == Arrival::Kind::trace) {
    // The times of a trace are all meant; a warm-up would swallow its first second.
    options.warm_up = 0s;
  }
  if (typed.timeout) options.timeout = parse_duration("--timeout", *typed.timeout, 1ms, 10min);
  if (typed.seed) options.seed = parse_count("--seed", *typed.seed, 0);
  if (typed.interval) options.interval = parse_duration("--interval", *typed.interval, 10ms, 1h);
}

void convert_socket(const TypedRunOptions& typed, RunOptions& options) {
  constexpr std::uint64_t most = 1U << 30U;
  SocketOptions& socket = options.socket;
  if (typed.v4 && typed.v6)
    throw UsageError("-4, -6: no address is of both kinds; leave out one of the two");
  if (typed.v4) options.family = Family::v4;
  if (typed.v6) options.family = Family::v6;
  if (typed.rcvbuf) socket.rcvbuf_bytes = parse_size("--rcvbuf", *typed.rcvbuf, 1, most);
  if (typed.sndbuf) socket.sndbuf_bytes = parse_size("--sndbuf", *typed.sndbuf, 1, most);
  if (typed.congestion) {
    // The kernel's limit is 16 bytes with the final zero.
    if (typed.congestion->empty() || typed.congestion->size() > 15)
      throw UsageError(
          fmt::format("--congestion: not a name ({}) [1 to 15 characters]; see sysctl "
                      "net.ipv4.tcp_available_congestion_control",
                      *typed.congestion));
    socket.congestion = *typed.congestion;
  }
  if (typed.nodelay)
    socket.nodelay = choose<bool>("--nodelay", *typed.nodelay,
                                  std::array{std::pair{"on"sv, true}, std::pair{"off"sv, false}});
  if (typed.dscp) socket.dscp = parse_u32("--dscp", *typed.dscp, 0, 63);
  if (typed.pacing_rate)
    socket.pacing_bits_per_s = parse_bit_rate("--pacing-rate", *typed.pacing_rate);
  if (typed.bottleneck)
    options.bottleneck_bits_per_s = parse_bit_rate("--bottleneck", *typed.bottleneck);
  if (typed.source) options.source = parse_source("--source", *typed.source);
}

struct Declared {
  const char* flag;
  const char* placeholder;
  std::optional<std::string> TypedRunOptions::*into;
  std::string help;
};

void declare(CLI::App& app, const std::shared_ptr<TypedRunOptions>& typed, const std::string& group,
             const std::vector<Declared>& options) {
  for (const Declared& option : options)
    app.add_option(option.flag, typed.get()->*option.into, option.help)
        ->type_name(option.placeholder)
        ->group(group);
}

void declare_message(CLI::App& app, const std::shared_ptr<TypedRunOptions>& typed) {
  using T = TypedRunOptions;
  const RunOptions d;
  declare(app, typed, "What to send",
          {{"--workload", "NAME", &T::workload,
            fmt::format("what a request is (default {})\n"
                        "rr       request and response on a standing flow\n"
                        "crr      connect, request, response, close\n"
                        "connect  a handshake, no data (tcp)\n"
                        "stream   messages one way\n"
                        "hold     keep many connections open, probe (rr) a share",
                        to_string(d.workload))},
           {"--direction", "WAY", &T::direction,
            fmt::format("of a stream: up, down (tcp), both (tcp) (default {})",
                        to_string(d.direction))},
           {"--size", "SIZE", &T::size,
            fmt::format("bytes of a message (default {}, stream {})", RunOptions::kDefaultBytes,
                        RunOptions::kDefaultStreamBytes)},
           {"--size-mix", "LIST", &T::size_mix, "sizes and their weights: 64:7,576:4,1400:1"},
           {"--response-size", "SIZE", &T::response_size,
            "bytes of an answer (default: as the request;\nour own target only)"},
           {"--request", "BYTES", &T::request,
            "what to ask a server that is not ours: TEXT with C\n"
            "escapes, hex:4f4b or @FILE; goes with --reply"},
           {"--reply", "RULE", &T::reply,
            "where its answer ends: length:N, until:TEXT,\n"
            "close (tcp, crr), any (udp: one datagram)"},
           {"--expect", "TEXT", &T::expect, "an answer without this text is an error"},
           {"--close", "HOW", &T::close,
            fmt::format("how crr and connect end a connection: rst, or fin,\n"
                        "which keeps its port for a minute (default {})",
                        to_string(Close::rst))}});
}

void declare_load(CLI::App& app, const std::shared_ptr<TypedRunOptions>& typed,
                  const std::string& default_duration) {
  using T = TypedRunOptions;
  const RunOptions d;
  const auto time = [](Nanos t) { return format_duration_exact(t); };
  declare(
      app, typed, "How much, and when",
      {{"--rate", "RATE", &T::rate,
        "open loop: requests due per second, all flows and\n"
        "threads together (default: closed loop, in which a\n"
        "request is due when the one before is answered)"},
       {"--arrival", "NAME", &T::arrival,
        "poisson, constant, burst:N, trace:FILE (a due time a\n"
        "line), closed (default poisson with --rate)"},
       {"--flows", "N", &T::flows, fmt::format("conversations (default {})", d.flows)},
       {"--depth", "N", &T::depth,
        "requests in flight per flow (default 1; open loop: no\n"
        "cap with our frames, 1 with --request)"},
       {"--probe-share", "RATIO", &T::probe_share,
        fmt::format("hold: how many of the connections have a probe in\n"
                    "flight, each in its turn (default {:.0f}%); 0%: none",
                    RunOptions::kDefaultProbeShare * 100)},
       {"--threads", "N", &T::threads, fmt::format("at most one per flow (default {})", d.threads)},
       {"--wait", "HOW", &T::wait,
        fmt::format("auto, block, spin (needs a CPU per thread)\n(default {})", to_string(d.wait))},
       {"--batch", "N", &T::batch,
        fmt::format("requests of a flow that one system call may carry,\n"
                    "1 to {} (default {})",
                    kMostBatch, d.batch)},
       {"--offload", "HOW", &T::offload,
        fmt::format("udp: let the kernel divide and join datagrams: auto\n"
                    "(where it can), on, off (default {})",
                    to_string(d.offload))},
       {"--duration", "TIME", &T::duration,
        fmt::format("of the measure phase (default {}, or the end of\n--requests)",
                    default_duration)},
       {"--requests", "N", &T::requests, "end after so many measured requests"},
       {"--warm-up", "TIME", &T::warm_up,
        fmt::format("sent but not measured (default {}, a trace 0s)", time(d.warm_up))},
       {"--timeout", "TIME", &T::timeout,
        fmt::format("a later answer is late, its request lost (default {})", time(d.timeout))},
       {"--seed", "N", &T::seed,
        fmt::format("same seed, same due times and sizes (default {})", d.seed)}});
  app.add_flag("--discard", typed->discard,
               "tcp stream: our own target lets the kernel drop the\n"
               "payload (of 16 KiB and more) instead of copying it")
      ->group("How much, and when");
  app.add_flag("--stamps", typed->stamps,
               "rr: stamp about a thousand requests a second on their way,\n"
               "and report where their time went (docs/report.md: the price)")
      ->group("How much, and when");
  app.add_flag("--pin", typed->pin, "keep every thread on a CPU of its own")
      ->group("How much, and when");
}

}  // namespace

void declare_run_options(CLI::App& app, const std::shared_ptr<TypedRunOptions>& typed,
                         const std::string& default_duration) {
  using T = TypedRunOptions;
  const RunOptions d;
  declare_message(app, typed);
  declare_load(app, typed, default_duration);
  declare(
      app, typed, "Sockets",
      {{"--rcvbuf", "SIZE", &T::rcvbuf,
        "receive buffer (default: udp the largest granted, tcp the kernel's)"},
       {"--sndbuf", "SIZE", &T::sndbuf, "send buffer (likewise)"},
       {"--congestion", "NAME", &T::congestion, "tcp congestion control (default: the kernel's)"},
       {"--nodelay", "on|off", &T::nodelay,
        fmt::format("tcp: send small messages at once (default {})",
                    d.socket.nodelay ? "on" : "off")},
       {"--dscp", "N", &T::dscp, "mark packets with this code point, 0 to 63"},
       {"--pacing-rate", "RATE", &T::pacing_rate,
        "tcp: the kernel sends no more than this per flow: 100Mbit/s, 12.5MB/s"},
       {"--bottleneck", "RATE", &T::bottleneck,
        "tcp stream: what the slowest link of the path carries (100Mbit/s), for\n"
        "the transfer time ratio of RFC 6349"},
       {"--source", "ADDR[/BITS]", &T::source,
        "local address of the flows, or a prefix whose addresses\n"
        "they take in turn: each brings all local ports again"}});
  app.add_flag("-4", typed->v4, "IPv4 addresses only")->group("Sockets");
  app.add_flag("-6", typed->v6, "IPv6 addresses only")->group("Sockets");
  declare(
      app, typed, "What to report",
      {{"--interval", "TIME", &T::interval,
        fmt::format("of the figures over time (default {})", format_duration_exact(d.interval))}});
  app.add_option("--label", typed->labels, "goes into the report; may be repeated")
      ->type_name("NAME=VALUE")
      ->group("What to report")
      ->allow_extra_args(false);
}

RunOptions convert(const TypedRunOptions& typed) {
  RunOptions options;
  convert_message(typed, options);
  convert_load(typed, options);
  convert_socket(typed, options);
  for (const std::string& label : typed.labels) {
    auto pair = parse_label(label);
    const bool known = std::any_of(options.labels.begin(), options.labels.end(),
                                   [&](const auto& other) { return other.first == pair.first; });
    if (known)
      throw UsageError(fmt::format(
          "--label: the name is given twice ({}) [once each]; leave out one", pair.first));
    options.labels.push_back(std::move(pair));
  }
  return options;
}

PlanLimits plan_limits() { return {.cpus = static_cast<unsigned>(allowed_cpus().size())}; }

}  // namespace volley
