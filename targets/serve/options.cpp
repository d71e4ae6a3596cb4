#include "targets/serve/options.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "reports/measure/ensure.hpp"
#include "reports/measure/units.hpp"

namespace volley {
namespace {

constexpr std::array<std::pair<TargetKind, std::string_view>, 7> kKinds{{
    {TargetKind::all, "all"},
    {TargetKind::udp_echo, "udp-echo"},
    {TargetKind::udp_sink, "udp-sink"},
    {TargetKind::tcp_accept, "tcp-accept"},
    {TargetKind::tcp_echo, "tcp-echo"},
    {TargetKind::tcp_sink, "tcp-sink"},
    {TargetKind::tcp_source, "tcp-source"},
}};

constexpr Nanos kShortest{1};
constexpr Nanos kLongest = std::chrono::hours(1);

// The text after "word:", when it begins so.
std::optional<std::string_view> after_word(std::string_view text, std::string_view word) {
  if (text.size() <= word.size() || !text.starts_with(word) || text[word.size()] != ':') {
    return std::nullopt;
  }
  return text.substr(word.size() + 1);
}

void require(bool holds, std::string_view text) {
  if (!holds) throw UsageError(std::string(text));
}

void check_udp_only(const ServeOptions& o) {
  if (serves(o.kind, Protocol::udp)) return;
  const auto refuse = [&](bool used, std::string_view option, std::string_view why) {
    require(!used, fmt::format("{}: {} serves TCP only; {}", option, to_string(o.kind), why));
  };
  constexpr std::string_view kFaults =
      "TCP itself repeats what is lost and puts it in order; use udp-echo or all";
  refuse(o.behaviour.drop.kind != DropRule::Kind::none, "--drop", kFaults);
  refuse(o.behaviour.duplicate_ratio > 0, "--duplicate", kFaults);
  refuse(o.behaviour.reorder_ratio > 0, "--reorder", kFaults);
  constexpr std::string_view kMessages =
      "a stream has no messages to tell apart; use udp-echo, udp-sink or all";
  refuse(o.offload == Offload::on, "--offload on",
         "the kernel divides and joins TCP's packets anyway; leave it out");
  refuse(!o.reply_prefix.empty(), "--reply-prefix", kMessages);
  refuse(o.log_messages, "--log-messages", kMessages);
  refuse(o.stop_on_empty, "--stop-on-empty", kMessages);
}

void check_frames_only(const ServeOptions& o) {
  if (!o.frames_only) return;
  require(serves(o.kind, Protocol::udp),
          fmt::format("--frames-only: {} serves TCP only, which answers whatever comes; leave it "
                      "out",
                      to_string(o.kind)));
  require(o.reply_prefix.empty(),
          "--frames-only, --reply-prefix: the prefix stands in front of plain answers, and there "
          "would be none; leave out one of the two");
}

void check_one_peer(const ServeOptions& o) {
  if (!o.one_peer) return;
  require(
      o.kind == TargetKind::udp_echo || o.kind == TargetKind::tcp_echo,
      fmt::format("--one-peer: {} serves many by its nature; use udp-echo or tcp-echo, or leave "
                  "it out",
                  to_string(o.kind)));
  require(
      o.threads == 1,
      fmt::format("--one-peer, --threads {}: one peer is served by one thread; leave out one of "
                  "the two",
                  o.threads));
  require(o.listen.size() <= 1,
          "--one-peer, --listen: one peer comes to one address; give one --listen");
}

void check_deal(const ServeOptions& o) {
  if (o.deal == Deal::even) return;
  require(serves(o.kind, Protocol::tcp),
          fmt::format("--deal cpu: {} serves UDP, which has no connections; leave it out",
                      to_string(o.kind)));
  require(o.pin, "--deal cpu: no thread is tied to a CPU; add --pin");
}

void check_discard(const ServeOptions& o) {
  if (!o.discard) return;
  require(serves(o.kind, Protocol::tcp), "--discard: datagrams are read whole; leave it out");
  require(!o.print,
          "--discard, --print: what is dropped cannot be printed; leave out one of the two");
}

void check_answers(const ServeOptions& o) {
  const bool answers =
      o.kind == TargetKind::all || o.kind == TargetKind::udp_echo || o.kind == TargetKind::tcp_echo;
  if (answers) return;
  const BehaviourOptions& b = o.behaviour;
  const auto refuse = [&](bool used, std::string_view option) {
    require(!used, fmt::format("{}: {} gives no answers to which it could apply; use an echo kind",
                               option, to_string(o.kind)));
  };
  refuse(!o.reply_prefix.empty(), "--reply-prefix");
  refuse(b.drop.kind != DropRule::Kind::none, "--drop");
  refuse(b.duplicate_ratio > 0, "--duplicate");
  refuse(b.reorder_ratio > 0, "--reorder");
  refuse(b.delay > Nanos{0}, "--delay");
  refuse(b.service.kind != ServiceTime::Kind::none, "--service-time");
}

}  // namespace

std::string_view to_string(Deal deal) { return deal == Deal::cpu ? "cpu" : "even"; }

std::string_view to_string(TargetKind kind) {
  for (const auto& [value, word] : kKinds) {
    if (value == kind) return word;
  }
  return "unknown";
}

bool serves(TargetKind kind, Protocol protocol) {
  if (kind == TargetKind::all) return true;
  const bool udp = kind == TargetKind::udp_echo || kind == TargetKind::udp_sink;
  return udp == (protocol == Protocol::udp);
}

TargetKind parse_target_kind(std::string_view subject, std::string_view text) {
  for (const auto& [value, word] : kKinds) {
    if (word == text) return value;
  }
  throw UsageError(fmt::format(
      "{}: no such kind of target ({}) [all, udp-echo, udp-sink, tcp-accept, tcp-echo, tcp-sink, "
      "tcp-source]; leave it out for UDP and TCP echo",
      subject, text));
}

DropRule parse_drop(std::string_view subject, std::string_view text) {
  DropRule rule;
  if (const auto every = after_word(text, "every")) {
    rule.kind = DropRule::Kind::every;
    rule.n = parse_count(subject, *every, 1);
  } else if (const auto after = after_word(text, "after")) {
    rule.kind = DropRule::Kind::after;
    rule.n = parse_count(subject, *after, 0);
  } else if (text.find(':') != std::string_view::npos) {
    throw UsageError(fmt::format(
        "{}: not a rule for dropping ({}) [1%, every:10, after:100]; write it like one of these",
        subject, text));
  } else {
    rule.kind = DropRule::Kind::ratio;
    rule.ratio = parse_ratio(subject, text);
  }
  return rule;
}

ServiceTime parse_service_time(std::string_view subject, std::string_view text) {
  ServiceTime service;
  if (const auto fixed = after_word(text, "fixed")) {
    service.kind = ServiceTime::Kind::fixed;
    service.mean = parse_duration(subject, *fixed, kShortest, kLongest);
  } else if (const auto exponential = after_word(text, "exp")) {
    service.kind = ServiceTime::Kind::exponential;
    service.mean = parse_duration(subject, *exponential, kShortest, kLongest);
  } else {
    throw UsageError(fmt::format(
        "{}: not a service time ({}) [fixed:TIME, exp:MEAN]; write it like fixed:1ms or exp:200us",
        subject, text));
  }
  return service;
}

Stall parse_stall(std::string_view subject, std::string_view text) {
  const std::size_t at = text.find('@');
  if (at == std::string_view::npos) {
    throw UsageError(fmt::format(
        "{}: not a stall ({}) [LENGTH@TIME after the first request]; write it like 1s@4s", subject,
        text));
  }
  return {.length = parse_duration(subject, text.substr(0, at), kShortest, kLongest),
          .after = parse_duration(subject, text.substr(at + 1), Nanos{0}, kLongest)};
}

void check(const ServeOptions& o) {
  require(o.threads >= 1 && o.threads <= ServeOptions::kMostThreads,
          fmt::format("--threads: out of range ({}) [1 to {}]; one per CPU is plenty", o.threads,
                      ServeOptions::kMostThreads));
  require(o.reply_prefix.size() <= ServeOptions::kMostPrefixBytes,
          fmt::format("--reply-prefix: too long ({} bytes) [at most {}]; shorten it",
                      o.reply_prefix.size(), ServeOptions::kMostPrefixBytes));
  require(!o.log_connections || serves(o.kind, Protocol::tcp),
          fmt::format("--log-connections: {} serves UDP, which has no connections; use "
                      "--log-messages, or a tcp kind",
                      to_string(o.kind)));
  check_udp_only(o);
  check_frames_only(o);
  check_one_peer(o);
  check_deal(o);
  check_discard(o);
  check_answers(o);
}

void check_cpus(const ServeOptions& o, unsigned cpus) {
  require(!o.pin || o.threads <= cpus,
          fmt::format("--pin, --threads {}: each thread would need a CPU of its own, and this "
                      "process may use {}; use --threads {} or less, or leave out --pin",
                      o.threads, cpus, cpus));
  require(o.wait != Wait::spin || o.threads <= cpus,
          fmt::format("--wait spin, --threads {}: threads that spin would take the CPU from each "
                      "other (this process may use {}); use --threads {} or less, or --wait block",
                      o.threads, cpus, cpus));
}

}  // namespace volley
