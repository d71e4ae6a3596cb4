// How the threads and the machine did in the measure phase, put together for the report's checks.
#include <algorithm>

#include "generators/engine/outcome.hpp"

namespace volley {
namespace {

// What is unknown of one thread is unknown of the worst.
class Worst {
 public:
  void note(std::optional<double> value) {
    if (!value) known_ = false;
    if (value) worst_ = std::max(worst_.value_or(0), *value);
  }
  [[nodiscard]] std::optional<double> get() const { return known_ ? worst_ : std::nullopt; }

 private:
  bool known_ = true;
  std::optional<double> worst_;
};

std::optional<double> share(Nanos part, Nanos whole) {
  if (whole <= Nanos(0)) return std::nullopt;
  return std::clamp(to_seconds(part) / to_seconds(whole), 0.0, 1.0);
}

// Of a thread, in a closed loop.
double most_in_flight(const RunPlan& plan, const Worker& worker) {
  if (plan.workload == Workload::hold) {
    const std::uint32_t each = plan.probes / std::max(1U, plan.threads) + 1;
    return static_cast<double>(each);
  }
  return static_cast<double>(worker.flow_count()) * plan.depth.value_or(1);
}

// Adds one thread's gaps to the worst shares of time (unknown of one: unknown of all) and to the
// requests that were in flight in them.
void add_gaps(const AwayGaps& gaps, Nanos phase, double in_flight,
              std::optional<ByGapLength<double>>& worst, ByGapLength<double>& requests) {
  const ByGapLength<Nanos> time = gaps.time();
  const ByGapLength<std::uint64_t> count = gaps.count();
  for (std::size_t i = 0; i < kGapLengths; ++i) {
    requests[i] += static_cast<double>(count[i]) * in_flight;
    const auto ratio = share(time[i], phase);
    if (!ratio) worst.reset();
    if (worst) (*worst)[i] = std::max((*worst)[i], *ratio);
  }
}

}  // namespace

void fill_conduct(RunRecord& record, const RunPlan& plan,
                  const std::vector<std::unique_ptr<Worker>>& workers, const RunTimes& times,
                  const Watched& watched) {
  Conduct& conduct = record.conduct;
  conduct.late_beyond = late_beyond(plan);
  conduct.clock_source = clock_source();
  conduct.clock_resolution_ns = clock_resolution_ns();
  if (watched.begin && watched.end) compare_surroundings(*watched.begin, *watched.end, conduct);
  Worst busy, waits;
  std::optional<ByGapLength<double>> gap_ratio = ByGapLength<double>{};
  ByGapLength<double> gap_requests{};
  std::optional<double> in_flight = 0;
  for (std::size_t i = 0; i < workers.size(); ++i) {
    const WorkerResult& result = workers[i]->result();
    // A worker whose flows all died before the measure phase was not there at all.
    const Nanos phase = result.watched_until - times.measure_begin;
    const auto idle = share(result.presence.idle(), phase);
    add_gaps(result.presence.gaps(), phase, most_in_flight(plan, *workers[i]), gap_ratio,
             gap_requests);
    busy.note(idle ? std::optional(1 - *idle) : std::nullopt);
    const auto before = watched.begin && i < watched.begin->run_queue_wait_ns.size()
                            ? watched.begin->run_queue_wait_ns[i]
                            : std::nullopt;
    const auto& after = result.run_queue_wait_ns;
    const bool known = before && after && *after >= *before;
    const Nanos lived = result.ended - times.measure_begin;
    waits.note(known ? share(Nanos(static_cast<std::int64_t>(*after - *before)), lived)
                     : std::nullopt);
    conduct.send_times.push_back(result.send_times);
    in_flight = in_flight && result.in_flight_ns ? std::optional(*in_flight + *result.in_flight_ns)
                                                 : std::nullopt;
  }
  conduct.gap_ratio = gap_ratio;
  if (conduct.gap_ratio && !plan.open_loop()) conduct.gap_requests = gap_requests;
  conduct.busy_ratio = busy.get();
  conduct.run_queue_wait_ratio = waits.get();
  conduct.in_flight_ns = in_flight;
}

}  // namespace volley
