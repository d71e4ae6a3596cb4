#include "reports/judge/verdicts.hpp"

#include <gtest/gtest.h>

#include "tests/judge/clean_record.hpp"

namespace volley {
namespace {

const NumberVerdict& number_of(const RunReport& run, const std::string& name) {
  for (const NumberVerdict& number : run.verdict->numbers)
    if (number.number == name) return number;
  throw std::out_of_range(name);
}

TEST(Verdict, words_are_read_back) {
  for (const Verdict v :
       {Verdict::trusted, Verdict::degraded, Verdict::not_claimable, Verdict::invalid})
    EXPECT_EQ(verdict_from(to_string(v)), v);
  for (const CheckStatus s : {CheckStatus::pass, CheckStatus::warn, CheckStatus::fail,
                              CheckStatus::unknown, CheckStatus::not_applicable})
    EXPECT_EQ(check_status_from(to_string(s)), s);
  EXPECT_FALSE(verdict_from("trusted"));
  EXPECT_FALSE(check_status_from(""));
}

TEST(Verdict, of_a_clean_run_names_its_p99_with_its_interval) {
  const RunReport run = summarize(clean::record());
  EXPECT_EQ(run.verdict->overall, Verdict::trusted);
  EXPECT_NE(run.verdict->headline.find("response p99 is "), std::string::npos);
  EXPECT_NE(run.verdict->headline.find("95 % from "), std::string::npos);
}

TEST(Verdict, of_a_number_is_that_of_the_worst_check_and_names_all_that_did_not_pass) {
  RunRecord r = clean::record();
  r.conduct.steal_ratio = 0.002;         // C8a warns about p99.9
  r.conduct.run_queue_wait_ratio = 0.5;  // C8c fails there
  r.conduct.clock_source.clear();        // C7a is unknown, of all times
  const RunReport run = summarize(r);
  const NumberVerdict& tail = number_of(run, "response.p99_9");
  EXPECT_EQ(tail.verdict, Verdict::invalid);
  EXPECT_EQ(tail.decided_by, (std::vector<std::string>{"C7a", "C8a", "C8c"}));
  EXPECT_EQ(number_of(run, "response.p99").verdict, Verdict::degraded);
  EXPECT_EQ(number_of(run, "loss_ratio").verdict, Verdict::trusted);
  EXPECT_EQ(run.verdict->overall, Verdict::degraded) << "p99.9 is not what one looks at first";
}

TEST(Verdict, unknown_never_passes) {
  RunRecord r = clean::record();
  r.conduct.throttled.reset();
  EXPECT_EQ(summarize(r).verdict->overall, Verdict::degraded);
}

TEST(Verdict, what_the_generator_spoiled_is_withheld_and_what_happened_stays) {
  RunRecord r = clean::record();
  r.conduct.throttled = 3;
  const RunReport run = summarize(r);
  EXPECT_EQ(run.verdict->overall, Verdict::invalid);
  EXPECT_FALSE(run.response.p50);
  EXPECT_FALSE(run.response.claims->p50.low);
  EXPECT_FALSE(run.response.claims->p50.high);
  EXPECT_FALSE(run.response_delivered.p50);
  EXPECT_FALSE(run.service.p99);
  EXPECT_TRUE(is_spoiled(run.response, kPercentiles[0]));
  EXPECT_FALSE(is_withheld(run.response, kPercentiles[0])) << "samples there are enough";
  EXPECT_FALSE(run.requests.loss_ratio);
  EXPECT_TRUE(run.send_lag.p50) << "it is the generator's own";
  EXPECT_EQ(run.requests.lost, 0U);
  EXPECT_TRUE(run.load.achieved_per_s);
  EXPECT_EQ(run.response.max, r.latencies.response.max()->count());
  EXPECT_EQ(run.response.histogram, r.latencies.response);
}

TEST(Verdict, of_a_percentile_with_too_little_behind_it_is_not_claimable_and_spoils_nothing) {
  const RunReport run = summarize(clean::record());
  EXPECT_EQ(number_of(run, "response.p99_99").verdict, Verdict::not_claimable);
  EXPECT_EQ(number_of(run, "response.p99_99").decided_by, std::vector<std::string>{"C4"});
  EXPECT_EQ(run.verdict->overall, Verdict::trusted);
}

TEST(Verdict, of_a_run_that_can_claim_no_percentile_at_all_is_not_claimable) {
  RunRecord r = clean::record();
  r.slices = Slices(r.timeout);  // nothing is known about when the samples came
  const RunReport run = summarize(r);
  EXPECT_EQ(run.verdict->overall, Verdict::not_claimable);
  EXPECT_FALSE(run.response.p50);
}

TEST(Verdict, a_check_of_what_is_withheld_anyway_is_moot_unless_everything_is) {
  RunRecord r = clean::record();
  // One stall has all that lies beyond p99: a single event.
  clean::fill(r, [](int slice, int i) {
    return slice == 10 && i < 900 ? 10'000'000 : clean::response_of(i);
  });
  r.conduct.gap_ratio->fill(0.9);
  RunReport run = summarize(r);
  const auto moot = [&](const std::string& number, CheckStatus status = CheckStatus::fail) {
    for (Check check : *run.checks) {
      if (check.id != "C8d" || check.affects.front() != number) continue;
      EXPECT_EQ(check.status, CheckStatus::fail) << number;
      check.status = status;
      return is_moot(run, check);
    }
    ADD_FAILURE() << "no check of " << number;
    return false;
  };
  EXPECT_TRUE(moot("response.p99", CheckStatus::warn));
  EXPECT_FALSE(moot("response.p99")) << "it decides the verdict";
  EXPECT_TRUE(moot("response.p99_9"));
  EXPECT_FALSE(moot("response.p50"));
  r.slices = Slices(r.timeout);
  run = summarize(r);
  EXPECT_FALSE(moot("response.p99", CheckStatus::warn)) << "else nothing would be said";
}

TEST(Verdict, of_a_failed_run_is_invalid) {
  RunRecord r = clean::record();
  r.status = RunStatus::failed;
  EXPECT_EQ(summarize(r).verdict->overall, Verdict::invalid);
}

TEST(Verdict, of_several_runs_is_the_worst) {
  RunRecord doubtful = clean::record();
  doubtful.conduct.foreign_ratio = 0.5;
  const RunReport good = summarize(clean::record());
  const RunReport bad = summarize(doubtful);
  EXPECT_EQ(overall_verdict(std::vector{good, bad, good})->overall, Verdict::degraded);
  EXPECT_EQ(overall_verdict(std::vector{good, bad, good})->headline, bad.verdict->headline);
  EXPECT_EQ(overall_verdict(std::vector{good, good})->overall, Verdict::trusted);
  EXPECT_FALSE(overall_verdict({}));
  EXPECT_FALSE(overall_verdict(std::vector{RunReport{}})) << "of before runs judged themselves";
}

TEST(Verdict, of_a_spoiled_round_leaves_its_side_of_a_duel_without_that_percentile) {
  RunRecord spoiled = clean::record();
  spoiled.conduct.throttled = 1;
  RunReport udp = summarize(clean::record());
  RunReport tcp = summarize(clean::record());
  tcp.protocol = "tcp";
  RunReport bad = summarize(spoiled);
  bad.protocol = "tcp";
  EXPECT_TRUE(compare_protocols({udp, tcp}).p99_ratio);
  const Comparison comparison = compare_protocols({udp, tcp, bad});
  EXPECT_TRUE(comparison.sides[0].p99_ns);
  EXPECT_FALSE(comparison.sides[1].p99_ns);
  EXPECT_TRUE(is_withheld(comparison.sides[1], "p99"));
  EXPECT_FALSE(comparison.p99_ratio);
  EXPECT_TRUE(comparison.achieved_ratio);
}

}  // namespace
}  // namespace volley
