#include "reports/render/text_tcp.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "reports/measure/units.hpp"
#include "reports/render/words.hpp"

namespace volley {
namespace {

using Value = std::optional<double>;

// A figure that a report may have; of a stranger's report only what a count or a time can be.
Value figure(const RunReport& run, std::string_view key) {
  const auto found = std::find_if(run.protocol_figures.begin(), run.protocol_figures.end(),
                                  [key](const auto& entry) { return entry.first == key; });
  if (found == run.protocol_figures.end() || !found->second) return std::nullopt;
  return *found->second >= 0 && *found->second < 1e15 ? found->second : std::nullopt;
}

std::uint64_t whole(double value) { return static_cast<std::uint64_t>(std::llround(value)); }

std::string time_text(double ns) { return format_duration(Nanos(std::llround(ns))); }

std::string quality_text(const RunReport& run) {
  const Value sent = figure(run, "sent_bytes");
  const Value again = figure(run, "retransmitted_bytes");
  const Value segments = figure(run, "retransmits");
  const Value cwnd = figure(run, "cwnd_mean");
  const Value rtt = figure(run, "rtt_mean_ns");
  const Value least = figure(run, "rtt_min_ns");
  if (!sent || *sent == 0 || !again || !segments) return {};
  std::string words = format_size(whole(*sent)) + " sent, ";
  words += *segments == 0 ? std::string("none of it again")
                          : fmt::format("{} of it again ({})", format_size(whole(*again)),
                                        counted(whole(*segments), "segment", "segments"));
  if (cwnd) words += fmt::format(", window {:.0f} segments on average", *cwnd);
  if (rtt && least)
    words +=
        fmt::format(", round trip {} on average, {} at least", time_text(*rtt), time_text(*least));
  const Value delay = figure(run, "buffer_delay_ratio");
  const Value efficiency = figure(run, "tcp_efficiency_ratio");
  if (efficiency) words += fmt::format("; efficiency {}", format_ratio(*efficiency));
  if (delay) words += fmt::format(", buffer delay {}", format_ratio(*delay));
  if (const Value time = figure(run, "transfer_time_ratio"))
    words += fmt::format(", transfer time {:.2f} times the ideal", *time);
  return wrapped("tcp       ", words);
}

std::string limits_text(const RunReport& run) {
  const Value busy = figure(run, "busy_us");
  const Value window = figure(run, "rwnd_limited_ratio");
  const Value buffer = figure(run, "sndbuf_limited_ratio");
  // Below a twentieth it is no more than the kernel's clock of 4 ms can tell of a short time.
  if (!busy || !window || !buffer || std::max(*window, *buffer) < 0.05) return {};
  return wrapped("held up   ",
                 fmt::format("of {} with something to send: {} by the receiver's window, {} by the "
                             "send buffer{}",
                             time_text(*busy * 1e3), format_ratio(*window), format_ratio(*buffer),
                             *buffer > 0.5 ? " (give a larger --sndbuf)" : ""));
}

// Why SYNs went out again, as far as this machine can tell.
std::string reason_text(const Value& overflows) {
  if (!overflows)
    return ": one before it or its answer was lost, or the server's accept queue was full (ask "
           "there: nstat -az TcpExtListenOverflows)";
  if (*overflows == 0)
    return ": one before it or its answer was lost (no accept queue of this machine was full)";
  return fmt::format(": the server's accept queue was full (ListenOverflows {})",
                     format_count(whole(*overflows)));
}

std::string handshakes_text(const RunReport& run) {
  const Value second = figure(run, "connect_syn_retries_1");
  const Value third = figure(run, "connect_syn_retries_2");
  const Value fourth = figure(run, "connect_syn_retries_3");
  const Value overflows = figure(run, "listen_overflows");
  const double waited = second.value_or(0) + third.value_or(0) + fourth.value_or(0);
  if (waited > 0) {
    std::string words =
        fmt::format("{} of the {} waited 1 s or more for another SYN", format_count(whole(waited)),
                    counted(run.connect.count, "connection", "connections"));
    if (*second < waited)
      words += fmt::format(" ({} for a second one, {} for a third, {} for a fourth)",
                           format_count(whole(*second)), format_count(whole(third.value_or(0))),
                           format_count(whole(fourth.value_or(0))));
    return wrapped("connect   ", words + reason_text(overflows));
  }
  if (overflows.value_or(0) == 0) return {};
  return wrapped("connect   ",
                 fmt::format("an accept queue of this machine was full during the run "
                             "(ListenOverflows {}): give the server a larger backlog",
                             format_count(whole(*overflows))));
}

}  // namespace

std::string tcp_text(const RunReport& run) {
  if (run.protocol != "tcp") return {};
  return quality_text(run) + limits_text(run) + handshakes_text(run);
}

}  // namespace volley
