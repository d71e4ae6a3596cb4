// May a percentile be printed, and how far off may it be? Samples of one run hang together: an
// answer that waits behind a stall waits with its neighbours. So not their number counts but how
// many independent ones they are worth, which is read from how unevenly those beyond the percentile
// fall on the slices of the run's time.
//
// With e_i of the n_i samples of slice i beyond the percentile's value, q = sum(e) / n and
// r_i = e_i - q n_i, the variance of the share q is that of a ratio over clusters (Cochran,
// Sampling Techniques, 3rd ed., section 3.12) with what neighbouring slices share added (Newey and
// West, Econometrica 55, 1987, with one lag, never less than without):
//
//   var = m / (m - 1) * (sum r_i^2 + 2 max(0, sum r_i r_{i+1})) / n^2
//   deff = var / (q (1 - q) / n)                Kish's design effect
//   n_eff = n / deff
//
// A deff below 1 + 2 / sqrt(m) cannot be told from 1 by m slices, and counts as 1. The interval
// inverts a test about the share (Woodruff, JASA 47, 1952): the samples at
// p -+ t sqrt(p (1 - p) / n_eff), where t is the normal distribution's 1.96 when deff is 1 and
// otherwise Student's with one degree of freedom less than there are slices, or events beyond the
// percentile if they are fewer: a variance cannot be known better than from those.
// tests/judge/coverage_test.cpp counts how often such intervals cover the truth.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "reports/measure/histogram.hpp"
#include "reports/measure/slices.hpp"

namespace volley {

// What stands behind one percentile.
struct Claim {
  // Whether that is enough to print it: kFewestTailSamples effective samples and kFewestTailEvents
  // events beyond it, in kFewestSlices slices. Otherwise it is withheld.
  bool holds = false;
  double effective_samples = 0;
  // Maximal runs of slices with a sample beyond the percentile; one that takes more than a 32nd of
  // all slices counts as one for each 32nd. A single stall is one event, however many samples it
  // hit.
  std::uint64_t tail_events = 0;
  // Where it does not hold: about how many samples of such a run would do.
  std::optional<std::uint64_t> samples_needed;
  // Where it holds: the 95 % interval, ns. No high end: it lies among the lost or above 1 h.
  std::optional<std::int64_t> low, high;
};

inline constexpr double kFewestTailSamples = 10;
inline constexpr std::uint64_t kFewestTailEvents = 10;
inline constexpr std::size_t kFewestSlices = 20;

// For the percentiles that a report has.
struct Claims {
  Claim p50, p90, p99, p99_9, p99_99;
};

// One slice's samples of a distribution; `lost` of them have no end.
struct SliceSamples {
  const SparseHistogram& recorded;
  std::uint64_t lost = 0;
};

// What stands behind percentile p of `all`, with `lost` infinite samples counted in. The slices
// hold these samples; without any slice nothing is known about them, and nothing holds.
[[nodiscard]] Claim claim_of(Percentile p, const Histogram& all, std::uint64_t lost,
                             std::span<const SliceSamples> slices);

[[nodiscard]] Claims claims_of(const Histogram& all, std::uint64_t lost,
                               std::span<const SliceSamples> slices);

// Whether several runs together have enough beyond the percentile p.
[[nodiscard]] bool hold_together(Percentile p, std::span<const Claim> claims);

// One generator's claim about a percentile, and the samples it is made of, lost ones included.
struct PartClaim {
  Claim claim;
  std::uint64_t samples = 0;
};
// What stands behind percentile p of the samples that several generators took at the same time from
// one target. Effective samples and events add up over the generators whose samples do not hang
// together (deff is 1). Of those whose samples do only the best counts: a stall of the target meets
// all of them, and stays one event. Without an interval: it takes the slices of all.
[[nodiscard]] Claim claim_at_once(Percentile p, std::span<const PartClaim> parts);

}  // namespace volley
