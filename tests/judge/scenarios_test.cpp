// scenarios.cpp: which runs belong together, and what their figures are together.
#include "reports/judge/scenarios.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>
#include <vector>

namespace volley {
namespace {

Claim claim_with(bool holds, std::uint64_t events) {
  return {.holds = holds,
          .effective_samples = 100.0 * static_cast<double>(events),
          .tail_events = events,
          .samples_needed = {},
          .low = {},
          .high = {}};
}

RunReport round_of(const std::string& name, double achieved_per_s, std::int64_t response_ns,
                   std::uint64_t lost = 0) {
  RunReport run;
  run.name = name;
  run.protocol = name.substr(0, 3);
  run.workload = "rr";
  run.status = "ok";
  run.duration_s = 2;
  run.load.achieved_per_s = achieved_per_s;
  run.requests.sent = 100 + lost;
  run.requests.completed = 100;
  run.requests.lost = lost;
  run.requests.errors = {{"reset", 1}};
  run.requests.loss_ratio = static_cast<double>(lost) / static_cast<double>(100 + lost);
  run.response.histogram.emplace().record(response_ns, 100);
  const Claim enough = claim_with(true, 1000);
  run.response.claims = {enough, enough, enough, enough, enough};
  run.verdict = RunVerdict{Verdict::trusted, "fine", {}};
  return run;
}

Report report_of(std::vector<RunReport> runs) {
  Report report;
  report.runs = std::move(runs);
  return report;
}

TEST(Scenarios, are_the_runs_of_one_name_in_order_of_their_first) {
  const Report report =
      report_of({round_of("udp rr", 1, 1), round_of("tcp rr", 2, 2), round_of("udp rr", 3, 3)});
  const std::vector<Scenario> scenarios = scenarios_of(report);
  ASSERT_EQ(scenarios.size(), 2U);
  EXPECT_EQ(scenarios[0].id, "udp-rr");
  EXPECT_EQ(scenarios[0].rounds, (std::vector<const RunReport*>{&report.runs[0], &report.runs[2]}));
  EXPECT_EQ(scenarios[1].id, "tcp-rr");
}

TEST(Scenarios, leave_out_rounds_that_did_not_run_to_their_end) {
  Report report = report_of({round_of("udp rr", 1, 1), round_of("udp rr", 2, 2)});
  report.runs[1].status = "interrupted";
  const std::vector<Scenario> scenarios = scenarios_of(report);
  ASSERT_EQ(scenarios.size(), 1U);
  EXPECT_EQ(scenarios[0].rounds.size(), 1U);
  EXPECT_EQ(scenarios[0].unfinished, 1U);
  EXPECT_FALSE(together({}));
}

TEST(Scenarios, have_an_identity_of_harmless_letters_and_no_two_the_same) {
  const Report report =
      report_of({round_of("udp <rr>", 1, 1), round_of("UDP rr", 1, 1), round_of("udp\nrr", 1, 1),
                 round_of("tcp \xff|`", 1, 1), round_of("||| ", 1, 1)});
  std::vector<std::string> ids;
  for (const Scenario& scenario : scenarios_of(report)) ids.push_back(scenario.id);
  EXPECT_EQ(ids, (std::vector<std::string>{"udp-rr", "udp-rr-2", "udp-rr-3", "tcp", "run"}));
}

TEST(Together, one_round_is_itself) {
  const RunReport round = round_of("udp rr", 100, 1000);
  const std::vector<const RunReport*> rounds{&round};
  const auto whole = together(rounds);
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->load.achieved_per_s, 100.0);
  EXPECT_EQ(whole->response.histogram, round.response.histogram);
}

TEST(Together, adds_counts_takes_medians_of_rates_and_merges_samples) {
  const RunReport a = round_of("udp rr", 100, 1000), b = round_of("udp rr", 400, 1500, 25),
                  c = round_of("udp rr", 120, 1000);
  const std::vector<const RunReport*> rounds{&a, &b, &c};
  const auto whole = together(rounds);
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->load.achieved_per_s, 120.0);
  EXPECT_EQ(whole->duration_s, 6.0);
  EXPECT_EQ(whole->requests.sent, 325U);
  EXPECT_EQ(whole->requests.completed, 300U);
  EXPECT_EQ(whole->requests.lost, 25U);
  ASSERT_EQ(whole->requests.errors.size(), 1U);
  EXPECT_EQ(whole->requests.errors[0].count, 3U);
  EXPECT_DOUBLE_EQ(whole->requests.loss_ratio.value_or(-1), 25.0 / 325.0);
  EXPECT_EQ(whole->response.count, 300U);
  EXPECT_EQ(whole->response.p50, 1000);
  EXPECT_EQ(whole->response.p90, 1500);
  // 3 of 325 would be beyond p99, and 25 are lost.
  EXPECT_FALSE(whole->response.p99);
  EXPECT_TRUE(whole->response.beyond_lost);
}

