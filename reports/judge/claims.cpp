#include "reports/judge/claims.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace volley {
namespace {

// Of one slice, or of all.
struct Tail {
  double beyond = 0;
  double samples = 0;
};

constexpr double kNormal97_5 = 1.959963984540054;

double share(Percentile p) { return static_cast<double>(p.ppm) / 1e6; }
// Not 1 - share(p), which is not quite a ten-thousandth for p99.99.
double tail_share(Percentile p) { return static_cast<double>(1'000'000 - p.ppm) / 1e6; }

// Samples above the counter with this index, or in it too.
std::vector<Tail> tails(std::span<const SliceSamples> slices, std::size_t index, bool with_it) {
  std::vector<Tail> found;
  for (const SliceSamples& slice : slices) {
    const std::uint64_t samples = slice.recorded.count() + slice.lost;
    if (samples == 0) continue;
    const std::uint64_t beyond = slice.lost + (with_it ? slice.recorded.count_from(index)
                                                       : slice.recorded.count_above(index));
    found.push_back({static_cast<double>(beyond), static_cast<double>(samples)});
  }
  return found;
}

Tail sum_of(std::span<const Tail> tails) {
  Tail sum;
  for (const Tail& tail : tails) {
    sum.beyond += tail.beyond;
    sum.samples += tail.samples;
  }
  return sum;
}

// A value's samples share its counter, so those above it can be fewer than the percentile says and
// those from it on more: what lies nearer.
std::vector<Tail> tails_beyond(Percentile p, const Histogram& all, std::uint64_t lost,
                               std::span<const SliceSamples> slices) {
  const auto value = all.at(p, lost);
  // Among those without an end: they are what is beyond.
  if (!value) return tails(slices, Histogram::kCounters - 1, false);
  const std::size_t index = Histogram::index_of(value->count());
  std::vector<Tail> above = tails(slices, index, false);
  std::vector<Tail> from = tails(slices, index, true);
  const Tail less = sum_of(above);
  const Tail more = sum_of(from);
  const double wanted = less.samples * tail_share(p);
  return less.beyond > 0 && wanted - less.beyond <= more.beyond - wanted ? above : from;
}

// deff; 1 where it cannot be told from 1, and where all or none of the samples are beyond.
double design_effect(std::span<const Tail> tails, const Tail& sum) {
  const double q = sum.beyond / sum.samples;
  const double independent = q * (1 - q) * sum.samples;
  const auto slices = static_cast<double>(tails.size());
  if (independent <= 0 || slices < 2) return 1;
  double squares = 0;
  double neighbours = 0;
  double before = 0;
  for (const Tail& tail : tails) {
    const double r = tail.beyond - q * tail.samples;
    squares += r * r;
    neighbours += before * r;
    before = r;
  }
  const double variance = slices / (slices - 1) * (squares + 2 * std::max(0.0, neighbours));
  const double deff = variance / independent;
  // What independent samples show by chance.
  return deff < 1 + 2 / std::sqrt(slices) ? 1 : deff;
}

std::uint64_t tail_events(std::span<const Tail> tails) {
  constexpr std::size_t parts = 32;
  const std::size_t one_event = (tails.size() + parts - 1) / parts;
  std::uint64_t events = 0;
  std::size_t in_a_row = 0;
  for (const Tail& tail : tails) {
    in_a_row = tail.beyond > 0 ? in_a_row + 1 : 0;
    if (in_a_row > 0 && (in_a_row - 1) % one_event == 0) ++events;
  }
  return events;
}

// The 97.5 % point of Student's distribution, to 1e-3 from 9 degrees of freedom on (Abramowitz and
// Stegun 26.7.5).
double student_97_5(double freedom) {
  constexpr double z = kNormal97_5;
  constexpr double z3 = z * z * z;
  constexpr double z5 = z3 * z * z;
  constexpr double z7 = z5 * z * z;
  return z + (z3 + z) / (4 * freedom) + (5 * z5 + 16 * z3 + 3 * z) / (96 * freedom * freedom) +
         (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * freedom * freedom * freedom);
}

// Upwards, to two digits: more of them would be made up.
std::uint64_t two_digits(double n) {
  if (n < 1) return 1;
  const double unit = std::pow(10.0, std::max(0.0, std::floor(std::log10(n)) - 1));
  return static_cast<std::uint64_t>(std::min(std::ceil(n / unit * (1 - 1e-9)) * unit, 1e18));
}

// The values `t` standard errors of their share to both sides of the percentile.
void add_interval(Claim& claim, Percentile p, const Histogram& all, double samples, double t) {
  const double spread = t * std::sqrt(share(p) * tail_share(p) / claim.effective_samples);
  const auto rank = [&](double at) {
    return static_cast<std::uint64_t>(std::clamp(std::ceil(at * samples), 1.0, samples));
  };
  if (const auto low = all.counter_of_rank(rank(share(p) - spread)))
    claim.low = std::max(Histogram::lowest_of(*low), all.min()->count());
  if (const auto high = all.counter_of_rank(rank(share(p) + spread)))
    claim.high = std::min(Histogram::highest_of(*high), all.max()->count());
}

}  // namespace

