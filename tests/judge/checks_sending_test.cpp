// checks_sending.cpp: each check of how requests were sent finds its fault in a synthetic record.
// The limits are those of docs/method.md, tried on both sides.
#include "reports/judge/checks.hpp"

#include <gtest/gtest.h>

#include "tests/judge/clean_record.hpp"

namespace volley {
namespace {

using clean::checks_of;
using clean::status_of;

TEST(Checks, C1a_finds_requests_that_were_due_and_not_sent) {
  RunRecord r = clean::record();
  const auto unsend = [&](std::uint64_t n) {
    r = clean::record();
    r.planned = *r.planned + n;
    r.counters.unsent[0] = n;
    return status_of(r, "C1a");
  };
  EXPECT_EQ(unsend(300), "pass");   // of 64,300: 0.47 %
  EXPECT_EQ(unsend(350), "warn");   // 0.54 %
  EXPECT_EQ(unsend(1350), "fail");  // 2.1 %
  r.planned.reset();
  EXPECT_EQ(status_of(r, "C1a"), "unknown");
  EXPECT_EQ(status_of(clean::closed_record(), "C1a"), "not_applicable");
}

TEST(Checks, C1a_does_not_blame_a_run_that_was_cut) {
  RunRecord r = clean::record();
  r.planned = *r.planned * 2;  // the second half was never due
  EXPECT_EQ(status_of(r, "C1a"), "pass");
}

// 0.2 % of the requests were late: they may be a fifth of what is beyond p99, and all of p99.9.
TEST(Checks, C1b_finds_late_sends_where_they_weigh) {
  RunRecord r = clean::record();
  r.counters.sent_late = r.counters.sent / 500;
  for (const Check& check : checks_of(r, "C1b")) {
    if (check.status == CheckStatus::not_applicable) continue;
    ASSERT_EQ(check.affects.size(), 1U);
    const std::string wanted = check.affects[0] == "response.p50"   ? "pass"
                               : check.affects[0] == "response.p90" ? "pass"
                               : check.affects[0] == "response.p99" ? "warn"
                                                                    : "fail";
    EXPECT_EQ(to_string(check.status), wanted) << check.affects[0];
  }
  EXPECT_EQ(checks_of(r, "C1b").size(), 5U);
}

// Of times of 20 ms a lag of up to 1 ms is a twentieth, and what was held back is no lag of ours.
TEST(Checks, C1b_leaves_out_lags_that_are_short_beside_the_figure) {
  RunRecord r = clean::record();
  clean::fill(r, [](int, int i) { return 20'000'200 + 10 * clean::response_of(i); });
  r.counters.sent_late = r.counters.sent;
  EXPECT_EQ(status_of(r, "C1b"), "pass");
  r.latencies.send_lag.record(1'200'000, r.counters.sent / 500);
  const std::vector<Check> made = checks_of(r, "C1b");
  EXPECT_EQ(made[2].status, CheckStatus::warn);
  EXPECT_NEAR(*made[2].value, 0.002, 1e-5);
  EXPECT_EQ(made[3].status, CheckStatus::fail);
  r.latencies.held_lag.emplace().record(1'200'000, r.counters.sent / 500);
  EXPECT_EQ(status_of(r, "C1b"), "pass");
}

// Of 64,000 requests 6.4 lie beyond p99.99, of 100,000 ten do.
TEST(Checks, are_not_made_of_a_percentile_that_no_number_of_these_samples_could_claim) {
  for (const char* id : {"C1b", "C8d"}) {
    RunRecord r = clean::record();
    EXPECT_EQ(checks_of(r, id).at(4).status, CheckStatus::not_applicable) << id;
    EXPECT_TRUE(checks_of(r, id).at(4).affects.empty()) << id;
    EXPECT_EQ(checks_of(r, id).at(3).status, CheckStatus::pass) << id;
    r.counters.lost = 36'000;
    EXPECT_EQ(checks_of(r, id).at(4).status, CheckStatus::pass) << id << ": lost ones lie beyond";
  }
}

TEST(Checks, C1c_finds_the_generators_lag_in_the_response) {
  RunRecord r = clean::record();
  const auto lag = [&](std::int64_t ns) {
    r.latencies.send_lag.clear();
    r.latencies.send_lag.record(ns, r.counters.sent);
    return status_of(r, "C1c");
  };
  EXPECT_EQ(lag(6'000), "pass");  // of 151 us at p50
  EXPECT_EQ(lag(20'000), "warn");
  EXPECT_EQ(lag(60'000), "fail");
}

// What was held back did not wait for the generator: half of the requests lagged by 60 us, all of
// them held.
TEST(Checks, C1c_does_not_count_what_was_held_back) {
  RunRecord r = clean::record();
  r.latencies.send_lag.clear();
  r.latencies.send_lag.record(200, r.counters.sent / 2);
  r.latencies.send_lag.record(60'000, r.counters.sent / 2);
  EXPECT_EQ(status_of(r, "C1c"), "fail");
  r.latencies.held_lag.emplace();
  r.latencies.held_lag->record(60'000, r.counters.sent / 2);
  r.counters.held_back = r.counters.sent / 2;
  EXPECT_EQ(status_of(r, "C1c"), "pass");
}

TEST(Checks, C1d_finds_a_generator_that_falls_behind) {
  RunRecord r = clean::record();
  const auto grow = [&](std::int64_t by_slice) {
    r.slices = Slices(r.timeout);
    RequestCounters counters;
    counters.sent = 10;
    for (int slice = 0; slice < 64; ++slice) {
      Latencies part;
      part.send_lag.record(1000 + by_slice * slice, 10);
      r.slices.add(slice_end(Nanos(0)) * slice, part, counters);
    }
    return status_of(r, "C1d");
  };
  EXPECT_EQ(grow(1'000), "pass");   // 64 us in all
  EXPECT_EQ(grow(4'000), "warn");   // 256 us
  EXPECT_EQ(grow(40'000), "fail");  // 2.6 ms
}

TEST(Checks, C1e_finds_a_closed_loop_that_has_nothing_left) {
  RunRecord r = clean::closed_record();
  r.conduct.busy_ratio = 0.81;
  EXPECT_EQ(status_of(r, "C1e"), "warn");
  EXPECT_EQ(checks_of(r, "C1e")[0].affects, std::vector<std::string>{"achieved_per_s"});
  r.conduct.busy_ratio.reset();
  EXPECT_EQ(status_of(r, "C1e"), "unknown");
}

TEST(Checks, C9b_finds_requests_that_were_held_back) {
  RunRecord r = clean::record();
  r.counters.held_back = 1;
  EXPECT_EQ(status_of(r, "C9b"), "warn");
  EXPECT_EQ(status_of(clean::closed_record(), "C9b"), "not_applicable");
}

TEST(Checks, C9c_finds_times_that_contradict_what_was_in_flight) {
  RunRecord r = clean::record();
  const double whole = *r.conduct.in_flight_ns;
  r.conduct.in_flight_ns = whole * 1.03;
  EXPECT_EQ(status_of(r, "C9c"), "warn");
  r.conduct.in_flight_ns = whole * 0.9;
  EXPECT_EQ(status_of(r, "C9c"), "fail");
  r.conduct.in_flight_ns.reset();
  EXPECT_EQ(status_of(r, "C9c"), "unknown");
}

TEST(Checks, C9d_finds_responses_far_above_service) {
  RunRecord r = clean::record();
  r.latencies.response.record(1'000'000, r.counters.completed / 20);
  r.counters.completed += r.counters.completed / 20;
  EXPECT_EQ(status_of(r, "C9d"), "warn");
  EXPECT_TRUE(checks_of(r, "C9d")[0].affects.empty()) << "it explains, and decides on nothing";
}

}  // namespace
}  // namespace volley
