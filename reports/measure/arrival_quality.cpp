#include "reports/measure/arrival_quality.hpp"

#include <algorithm>
#include <cmath>

namespace volley {
namespace {

FigureSpread spread_of(const std::optional<Histogram>& histogram) {
  if (!histogram) return {};
  return {figure_of(histogram->at(kP50)), figure_of(histogram->at(kP99)),
          figure_of(histogram->max())};
}

// None is less than any.
void raise(Figure& to, const Figure& other) { to = std::max(to, other); }
void raise(FigureSpread& to, const FigureSpread& other) {
  raise(to.p50, other.p50);
  raise(to.p99, other.p99);
  raise(to.max, other.max);
}

}  // namespace

Figure figure_of(const std::optional<Nanos>& time) {
  return time ? Figure(static_cast<std::uint64_t>(time->count())) : std::nullopt;
}

ArrivalQuality arrival_quality(const ReorderingFigures& reordering,
                               const VariationFigures& variation) {
  const Histogram differences = variation.absolute();
  ArrivalQuality q;
  q.reordered = reordering.reordered;
  q.n_reordered_3 = reordering.n_reordered(3);
  q.forgotten = reordering.forgotten;
  q.in_runs = reordering.in_runs;
  q.runs_squared = reordering.runs_squared;
  q.extent = spread_of(reordering.extents);
  q.kept = spread_of(reordering.kept);
  q.late_ns = spread_of(reordering.late_times);
  q.gap = spread_of(reordering.gaps);
  q.jitters_ns = static_cast<std::uint64_t>(std::llround(variation.jitters_ns));
  q.jitter_flows = variation.flows;
  q.pairs = variation.pairs();
  q.together = variation.together;
  q.ipdv_abs_p50_ns = figure_of(differences.at(kP50));
  q.ipdv_abs_p99_ns = figure_of(differences.at(kP99));
  q.ipdv_shorter_max_ns = figure_of(variation.shorter().max());
  q.ipdv_longer_max_ns = figure_of(variation.longer().max());
  return q;
}

ArrivalQuality put_together(std::span<const ArrivalQuality> parts) {
  ArrivalQuality all;
  for (const ArrivalQuality& part : parts) {
    for (const auto count :
         {&ArrivalQuality::arrived, &ArrivalQuality::duplicates, &ArrivalQuality::replicated,
          &ArrivalQuality::reordered, &ArrivalQuality::n_reordered_3, &ArrivalQuality::forgotten,
          &ArrivalQuality::in_runs, &ArrivalQuality::runs_squared, &ArrivalQuality::jitters_ns,
          &ArrivalQuality::jitter_flows, &ArrivalQuality::pairs, &ArrivalQuality::together})
      all.*count += part.*count;
    for (const auto spread : {&ArrivalQuality::extent, &ArrivalQuality::kept,
                              &ArrivalQuality::late_ns, &ArrivalQuality::gap})
      raise(all.*spread, part.*spread);
    for (const auto figure :
         {&ArrivalQuality::ipdv_abs_p50_ns, &ArrivalQuality::ipdv_abs_p99_ns,
          &ArrivalQuality::ipdv_shorter_max_ns, &ArrivalQuality::ipdv_longer_max_ns,
          &ArrivalQuality::pdv_p50_ns, &ArrivalQuality::pdv_p99_ns, &ArrivalQuality::pdv_p99_9_ns})
      raise(all.*figure, part.*figure);
  }
  return all;
}

}  // namespace volley
