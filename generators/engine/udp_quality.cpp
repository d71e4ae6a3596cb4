#include "generators/engine/udp_quality.hpp"

#include <string>

namespace volley {
namespace {

using Value = std::optional<double>;

Value value_of(const std::optional<Nanos>& value) {
  return value ? Value(static_cast<double>(value->count())) : std::nullopt;
}

void add_spread(RunRecord& record, const std::string& name, const std::string& unit,
                const std::optional<Histogram>& histogram) {
  const auto add = [&](const char* which, std::optional<Nanos> value) {
    record.protocol_figures.emplace_back(name + which + unit, value_of(value));
  };
  add("_p50", histogram ? histogram->at(kP50) : std::nullopt);
  add("_p99", histogram ? histogram->at(kP99) : std::nullopt);
  add("_max", histogram ? histogram->max() : std::nullopt);
}

void add_variation(RunRecord& record, const VariationFigures& variation) {
  auto& figures = record.protocol_figures;
  figures.emplace_back("jitter_ns", variation.jitter_ns());
  figures.emplace_back("ipdv_pairs", static_cast<double>(variation.pairs()));
  figures.emplace_back("ipdv_together", static_cast<double>(variation.together));
  const Histogram differences = variation.absolute();
  figures.emplace_back("ipdv_abs_p50_ns", value_of(differences.at(kP50)));
  figures.emplace_back("ipdv_abs_p99_ns", value_of(differences.at(kP99)));
  // Nothing in a report is below 0, so the two ends of a signed quantity have names.
  figures.emplace_back("ipdv_shorter_max_ns", value_of(variation.shorter.max()));
  figures.emplace_back("ipdv_longer_max_ns", value_of(variation.longer.max()));
  // Above the least round trip, so at least 0.
  const Histogram& trips = record.latencies.service;
  const auto above_least = [&](Percentile p) {
    const auto delay = trips.at(p);
    return delay ? Value(static_cast<double>((*delay - *trips.min()).count())) : std::nullopt;
  };
  figures.emplace_back("pdv_p50_ns", above_least(kP50));
  figures.emplace_back("pdv_p99_ns", above_least(kP99));
  figures.emplace_back("pdv_p99_9_ns", above_least(kP99_9));
}

}  // namespace

void take_jitters(Worker& worker, std::span<const Flow> flows) {
  if (!worker.result().variation) return;
  constexpr std::uint64_t kSettled = 64;  // before, it is still too small
  for (const Flow& flow : flows) {
    if (flow.variation.differences() < kSettled) continue;
    worker.result().variation->jitters_ns += *flow.variation.jitter_ns();
    ++worker.result().variation->flows;
  }
}

void add_udp_quality(RunRecord& record, const RunPlan& plan,
                     const std::vector<std::unique_ptr<Worker>>& workers) {
  if (plan.workload != Workload::rr || plan.exchange != ExchangeKind::frame) return;
  ReorderingFigures reordering;
  VariationFigures variation;
  std::uint64_t replicated = 0;
  for (const auto& worker : workers) {
    reordering.merge(worker->result().reordering);
    replicated += worker->result().replicated;
    if (worker->result().variation) variation.merge(*worker->result().variation);
  }
  const auto share = [](std::uint64_t n, std::uint64_t of) {
    return of > 0 ? Value(static_cast<double>(n) / static_cast<double>(of)) : std::nullopt;
  };
  const RequestCounters& counters = record.counters;
  const std::uint64_t came = counters.completed + counters.late;  // each may come again
  auto& figures = record.protocol_figures;
  figures.emplace_back("duplicated_ratio", share(counters.duplicates, came));
  figures.emplace_back("replicated_ratio", share(replicated, came));
  figures.emplace_back("reordered_ratio", share(reordering.reordered, counters.completed));
  figures.emplace_back("n_reordered_3_ratio", share(reordering.n_reordered(3), counters.completed));
  add_spread(record, "reordering_extent", "", reordering.extents);
  add_spread(record, "reordering_kept", "", reordering.kept);
  add_spread(record, "reordering_late", "_ns", reordering.late_times);
  figures.emplace_back("reordering_forgotten", static_cast<double>(reordering.forgotten));
  add_spread(record, "reordering_gap", "", reordering.gaps);
  // The spread of the runs: (q / a) / (a / x), 1 when all are equally long.
  const auto mean = share(reordering.in_runs, reordering.reordered);
  const auto weighted = share(reordering.runs_squared, reordering.in_runs);
  figures.emplace_back("reordering_free_run_mean", mean);
  figures.emplace_back("reordering_free_run_spread",
                       mean && weighted ? Value(*weighted / *mean) : std::nullopt);
  add_variation(record, variation);
}

}  // namespace volley
