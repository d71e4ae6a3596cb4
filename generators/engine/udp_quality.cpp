#include "generators/engine/udp_quality.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace volley {
namespace {

using Value = std::optional<double>;

Value value_of(const Figure& figure) {
  return figure ? Value(static_cast<double>(*figure)) : std::nullopt;
}

Value share(std::uint64_t n, std::uint64_t of) {
  return of > 0 ? Value(static_cast<double>(n) / static_cast<double>(of)) : std::nullopt;
}

// Of the answers of all workers.
ArrivalQuality quality_of_answers(const RunRecord& record,
                                  const std::vector<std::unique_ptr<Worker>>& workers) {
  ReorderingFigures reordering;
  VariationFigures variation;
  std::uint64_t replicated = 0;
  for (const auto& worker : workers) {
    reordering.merge(worker->result().reordering);
    replicated += worker->result().replicated;
    if (worker->result().variation) variation.merge(*worker->result().variation);
  }
  ArrivalQuality quality = arrival_quality(reordering, variation);
  quality.arrived = record.counters.completed;
  quality.duplicates = record.counters.duplicates;
  quality.replicated = replicated;
  // Above the least round trip, so at least 0.
  const Histogram& trips = record.latencies.service;
  const auto above_least = [&](Percentile p) {
    const auto delay = trips.at(p);
    return figure_of(delay ? std::optional(*delay - *trips.min()) : std::nullopt);
  };
  quality.pdv_p50_ns = above_least(kP50);
  quality.pdv_p99_ns = above_least(kP99);
  quality.pdv_p99_9_ns = above_least(kP99_9);
  return quality;
}

// Of the messages that our sink has counted; none: it does not know of all of them how they came.
std::optional<ArrivalQuality> quality_at_sink(const RunRecord& record,
                                              const std::vector<std::unique_ptr<Worker>>& workers) {
  // Each place tells of all flows that reach it, whoever asks; who asks last hears of all of it.
  std::map<std::uint16_t, ArrivalQuality> by_place;
  for (const auto& worker : workers)
    for (const auto& [place, heard] : worker->result().stream_quality) {
      const auto [its, is_new] = by_place.try_emplace(place, heard);
      if (!is_new && heard.arrived > its->second.arrived) its->second = heard;
    }
  std::vector<ArrivalQuality> parts;
  parts.reserve(by_place.size());
  for (const auto& [place, heard] : by_place) parts.push_back(heard);
  const ArrivalQuality all = put_together(parts);
  // What came between the question for the counts and this one is lost, and in these figures.
  const RequestCounters& counters = record.counters;
  const bool whole = record.has_answers && all.arrived >= counters.completed &&
                     all.arrived <= counters.completed + counters.lost;
  return whole && all.arrived > 0 ? std::optional(all) : std::nullopt;
}

class Figures {
 public:
  Figures(RunRecord& record, const std::optional<ArrivalQuality>& quality)
      : to_(record.protocol_figures), quality_(quality) {}

  template <class Of>
  void add(std::string name, Of&& of) {
    to_.emplace_back(std::move(name), quality_ ? Value(of(*quality_)) : std::nullopt);
  }
  void add(const std::string& name, FigureSpread ArrivalQuality::*spread, const std::string& unit) {
    using Q = ArrivalQuality;
    add(name + "_p50" + unit, [&](const Q& q) { return value_of((q.*spread).p50); });
    add(name + "_p99" + unit, [&](const Q& q) { return value_of((q.*spread).p99); });
    add(name + "_max" + unit, [&](const Q& q) { return value_of((q.*spread).max); });
  }

 private:
  std::vector<std::pair<std::string, Value>>& to_;
  const std::optional<ArrivalQuality>& quality_;
};

// Under the keys that docs/report.md explains. `late`: arrivals beside quality.arrived that can
// have come more than once.
void add_figures(RunRecord& record, const std::optional<ArrivalQuality>& quality,
                 std::uint64_t late) {
  using Q = ArrivalQuality;
  Figures figures(record, quality);
  const auto count = [](std::uint64_t n) { return static_cast<double>(n); };
  figures.add("duplicated_ratio",
              [&](const Q& q) { return share(q.duplicates, q.arrived + late); });
  figures.add("replicated_ratio",
              [&](const Q& q) { return share(q.replicated, q.arrived + late); });
  figures.add("reordered_ratio", [](const Q& q) { return share(q.reordered, q.arrived); });
  figures.add("n_reordered_3_ratio", [](const Q& q) { return share(q.n_reordered_3, q.arrived); });
  figures.add("reordering_extent", &Q::extent, "");
  figures.add("reordering_kept", &Q::kept, "");
  figures.add("reordering_late", &Q::late_ns, "_ns");
  figures.add("reordering_forgotten", [&](const Q& q) { return count(q.forgotten); });
  figures.add("reordering_gap", &Q::gap, "");
  figures.add("reordering_free_run_mean", [](const Q& q) { return share(q.in_runs, q.reordered); });
  // (q / a) / (a / x), 1 when all runs are equally long.
  figures.add("reordering_free_run_spread", [](const Q& q) {
    const Value mean = share(q.in_runs, q.reordered);
    const Value weighted = share(q.runs_squared, q.in_runs);
    return mean && weighted ? Value(*weighted / *mean) : std::nullopt;
  });
  figures.add("jitter_ns", [](const Q& q) { return share(q.jitters_ns, q.jitter_flows); });
  figures.add("ipdv_pairs", [&](const Q& q) { return count(q.pairs); });
  figures.add("ipdv_together", [&](const Q& q) { return count(q.together); });
  figures.add("ipdv_abs_p50_ns", [](const Q& q) { return value_of(q.ipdv_abs_p50_ns); });
  figures.add("ipdv_abs_p99_ns", [](const Q& q) { return value_of(q.ipdv_abs_p99_ns); });
  // Nothing in a report is below 0, so the two ends of a signed quantity have names.
  figures.add("ipdv_shorter_max_ns", [](const Q& q) { return value_of(q.ipdv_shorter_max_ns); });
  figures.add("ipdv_longer_max_ns", [](const Q& q) { return value_of(q.ipdv_longer_max_ns); });
  figures.add("pdv_p50_ns", [](const Q& q) { return value_of(q.pdv_p50_ns); });
  figures.add("pdv_p99_ns", [](const Q& q) { return value_of(q.pdv_p99_ns); });
  figures.add("pdv_p99_9_ns", [](const Q& q) { return value_of(q.pdv_p99_9_ns); });
}

}  // namespace

void take_jitters(Worker& worker, std::span<const Flow> flows) {
  if (!worker.result().variation) return;
  for (const Flow& flow : flows) {
    if (flow.variation.differences() < VariationTracker::kSettled) continue;
    worker.result().variation->jitters_ns += *flow.variation.jitter_ns();
    ++worker.result().variation->flows;
  }
}

void add_udp_quality(RunRecord& record, const RunPlan& plan,
                     const std::vector<std::unique_ptr<Worker>>& workers) {
  if (plan.exchange != ExchangeKind::frame) return;
  if (plan.workload == Workload::rr)
    add_figures(record, quality_of_answers(record, workers), record.counters.late);
  else if (plan.workload == Workload::stream)
    add_figures(record, quality_at_sink(record, workers), 0);
}

}  // namespace volley
