// How the datagrams of one way arrived, in figures: out of order (RFC 4737), more than once (RFC
// 5560), unevenly late (RFC 3550, 3393, 5481). A generator has them of the answers it gets, a sink
// of the streams it is sent; docs/report.md says what each is.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "reports/measure/delay_above_least.hpp"
#include "reports/measure/reordering.hpp"
#include "reports/measure/variation.hpp"

namespace volley {

// None: there was nothing to tell of.
using Figure = std::optional<std::uint64_t>;
// Of a time that is not negative, in ns.
[[nodiscard]] Figure figure_of(const std::optional<Nanos>& time);

struct FigureSpread {
  Figure p50, p99, max;
  friend bool operator==(const FigureSpread&, const FigureSpread&) = default;
};

struct ArrivalQuality {
  std::uint64_t arrived = 0;     // first copies
  std::uint64_t duplicates = 0;  // copies beyond the first
  std::uint64_t replicated = 0;  // numbers that came more than once
  std::uint64_t reordered = 0;
  std::uint64_t n_reordered_3 = 0;
  std::uint64_t forgotten = 0;
  std::uint64_t in_runs = 0, runs_squared = 0;  // ReorderingFigures
  FigureSpread extent, kept, late_ns, gap;
  std::uint64_t jitters_ns = 0, jitter_flows = 0;  // VariationFigures
  std::uint64_t pairs = 0, together = 0;
  Figure ipdv_abs_p50_ns, ipdv_abs_p99_ns, ipdv_shorter_max_ns, ipdv_longer_max_ns;
  Figure pdv_p50_ns, pdv_p99_ns, pdv_p99_9_ns;
  friend bool operator==(const ArrivalQuality&, const ArrivalQuality&) = default;
};

// All but arrived, duplicates, replicated and the PDV.
[[nodiscard]] ArrivalQuality arrival_quality(const ReorderingFigures& reordering,
                                             const VariationFigures& variation);

// Several receivers' figures as one: counts are added up; of percentiles, which cannot be, the
// largest stands for all.
[[nodiscard]] ArrivalQuality put_together(std::span<const ArrivalQuality> parts);

}  // namespace volley
