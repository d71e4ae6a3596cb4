// Which handshakes waited for another SYN, on histograms made for it.
#include "reports/measure/syn_retries.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace volley {
namespace {

using namespace std::chrono_literals;
using Times = std::array<Nanos, kSynRetries>;
using Counts = std::array<std::uint64_t, kSynRetries>;

TEST(SynRetries, waits_double_after_the_linear_ones) {
  EXPECT_EQ(syn_retry_times(0), (Times{1s, 3s, 7s}));
  EXPECT_EQ(syn_retry_times(1), (Times{1s, 2s, 4s}));
  EXPECT_EQ(syn_retry_times(4), (Times{1s, 2s, 3s}));
  EXPECT_EQ(syn_retry_times(~std::uint64_t{0}), (Times{1s, 2s, 3s}));
}

TEST(SynRetries, clusters_are_counted_and_what_lies_between_them_is_not) {
  Histogram connect;
  connect.record(Nanos(30us).count(), 100);
  connect.record(Nanos(900ms));
  connect.record(Nanos(1s).count(), 3);
  connect.record(Nanos(1032ms).count(), 4);
  connect.record(Nanos(1400ms));
  connect.record(Nanos(2010ms));
  connect.record(Nanos(3004ms).count(), 5);
  connect.record(Nanos(3100ms).count(), 6);
  connect.record(Nanos(7300ms).count(), 7);
  connect.record(Nanos(15s));
  EXPECT_EQ(count_syn_retries(connect, 0), (Counts{7, 11, 7}));
  EXPECT_EQ(count_syn_retries(connect, 4), (Counts{7, 1, 11}));
}

TEST(SynRetries, clusters_do_not_touch) {
  for (const std::uint64_t linear : {0U, 1U, 2U, 4U}) {
    const Times times = syn_retry_times(linear);
    for (std::size_t i = 0; i + 1 < times.size(); ++i)
      EXPECT_LT(times[i] + syn_retry_slack(times[i]) + 400ms, times[i + 1]) << linear;
  }
}

TEST(SynRetries, a_histogram_without_slow_handshakes_has_none) {
  Histogram connect;
  EXPECT_EQ(count_syn_retries(connect, 4), Counts{});
  connect.record(Nanos(500ms).count(), 1000);
  EXPECT_EQ(count_syn_retries(connect, 4), Counts{});
}

}  // namespace
}  // namespace volley
