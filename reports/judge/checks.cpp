#include "reports/judge/checks.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "reports/judge/checklist.hpp"

namespace volley {

std::string number_name(std::string_view distribution, const PercentileKey& key) {
  return fmt::format("{}.{}", distribution, key.key);
}

std::vector<std::string> percentiles_of(const RunReport& run, Percentile least) {
  std::vector<std::string> names;
  for (const Published& published : kPublished) {
    if (!(run.*published.figures).claims) continue;  // no samples
    for (const PercentileKey& key : kPercentiles)
      if (key.percentile.ppm >= least.ppm) names.push_back(number_name(published.name, key));
  }
  return names;
}

std::vector<std::string> percentiles_of(const RunReport& run, std::string_view distribution) {
  std::vector<std::string> names = percentiles_of(run, kP50);
  const auto is_other = [&](const std::string& name) {
    return name.substr(0, name.find('.')) != distribution;
  };
  names.erase(std::remove_if(names.begin(), names.end(), is_other), names.end());
  return names;
}

std::optional<Nanos> least_at(const Latencies& latencies, Percentile p) {
  std::optional<Nanos> least;
  for (const Histogram* of : {&latencies.response, &latencies.service, &latencies.connect})
    if (const auto figure = of->at(p)) least = std::min(least.value_or(*figure), *figure);
  return least;
}

const Published* main_distribution(const RunReport& run) {
  for (const Published& published : kPublished)
    if ((run.*published.figures).claims && published.figures != &RunReport::service)
      return &published;
  return nullptr;
}

std::vector<std::string> published_numbers(const RunReport& run) {
  std::vector<std::string> numbers{"offered_per_s"};
  if (run.load.achieved_per_s) numbers.emplace_back("achieved_per_s");
  if (run.requests.lost) numbers.emplace_back("loss_ratio");
  for (std::string& name : percentiles_of(run, kP50)) numbers.push_back(std::move(name));
  return numbers;
}

std::vector<Check> check(const RunRecord& record, const RunReport& run) {
  Checklist list{record, run};
  check_sending(list);
  check_arrivals(list);
  check_course(list);
  check_counts(list);
  check_machine(list);
  check_tcp(list);
  // A stream into a sink that counts nothing, say, publishes no loss to decide on.
  const std::vector<std::string> numbers = published_numbers(run);
  const auto is_unknown = [&](const std::string& name) {
    return std::find(numbers.begin(), numbers.end(), name) == numbers.end();
  };
  for (Check& made : list.done)
    made.affects.erase(std::remove_if(made.affects.begin(), made.affects.end(), is_unknown),
                       made.affects.end());
  const auto number = [](const Check& c) {
    return std::pair(std::stoi(c.id.substr(1)), c.id.back());
  };
  std::stable_sort(list.done.begin(), list.done.end(),
                   [&](const Check& a, const Check& b) { return number(a) < number(b); });
  return std::move(list.done);
}

}  // namespace volley
