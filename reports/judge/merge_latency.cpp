// Distributions of the union: counters added, figures taken from the sum.
#include <array>

#include "reports/judge/merge_pieces.hpp"

namespace volley {
namespace {

using Member = LatencyFigures RunReport::*;

// Whether some of the samples out of range may lie above it: then nobody knows how many, and they
// are larger than all others. A largest sample is only told where none does; that of `response` is
// told beside it, of what was delivered.
bool may_have_above(const RunReport& run, Member which) {
  const LatencyFigures& f = which == &RunReport::response ? run.response_delivered : run.*which;
  return f.out_of_range > 0 && !f.max;
}

// Nothing is claimed of a part without claims (a report of before there were any).
Claims claims_of_union(RunParts parts, Member which, bool with_lost) {
  Claims claims;
  for (const PercentileKey& key : kPercentiles) {
    std::vector<PartClaim> made;
    made.reserve(parts.size());
    for (const RunPart& part : parts) {
      const LatencyFigures& f = part.run->*which;
      std::uint64_t samples = f.count;
      if (with_lost) add(samples, part.run->requests.lost.value_or(0));
      made.push_back({f.claims ? (*f.claims).*key.claim : Claim{}, samples});
    }
    claims.*key.claim = claim_at_once(key.percentile, made);
  }
  return claims;
}

LatencyFigures merge_one(RunParts parts, Member which, std::uint64_t lost) {
  Histogram all;
  std::uint64_t count = 0;
  std::uint64_t out_of_range = 0;
  bool any = false;
  bool any_claims = false;
  bool unbounded = false;
  for (const RunPart& part : parts) {
    const LatencyFigures& f = part.run->*which;
    any_claims = any_claims || f.claims;
    if (!f.histogram) continue;
    any = true;
    add(count, f.count);  // before the histogram's own sum, which would wrap around
    add(out_of_range, f.out_of_range);
    unbounded = unbounded || may_have_above(*part.run, which);
    all.merge(*f.histogram);
  }
  if (!any) return {};
  LatencyFigures figures = figures_of(all, lost);
  figures.out_of_range = out_of_range;
  if (!any_claims) return figures;
  Claims claims = claims_of_union(parts, which, lost > 0);
  if (unbounded) {
    figures.max.reset();
    figures.mean.reset();
    figures.stddev.reset();
    for (const PercentileKey& key : kPercentiles) (claims.*key.claim).holds = false;
  }
  return withhold(std::move(figures), claims);
}

}  // namespace

void merge_latencies(RunReport& sum, RunParts parts) {
  const std::uint64_t lost = sum.requests.lost.value_or(0);
  sum.response = merge_one(parts, &RunReport::response, lost);
  sum.response_delivered = merge_one(parts, &RunReport::response_delivered, 0);
  sum.service = merge_one(parts, &RunReport::service, 0);
  sum.send_lag = merge_one(parts, &RunReport::send_lag, 0);
  // Where a request is a handshake, a lost request is a handshake that took for ever.
  sum.connect = merge_one(parts, &RunReport::connect, sum.workload == "connect" ? lost : 0);
}

}  // namespace volley
