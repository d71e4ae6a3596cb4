// duel: the same plan over UDP and over TCP, in alternating rounds (UDP TCP TCP UDP UDP TCP …), so
// that a drift of the machine meets both alike.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "generators/engine/run.hpp"
#include "generators/plan/options.hpp"
#include "generators/plan/plan.hpp"
#include "reports/measure/record.hpp"

namespace volley {

struct DuelOptions {
  RunOptions run;            // protocol is set by the duel; `where` none: own target
  std::uint32_t rounds = 4;  // of each protocol
  std::shared_ptr<const std::vector<Nanos>> trace;  // the parsed file of trace:FILE
};

// The protocol of round i (0-based) of 2 * rounds: each pair of rounds holds both, and the order
// turns around from pair to pair.
[[nodiscard]] Protocol duel_protocol(std::uint32_t i);

// The plan of round i. Both rounds of a pair have one seed, and so the same due times; the next
// pair has another, so that the duel is not decided by one draw of the schedule. Socket options
// that only TCP has are left out over UDP. Throws what make_plan throws.
[[nodiscard]] RunPlan plan_of_round(const DuelOptions& options, std::uint32_t i,
                                    const PlanLimits& limits);

struct DuelHooks {
  RunHooks run;
  // Before each round: its number from 0, and how many there will be (both protocols together).
  std::function<void(std::uint32_t round, std::uint32_t rounds, Protocol)> on_round;
  // Behind each round, also one that could not start.
  std::function<void(const RunRecord&)> on_end;
};

// The records of all rounds in the order they ran. Stops after a round that failed or was
// interrupted. Throws what make_plan and OwnTarget throw, and what the first run throws; a later
// round that cannot start is a failed record behind those of the rounds before it.
[[nodiscard]] std::vector<RunRecord> duel(const DuelOptions& options, const DuelHooks& hooks);

}  // namespace volley
