// protocols.cpp: what is compared, what is left out, and what the sentence admits.
#include <gtest/gtest.h>

#include <string>

#include "reports/judge/summary.hpp"

namespace volley {
namespace {

RunReport round_of(const std::string& protocol, double achieved_per_s, std::int64_t response_ns,
                   std::uint64_t lost = 0) {
  RunReport run;
  run.protocol = protocol;
  run.workload = "rr";
  run.status = "ok";
  run.load.achieved_per_s = achieved_per_s;
  run.requests.sent = 100 + lost;
  run.requests.completed = 100;
  run.requests.lost = lost;
  run.response.histogram.emplace().record(response_ns, 100);
  const Claim enough{.holds = true,
                     .effective_samples = 1e6,
                     .tail_events = 1000,
                     .samples_needed = {},
                     .low = {},
                     .high = {}};
  run.response.claims = {enough, enough, enough, enough, enough};
  return run;
}

bool says(const Comparison& comparison, const std::string& words) {
  return comparison.sentence.find(words) != std::string::npos;
}

TEST(Comparison, takes_medians_of_loads_and_merges_histograms) {
  const Comparison c = compare_protocols({round_of("udp", 100, 1000), round_of("tcp", 50, 2000),
                                          round_of("tcp", 70, 2000), round_of("udp", 400, 1500),
                                          round_of("udp", 120, 1000), round_of("tcp", 60, 2000)});
  ASSERT_EQ(c.sides.size(), 2U);
  EXPECT_EQ(c.sides[0].protocol, "udp");
  EXPECT_EQ(c.sides[0].rounds, 3U);
  EXPECT_EQ(c.sides[0].achieved_per_s, 120.0);
  EXPECT_EQ(c.sides[1].achieved_per_s, 60.0);
  EXPECT_EQ(c.achieved_ratio, 2.0);
  EXPECT_EQ(c.sides[0].p50_ns, 1000);
  EXPECT_EQ(c.sides[0].p99_ns, 1500);
  EXPECT_EQ(c.p99_ratio, 0.75);
  EXPECT_EQ(c.sides[0].sent, 300U);
  EXPECT_EQ(c.sides[0].loss_ratio, 0.0);
}

TEST(Comparison, of_an_even_number_of_rounds_takes_the_middle_of_the_two_in_the_middle) {
  const Comparison c = compare_protocols({round_of("udp", 100, 1000), round_of("udp", 200, 1000)});
  EXPECT_EQ(c.sides[0].achieved_per_s, 150.0);
}

TEST(Comparison, says_in_a_sentence_what_it_saw_and_that_nothing_was_tested) {
  const Comparison c =
      compare_protocols({round_of("udp", 17'512, 61'200), round_of("tcp", 16'312, 64'000)});
  EXPECT_FALSE(c.significance_tested);
  EXPECT_EQ(
      c.sentence,
      "UDP made 1.07 times the round trips of TCP (17,512/s against 16,312/s, one round each) "
      "with a response p99 of 61.2 us against 64.0 us; whether the difference is more than "
      "chance has not been tested.");
}

TEST(Comparison, counts_lost_requests_into_the_percentiles) {
  const Comparison c =
      compare_protocols({round_of("udp", 100, 1000, 10), round_of("tcp", 100, 2000)});
  EXPECT_EQ(c.sides[0].p50_ns, 1000);
  EXPECT_FALSE(c.sides[0].p99_ns);
  EXPECT_FALSE(c.p99_ratio);
  EXPECT_TRUE(says(c, "a response p99 of one that falls among the lost against 2.00 us"));
}

TEST(Comparison, withholds_what_all_rounds_together_have_too_few_samples_for) {
  // 6 effective samples beyond p99 a round, 5 events: one round has too few, two have enough
  RunReport tcp = round_of("tcp", 100, 1000);
  tcp.response.claims->p99 = {.holds = false,
                              .effective_samples = 600,
                              .tail_events = 5,
                              .samples_needed = 1000,
                              .low = {},
                              .high = {}};
  const Comparison one = compare_protocols({round_of("udp", 100, 1000), tcp});
  EXPECT_FALSE(one.sides[1].p99_ns);
  EXPECT_EQ(one.sides[1].withheld, std::vector<std::string>{"p99"});
  EXPECT_EQ(one.sides[1].p50_ns, 1000);
  EXPECT_FALSE(one.p99_ratio);
  EXPECT_TRUE(says(one, "a response p99 of 1.00 us against one that is withheld;"));
  const Comparison two = compare_protocols({round_of("udp", 100, 1000), tcp, tcp});
  EXPECT_EQ(two.sides[1].p99_ns, 1000);
  EXPECT_TRUE(two.sides[1].withheld.empty());
  tcp.response.claims->p99.tail_events = 4;
  EXPECT_FALSE(compare_protocols({tcp, tcp}).sides[1].p99_ns);
}

TEST(Comparison, leaves_out_rounds_that_did_not_run_to_their_end) {
  RunReport failed = round_of("udp", 1, 1);
  failed.status = "failed";
  const Comparison c =
      compare_protocols({round_of("udp", 100, 1000), round_of("tcp", 100, 1000), failed});
  EXPECT_EQ(c.sides[0].rounds, 1U);
  EXPECT_EQ(c.sides[0].achieved_per_s, 100.0);
  EXPECT_TRUE(says(c, "has not been tested. One round that did not run to its end is left out."));
}

TEST(Comparison, of_no_rounds_has_no_figures_and_says_so) {
  const Comparison c = compare_protocols({});
  ASSERT_EQ(c.sides.size(), 2U);
  EXPECT_EQ(c.sides[0].rounds, 0U);
  EXPECT_FALSE(c.sides[0].achieved_per_s);
  EXPECT_FALSE(c.sides[0].completed);
  EXPECT_FALSE(c.sides[0].lost);
  EXPECT_FALSE(c.achieved_ratio);
  EXPECT_TRUE(says(c, "cannot be compared"));
  EXPECT_TRUE(says(c, "over UDP"));
}

TEST(Comparison, of_one_protocol_alone_says_which_is_missing) {
  const Comparison c = compare_protocols({round_of("udp", 100, 1000)});
  EXPECT_EQ(c.sides[0].rounds, 1U);
  EXPECT_EQ(c.sides[1].rounds, 0U);
  EXPECT_TRUE(says(c, "no round over TCP"));
}

TEST(Comparison, of_an_unknown_load_has_no_ratio) {
  RunReport blind = round_of("tcp", 0, 1000);
  blind.load.achieved_per_s.reset();
  blind.requests.lost.reset();
  const Comparison c = compare_protocols({round_of("udp", 100, 1000), blind});
  EXPECT_FALSE(c.achieved_ratio);
  EXPECT_FALSE(c.sides[1].lost);
  EXPECT_TRUE(says(c, "cannot be compared by their round trips"));
}

TEST(Comparison, of_no_answers_at_all_divides_by_nothing) {
  const Comparison c = compare_protocols({round_of("udp", 100, 1000), round_of("tcp", 0, 1000)});
  EXPECT_FALSE(c.achieved_ratio);
}

TEST(Comparison, of_streams_speaks_of_messages_and_of_no_response) {
  RunReport udp = round_of("udp", 100, 1000);
  RunReport tcp = round_of("tcp", 50, 1000);
  udp.workload = tcp.workload = "stream";
  udp.response.histogram.reset();
  tcp.response.histogram.reset();
  const Comparison c = compare_protocols({udp, tcp});
  EXPECT_TRUE(says(c, "UDP made 2.00 times the messages of TCP"));
  EXPECT_FALSE(says(c, "response"));
}

TEST(Held, medians_are_of_finished_rounds_and_counts_are_sums) {
  std::vector<RunReport> runs;
  for (const double bytes : {500.0, 520.0, 900.0}) {
    RunReport run = round_of("tcp", 1, 1);
    run.hold = HoldFigures{
        .connections_wanted = 10,
        .opened = 9,
        .failed = {},
        .open_duration_s = 1,
        .opened_per_s = bytes * 10,
        .held_at_end = 8,
        .died = {},
        .probed = 9,
        .memory = {.generator_bytes = 64, .target_bytes = bytes, .kernel_bytes = std::nullopt}};
    runs.push_back(run);
  }
  const auto held = median_hold(runs, "tcp");
  ASSERT_TRUE(held);
  EXPECT_EQ(held->opened, 27U);
  EXPECT_EQ(held->held_at_end, 24U);
  EXPECT_EQ(held->opened_per_s, 5200.0);
  EXPECT_EQ(held->memory.target_bytes, 520.0);
  EXPECT_EQ(held->memory.kernel_bytes, std::nullopt);
  runs.back().status = "failed";
  EXPECT_EQ(median_hold(runs, "tcp")->memory.target_bytes, 510.0);
  EXPECT_EQ(median_hold(runs, "udp"), std::nullopt);
}

}  // namespace
}  // namespace volley
