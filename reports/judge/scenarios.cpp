// The one idea: rounds are repetitions, one after the other, of one plan. So their counts add up,
// their rates do not, and their samples are one distribution.
#include "reports/judge/scenarios.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "reports/judge/trend.hpp"
#include "reports/judge/verdicts.hpp"

namespace volley {
namespace {

// "UDP rr  up" -> "udp-rr-up".
std::string identity(std::string_view name) {
  constexpr std::size_t longest = 100;
  std::string id;
  for (const char c : name) {
    const bool upper = c >= 'A' && c <= 'Z';
    const bool kept =
        (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    if (kept || upper)
      id += upper ? static_cast<char>(c - 'A' + 'a') : c;
    else if (!id.empty() && id.back() != '-')
      id += '-';
    if (id.size() == longest) break;
  }
  while (!id.empty() && id.back() == '-') id.pop_back();
  return id.empty() ? "run" : id;
}

// The first of ID, ID-2, ID-3 … that is not taken; `next` remembers where to go on.
std::string unused(const std::string& id, std::set<std::string>& taken,
                   std::map<std::string, int>& next) {
  std::string candidate = id;
  int& n = next.try_emplace(id, 2).first->second;
  while (!taken.insert(candidate).second) candidate = fmt::format("{}-{}", id, n++);
  return candidate;
}

// A sum with an unknown part is unknown.
template <typename T>
void add(std::optional<T>& sum, const std::optional<T>& part) {
  if (sum && part)
    *sum += *part;
  else
    sum.reset();
}

void add(std::vector<KindCount>& sum, const std::vector<KindCount>& part) {
  for (const KindCount& kind : part) {
    const auto same = std::find_if(sum.begin(), sum.end(),
                                   [&](const KindCount& k) { return k.kind == kind.kind; });
    if (same == sum.end())
      sum.push_back(kind);
    else
      same->count += kind.count;
  }
}

void add(RequestFigures& sum, const RequestFigures& part) {
  add(sum.planned, part.planned);
  add(sum.unsent, part.unsent);
  add(sum.skipped, part.skipped);
  sum.sent += part.sent;
  add(sum.completed, part.completed);
  add(sum.lost, part.lost);
  sum.late += part.late;
  add(sum.errors, part.errors);
  add(sum.in_flight, part.in_flight);
  sum.duplicates += part.duplicates;
  sum.reordered += part.reordered;
  sum.held_back += part.held_back;
}

void add(GeneratorSide& sum, const GeneratorSide& part) {
  sum.cpu_user_s += part.cpu_user_s;
  sum.cpu_system_s += part.cpu_system_s;
  sum.wall_s += part.wall_s;
  sum.context_switches += part.context_switches;
  add(sum.send_calls, part.send_calls);
  add(sum.receive_calls, part.receive_calls);
}

using Rounds = std::span<const RunReport* const>;

// None where a round has none.
template <typename Figure>
std::optional<double> median_over(Rounds rounds, Figure figure) {
  std::vector<double> values;
  for (const RunReport* round : rounds)
    if (const std::optional<double> value = figure(*round)) values.push_back(*value);
  if (values.size() != rounds.size()) return std::nullopt;
  return median_of(std::move(values));
}

// What the rounds' claims for one percentile are worth together.
Claim claim_together(Rounds rounds, LatencyFigures RunReport::*latency, const PercentileKey& key) {
  std::vector<Claim> claims;
  Claim sum;
  for (const RunReport* round : rounds) {
    if (!(round->*latency).claims) continue;
    claims.push_back(*(round->*latency).claims.*key.claim);
    sum.effective_samples += claims.back().effective_samples;
    sum.tail_events += claims.back().tail_events;
  }
  sum.holds = hold_together(key.percentile, claims);
  return sum;
}

LatencyFigures latency_together(Rounds rounds, LatencyFigures RunReport::*latency,
                                std::uint64_t lost) {
  Histogram merged;
  std::vector<std::uint32_t> spoiled;
  std::uint64_t out_of_range = 0;
  bool claimed = false;
  for (const RunReport* round : rounds) {
    const LatencyFigures& part = round->*latency;
    if (part.histogram) merged.merge(*part.histogram);
    claimed = claimed || part.claims.has_value();
    out_of_range += part.out_of_range;
    for (const std::uint32_t ppm : part.spoiled)
      if (std::find(spoiled.begin(), spoiled.end(), ppm) == spoiled.end()) spoiled.push_back(ppm);
  }
  LatencyFigures figures = figures_of(merged, lost);
  figures.out_of_range = out_of_range;
  if (claimed) {
    Claims claims;
    for (const PercentileKey& key : kPercentiles)
      claims.*key.claim = claim_together(rounds, latency, key);
    figures = withhold(std::move(figures), claims);
  }
  figures.spoiled = std::move(spoiled);
  for (const PercentileKey& key : kPercentiles)
    if (is_spoiled(figures, key)) (figures.*key.figure).reset();
  if (!(rounds.front()->*latency).histogram) figures.histogram.reset();
  return figures;
}

void add_latencies(RunReport& whole, Rounds rounds) {
  for (const auto latency : {&RunReport::response, &RunReport::response_delivered,
                             &RunReport::service, &RunReport::send_lag, &RunReport::connect})
    whole.*latency = latency_together(rounds, latency, endless_in(whole, latency));
}

// What one round says of all of them.
RunReport begin_with(const RunReport& round) {
  RunReport whole;
  whole.name = round.name;
  whole.protocol = round.protocol;
  whole.endpoint = round.endpoint;
  whole.workload = round.workload;
  whole.arrival = round.arrival;
  whole.status = round.status;
  whole.config = round.config;
  whole.requests = round.requests;
  whole.generator = round.generator;
  whole.generator.warnings.clear();
  whole.generator.calibration.reset();
  return whole;
}

}  // namespace

std::vector<Scenario> scenarios_of(const Report& report) {
  std::vector<Scenario> scenarios;
  std::map<std::pair<std::string_view, std::string_view>, std::size_t> places;
  std::set<std::string> taken;
  std::map<std::string, int> next;
  for (const RunReport& run : report.runs) {
    const auto [place, is_new] = places.try_emplace({run.name, run.protocol}, scenarios.size());
    if (is_new)
      scenarios.push_back({unused(identity(run.name), taken, next), run.name, run.protocol, {}, 0});
    Scenario& scenario = scenarios[place->second];
    if (run.status == "ok")
      scenario.rounds.push_back(&run);
    else
      ++scenario.unfinished;
  }
  return scenarios;
}

std::optional<RunReport> together(std::span<const RunReport* const> rounds) {
  if (rounds.empty()) return std::nullopt;
  if (rounds.size() == 1) return *rounds.front();
  RunReport whole = begin_with(*rounds.front());
  for (const RunReport* round : rounds) {
    whole.duration_s += round->duration_s;
    whole.warm_up_s += round->warm_up_s;
    whole.drain_s += round->drain_s;
    whole.bytes_sent += round->bytes_sent;
    whole.bytes_received += round->bytes_received;
    if (round == rounds.front()) continue;
    add(whole.requests, round->requests);
    add(whole.generator, round->generator);
  }
  const RequestFigures& requests = whole.requests;
  // A round whose loss the generator spoiled spoils that of all.
  const bool spoiled = std::any_of(rounds.begin(), rounds.end(), [](const RunReport* round) {
    return round->requests.sent > 0 && !round->requests.loss_ratio;
  });
  whole.requests.loss_ratio.reset();
  if (requests.lost && requests.sent > 0 && !spoiled)
    whole.requests.loss_ratio =
        static_cast<double>(*requests.lost) / static_cast<double>(requests.sent);
  whole.load.intended_per_s =
      median_over(rounds, [](const RunReport& r) { return r.load.intended_per_s; });
  whole.load.offered_per_s = median_over(rounds, [](const RunReport& r) {
                               return std::optional(r.load.offered_per_s);
                             }).value_or(0);
  whole.load.achieved_per_s =
      median_over(rounds, [](const RunReport& r) { return r.load.achieved_per_s; });
  whole.goodput_bits_per_s =
      median_over(rounds, [](const RunReport& r) { return r.goodput_bits_per_s; });
  add_latencies(whole, rounds);
  std::vector<RunReport> judged;
  for (const RunReport* round : rounds)
    if (round->verdict) judged.emplace_back().verdict = round->verdict;
  if (const auto worst = overall_verdict(judged))
    whole.verdict = RunVerdict{worst->overall, worst->headline, {}};
  return whole;
}

}  // namespace volley
