// One run for a person. Which model made the load is said in words, because the same server shows
// quite different latencies under an open and a closed loop.
#include "reports/render/text_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <string_view>

#include "reports/judge/derived.hpp"
#include "reports/measure/units.hpp"
#include "reports/render/text_conditions.hpp"
#include "reports/render/text_delay.hpp"
#include "reports/render/text_loss.hpp"
#include "reports/render/text_tcp.hpp"
#include "reports/render/text_verdict.hpp"
#include "reports/render/words.hpp"

namespace volley {
namespace {

std::string config_value(const RunReport& run, std::string_view key) {
  const auto same = [&](const auto& entry) { return entry.first == key; };
  const auto found = std::find_if(run.config.begin(), run.config.end(), same);
  return found == run.config.end() ? std::string() : printable(found->second);
}

std::string model_words(const RunReport& run) {
  const std::string flows = config_value(run, "flows");
  const std::string flows_words = fmt::format("{} {}", flows, flows == "1" ? "flow" : "flows");
  if (run.arrival != "closed") {
    const std::string rate = run.load.intended_per_s
                                 ? format_rate(*run.load.intended_per_s) + " intended"
                                 : std::string("by its due times");
    return fmt::format("open loop, {}, {}{}", printable(run.arrival), rate,
                       flows.empty() ? "" : fmt::format(", {}", flows_words));
  }
  const std::string depth = config_value(run, "depth");
  std::string shape = flows.empty() ? "" : ", " + flows_words;
  if (!flows.empty() && run.workload == "rr")
    shape += fmt::format(" x {} in flight", depth.empty() ? "1" : depth);
  if (run.workload == "hold") {
    const std::string probes = config_value(run, "probes");
    return fmt::format("closed loop{} held, {} of them with a probe in flight", shape,
                       probes.empty() ? "some" : probes);
  }
  if (run.workload == "stream") return "closed loop" + shape + ": as fast as the flow takes it";
  return "closed loop" + shape + ": latency at whatever rate the server allowed";
}

std::string seconds_text(double seconds) {
  if (seconds > 1e6) return fmt::format("{:.0f} s", seconds);
  return format_duration(Nanos(std::llround(seconds * 1e9)));
}

std::string heading(const RunReport& run) {
  std::string measured = seconds_text(run.duration_s) + " measured";
  if (run.warm_up_s > 0)
    measured += fmt::format(" after {} of warm-up", seconds_text(run.warm_up_s));
  return fmt::format("{}  {}\n", printable(run.name), printable(run.endpoint)) +
         wrapped("", fmt::format("{}; {}", model_words(run), measured));
}

std::uint64_t total_of(const std::vector<KindCount>& kinds) {
  std::uint64_t sum = 0;
  for (const KindCount& kind : kinds) sum += kind.count;
  return sum;
}

// What the heading says already, or what says nothing, would only hide the rest.
bool is_worth_a_word(const std::string& key, const std::string& value) {
  static constexpr std::array<std::string_view, 5> said{"workload", "arrival", "rate", "duration",
                                                        "warm_up"};
  static constexpr std::array<std::string_view, 4> nothing{"-", "default", "any", "largest"};
  return std::find(said.begin(), said.end(), key) == said.end() &&
         std::find(nothing.begin(), nothing.end(), value) == nothing.end();
}

std::string config_text(const RunReport& run) {
  std::string words;
  for (const auto& [key, value] : run.config)
    if (is_worth_a_word(key, value))
      words += fmt::format("{}{} {}", words.empty() ? "" : ", ", printable(key), printable(value));
  return words.empty() ? "" : wrapped("with      ", words);
}

std::string load_text(const RunReport& run) {
  const LoadFigures& load = run.load;
  std::string words;
  if (load.intended_per_s) words = format_rate(*load.intended_per_s) + " intended, ";
  words += format_rate(load.offered_per_s) + " offered, ";
  words += load.achieved_per_s ? format_rate(*load.achieved_per_s) + " achieved"
                               : std::string("achieved unknown: the receiver does not count");
  if (run.goodput_bits_per_s)
    words += ", " + format_bits_per_s(*run.goodput_bits_per_s) + " goodput";
  return wrapped("load      ", words);
}

std::string or_unknown(const std::optional<std::uint64_t>& n) {
  return n ? format_count(*n) : "unknown";
}

std::optional<double> protocol_figure(const RunReport& run, std::string_view key) {
  const auto found = std::find_if(run.protocol_figures.begin(), run.protocol_figures.end(),
                                  [key](const auto& figure) { return figure.first == key; });
  return found == run.protocol_figures.end() ? std::nullopt : found->second;
}

// How badly answers were out of order, where any were and it is known.
std::string reordering_text(const RunReport& run) {
  const auto of_three = protocol_figure(run, "n_reordered_3_ratio");
  const auto extent = protocol_figure(run, "reordering_extent_p50");
  const auto most = protocol_figure(run, "reordering_extent_max");
  const auto late = protocol_figure(run, "reordering_late_p50_ns");
  const auto latest = protocol_figure(run, "reordering_late_max_ns");
  if (!of_three || !extent || !most || !late || !latest) return {};
  return wrapped("          ",
                 fmt::format("reordered by {:.0f} answers and {} at p50, {:.0f} and {} at most; {} "
                             "3-reordered",
                             *extent, seconds_text(*late * 1e-9), *most,
                             seconds_text(*latest * 1e-9), format_ratio(*of_three)));
}

std::string requests_text(const RunReport& run) {
  const RequestFigures& r = run.requests;
  std::string text;
  std::string_view label = "requests  ";
  if (r.planned) {
    text = wrapped(label, fmt::format("{} planned = {} sent + {} unsent + {} skipped",
                                      format_count(*r.planned), format_count(r.sent),
                                      format_count(total_of(r.unsent)), or_unknown(r.skipped)));
    label = "          ";
  }
  if (!r.completed)
    return text +
           wrapped(label, fmt::format("{} sent; what arrived is unknown", format_count(r.sent)));
  text += wrapped(label,
                  fmt::format("{} sent = {} completed + {} lost + {} errors + {} in flight",
                              format_count(r.sent), format_count(*r.completed), or_unknown(r.lost),
                              format_count(total_of(r.errors)), or_unknown(r.in_flight)));
  if (r.late + r.duplicates + r.reordered + r.held_back > 0 || r.lost.value_or(0) > 0)
    text +=
        wrapped("          ", fmt::format("{} lost, {} of them answered late, {} duplicates, "
                                          "{} reordered, {} held back",
                                          r.loss_ratio ? format_ratio(*r.loss_ratio) : "-",
                                          format_count(r.late), format_count(r.duplicates),
                                          format_count(r.reordered), format_count(r.held_back)));
  return text + reordering_text(run);
}

void add_row(std::vector<std::vector<std::string>>& rows, const std::string& name,
             const LatencyFigures& f) {
  if (!f.histogram) return;
  std::vector<std::string> row{name};
  for (const PercentileKey& key : kPercentiles) row.push_back(percentile_cell(f, key));
  row.push_back(latency_cell(f, f.max));
  rows.push_back(std::move(row));
}

// Between what and what the percentiles lie, by 95 %.
void add_interval_rows(std::vector<std::vector<std::string>>& rows, const LatencyFigures& f) {
  if (!f.claims) return;
  std::vector<std::string> from{"  95 % from"};
  std::vector<std::string> to{"  95 % to"};
  for (const PercentileKey& key : kPercentiles) {
    const Claim& claim = (*f.claims).*key.claim;
    const bool shown = claim.holds && !is_spoiled(f, key);
    // Of a merge nobody knows.
    if (shown && f.*key.figure && !claim.low && !claim.high) return;
    from.push_back(shown ? latency_cell(f, claim.low) : "");
    to.push_back(shown ? latency_cell(f, claim.high) : "");
  }
  rows.push_back(std::move(from));
  rows.push_back(std::move(to));
}

std::string latency_text(const RunReport& run) {
  std::vector<std::vector<std::string>> rows{
      {"latency", "p50", "p90", "p99", "p99.9", "p99.99", "max"}};
  add_row(rows, "response", run.response);
  add_interval_rows(rows, run.response);
  if (run.response.beyond_lost) add_row(rows, "  of completed", run.response_delivered);
  add_row(rows, "service", run.service);
  add_row(rows, "send lag", run.send_lag);
  add_row(rows, "connect", run.connect);
  if (run.workload == "connect") add_interval_rows(rows, run.connect);
  return rows.size() == 1 ? "" : "\n" + columns(rows) + "\n";
}

// How many samples a percentile would take in the row that takes most, and 0 where it is withheld
// nowhere.
std::uint64_t most_needed(std::span<const LatencyFigures* const> rows, const PercentileKey& key) {
  std::uint64_t most = 0;
  for (const LatencyFigures* row : rows)
    if (is_withheld(*row, key))
      most = std::max(most, ((*row->claims).*key.claim).samples_needed.value_or(0));
  return most;
}

// What "few" in the table takes to become a figure.
std::string few_text(const RunReport& run) {
  std::vector<const LatencyFigures*> rows{&run.response, &run.service, &run.send_lag, &run.connect};
  if (run.response.beyond_lost) rows.push_back(&run.response_delivered);
  const auto sent = static_cast<double>(std::max<std::uint64_t>(run.requests.sent, 1));
  std::string words;
  for (const PercentileKey& key : kPercentiles) {
    const std::uint64_t needed = most_needed(rows, key);
    if (needed == 0) continue;
    words +=
        fmt::format("{}{} for {} ({})", words.empty() ? "" : ", ", format_count(needed), key.words,
                    seconds_text(run.duration_s * static_cast<double>(needed) / sent));
  }
  if (words.empty()) return {};
  return wrapped(
      "few       ",
      "withheld: too few independent samples or events beyond; enough of this load would be "
      "about " +
          words);
}

// How unevenly round trips took, or messages one way, where it is known.
std::string variation_text(const RunReport& run) {
  const auto jitter = protocol_figure(run, "jitter_ns");
  const auto usual = protocol_figure(run, "pdv_p50_ns");
  const auto most = protocol_figure(run, "pdv_p99_9_ns");
  if (!jitter || !usual || !most) return {};
  return wrapped("variation ",
                 fmt::format("{} jitter; {} {} above its least at p50, {} at p99.9",
                             seconds_text(*jitter * 1e-9),
                             run.workload == "stream" ? "one-way delay" : "service",
                             seconds_text(*usual * 1e-9), seconds_text(*most * 1e-9)));
}

std::string cost_text(const RunReport& run) {
  const GeneratorSide& g = run.generator;
  std::string words = counted(g.threads, "thread", "threads");
  if (!g.wait.empty()) words += fmt::format(" ({})", printable(g.wait));
  if (const auto ratio = generator_cpu_ratio(g))
    words += fmt::format(", {:.0f} % busy", *ratio * 100.0);
  words += fmt::format(" ({} user, {} system)", seconds_text(g.cpu_user_s),
                       seconds_text(g.cpu_system_s));
  if (const auto calls = calls_per_message(run))
    words += fmt::format(", {:.2f} calls a message", *calls);
  words += ", " + counted(g.context_switches, "context switch", "context switches");
  if (g.calibration)
    words += fmt::format("; its clock readings lie {} outside of the kernel's, +- {}",
                         seconds_text(to_seconds(g.calibration->systematic)),
                         seconds_text(to_seconds(g.calibration->error)));
  return wrapped("generator ", words);
}

std::string target_text(const RunReport& run) {
  if (!run.target_side) return {};
  const TargetSide& t = *run.target_side;
  std::string words;
  const auto say = [&](const std::string& text) { words += (words.empty() ? "" : ", ") + text; };
  if (t.received_messages) say(counted(*t.received_messages, "message", "messages") + " received");
  if (t.received_bytes) say(format_size(*t.received_bytes) + " received");
  if (t.duplicates) say(counted(*t.duplicates, "duplicate", "duplicates"));
  if (t.reordered) say(format_count(*t.reordered) + " reordered");
  if (t.cpu_s) say(seconds_text(*t.cpu_s) + " of CPU time");
  return words.empty() ? "" : wrapped("target    ", words);
}

std::string kinds_text(const std::vector<KindCount>& kinds) {
  std::string text;
  for (const KindCount& kind : kinds)
    text += fmt::format("{}{} {}", text.empty() ? " (" : ", ", format_count(kind.count),
                        printable(kind.kind));
  return text.empty() ? text : text + ")";
}

// What was opened and kept, and what one connection costs whom.
std::string hold_text(const RunReport& run) {
  if (!run.hold) return {};
  const HoldFigures& hold = *run.hold;
  std::string words =
      fmt::format("{} of {} opened in {}", format_count(hold.opened),
                  format_count(hold.connections_wanted), seconds_text(hold.open_duration_s));
  if (hold.opened_per_s) words += fmt::format(" ({})", format_rate(*hold.opened_per_s));
  words += fmt::format(", {} failed{}, {} died{}, {} held at the end, {} probed",
                       format_count(total_of(hold.failed)), kinds_text(hold.failed),
                       format_count(total_of(hold.died)), kinds_text(hold.died),
                       format_count(hold.held_at_end), format_count(hold.probed));
  const std::string_view one = run.protocol == "udp" ? "socket" : "connection";
  const std::string memory =
      fmt::format("of one {}: {} in the generator, {} in the target, {} in this kernel", one,
                  bytes_or_dash(hold.memory.generator_bytes),
                  bytes_or_dash(hold.memory.target_bytes), bytes_or_dash(hold.memory.kernel_bytes));
  return wrapped("hold      ", words) + wrapped("memory    ", memory);
}

// What to do about a kind of failure, where there is something to do.
std::string_view advice_for(const std::string& kind) {
  using Advice = std::pair<std::string_view, std::string_view>;
  static constexpr std::array<Advice, 9> advice{{
      {"refused", "nothing listens there; start one with: volley target"},
      {"reset", "the peer closed hard; look for its limits on connections and at its log"},
      {"timed_out",
       "it came to nothing within --timeout: no connection, or no room on its flow (more --flows)"},
      {"unreachable", "there is no way to that address; look at the route and the interface"},
      {"no_buffers", "the kernel had no room; lower the rate or give a larger --sndbuf"},
      {"no_ports", "local ports are used up; use --source ADDR/BITS, --close rst or fewer flows"},
      {"too_many_files", "descriptors are used up; raise the limit with: ulimit -n"},
      {"message_size", "a datagram was larger than its way allows; give a smaller --size"},
      {"permission", "the kernel forbade it; look at the firewall rules of this machine"},
  }};
  const auto same = [&](const Advice& entry) { return entry.first == kind; };
  const auto* const found = std::find_if(advice.begin(), advice.end(), same);
  return found == advice.end() ? std::string_view() : found->second;
}

void add_trouble(std::vector<std::string>& lines, std::string_view label,
                 const std::vector<KindCount>& kinds) {
  for (const KindCount& kind : kinds) {
    const std::string_view advice = advice_for(kind.kind);
    lines.push_back(
        wrapped(label, fmt::format("{} {}{}{}", format_count(kind.count), printable(kind.kind),
                                   advice.empty() ? "" : ": ", advice)));
  }
}

}  // namespace

std::string latency_cell(const LatencyFigures& f, const std::optional<std::int64_t>& figure) {
  if (figure) return format_duration(Nanos(*figure));
  return f.beyond_lost ? "lost" : "-";
}

std::string percentile_cell(const LatencyFigures& f, const PercentileKey& key) {
  if (is_withheld(f, key)) return "few";
  return is_spoiled(f, key) ? "spoilt" : latency_cell(f, f.*key.figure);
}

std::string bytes_or_dash(const std::optional<double>& bytes) {
  return bytes && *bytes < 1e15 ? fmt::format("{:.0f} B", *bytes) : "-";
}

std::string several_runs_heading(const RunReport& run) {
  return fmt::format("{}; {} measured each, after {} of warm-up", model_words(run),
                     seconds_text(run.duration_s), seconds_text(run.warm_up_s));
}

std::vector<std::string> trouble_lines(const RunReport& run) {
  std::vector<std::string> lines;
  add_trouble(lines, "errors    ", run.requests.errors);
  add_trouble(lines, "unsent    ", run.requests.unsent);
  for (const SocketEventFigures& event : run.socket_events)
    lines.push_back(wrapped(
        "socket    ", fmt::format("{} {}, first after {}, last after {}", format_count(event.count),
                                  printable(event.kind), seconds_text(event.first_s),
                                  seconds_text(event.last_s))));
  for (const std::string& warning : run.generator.warnings)
    lines.push_back(wrapped("warning   ", printable(warning)));
  if (const std::string broken = broken_identity(run.requests); !broken.empty())
    lines.push_back(wrapped("warning   ", broken + "; this is a mistake of volley: do not trust "
                                                   "these counts, and report it"));
  return lines;
}

std::string run_text(const RunReport& run) {
  std::string text = heading(run) + '\n';
  text += config_text(run) + conditions_text(run) + hold_text(run) + load_text(run) +
          requests_text(run);
  text += loss_text(run);
  text += latency_text(run) + few_text(run) + variation_text(run) + delay_text(run) + tcp_text(run);
  text += cost_text(run) + target_text(run);
  for (const std::string& line : trouble_lines(run)) text += line;
  const std::string verdict = verdict_text(run);
  return verdict.empty() ? text : text + '\n' + verdict;
}

}  // namespace volley
