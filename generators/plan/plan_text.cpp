// A plan in words: names that stay the same across runs, and values that parse back.
#include <fmt/format.h>

#include "generators/plan/plan.hpp"
#include "reports/measure/units.hpp"

namespace volley {
namespace {

// Stands where a plan has no such value, so that plans of both protocols have the same keys.
constexpr const char* kNotUsed = "-";
// Longer texts are cut: a report says what was asked, it does not carry files.
constexpr std::size_t kMostShown = 256;

// C escapes for everything that does not print, so that the text parses back.
std::string escaped(std::string_view bytes) {
  std::string text;
  for (const char c : bytes.substr(0, kMostShown)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      text += "\\n";
    } else if (c == '\r') {
      text += "\\r";
    } else if (c == '\t') {
      text += "\\t";
    } else if (c == '\\') {
      text += "\\\\";
    } else if (byte < 0x20 || byte > 0x7E) {
      text += fmt::format("\\x{:02x}", byte);
    } else {
      text.push_back(c);
    }
  }
  if (bytes.size() > kMostShown) text += fmt::format("… ({} bytes)", bytes.size());
  return text;
}

std::string size_text(const RunPlan& plan) {
  if (plan.workload == Workload::connect) return kNotUsed;
  if (plan.sizes.size() == 1) return std::to_string(plan.sizes.front().bytes);
  std::string text;
  for (const SizeShare& share : plan.sizes)
    text += fmt::format("{}{}:{}", text.empty() ? "" : ",", share.bytes, share.weight);
  return text;
}

std::string response_text(const RunPlan& plan) {
  if (plan.response_size) return std::to_string(*plan.response_size);
  const bool answers = plan.workload == Workload::rr || plan.workload == Workload::crr ||
                       plan.workload == Workload::hold;
  return answers && plan.exchange != ExchangeKind::scripted ? size_text(plan) : kNotUsed;
}

std::string reply_text(const ReplyRule& rule) {
  switch (rule.kind) {
    case ReplyRule::Kind::length:
      return fmt::format("length:{}", rule.length);
    case ReplyRule::Kind::until:
      return "until:" + escaped(rule.text);
    case ReplyRule::Kind::close:
      return "close";
    case ReplyRule::Kind::any:
      return "any";
  }
  return kNotUsed;
}

// How a flow of ours ends, so that a reader knows who is left with TIME_WAIT.
std::string close_text(const RunPlan& plan) {
  if (plan.protocol == Protocol::udp) return "none";
  const bool churn = plan.workload == Workload::crr || plan.workload == Workload::connect ||
                     plan.workload == Workload::hold;
  return std::string(to_string(churn ? plan.close : Close::fin));
}

std::string_view family_text(Family family) {
  return family == Family::v4 ? "ipv4" : family == Family::v6 ? "ipv6" : "any";
}

template <typename T, typename F>
std::string or_default(const std::optional<T>& value, F text, const char* missing) {
  return value ? std::string(text(*value)) : std::string(missing);
}

}  // namespace

std::string arrival_text(const Arrival& arrival) {
  switch (arrival.kind) {
    case Arrival::Kind::closed:
      return "closed";
    case Arrival::Kind::poisson:
      return "poisson";
    case Arrival::Kind::constant:
      return "constant";
    case Arrival::Kind::burst:
      return fmt::format("burst:{}", arrival.burst);
    case Arrival::Kind::trace:
      return "trace";
  }
  return "unknown";
}

std::string run_name(const RunPlan& plan) {
  std::string name = fmt::format("{} {}", to_string(plan.protocol), to_string(plan.workload));
  if (plan.workload == Workload::stream) name += fmt::format(" {}", to_string(plan.direction));
  return name;
}

std::vector<std::pair<std::string, std::string>> effective_values(const RunPlan& plan) {
  const bool scripted = plan.exchange == ExchangeKind::scripted;
  const bool tcp = plan.protocol == Protocol::tcp;
  const auto number = [](auto value) { return std::to_string(value); };
  const auto file = [&] {
    return plan.arrival.kind == Arrival::Kind::trace ? "trace:" + plan.arrival.trace_file
                                                     : arrival_text(plan.arrival);
  };
  return {
      {"workload", std::string(to_string(plan.workload))},
      {"direction",
       plan.workload == Workload::stream ? std::string(to_string(plan.direction)) : kNotUsed},
      {"exchange",
       plan.workload == Workload::connect ? kNotUsed : std::string(to_string(plan.exchange))},
      {"size", size_text(plan)},
      {"response_size", response_text(plan)},
      {"request", scripted ? escaped(plan.request) : kNotUsed},
      {"reply", scripted ? reply_text(plan.reply) : kNotUsed},
      {"expect", or_default(plan.expect, escaped, kNotUsed)},
      {"rate", or_default(plan.rate, format_rate_exact, kNotUsed)},
      {"arrival", file()},
      {"flows", number(plan.flows)},
      {"depth",
       or_default(plan.depth, number, plan.workload == Workload::stream ? kNotUsed : "unlimited")},
      {"probes", plan.workload == Workload::hold && !plan.open_loop() ? number(plan.probes)
                                                                      : std::string(kNotUsed)},
      {"threads", number(plan.threads)},
      {"pin", plan.pin ? "on" : "off"},
      {"discard", plan.discard ? "on" : "off"},
      {"stamps", plan.stamps ? "on" : "off"},
      {"wait", std::string(to_string(plan.wait))},
      {"batch", number(plan.batch)},
      {"offload", tcp ? kNotUsed : std::string(to_string(plan.offload))},
      {"duration", or_default(plan.duration, format_duration_exact, kNotUsed)},
      {"requests", or_default(plan.requests, number, kNotUsed)},
      {"warm_up", format_duration_exact(plan.warm_up)},
      {"timeout", format_duration_exact(plan.timeout)},
      {"seed", number(plan.seed)},
      {"interval", format_duration_exact(plan.interval)},
      {"family", std::string(family_text(plan.family))},
      {"rcvbuf", or_default(plan.socket.rcvbuf_bytes, number, tcp ? "kernel" : "largest")},
      {"sndbuf", or_default(plan.socket.sndbuf_bytes, number, tcp ? "kernel" : "largest")},
      {"congestion", !tcp                             ? kNotUsed
                     : plan.socket.congestion.empty() ? "default"
                                                      : plan.socket.congestion},
      {"nodelay", !tcp                  ? kNotUsed
                  : plan.socket.nodelay ? "on"
                                        : "off"},
      {"dscp", or_default(plan.socket.dscp, number, "default")},
      {"pacing_rate",
       !tcp ? kNotUsed
            : or_default(plan.socket.pacing_bits_per_s, format_bit_rate_exact, "default")},
      {"bottleneck", or_default(plan.bottleneck_bits_per_s, format_bit_rate_exact, kNotUsed)},
      {"source", or_default(
                     plan.source, [](const SourceRange& s) { return s.text(); }, "any")},
      {"close", close_text(plan)},
  };
}

}  // namespace volley
