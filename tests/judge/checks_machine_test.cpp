// checks_machine.cpp: each check of clocks, CPUs and the loop finds its fault in a synthetic
// record. The limits are those of docs/method.md, tried on both sides.
#include "reports/judge/checks.hpp"

#include <gtest/gtest.h>

#include "tests/judge/clean_record.hpp"

namespace volley {
namespace {

using clean::checks_of;
using clean::status_of;

TEST(Checks, C7a_knows_good_clocks_and_bad_ones) {
  RunRecord r = clean::record();
  const auto clock = [&](const char* source, double step) {
    r.conduct.clock_source = source;
    r.conduct.clock_resolution_ns = step;
    return status_of(r, "C7a");
  };
  EXPECT_EQ(clock("kvm-clock", 30), "pass");
  EXPECT_EQ(clock("tsc", 200), "warn");
  EXPECT_EQ(clock("hyperv_clocksource", 20), "warn");
  EXPECT_EQ(clock("hpet", 20), "fail");
  EXPECT_EQ(clock("", 20), "unknown");
}

TEST(Checks, C7b_and_C11_find_times_below_0_and_above_an_hour) {
  RunRecord r = clean::record();
  r.latencies.service.record(-1, 1);
  EXPECT_EQ(status_of(r, "C7b"), "fail");
  EXPECT_EQ(status_of(r, "C11"), "fail") << "one of 64,000";
  r = clean::record();
  r.latencies.service.record(Histogram::kHighest + 1, 1);
  EXPECT_EQ(status_of(r, "C7b"), "pass");
  EXPECT_EQ(status_of(r, "C11"), "fail");
}

TEST(Checks, C7b_and_C7d_look_at_stamped_requests) {
  RunRecord r = clean::record();
  EXPECT_EQ(status_of(r, "C7d"), "not_applicable");
  const MonoTime begin{std::chrono::seconds(1000)};
  const auto at = [&](int us) { return begin + std::chrono::microseconds(us); };
  StampedRequest request{.intended = at(0),
                         .sent = at(1),
                         .received = at(9),
                         .kernel_sent = {},
                         .kernel_received = {},
                         .target_kernel_received = {},
                         .target_received = at(4),
                         .target_sent = at(5)};
  const auto stamped = [&](const StampedRequest& one) {
    RunRecord with = clean::record();
    with.delay_by_place = delays_by_place(std::vector{one}, {.asked = 1});
    return with;
  };
  EXPECT_EQ(status_of(stamped(request), "C7d"), "pass");
  EXPECT_EQ(checks_of(stamped(request), "C7b").size(), 2U);
  EXPECT_EQ(checks_of(stamped(request), "C7b").back().status, CheckStatus::pass);
  request.target_sent = at(3);  // before it came
  EXPECT_EQ(checks_of(stamped(request), "C7b").back().status, CheckStatus::fail);
  request.target_sent = at(5) + std::chrono::seconds(7);
  request.target_received += std::chrono::seconds(7);
  EXPECT_EQ(status_of(stamped(request), "C7d"), "warn");
}

TEST(Checks, of_the_machine_have_limits_and_are_unknown_without_figures) {
  using Member = std::optional<double> Conduct::*;
  struct Row {
    const char* id;
    Member member;
    double pass, warn, fail;
  };
  for (const Row& row : {Row{"C7c", &Conduct::clock_drift_ppm, 50, 51, 501},
                         Row{"C8a", &Conduct::steal_ratio, 0.001, 0.002, 0.011},
                         Row{"C8c", &Conduct::run_queue_wait_ratio, 0.001, 0.002, 0.011}}) {
    RunRecord r = clean::record();
    r.conduct.*row.member = row.pass;
    EXPECT_EQ(status_of(r, row.id), "pass") << row.id;
    r.conduct.*row.member = row.warn;
    EXPECT_EQ(status_of(r, row.id), "warn") << row.id;
    r.conduct.*row.member = row.fail;
    EXPECT_EQ(status_of(r, row.id), "fail") << row.id;
    (r.conduct.*row.member).reset();
    EXPECT_EQ(status_of(r, row.id), "unknown") << row.id;
  }
}

TEST(Checks, C8b_finds_one_throttled_period) {
  RunRecord r = clean::record();
  r.conduct.throttled = 1;
  EXPECT_EQ(status_of(r, "C8b"), "fail");
  r.conduct.throttled.reset();
  EXPECT_EQ(status_of(r, "C8b"), "unknown");
}

// Away for 0.02 % of the time: a fiftieth of what is beyond p99, a fifth of that beyond p99.9.
TEST(Checks, C8d_finds_absence_where_it_weighs) {
  RunRecord r = clean::record();
  r.conduct.gap_ratio->fill(0.0002);
  const std::vector<Check> made = checks_of(r, "C8d");
  ASSERT_EQ(made.size(), 5U);
  EXPECT_EQ(made[2].status, CheckStatus::pass);
  EXPECT_EQ(made[3].status, CheckStatus::warn);
  r.conduct.gap_ratio->fill(0.0004);
  EXPECT_EQ(checks_of(r, "C8d")[3].status, CheckStatus::fail);
  r.conduct.gap_ratio.reset();
  EXPECT_EQ(status_of(r, "C8d"), "unknown");
}

// Times of 2 ms and more: gaps of up to 100 us cannot move one of them by more than a twentieth.
TEST(Checks, C8d_leaves_out_gaps_that_are_short_beside_the_figure) {
  RunRecord r = clean::record();
  r.conduct.gap_ratio = ByGapLength<double>{0.9, 0.0001};
  EXPECT_EQ(status_of(r, "C8d"), "fail") << "of times of 0.1 ms";
  clean::fill(r, [](int, int i) { return 2'000'200 + 10 * clean::response_of(i); });
  EXPECT_EQ(status_of(r, "C8d"), "pass");
  r.conduct.gap_ratio->at(1) = 0.9;
  EXPECT_EQ(status_of(r, "C8d"), "fail");
  EXPECT_NE(checks_of(r, "C8d").front().text.find("more than 100 us"), std::string::npos);
}

TEST(Checks, C8d_goes_by_requests_in_a_closed_loop) {
  RunRecord r = clean::closed_record();
  r.conduct.gap_ratio->fill(0.5);
  r.conduct.gap_requests->fill(5);
  EXPECT_EQ(checks_of(r, "C8d")[3].status, CheckStatus::pass);
  r.conduct.gap_requests->fill(64);  // one in a thousand
  EXPECT_EQ(checks_of(r, "C8d")[3].status, CheckStatus::fail);
}

TEST(Checks, C16_finds_other_programs_and_never_fails_for_them) {
  RunRecord r = clean::record();
  r.conduct.foreign_ratio = 0.02;
  EXPECT_EQ(status_of(r, "C16"), "pass");
  r.conduct.foreign_ratio = 1;
  EXPECT_EQ(status_of(r, "C16"), "warn");
}

}  // namespace
}  // namespace volley
