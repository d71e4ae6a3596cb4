#include "reports/measure/syn_retries.hpp"

#include <numeric>

namespace volley {

std::array<Nanos, kSynRetries> syn_retry_times(std::uint64_t linear) {
  std::array<Nanos, kSynRetries> times{};
  Nanos wait = std::chrono::seconds(1);
  Nanos at{0};
  for (std::size_t retry = 0; retry < times.size(); ++retry) {
    at += wait;
    times[retry] = at;
    if (retry >= linear) wait *= 2;
  }
  return times;
}

std::array<std::uint64_t, kSynRetries> count_syn_retries(const Histogram& connect,
                                                         std::uint64_t linear) {
  std::array<std::uint64_t, kSynRetries> counts{};
  const auto times = syn_retry_times(linear);
  for (std::size_t retry = 0; retry < counts.size(); ++retry) {
    const std::size_t from = Histogram::index_of(times[retry].count());
    const std::size_t to =
        Histogram::index_of((times[retry] + syn_retry_slack(times[retry])).count());
    const auto cluster = connect.counters().subspan(from, to - from);
    counts[retry] = std::accumulate(cluster.begin(), cluster.end(), std::uint64_t{0});
  }
  return counts;
}

}  // namespace volley
