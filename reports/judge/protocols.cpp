// UDP beside TCP: the rounds of a duel put together, and the sentence a person reads. Only rounds
// that ran to their end count: half a round has not met the same machine as a whole one.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "reports/judge/summary.hpp"
#include "reports/judge/trend.hpp"
#include "reports/measure/units.hpp"

namespace volley {
namespace {

constexpr const char* kUntested = "whether the difference is more than chance has not been tested.";

std::optional<std::int64_t> count_of(std::optional<Nanos> t) {
  return t ? std::optional(t->count()) : std::nullopt;
}

// A sum with an unknown part is unknown.
void add(std::optional<std::uint64_t>& sum, const std::optional<std::uint64_t>& part) {
  if (!sum || !part)
    sum.reset();
  else
    *sum += *part;
}

// One percentile of a side's responses, where its rounds together have enough beyond it and the
// generator spoiled it in none.
void add_percentile(ComparedSide& side, std::optional<std::int64_t> ComparedSide::*figure,
                    const PercentileKey& key, const Histogram& response,
                    const std::vector<Claims>& rounds, bool spoiled) {
  std::vector<Claim> claims;
  claims.reserve(rounds.size());
  for (const Claims& round : rounds) claims.push_back(round.*key.claim);
  if (!spoiled && hold_together(key.percentile, claims))
    side.*figure = count_of(response.at(key.percentile, side.lost.value_or(0)));
  else if (!rounds.empty())
    side.withheld.emplace_back(key.key);
}

ComparedSide side_of(const std::vector<RunReport>& runs, const std::string& protocol) {
  ComparedSide side;
  side.protocol = protocol;
  std::vector<double> achieved;
  std::optional<std::uint64_t> completed = 0, lost = 0;
  Histogram response;
  std::vector<Claims> claims;
  for (const RunReport& run : runs) {
    if (run.protocol != protocol || run.status != "ok") continue;
    ++side.rounds;
    if (run.load.achieved_per_s) achieved.push_back(*run.load.achieved_per_s);
    side.sent += run.requests.sent;
    add(completed, run.requests.completed);
    add(lost, run.requests.lost);
    if (run.response.histogram) response.merge(*run.response.histogram);
    if (run.response.claims) claims.push_back(*run.response.claims);
  }
  if (side.rounds == 0) return side;
  side.completed = completed;
  side.lost = lost;
  if (lost && side.sent > 0)
    side.loss_ratio = static_cast<double>(*lost) / static_cast<double>(side.sent);
  if (achieved.size() == side.rounds) side.achieved_per_s = median_of(achieved);
  const auto add_one = [&](std::optional<std::int64_t> ComparedSide::*figure,
                           const PercentileKey& key) {
    add_percentile(side, figure, key, response, claims, spoils_any(runs, protocol, key));
  };
  add_one(&ComparedSide::p50_ns, kPercentiles[0]);
  add_one(&ComparedSide::p99_ns, kPercentiles[2]);
  add_one(&ComparedSide::p99_9_ns, kPercentiles[3]);
  return side;
}

std::optional<double> ratio(std::optional<double> a, std::optional<double> b) {
  if (!a || !b || *b <= 0.0) return std::nullopt;
  return *a / *b;
}

std::optional<double> as_double(std::optional<std::int64_t> n) {
  return n ? std::optional(static_cast<double>(*n)) : std::nullopt;
}

// What a workload makes: the word for its completed requests.
std::string product_of(const std::vector<RunReport>& runs) {
  const std::string workload = runs.empty() ? "rr" : runs.front().workload;
  if (workload == "connect") return "connections";
  if (workload == "stream") return "messages";
  return "round trips";
}

std::string p99_words(const ComparedSide& side) {
  if (side.p99_ns) return format_duration(Nanos(*side.p99_ns));
  if (is_withheld(side, "p99")) return "one that is withheld";
  return "one that falls among the lost";
}

std::string rounds_words(std::uint64_t udp, std::uint64_t tcp) {
  if (udp != tcp) return fmt::format("medians of {} and {} rounds", udp, tcp);
  return udp == 1 ? "one round each" : fmt::format("medians of {} rounds each", udp);
}

std::string left_out_words(const std::vector<RunReport>& runs) {
  const auto unfinished =
      std::count_if(runs.begin(), runs.end(), [](const RunReport& r) { return r.status != "ok"; });
  if (unfinished == 0) return {};
  return unfinished == 1
             ? " One round that did not run to its end is left out."
             : fmt::format(" {} rounds that did not run to their end are left out.", unfinished);
}

std::string sentence_of(const Comparison& comparison, const std::vector<RunReport>& runs) {
  const ComparedSide& udp = comparison.sides[0];
  const ComparedSide& tcp = comparison.sides[1];
  for (const ComparedSide& side : comparison.sides)
    if (side.rounds == 0)
      return fmt::format(
          "UDP and TCP cannot be compared, and nothing has been tested: no round over {} ran to "
          "its end.",
          side.protocol == "udp" ? "UDP" : "TCP");
  std::string text;
  if (comparison.achieved_ratio)
    text =
        fmt::format("UDP made {:.2f} times the {} of TCP ({} against {}, {})",
                    *comparison.achieved_ratio, product_of(runs), format_rate(*udp.achieved_per_s),
                    format_rate(*tcp.achieved_per_s), rounds_words(udp.rounds, tcp.rounds));
  else
    text = fmt::format("UDP and TCP cannot be compared by their {}, which are unknown or none",
                       product_of(runs));
  const bool has_response = std::any_of(runs.begin(), runs.end(), [](const RunReport& r) {
    return r.status == "ok" && r.response.histogram && r.requests.sent > 0;
  });
  if (has_response)
    text += fmt::format(" with a response p99 of {} against {}", p99_words(udp), p99_words(tcp));
  return text + "; " + kUntested + left_out_words(runs);
}

}  // namespace

std::optional<HoldFigures> median_hold(const std::vector<RunReport>& runs,
                                       std::string_view protocol) {
  HoldFigures sum;
  std::vector<double> rates, generator, target, kernel;
  const auto note = [](std::vector<double>& values, const std::optional<double>& value) {
    if (value) values.push_back(*value);
  };
  std::size_t rounds = 0;
  for (const RunReport& run : runs) {
    if (run.protocol != protocol || run.status != "ok" || !run.hold) continue;
    ++rounds;
    sum.connections_wanted += run.hold->connections_wanted;
    sum.opened += run.hold->opened;
    sum.held_at_end += run.hold->held_at_end;
    note(rates, run.hold->opened_per_s);
    note(generator, run.hold->memory.generator_bytes);
    note(target, run.hold->memory.target_bytes);
    note(kernel, run.hold->memory.kernel_bytes);
  }
  if (rounds == 0) return std::nullopt;
  sum.opened_per_s = median_of(std::move(rates));
  sum.memory = {median_of(std::move(generator)), median_of(std::move(target)),
                median_of(std::move(kernel))};
  return sum;
}

bool spoils_any(const std::vector<RunReport>& runs, std::string_view protocol,
                const PercentileKey& key) {
  return std::any_of(runs.begin(), runs.end(), [&](const RunReport& run) {
    return run.protocol == protocol && run.status == "ok" && is_spoiled(run.response, key);
  });
}

bool is_withheld(const ComparedSide& side, std::string_view percentile) {
  return std::find(side.withheld.begin(), side.withheld.end(), percentile) != side.withheld.end();
}

Comparison compare_protocols(const std::vector<RunReport>& runs) {
  Comparison comparison;
  comparison.sides = {side_of(runs, "udp"), side_of(runs, "tcp")};
  const ComparedSide& udp = comparison.sides[0];
  const ComparedSide& tcp = comparison.sides[1];
  comparison.achieved_ratio = ratio(udp.achieved_per_s, tcp.achieved_per_s);
  comparison.p99_ratio = ratio(as_double(udp.p99_ns), as_double(tcp.p99_ns));
  comparison.sentence = sentence_of(comparison, runs);
  return comparison;
}

}  // namespace volley
