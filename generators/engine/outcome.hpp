// What a run came to: the parts of its record that are known only before and after the workers ran.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "generators/engine/memory.hpp"
#include "generators/engine/surroundings.hpp"
#include "generators/engine/worker.hpp"
#include "generators/plan/plan.hpp"
#include "reports/measure/ensure.hpp"
#include "reports/measure/record.hpp"

namespace volley {

// CPU time and context switches of this process so far.
struct ProcessUsage {
  double user_s = 0;
  double system_s = 0;
  std::uint64_t context_switches = 0;
  MonoTime at;
};
[[nodiscard]] ProcessUsage process_usage();

// The record before the run: names, configuration, intended load.
[[nodiscard]] RunRecord blank_record(const RunPlan& plan, const HostPort& where,
                                     const Address& peer);

// Why the run cannot begin: no flow could be set up, or descriptors ran out. None: it can.
[[nodiscard]] std::optional<RunError> set_up_error(
    const RunPlan& plan, const std::vector<std::unique_ptr<Worker>>& workers);
// What a person should know although the run goes on.
[[nodiscard]] std::vector<std::string> set_up_warnings(
    const std::vector<std::unique_ptr<Worker>>& workers);

// Everything that is known after the workers have ended and their intervals were collected.
void fill_record(RunRecord& record, const RunPlan& plan,
                 const std::vector<std::unique_ptr<Worker>>& workers, const RunTimes& times,
                 int signal, const ProcessUsage& before);
// The machine at both ends of the measure phase; none: the run did not get there.
struct Watched {
  std::optional<SurroundingsSample> begin, end;
};
// How generator and machine did meanwhile.
void fill_conduct(RunRecord& record, const RunPlan& plan,
                  const std::vector<std::unique_ptr<Worker>>& workers, const RunTimes& times,
                  const Watched& watched);
// hold: what was opened and kept. `memory`: before the opening, after it, at the end; as far as the
// run got.
void fill_hold(RunRecord& record, const std::vector<std::unique_ptr<Worker>>& workers,
               const std::vector<MemorySample>& memory);

}  // namespace volley
