// Where requests over UDP were lost: asks the target's sockets what they have counted, and puts the
// account together.
//
// Each flow always reaches the same one of a target's sockets. So before the run flows ask in turn
// until every socket was heard, and after the drain the same ones ask again: the difference is what
// the target did with this run. Only our own targets answer; a foreign one gets one question, and
// is known by its silence, or its echo.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "generators/engine/host_drops.hpp"
#include "generators/engine/link.hpp"
#include "generators/engine/worker.hpp"
#include "reports/measure/record.hpp"

namespace volley {

// Whether the run has such an account: requests over UDP on standing flows.
[[nodiscard]] bool has_loss_places(const RunPlan& plan);

// The flows of a thread are open, and nothing was sent yet. Blocking, half a second at most.
void ask_before(Worker& worker, std::span<const Flow> flows);
// Nothing is in flight any more. Blocking, as long as the target takes to answer. What still comes
// in is counted as late.
void ask_after(Worker& worker, std::span<const Flow> flows);

// Puts the account into the record; after its counters are known.
void add_loss_places(RunRecord& record, const Address& peer, const HostDrops& drops,
                     const std::vector<std::unique_ptr<Worker>>& workers);

}  // namespace volley
