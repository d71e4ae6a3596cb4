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

}  // namespace

void add_udp_quality(RunRecord& record, const RunPlan& plan,
                     const std::vector<std::unique_ptr<Worker>>& workers) {
  if (plan.workload != Workload::rr || plan.exchange != ExchangeKind::frame) return;
  ReorderingFigures reordering;
  std::uint64_t replicated = 0;
  for (const auto& worker : workers) {
    reordering.merge(worker->result().reordering);
    replicated += worker->result().replicated;
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
}

}  // namespace volley
