#include "generators/engine/udp_quality.hpp"

#include <array>
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
  const auto received = static_cast<double>(record.counters.completed);
  const auto share = [&](std::uint64_t n) {
    return received > 0 ? Value(static_cast<double>(n) / received) : std::nullopt;
  };
  auto& figures = record.protocol_figures;
  figures.emplace_back("duplicated_ratio", share(record.counters.duplicates));
  figures.emplace_back("replicated_ratio", share(replicated));
  figures.emplace_back("reordered_ratio", share(reordering.reordered));
  figures.emplace_back("n_reordered_3_ratio", share(reordering.n_reordered(3)));
  add_spread(record, "reordering_extent", "", reordering.extents);
  add_spread(record, "reordering_kept", "", reordering.kept);
  add_spread(record, "reordering_late", "_ns", reordering.late_times);
  figures.emplace_back("reordering_free_run_mean",
                       reordering.runs > 0 ? Value(static_cast<double>(reordering.in_runs) /
                                                   static_cast<double>(reordering.runs))
                                           : std::nullopt);
}

}  // namespace volley
