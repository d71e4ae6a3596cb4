// One run, from a plan to a record: starts the workers together, lets them work, merges what they
// hand over. The calling thread keeps the time, the signals and the progress; it never sends.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "generators/plan/plan.hpp"
#include "reports/measure/record.hpp"

namespace volley {

// What one interval looked like, for the line a person watches. Merged over all workers.
struct Progress {
  std::string phase;          // "warm-up", "measure" or "drain"
  Nanos elapsed{0};           // since the start of the run
  std::optional<Nanos> left;  // until the end of the measure phase; unknown with --requests
  std::optional<double> intended_per_s;
  double offered_per_s = 0;   // sent in the interval
  double achieved_per_s = 0;  // completed in the interval
  std::optional<Nanos> response_p50, response_p99;
  std::uint64_t lost = 0;  // in the interval
  std::uint64_t errors = 0;
};

struct RunHooks {
  // The load begins: of the record that is what is known before (name … config).
  std::function<void(const RunRecord&)> on_start;
  // An interval of the measure phase, or of the drain behind it, is complete: the last of the
  // record, which has counters, latencies and intervals so far. Called on the calling thread.
  std::function<void(const RunRecord&)> on_measured;
  std::function<void(const Progress&)> on_interval;    // called on the calling thread
  std::function<void(const std::string&)> on_warning;  // a sentence for stderr
  std::function<void()> on_abandon;  // a second signal: the process ends behind this call
};

// Hooks that call those of all, in this order.
[[nodiscard]] RunHooks joined(std::vector<RunHooks> hooks);

// Carries out the plan. Never throws for what the network does: the record says what happened
// (status, failure). Throws RunError before anything was sent: unresolvable, refused, no_route,
// too_many_files … (phases resolve and setup).
//
// SIGINT and SIGTERM end the run at once and leave status "interrupted" and the signal's number in
// the record; a second one ends the process.
[[nodiscard]] RunRecord run(const RunPlan& plan, const RunHooks& hooks);

}  // namespace volley
