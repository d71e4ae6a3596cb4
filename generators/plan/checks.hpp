// What does not go together: every refusal of a plan, with its reason and the way out. Pure.
#pragma once

#include "generators/plan/options.hpp"
#include "generators/plan/plan.hpp"

namespace volley {

// Each checks one side of the options and throws UsageError at the first thing that cannot be done.

// Workload, direction and protocol.
void check_workload(const RunOptions& options);
// The user's own request and how its answer ends.
void check_script(const RunOptions& options);
// Sizes of requests and answers. `sizes` are the effective ones.
void check_sizes(const RunOptions& options, const std::vector<SizeShare>& sizes);
// Rate and arrival.
void check_arrival(const RunOptions& options);
// Threads, flows, depth, probes and waiting.
void check_concurrency(const RunOptions& options, const PlanLimits& limits, ExchangeKind exchange);
// Times and counts.
// --stamps; `sizes`: as they will be.
void check_stamps(const RunOptions& options, const std::vector<SizeShare>& sizes);
void check_extent(const RunOptions& options);
// Socket options that one protocol lacks.
void check_socket(const RunOptions& options);

}  // namespace volley
