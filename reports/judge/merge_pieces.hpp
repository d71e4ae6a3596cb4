// For merge*.cpp only: sums that say so when they do not fit, and what each file merges.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "reports/judge/summary.hpp"

namespace volley {

// One report's share of a run that is being merged.
struct RunPart {
  const RunReport* run = nullptr;
  std::size_t before = 0;  // parts of the union before those of this report
  bool merged = false;     // the report is a merge itself: its texts name its own parts
};
using RunParts = std::span<const RunPart>;

// All of these throw RunError{"unmergeable", "report"} when the sum does not fit. A sum with an
// unknown part is unknown.
void add(std::uint64_t& sum, std::uint64_t part);
void add(unsigned& sum, unsigned part);
void add(double& sum, double part);
// By kind, in the order of the kinds.
void add(std::vector<KindCount>& sum, const std::vector<KindCount>& part);
template <typename T>
void add(std::optional<T>& sum, const std::optional<T>& part) {
  if (sum && part)
    add(*sum, *part);
  else
    sum.reset();
}
// The sum of what `field` gives of each run; there is at least one.
template <typename Field>
auto sum_of(RunParts parts, Field field) {
  auto sum = field(*parts.front().run);
  for (const RunPart& part : parts.subspan(1)) add(sum, field(*part.run));
  return sum;
}
[[noreturn]] void refuse_sum();

// The text with the part that it is of: "part 2: …".
[[nodiscard]] std::string told_by(const RunPart& part, const std::string& text);

// Every distribution of the union; the union's requests are known already.
void merge_latencies(RunReport& sum, RunParts parts);
// The figures under udp or tcp; the union's requests and its generator are known already.
void merge_protocol_figures(RunReport& sum, RunParts parts);
// Checks by their id and name, each as bad as in the worst part; then the verdict that follows, and
// what it withholds. All other figures are known already.
void merge_judgement(RunReport& sum, RunParts parts);

// What may differ between two runs of one load: how much a generator sends and by which means, not
// what a request is. Empty: they go together; else the key and both values: "size (128) [64]".
[[nodiscard]] std::string other_requests(const RunReport& a, const RunReport& b);
[[nodiscard]] TextPairs merge_config(RunParts parts);
[[nodiscard]] std::vector<Condition> merge_conditions(RunParts parts);
// The distinct texts in their order: "a | b". Those of a merged report are taken apart first.
[[nodiscard]] std::string listed(RunParts parts, std::span<const std::string> texts);

// A run of the union, all of it.
[[nodiscard]] RunReport merge_run(RunParts parts);

}  // namespace volley
