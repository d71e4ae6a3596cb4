// The refusals, each in the shape `subject: what is wrong; what to do`, with the values in the
// subject as they were typed.
#include "generators/plan/checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>

#include "generators/plan/payload.hpp"
#include "reports/measure/ensure.hpp"
#include "reports/measure/units.hpp"
#include "targets/wire/frame.hpp"

namespace volley {
namespace {

// Bounds the table of outstanding requests to some hundred megabytes.
constexpr std::uint64_t kMostInFlight = 1'000'000;
constexpr std::uint64_t kMostIntervals = 100'000;
constexpr std::uint32_t kMostMessageBytes = (64U << 20U) + static_cast<std::uint32_t>(kFrameBytes);
constexpr std::uint32_t kMostCountedStreams = 4096;  // of one thread of our target
constexpr Nanos kLeastTime = std::chrono::milliseconds(1);
constexpr Nanos kLeastInterval = std::chrono::milliseconds(10);

[[noreturn]] void refuse(std::string_view subject, std::string_view what, std::string_view advice) {
  throw UsageError(fmt::format("{}: {}; {}", subject, what, advice));
}

bool stays_up(const RunOptions& options) { return options.direction == Direction::up; }

void check_reply(const RunOptions& options) {
  const ReplyRule::Kind kind = options.reply->kind;
  if (kind == ReplyRule::Kind::any && options.protocol == Protocol::tcp)
    refuse("--reply any",
           "tcp is a stream of bytes, in which no datagram marks the end of an answer",
           "use --reply length:N, until:TEXT or (with --workload crr) close");
  if (kind == ReplyRule::Kind::close && options.protocol == Protocol::udp)
    refuse("--reply close", "udp has no connection that a server could close",
           "use --reply any, or tcp");
  if (kind == ReplyRule::Kind::close &&
      (options.workload == Workload::rr || options.workload == Workload::hold))
    refuse("--reply close",
           fmt::format("--workload {} keeps its connection, so an answer cannot end with the "
                       "connection",
                       to_string(options.workload)),
           "use --workload crr, or --reply length:N or until:TEXT");
}

void check_probes(const RunOptions& options) {
  if (!options.probe_share) return;
  const std::string subject =
      fmt::format("--probe-share {}%", std::round(*options.probe_share * 1e6) / 1e4);
  if (options.workload != Workload::hold)
    refuse(subject, fmt::format("--workload {} holds no connections", to_string(options.workload)),
           "use --workload hold, or leave it out");
  if (options.rate || (options.arrival && options.arrival->kind != Arrival::Kind::closed))
    refuse(subject + ", --rate", "in an open loop the rate says how many probes there are",
           "leave out one of the two");
  if (*options.probe_share <= 0.0 && options.requests)
    refuse(subject + ", --requests", "without probes there is nothing to count",
           "leave out one of the two");
}

}  // namespace

void check_workload(const RunOptions& options) {
  const bool streams_up = options.workload == Workload::stream && stays_up(options) &&
                          options.protocol == Protocol::tcp;
  if (options.discard && (!streams_up || options.where))
    refuse("--discard", "it is for a tcp stream up to a target that this run starts",
           options.where ? "give it to that target (volley target --discard)"
                         : "use tcp and --workload stream, or leave it out");
  if (options.workload == Workload::connect && options.protocol == Protocol::udp)
    refuse("--workload connect", "udp has no connection to set up",
           "use tcp, or --workload crr, which takes a new udp socket for every request");
  const bool churns = options.workload == Workload::crr || options.workload == Workload::connect;
  if (options.close && options.protocol == Protocol::udp)
    refuse(fmt::format("--close {}", to_string(*options.close)), "udp has no connection to close",
           "use tcp, or leave it out");
  if (options.close && !churns)
    refuse(fmt::format("--close {}", to_string(*options.close)),
           fmt::format("--workload {} keeps its connections until the end of the run",
                       to_string(options.workload)),
           "use --workload crr or connect, or leave it out");
  if (options.workload != Workload::stream && !stays_up(options))
    refuse(
        fmt::format("--direction {}", to_string(options.direction)),
        fmt::format("only a stream has a direction (--workload {})", to_string(options.workload)),
        "use --workload stream, or leave out --direction");
  if (options.workload == Workload::stream && options.protocol == Protocol::udp &&
      !stays_up(options))
    refuse(fmt::format("--direction {}", to_string(options.direction)),
           "a UDP source would send to an address that has not been proved",
           "use tcp, or --direction up");
}

void check_script(const RunOptions& options) {
  if (options.reply && !options.request)
    refuse("--reply", "it says where the answer to --request ends, and there is no --request",
           "add --request TEXT, or leave out --reply");
  if (options.expect && !options.request)
    refuse("--expect", "it looks into the answer to --request, and there is no --request",
           "add --request TEXT and --reply, or leave out --expect");
  if (!options.request) return;
  if (options.workload == Workload::stream || options.workload == Workload::connect)
    refuse("--request",
           fmt::format("--workload {} has no requests with answers", to_string(options.workload)),
           "use --workload rr or crr, or leave out --request");
  if (!options.reply)
    refuse("--request", "nothing says where its answer ends",
           options.protocol == Protocol::udp
               ? "add --reply any (one datagram), length:N or until:TEXT"
               : "add --reply length:N, until:TEXT or (with --workload crr) close");
  if (!options.sizes.empty())
    refuse("--request, --size", "the text of a request is its size", "leave out --size");
  if (options.response_size)
    refuse("--request, --response-size", "only our own target answers in a size it is asked for",
           "use --reply length:N");
  if (options.request->empty() && options.protocol == Protocol::tcp)
    refuse("--request", "an empty text over tcp sends nothing", "give it at least one byte");
  if (options.protocol == Protocol::udp && options.request->size() > kMostDatagramBytes)
    refuse(fmt::format("--request of {} bytes", options.request->size()),
           fmt::format("a udp datagram holds at most {} bytes", kMostDatagramBytes),
           "send less, or use tcp");
  if (options.request->size() > kMostMessageBytes)
    refuse(fmt::format("--request of {} bytes", options.request->size()),
           fmt::format("a request has at most {} bytes", kMostMessageBytes), "send less at once");
  check_reply(options);
}

void check_sizes(const RunOptions& options, const std::vector<SizeShare>& sizes) {
  if (options.workload == Workload::connect) {
    if (!options.sizes.empty() || options.response_size)
      refuse(options.sizes.empty() ? "--response-size" : "--size",
             "--workload connect sends no data", "leave it out, or use --workload crr");
    return;
  }
  if (options.request) return;
  const SizeChooser chooser(sizes, 0);
  const std::uint32_t largest = chooser.largest();
  const std::uint32_t smallest = chooser.smallest();
  if (smallest == 0) refuse("--size 0", "a message has at least one byte", "use --size 1 or more");
  if (options.protocol == Protocol::udp && largest > kMostDatagramBytes)
    refuse(fmt::format("--size {}", largest),
           fmt::format("a udp datagram holds at most {} bytes", kMostDatagramBytes),
           fmt::format("use --size {} or less, or tcp", kMostDatagramBytes));
  if (largest > kMostMessageBytes)
    refuse(fmt::format("--size {}", largest),
           fmt::format("a message has at most {} bytes", kMostMessageBytes), "use a smaller size");
  if (options.workload == Workload::stream && smallest < kFrameBytes)
    refuse(fmt::format("--size {}", smallest),
           fmt::format("a message of a stream carries a header of {} bytes", kFrameBytes),
           fmt::format("use --size {} or more", kFrameBytes));
  if (!options.response_size) return;

  const std::uint32_t response = *options.response_size;
  const std::string subject = fmt::format("--response-size {}", response);
  if (options.workload == Workload::stream)
    refuse(subject, "the messages of a stream have no answers", "leave it out");
  if (options.workload == Workload::hold && options.protocol == Protocol::udp)
    refuse(subject,
           "each of the held udp sockets would first have to prove its address to the target",
           "leave it out, or use tcp");
  if (response < kFrameBytes)
    refuse(subject, fmt::format("an answer carries a header of {} bytes", kFrameBytes),
           fmt::format("use --response-size {} or more", kFrameBytes));
  if (options.protocol == Protocol::udp && response > kMostDatagramBytes)
    refuse(subject, fmt::format("a udp datagram holds at most {} bytes", kMostDatagramBytes),
           fmt::format("use --response-size {} or less, or tcp", kMostDatagramBytes));
  if (response > kMostMessageBytes)
    refuse(subject, fmt::format("a message has at most {} bytes", kMostMessageBytes),
           "use a smaller size");
  constexpr std::size_t least = kFrameBytes + kSizedRequestBytes;
  if (smallest < least && (sizes.size() > 1 || smallest != response))
    refuse(fmt::format("--size {}, {}", smallest, subject),
           fmt::format("a request that names the size of its answer has at least {} bytes", least),
           fmt::format("use --size {} or more", least));
}

void check_stamps(const RunOptions& options, const std::vector<SizeShare>& sizes) {
  if (!options.stamps) return;
  const std::string subject = "--stamps";
  if (options.workload != Workload::rr)
    refuse(subject, "it splits the response times of requests on standing flows",
           "use --workload rr, or leave it out");
  if (options.request || options.expect)
    refuse(subject + (options.request ? ", --request" : ", --expect"),
           "our target writes its stamps into the answer", "leave out one of the two");
  if (options.response_size)
    refuse(subject + ", --response-size", "a stamped answer is as large as its request",
           "leave out one of the two");
  constexpr std::size_t least = kFrameBytes + kTargetStampsBytes;
  const std::uint32_t smallest = SizeChooser(sizes, 0).smallest();
  if (smallest < least)
    refuse(fmt::format("{}, --size {}", subject, smallest),
           fmt::format("an answer with stamps has at least {} bytes", least),
           fmt::format("use --size {} or more", least));
}

void check_arrival(const RunOptions& options) {
  const auto kind = options.arrival ? options.arrival->kind : Arrival::Kind::closed;
  if (!options.arrival) {
    // Without a word about it: poisson with a rate, closed without one.
  } else if (options.rate && kind == Arrival::Kind::closed) {
    refuse(fmt::format("--rate {}, --arrival closed", format_rate_exact(*options.rate)),
           "in a closed loop the answers decide when the next request leaves, not a rate",
           "leave out one of the two");
  } else if (options.rate && kind == Arrival::Kind::trace) {
    refuse(fmt::format("--rate {}, --arrival trace", format_rate_exact(*options.rate)),
           "a trace says itself when requests are due", "leave out --rate");
  } else if (!options.rate && kind != Arrival::Kind::closed && kind != Arrival::Kind::trace) {
    refuse(fmt::format("--arrival {}", arrival_text(*options.arrival)),
           "it spreads a rate over time, and there is no --rate", "add --rate, like --rate 1k");
  }
  if (options.arrival && options.arrival->burst == 0)
    refuse("--arrival burst:0", "a burst has at least one request", "use burst:1 or more");
  const bool open = options.rate || kind == Arrival::Kind::trace;
  if (open && options.workload == Workload::stream && !stays_up(options))
    refuse(fmt::format("--direction {}", to_string(options.direction)),
           "a source sends as fast as the connection takes it, so nothing can be due",
           "leave out --rate and --arrival, or use --direction up");
}

void check_concurrency(const RunOptions& options, const PlanLimits& limits, ExchangeKind exchange) {
  if (options.threads == 0)
    refuse("--threads 0", "somebody has to do the work", "use --threads 1 or more");
  if (options.flows == 0) refuse("--flows 0", "nothing would be sent", "use --flows 1 or more");
  if (options.protocol == Protocol::udp && options.workload == Workload::stream &&
      exchange == ExchangeKind::frame && options.flows > kMostCountedStreams)
    refuse(fmt::format("--flows {}", options.flows),
           fmt::format("our sink counts at most {} udp streams at a time", kMostCountedStreams),
           "use fewer flows");
  if (options.depth && *options.depth == 0)
    refuse("--depth 0", "nothing would ever be in flight", "use --depth 1 or more");
  if (options.flows < options.threads)
    refuse(fmt::format("--flows {}, --threads {}", options.flows, options.threads),
           "each thread needs a flow",
           fmt::format("use --threads {} or --flows {} or more", options.flows, options.threads));
  if (options.pin && options.threads > limits.cpus)
    refuse(fmt::format("--pin, --threads {}", options.threads),
           fmt::format("each thread would need a CPU of its own, and this process may use {}",
                       limits.cpus),
           fmt::format("use --threads {} or less, or leave out --pin", limits.cpus));
  if (options.wait == Wait::spin && options.threads > limits.cpus)
    refuse(fmt::format("--wait spin, --threads {}", options.threads),
           fmt::format("threads that spin would take the CPU from each other (this process may "
                       "use {})",
                       limits.cpus),
           fmt::format("use --threads {} or less, or --wait block", limits.cpus));
  check_probes(options);
  if (!options.depth) return;

  const std::string subject = fmt::format("--depth {}", *options.depth);
  if (options.workload == Workload::stream)
    refuse(subject, "the messages of a stream have no answers, so none is in flight",
           "leave it out");
  if (options.workload == Workload::hold)
    refuse(subject, "probes are spread over all connections, not piled up on one",
           "leave it out; --probe-share says how many of the connections have one");
  if (options.workload != Workload::rr && *options.depth > 1)
    refuse(subject,
           fmt::format("every request of --workload {} has a flow of its own",
                       to_string(options.workload)),
           fmt::format("use --flows {} for as many in flight", *options.depth));
  if (exchange != ExchangeKind::frame && options.protocol == Protocol::udp && *options.depth > 1)
    refuse(
        subject,
        exchange == ExchangeKind::echo
            ? fmt::format("messages below {} bytes carry no number, so over udp an answer tells "
                          "its request only when it is the one in flight",
                          kFrameBytes)
            : "over udp the answer to a --request tells which it answers only when it is the one "
              "in flight",
        fmt::format("use --depth 1 and --flows {}", *options.depth));
  if (std::uint64_t{options.flows} * *options.depth > kMostInFlight)
    refuse(fmt::format("--flows {}, {}", options.flows, subject),
           fmt::format("that is more than {} requests in flight", kMostInFlight),
           "use fewer flows or less depth");
}

void check_extent(const RunOptions& options) {
  if (options.requests && *options.requests == 0)
    refuse("--requests 0", "nothing would be measured", "use --requests 1 or more");
  if (options.duration && *options.duration < kLeastTime)
    refuse(fmt::format("--duration {}", format_duration_exact(*options.duration)),
           "too short to measure anything", "use --duration 1ms or more");
  if (options.warm_up < Nanos(0))
    refuse(fmt::format("--warm-up {}", format_duration_exact(options.warm_up)),
           "a time cannot be negative", "use --warm-up 0 or more");
  if (options.timeout < kLeastTime)
    refuse(fmt::format("--timeout {}", format_duration_exact(options.timeout)),
           "too short for any answer", "use --timeout 1ms or more");
  if (options.interval < kLeastInterval)
    refuse(fmt::format("--interval {}", format_duration_exact(options.interval)),
           "too short: handing over the figures would disturb them", "use --interval 10ms or more");
  if (options.duration &&
      static_cast<std::uint64_t>(*options.duration / options.interval) > kMostIntervals)
    refuse(fmt::format("--duration {}, --interval {}", format_duration_exact(*options.duration),
                       format_duration_exact(options.interval)),
           fmt::format("that is more than {} intervals", kMostIntervals),
           "use a longer --interval");
}

void check_socket(const RunOptions& options) {
  if (options.offload == Offload::on && options.protocol == Protocol::tcp)
    refuse("--offload on", "the kernel divides and joins the packets of tcp anyway",
           "leave it out, or use udp");
  if (options.offload == Offload::on && options.batch == 1)
    refuse("--offload on, --batch 1", "one datagram a call leaves nothing to divide",
           "use a larger --batch, or leave out one of the two");
  if (!options.where && options.family == Family::v6)
    refuse("-6", "the target of its own that a run without an address starts is on 127.0.0.1",
           "leave it out, or start one: volley target --listen [::1]:2924");
  if (options.source) {
    const bool v4 = options.source->family() == AF_INET;
    const std::string subject = fmt::format("--source {}", options.source->text());
    if (options.family == (v4 ? Family::v6 : Family::v4))
      refuse(fmt::format("{}, {}", v4 ? "-6" : "-4", subject),
             "a flow has both its addresses from one family", "leave out one of the two");
    if (!v4 && !options.where)
      refuse(subject, "the target of its own that a run without an address starts is on 127.0.0.1",
             "use an IPv4 source, or start one: volley target --listen [::1]:2924");
  }
  if (options.socket.pacing_bits_per_s) {
    const std::string subject =
        fmt::format("--pacing-rate {}", format_bit_rate_exact(*options.socket.pacing_bits_per_s));
    if (options.protocol == Protocol::udp)
      refuse(subject, "the kernel paces udp only where the queue of the interface is fq",
             "use --rate for udp, or tcp, whose pacing needs no such queue");
    if (options.workload == Workload::stream && options.direction == Direction::down)
      refuse(subject,
             "a stream down is sent by the target, and this paces what the generator sends",
             "use --direction up, or leave it out");
  }
  if (options.bottleneck_bits_per_s &&
      (options.protocol == Protocol::udp || options.workload != Workload::stream ||
       options.direction == Direction::down))
    refuse(fmt::format("--bottleneck {}", format_bit_rate_exact(*options.bottleneck_bits_per_s)),
           "only the time that a tcp stream up takes is compared with what the path allows",
           "use tcp --workload stream, or leave it out");
  if (options.protocol != Protocol::udp) return;
  if (!options.socket.congestion.empty())
    refuse(fmt::format("--congestion {}", options.socket.congestion),
           "udp has no congestion control", "use tcp, or leave it out");
  if (!options.socket.nodelay)
    refuse("--nodelay off", "udp never delays a datagram to send it with the next",
           "use tcp, or leave it out");
}

}  // namespace volley
