// What only one protocol has, of the union: sums, ends, and what is neither left out.
#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "reports/judge/merge_pieces.hpp"

namespace volley {
namespace {

using Figure = std::optional<double>;

enum class Rule : std::uint8_t { sum, least, most, same };
struct NamedRule {
  std::string_view key;
  Rule rule;
};
// What is not here is no sum and no end of the parts' figures: percentiles, means, ratios, and
// counters of a whole network namespace, which parts may share.
constexpr std::array<NamedRule, 33> kRules{{
    {"rcvbuf_bytes", Rule::same},
    {"sndbuf_bytes", Rule::same},
    {"socket_drops", Rule::sum},
    {"gso_sends", Rule::sum},
    {"gso_segments", Rule::sum},
    {"gro_receives", Rule::sum},
    {"gro_segments", Rule::sum},
    {"reordering_extent_max", Rule::most},
    {"reordering_kept_max", Rule::most},
    {"reordering_late_max_ns", Rule::most},
    {"reordering_gap_max", Rule::most},
    {"reordering_forgotten", Rule::sum},
    {"ipdv_pairs", Rule::sum},
    {"ipdv_together", Rule::sum},
    {"ipdv_shorter_max_ns", Rule::most},
    {"ipdv_longer_max_ns", Rule::most},
    {"connections_followed", Rule::sum},
    {"samples", Rule::sum},
    {"mss_bytes", Rule::least},
    {"sent_bytes", Rule::sum},
    {"retransmitted_bytes", Rule::sum},
    {"retransmits", Rule::sum},
    {"reordering_seen", Rule::sum},
    {"out_of_order", Rule::sum},
    {"cwnd_min", Rule::least},
    {"cwnd_max", Rule::most},
    {"rtt_min_ns", Rule::least},
    {"delivery_samples", Rule::sum},
    {"delivery_app_limited_samples", Rule::sum},
    {"busy_us", Rule::sum},
    {"connect_syn_retries_1", Rule::sum},
    {"connect_syn_retries_2", Rule::sum},
    {"connect_syn_retries_3", Rule::sum},
}};

Figure figure_of(const RunReport& run, std::string_view key) {
  for (const auto& [name, value] : run.protocol_figures)
    if (name == key) return value;
  return std::nullopt;
}

Figure merge_figure(RunParts parts, std::string_view key) {
  const auto* const named = std::find_if(kRules.begin(), kRules.end(),
                                         [&](const NamedRule& rule) { return rule.key == key; });
  if (named == kRules.end()) return std::nullopt;
  Figure all = figure_of(*parts.front().run, key);
  for (const RunPart& part : parts.subspan(1)) {
    const Figure one = figure_of(*part.run, key);
    if (named->rule == Rule::sum)
      add(all, one);
    else if (!all || !one || (named->rule == Rule::same && *all != *one))
      all.reset();
    else
      all = named->rule == Rule::least ? std::min(*all, *one) : std::max(*all, *one);
  }
  return all;
}

// Both ends of these quotients are sums that the reports have.
Figure quotient_of(const RunReport& sum, RunParts parts, std::string_view key) {
  for (const RunPart& part : parts)
    if (!figure_of(*part.run, key)) return std::nullopt;
  const auto sent = figure_of(sum, "sent_bytes");
  const auto again = figure_of(sum, "retransmitted_bytes");
  if (key == "tcp_efficiency_ratio" && sent && again && *sent > 0)
    return std::max(0.0, 1 - *again / *sent);
  if (key == "requests_per_send_call" && sum.generator.send_calls.value_or(0) > 0)
    return static_cast<double>(sum.requests.sent) / static_cast<double>(*sum.generator.send_calls);
  return std::nullopt;
}

}  // namespace

void merge_protocol_figures(RunReport& sum, RunParts parts) {
  for (const auto& [key, value] : parts.front().run->protocol_figures)
    sum.protocol_figures.emplace_back(key, merge_figure(parts, key));
  for (auto& [key, value] : sum.protocol_figures)
    if (!value) value = quotient_of(sum, parts, key);
}

}  // namespace volley
