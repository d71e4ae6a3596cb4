// What is made of the kernel's figures of TCP: the worked examples of RFC 6349, differences of
// counts, and samples of which some are missing.
#include "reports/measure/tcp_quality.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <chrono>

namespace volley {
namespace {

using namespace std::chrono_literals;

TEST(TcpQuality, efficiency_is_that_of_the_rfc) {
  EXPECT_NEAR(*tcp_efficiency(102'000, 2'000), 0.98039215, 1e-8);
  EXPECT_EQ(tcp_efficiency(1, 0), 1.0);
  EXPECT_EQ(tcp_efficiency(0, 0), std::nullopt);
}

TEST(TcpQuality, buffer_delay_is_that_of_the_rfc) {
  EXPECT_NEAR(*buffer_delay(32e6, 25ms), 0.28, 1e-12);
  EXPECT_EQ(buffer_delay(25e6, 25ms), 0.0);
  EXPECT_EQ(buffer_delay(24e6, 25ms), 0.0);  // rounding: nothing is below 0
  EXPECT_EQ(buffer_delay(std::nullopt, 25ms), std::nullopt);
  EXPECT_EQ(buffer_delay(32e6, std::nullopt), std::nullopt);
  EXPECT_EQ(buffer_delay(32e6, Nanos(0)), std::nullopt);
}

TEST(TcpQuality, the_ideal_rate_of_100_megabits_is_that_of_the_rfc) {
  // 8,127 frames a second of 1,500 bytes, 40 of them headers: 94.9 Mbit/s.
  EXPECT_NEAR(ideal_bits_per_s(100e6, 1460, false, false), 94.9e6, 0.05e6);
  EXPECT_NEAR(ideal_bits_per_s(100e6, 1448, true, false), 100e6 * 1448 / 1538, 1);
  EXPECT_NEAR(ideal_bits_per_s(100e6, 1428, true, true), 100e6 * 1428 / 1538, 1);
}

TEST(TcpQuality, the_transfer_time_ratio_is_that_of_the_rfc) {
  // 100 MB in 10 s where 8 s would do.
  EXPECT_NEAR(*transfer_time_ratio(100e6, 80e6), 1.25, 1e-12);
  EXPECT_EQ(transfer_time_ratio(std::nullopt, 80e6), std::nullopt);
  EXPECT_EQ(transfer_time_ratio(100e6, std::nullopt), std::nullopt);
  EXPECT_EQ(transfer_time_ratio(100e6, 0.0), std::nullopt);
}

TEST(TcpQuality, counts_are_those_of_the_measure_phase) {
  TcpFigures figures;
  TcpReading end;
  end.counts = {1000, 100, 90, 80, 70, 60, 50, 40};
  figures.conclude(end, {100, 10, 9, 8, 7, 6, 5, 4});
  figures.conclude(end, {1000, 200, 90, 80, 70, 60, 50, 40});  // took something back: 0
  EXPECT_EQ(figures.connections, 2u);
  EXPECT_EQ(figures.counts.sent_bytes, 900u);
  EXPECT_EQ(figures.counts.retransmitted_bytes, 90u);
  EXPECT_EQ(figures.counts.busy_us, 81u);
  EXPECT_EQ(figures.counts.rwnd_limited_us, 72u);
  EXPECT_EQ(figures.counts.sndbuf_limited_us, 63u);
  EXPECT_EQ(figures.counts.retransmits, 54u);
  EXPECT_EQ(figures.counts.reordering_seen, 45u);
  EXPECT_EQ(figures.counts.out_of_order, 36u);
  EXPECT_EQ(figures.samples, 0u);
  EXPECT_EQ(figures.cwnd.mean(), std::nullopt);
}

TcpReading reading(std::uint32_t cwnd, std::optional<Nanos> rtt, bool app_limited) {
  TcpReading r;
  r.cwnd = cwnd;
  r.rtt = rtt;
  r.min_rtt = rtt;
  r.mss_bytes = 1448;
  r.app_limited = app_limited;
  if (rtt) r.delivered_bytes_per_s = cwnd * 1000U;
  return r;
}

TEST(TcpQuality, samples_are_put_together_and_those_without_a_round_trip_have_no_part_in_it) {
  TcpFigures figures;
  figures.sample(reading(10, std::nullopt, true));
  figures.sample(reading(20, 4ms, true));
  figures.sample(reading(60, 2ms, false));
  EXPECT_EQ(figures.samples, 3u);
  EXPECT_EQ(figures.cwnd.mean(), 30.0);
  EXPECT_EQ(figures.cwnd_min, 10u);
  EXPECT_EQ(figures.cwnd_max, 60u);
  EXPECT_EQ(figures.rtt_ns.mean(), 3e6);
  EXPECT_EQ(figures.min_rtt, Nanos(2ms));
  EXPECT_EQ(figures.app_limited_bytes_per_s.mean(), 20'000.0);
  EXPECT_EQ(figures.delivery_bytes_per_s.mean(), 60'000.0);
  EXPECT_EQ(figures.mss_bytes, 1448u);
}

RC_GTEST_PROP(TcpQuality, threads_put_together_are_one_that_saw_it_all,
              (const std::vector<std::pair<std::uint16_t, bool>>& cwnds, std::size_t cut)) {
  TcpFigures all;
  TcpFigures first;
  TcpFigures second;
  for (std::size_t i = 0; i < cwnds.size(); ++i) {
    const auto& [cwnd, limited] = cwnds[i];
    TcpReading r =
        reading(cwnd, cwnd % 3 == 0 ? std::nullopt : std::optional(Nanos(cwnd)), limited);
    r.counts.sent_bytes = cwnd;
    TcpFigures& part = i < cut % (cwnds.size() + 1) ? first : second;
    for (TcpFigures* to : {&all, &part}) {
      to->sample(r);
      to->conclude(r, {});
    }
  }
  first.merge(second);
  RC_ASSERT(first.samples == all.samples);
  RC_ASSERT(first.connections == all.connections);
  RC_ASSERT(first.counts.sent_bytes == all.counts.sent_bytes);
  RC_ASSERT(first.cwnd.mean() == all.cwnd.mean());
  RC_ASSERT(first.cwnd_min == all.cwnd_min);
  RC_ASSERT(first.cwnd_max == all.cwnd_max);
  RC_ASSERT(first.rtt_ns.mean() == all.rtt_ns.mean());
  RC_ASSERT(first.min_rtt == all.min_rtt);
  RC_ASSERT(first.delivery_bytes_per_s.count == all.delivery_bytes_per_s.count);
  RC_ASSERT(first.app_limited_bytes_per_s.sum == all.app_limited_bytes_per_s.sum);
}

}  // namespace
}  // namespace volley