Claim claim_of(Percentile p, const Histogram& all, std::uint64_t lost,
               std::span<const SliceSamples> slices) {
  Claim claim;
  const std::vector<Tail> tails = tails_beyond(p, all, lost, slices);
  if (tails.empty()) return claim;
  const Tail sum = sum_of(tails);
  const double deff = design_effect(tails, sum);
  claim.effective_samples = sum.samples / deff;
  claim.tail_events = tail_events(tails);
  const double missing =
      std::max({kFewestTailSamples / (claim.effective_samples * tail_share(p)),
                static_cast<double>(kFewestTailEvents) /
                    static_cast<double>(std::max<std::uint64_t>(1, claim.tail_events)),
                static_cast<double>(kFewestSlices) / static_cast<double>(tails.size())});
  claim.holds = missing <= 1;
  if (!claim.holds) {
    claim.samples_needed = two_digits(sum.samples * missing);
    return claim;
  }
  const auto clusters = std::min<std::uint64_t>(tails.size(), claim.tail_events);
  add_interval(claim, p, all, sum.samples,
               deff > 1 ? student_97_5(static_cast<double>(clusters - 1)) : kNormal97_5);
  return claim;
}

Claims claims_of(const Histogram& all, std::uint64_t lost, std::span<const SliceSamples> slices) {
  return {claim_of(kP50, all, lost, slices), claim_of(kP90, all, lost, slices),
          claim_of(kP99, all, lost, slices), claim_of(kP99_9, all, lost, slices),
          claim_of(kP99_99, all, lost, slices)};
}

bool hold_together(Percentile p, std::span<const Claim> claims) {
  double samples = 0;
  std::uint64_t events = 0;
  for (const Claim& claim : claims) {
    samples += claim.effective_samples;
    events += claim.tail_events;
  }
  return samples * tail_share(p) >= kFewestTailSamples && events >= kFewestTailEvents;
}

Claim claim_at_once(Percentile p, std::span<const PartClaim> parts) {
  Claim apart;
  Claim best;
  double samples = 0;
  for (const PartClaim& part : parts) {
    const Claim& claim = part.claim;
    const auto taken = static_cast<double>(part.samples);
    samples += taken;
    if (claim.effective_samples >= taken * (1 - 1e-9)) {
      apart.effective_samples += taken;
      apart.tail_events += std::min(claim.tail_events, part.samples);
    } else {
      best.effective_samples = std::max(best.effective_samples, claim.effective_samples);
      best.tail_events = std::max(best.tail_events, std::min(claim.tail_events, part.samples));
    }
  }
  Claim all;
  all.effective_samples = apart.effective_samples + best.effective_samples;
  all.tail_events = apart.tail_events + best.tail_events;
  const double beyond = all.effective_samples * tail_share(p);
  all.holds = beyond >= kFewestTailSamples && all.tail_events >= kFewestTailEvents;
  if (all.holds || beyond <= 0) return all;
  const double missing =
      std::max(kFewestTailSamples / beyond,
               static_cast<double>(kFewestTailEvents) /
                   static_cast<double>(std::max<std::uint64_t>(1, all.tail_events)));
  all.samples_needed = two_digits(samples * std::max(1.0, missing));
  return all;
}

}  // namespace volley
