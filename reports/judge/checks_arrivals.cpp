// Did the requests leave the way a Poisson process does, as was asked? C2: the gaps between them
// are exponential, know nothing of one another, and come in no bunches. The schedule itself must;
// what really left bears the generator's clock and its batches, and is a doubt at most.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "reports/judge/arrivals.hpp"
#include "reports/judge/checklist.hpp"
#include "reports/measure/units.hpp"

namespace volley {
namespace {

using Gaps = std::vector<std::vector<double>>;

// How far from its mean a figure of a right run may lie: less than once in ten thousand runs it
// lies beyond.
constexpr double kStandardErrors = 4;

// Of all threads together.
Gaps all_gaps(const RunRecord& record,
              const std::array<std::int64_t, SendTimes::kRequests> SendTimes::*times) {
  const double mean_ns = 1e9 / record.intended_per_s.value_or(1);
  Gaps all;
  for (const std::vector<SendTimes>& thread : record.conduct.send_times)
    for (std::vector<double>& gaps : gaps_of(thread, times, mean_ns))
      all.push_back(std::move(gaps));
  return all;
}

void marginal(Checklist& list, const std::string& whose, const Gaps& gaps, bool decides) {
  const std::string name = whose + " gaps exponential";
  const std::size_t by_chance = most_by_chance(gaps.size());
  if (by_chance == gaps.size())
    return list.not_applicable("C2a", name, "The run was too short to tell.");
  const unsigned threads = std::max(1U, list.record.generator.threads);
  std::size_t failures = 0;
  for (std::vector<double> stretch : gaps) {
    for (double& gap : stretch) gap = erlang_cdf(gap, threads);
    if (anderson_darling(std::move(stretch)) > kA2At5Percent) ++failures;
  }
  const auto most = static_cast<double>(by_chance);
  const auto found = static_cast<double>(failures);
  list.add(
      "C2a", name, found, {most, decides ? std::optional(most) : std::nullopt}, "count",
      percentiles_of(list.run, "response"),
      fmt::format("Of {} stretches of 128 gaps {} do not look exponential at 5 %; chance allows "
                  "{:.0f}.",
                  gaps.size(), failures, most));
}

void independence(Checklist& list, const Gaps& gaps) {
  const auto correlation = neighbour_correlation(gaps);
  std::optional<double> size;
  if (correlation) size = std::abs(*correlation);
  const double pairs = static_cast<double>(gaps.size()) * (SendTimes::kRequests - 2);
  list.add("C2b", "gaps independent", size,
           {std::max(0.05, kStandardErrors / std::sqrt(pairs)), {}}, "ratio",
           percentiles_of(list.run, "response"),
           size ? fmt::format("Neighbouring gaps between sends have a rank correlation of {:.3f}.",
                              *correlation)
                : "All gaps between sends are alike.");
}

// The shortest time over which, and over all longer ones, counts vary as those of a Poisson
// process.
void bunches(Checklist& list, const Gaps& gaps) {
  constexpr const char* name = "no bunches";
  if (list.record.generator.threads > 1) {
    list.not_applicable("C2c", name, "Each thread has every so-many-th request only.");
    return;
  }
  const double mean_ns = 1e9 / list.record.intended_per_s.value_or(1);
  std::optional<double> conforms;
  for (const double each : {8.0, 4.0, 2.0, 1.0}) {
    const Dispersion d = dispersion(gaps, each);
    if (std::abs(d.index - 1) > 0.1 && std::abs(d.standard_errors()) > kStandardErrors) break;
    conforms = each * mean_ns;
  }
  const double limit = std::max(100e3, mean_ns);
  list.add("C2c", name, conforms.value_or(16 * mean_ns), {limit, {}}, "ns",
           percentiles_of(list.run, "response"),
           conforms
               ? fmt::format("Over {} and more, as many requests leave as of a Poisson process.",
                             format_duration(Nanos(static_cast<std::int64_t>(*conforms))))
               : "Requests leave in bunches, or more evenly than those of a Poisson process.");
}

}  // namespace

void check_arrivals(Checklist& list) {
  const Gaps sent = all_gaps(list.record, &SendTimes::sent);
  if (sent.empty() || !list.record.intended_per_s) {
    for (const char* id : {"C2a", "C2b", "C2c"})
      list.not_applicable(id, "Poisson arrivals",
                          "No Poisson schedule was asked for, or it was too short to tell.");
    return;
  }
  marginal(list, "due:", all_gaps(list.record, &SendTimes::due), true);
  marginal(list, "sent:", sent, false);
  independence(list, sent);
  bunches(list, sent);
}

}  // namespace volley