TEST(Together, withholds_what_the_rounds_cannot_claim_even_together) {
  RunReport a = round_of("udp rr", 100, 1000), b = round_of("udp rr", 100, 1000);
  a.response.claims->p99_9 = claim_with(false, 2);
  b.response.claims->p99_9 = claim_with(false, 3);
  const std::vector<const RunReport*> rounds{&a, &b};
  const auto whole = together(rounds);
  ASSERT_TRUE(whole);
  EXPECT_TRUE(whole->response.p99);
  EXPECT_FALSE(whole->response.p99_9);
  EXPECT_TRUE(is_withheld(whole->response, kPercentiles[3]));
  EXPECT_EQ(whole->response.claims->p99_9.tail_events, 5U);
}

TEST(Together, what_one_round_spoiled_is_spoiled) {
  RunReport a = round_of("udp rr", 100, 1000), b = round_of("udp rr", 100, 1000);
  b.response.spoiled = {kP99.ppm};
  b.requests.loss_ratio.reset();
  b.verdict = RunVerdict{Verdict::invalid, "bad", {}};
  const std::vector<const RunReport*> rounds{&a, &b};
  const auto whole = together(rounds);
  ASSERT_TRUE(whole);
  EXPECT_TRUE(whole->response.p50);
  EXPECT_FALSE(whole->response.p99);
  EXPECT_FALSE(whole->requests.loss_ratio);
  ASSERT_TRUE(whole->verdict);
  EXPECT_EQ(whole->verdict->overall, Verdict::invalid);
}

TEST(Together, an_unknown_part_makes_the_sum_unknown) {
  RunReport a = round_of("udp rr", 100, 1000), b = round_of("udp rr", 100, 1000);
  b.requests.completed.reset();
  b.load.achieved_per_s.reset();
  const std::vector<const RunReport*> rounds{&a, &b};
  const auto whole = together(rounds);
  ASSERT_TRUE(whole);
  EXPECT_FALSE(whole->requests.completed);
  EXPECT_FALSE(whole->load.achieved_per_s);
}

TEST(Together, of_any_rounds_equals_one_recording_of_all_their_samples) {
  EXPECT_TRUE(rc::check([] {
    const auto parts =
        *rc::gen::nonEmpty(rc::gen::container<std::vector<std::vector<std::uint32_t>>>(
            rc::gen::container<std::vector<std::uint32_t>>(
                rc::gen::inRange<std::uint32_t>(0, 2'000'000))));
    std::vector<RunReport> runs;
    Histogram whole;
    for (const std::vector<std::uint32_t>& part : parts) {
      RunReport run = round_of("udp rr", 1, 1);
      run.response.histogram.emplace();
      for (const std::uint32_t ns : part) {
        run.response.histogram->record(ns, 1);
        whole.record(ns, 1);
      }
      runs.push_back(std::move(run));
    }
    std::vector<const RunReport*> rounds;
    for (const RunReport& run : runs) rounds.push_back(&run);
    const auto result = together(rounds);
    RC_ASSERT(result.has_value());
    RC_ASSERT(*result->response.histogram == whole);
    if (runs.size() > 1 && !whole.empty())
      RC_ASSERT(result->response.p90 == whole.at(kP90)->count());
  }));
}

}  // namespace
}  // namespace volley
