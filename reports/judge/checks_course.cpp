// Did the run stay the same while it went on, and are its samples of one kind? C3: no trend. C5:
// samples that hang together were judged so. C12: no thread apart from the others.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "reports/judge/checklist.hpp"
#include "reports/judge/trend.hpp"
#include "reports/measure/units.hpp"

namespace volley {
namespace {

void stationarity(Checklist& list) {
  constexpr const char* name = "steady state";
  constexpr std::size_t fewest = 20;
  std::vector<double> medians;
  for (const Slice& slice : list.record.slices.all()) {
    const bool connects = list.record.workload == "connect";
    if (const auto median = (connects ? slice.connect : slice.response).at(kP50))
      medians.push_back(static_cast<double>(median->count()));
  }
  if (medians.size() < fewest) {
    list.not_applicable("C3", name, "Too few slices of time have samples to show a trend.");
    return;
  }
  const double usual = std::max(1.0, median_of(medians).value_or(1));
  const double slope = theil_sen_slope(medians).value_or(0);
  const double drift = std::abs(slope) * static_cast<double>(medians.size()) / usual;
  // A trend that chance makes as large in one run of a hundred is none.
  const bool by_chance = mann_kendall_p(medians) >= 0.01;
  std::vector<std::string> affects = percentiles_of(list.run, kP50);
  affects.emplace_back("achieved_per_s");
  // Never more than a doubt: who drifted, the target or the machine, nobody can tell, and the
  // figures are true of the run as it was.
  list.add("C3", name, by_chance ? 0 : drift, {0.05, {}}, "ratio", std::move(affects),
           by_chance ? "The usual time shows no trend beyond chance."
                     : fmt::format("The usual time {} by {} from the beginning to the end: the "
                                   "percentiles are of no steady state.",
                                   slope > 0 ? "grew" : "fell", format_ratio(drift)));
}

void dependence(Checklist& list) {
  constexpr const char* name = "dependent samples";
  const Published* published = main_distribution(list.run);
  if (published == nullptr) {
    list.not_applicable("C5", name, "There are no samples.");
    return;
  }
  const LatencyFigures& figures = list.run.*published->figures;
  double largest = 1;
  const auto all = static_cast<double>(figures.count + list.run.requests.lost.value_or(0));
  for (const PercentileKey& key : kPercentiles) {
    const Claim& claim = (*figures.claims).*key.claim;
    if (claim.holds && claim.effective_samples > 0)
      largest = std::max(largest, all / claim.effective_samples);
  }
  list.add("C5", name, CheckStatus::pass, {},
           fmt::format("Samples hang together: where most, {:.1f} of them are worth one. Intervals "
                       "and what is printed go by that.",
                       largest));
}

// Of the slowest hundredth of all samples, how many are of the thread that has most of them,
// against its share of all samples.
void heterogeneity(Checklist& list) {
  constexpr const char* name = "threads alike";
  const auto& threads = list.record.conduct.response_of_thread;
  const auto limit = list.record.latencies.response.at(kP99);
  if (threads.size() < 2 || !limit) {
    list.not_applicable("C12", name, "There is one thread, or no response time.");
    return;
  }
  const std::size_t index = Histogram::index_of(limit->count());
  double slow = 0;
  double all = 0;
  for (const SparseHistogram& thread : threads) {
    slow += static_cast<double>(thread.count_from(index));
    all += static_cast<double>(thread.count());
  }
  double worst = 1;
  for (const SparseHistogram& thread : threads) {
    const double slow_share = static_cast<double>(thread.count_from(index)) / std::max(1.0, slow);
    const double share = static_cast<double>(thread.count()) / std::max(1.0, all);
    if (slow_share > 0.1 && share > 0) worst = std::max(worst, slow_share / share);
  }
  list.add("C12", name, worst, {2, 5}, "", percentiles_of(list.run, kP99),
           fmt::format("One thread has {:.1f} times its share of the slowest hundredth.", worst));
}

}  // namespace

void check_course(Checklist& list) {
  stationarity(list);
  dependence(list);
  heterogeneity(list);
}

}  // namespace volley
