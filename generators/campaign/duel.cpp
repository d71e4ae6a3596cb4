// duel: rounds of UDP and TCP in turns, against one target. One idea: everything but the protocol
// is the same in both rounds of a pair, the seed included.
#include "generators/campaign/duel.hpp"

#include <utility>

#include "generators/engine/host.hpp"
#include "generators/engine/own_target.hpp"
#include "generators/engine/signal_hold.hpp"
#include "generators/plan/plan.hpp"
#include "reports/measure/ensure.hpp"
#include "targets/wire/tuning.hpp"

namespace volley {
namespace {

// What is left of a round that could not even start, so that the rounds before it are not lost.
RunRecord failed_round(const RunPlan& plan, const RunError& error) {
  RunRecord record;
  record.name = run_name(plan);
  record.protocol = to_string(plan.protocol);
  record.endpoint = to_string(Endpoint{plan.protocol, plan.where.value_or(HostPort{})});
  record.workload = to_string(plan.workload);
  record.arrival = arrival_text(plan.arrival);
  record.config = effective_values(plan);
  record.status = RunStatus::failed;
  record.failure = RunFailure{error.code(), error.what(), error.phase()};
  return record;
}

RunRecord play_round(const RunPlan& plan, const OwnTarget* own, const RunHooks& hooks) {
  const std::optional<double> before = own != nullptr ? own->cpu_seconds() : std::nullopt;
  RunRecord record = run(plan, hooks);
  const std::optional<double> after = own != nullptr ? own->cpu_seconds() : std::nullopt;
  if (before && after) {
    if (!record.target_side) record.target_side.emplace();
    record.target_side->cpu_s = *after - *before;
  }
  return record;
}

}  // namespace

Protocol duel_protocol(std::uint32_t i) {
  const bool first_of_pair = i % 2 == 0;
  const bool udp_first = (i / 2) % 2 == 0;
  return first_of_pair == udp_first ? Protocol::udp : Protocol::tcp;
}

RunPlan plan_of_round(const DuelOptions& options, std::uint32_t i, const PlanLimits& limits) {
  RunOptions round = options.run;
  round.protocol = duel_protocol(i);
  round.seed = options.run.seed + i / 2;
  if (round.protocol == Protocol::udp) {
    // What only TCP has says nothing against a duel.
    round.socket.congestion.clear();
    round.socket.nodelay = SocketOptions{}.nodelay;
    round.close.reset();
    round.discard = false;
  } else {
    round.offload = Offload::automatic;
  }
  return make_plan(round, limits, options.trace);
}

std::vector<RunRecord> duel(const DuelOptions& options, const DuelHooks& hooks) {
  const PlanLimits limits{.cpus = static_cast<unsigned>(allowed_cpus().size())};
  // Wrong use of either protocol is found before anything starts.
  const RunPlan first = plan_of_round(options, 0, limits);
  // Our own target serves both.
  RunPlan served = plan_of_round(options, 1, limits);
  served.offload = first.offload;

  std::optional<OwnTarget> own;
  // A target that has held connections keeps their memory for the next ones, which would then seem
  // to cost nothing: each round that holds starts a target of its own.
  if (!options.run.where && options.run.workload != Workload::hold)
    own.emplace(own_target_arguments(served, OwnTargetKind::all),
                own_target_cpu(first.pin, first.threads));

  SignalHold hold;
  const std::uint32_t rounds = 2 * options.rounds;
  std::vector<RunRecord> records;
  records.reserve(rounds);
  for (std::uint32_t i = 0; i < rounds; ++i) {
    RunPlan plan = plan_of_round(options, i, limits);
    if (own) plan.where = own->where();
    if (hooks.on_round) hooks.on_round(i, rounds, plan.protocol);
    hold.hand_on();
    try {
      records.push_back(play_round(plan, own ? &*own : nullptr, hooks.run));
    } catch (const RunError& error) {
      if (records.empty()) throw;
      records.push_back(failed_round(plan, error));
    }
    if (hooks.on_end) hooks.on_end(records.back());
    if (records.back().status != RunStatus::ok) break;
  }
  return records;
}

}  // namespace volley
