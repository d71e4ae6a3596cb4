// How well the network treated a run's datagrams, beside losing them: what the report says of
// reordering (RFC 4737), duplication (RFC 5560) and delay variation (RFC 3550, 3393, 5481) among
// its figures of UDP.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "generators/engine/link.hpp"
#include "generators/engine/worker.hpp"
#include "reports/measure/record.hpp"

namespace volley {

// What the flows of a thread know of their jitter, added to worker.result(); when it has ended.
void take_jitters(Worker& worker, std::span<const Flow> flows);

// Adds them to record.protocol_figures, after its counters are known. Only where frames say what is
// what: of the answers of rr, and of a stream's messages as our sink saw them. docs/report.md says
// what each is.
void add_udp_quality(RunRecord& record, const RunPlan& plan,
                     const std::vector<std::unique_ptr<Worker>>& workers);

}  // namespace volley
