// What the union of several runs may claim, and how far it is trusted: no further than its parts.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "reports/judge/merge.hpp"
#include "reports/judge/verdicts.hpp"
#include "tests/judge/merge_reports.hpp"

namespace volley {
namespace {

using merging::clean_record;
using merging::named;
using merging::note;
using merging::record_of;

TEST(Merge, publishes_percentiles_without_an_interval) {
  const Report merged =
      merge_reports(std::vector{named("a", clean_record(0)), named("b", clean_record(50'000))});
  const LatencyFigures& f = merged.runs[0].response;
  for (const PercentileKey& key : {kPercentiles[0], kPercentiles[1], kPercentiles[2]}) {
    ASSERT_TRUE(f.*key.figure) << key.key;
    EXPECT_EQ(*(f.*key.figure), f.histogram->at(key.percentile)->count()) << key.key;
  }
  EXPECT_TRUE(f.claims->p99.holds);
  EXPECT_FALSE(f.claims->p99.low);
  EXPECT_FALSE(f.claims->p99.high);
  EXPECT_EQ(merged.runs[0].verdict->overall, Verdict::trusted) << merged.runs[0].verdict->headline;
}

PartClaim part_claim(double effective, std::uint64_t events, std::uint64_t samples) {
  Claim claim;
  claim.effective_samples = effective;
  claim.tail_events = events;
  return {claim, samples};
}

TEST(ClaimAtOnce, adds_up_what_does_not_hang_together) {
  const Claim one = claim_at_once(kP99, std::vector{part_claim(600, 6, 600)});
  EXPECT_FALSE(one.holds);
  EXPECT_EQ(one.samples_needed, 1000U);
  const Claim two =
      claim_at_once(kP99, std::vector{part_claim(600, 6, 600), part_claim(600, 6, 600)});
  EXPECT_TRUE(two.holds);
  EXPECT_EQ(two.tail_events, 12U);
  EXPECT_FALSE(two.samples_needed);
}

TEST(ClaimAtOnce, a_stall_that_all_generators_met_stays_one_event) {
  // 6 stalls, seen by each of four generators.
  const std::vector<PartClaim> parts(4, part_claim(700, 6, 100'000));
  const Claim all = claim_at_once(kP99, parts);
  EXPECT_FALSE(all.holds);
  EXPECT_EQ(all.tail_events, 6U);
  EXPECT_EQ(all.effective_samples, 700);
  EXPECT_GT(*all.samples_needed, 400'000U);
}

TEST(Merge, is_never_trusted_more_than_its_worst_part) {
  RunRecord spoiled = clean_record(0);
  spoiled.conduct.throttled = 1;  // C8b fails
  const RunReport bad = summarize(spoiled);
  ASSERT_EQ(bad.verdict->overall, Verdict::invalid);
  const Report merged =
      merge_reports(std::vector{named("a", clean_record(0)), named("b", std::vector{bad})});
  const RunReport& run = merged.runs[0];
  EXPECT_EQ(run.verdict->overall, Verdict::invalid);
  const auto check = std::find_if(run.checks->begin(), run.checks->end(),
                                  [](const Check& c) { return c.id == "C8b"; });
  EXPECT_EQ(check->status, CheckStatus::fail);
  EXPECT_EQ(check->text.rfind("part 2: ", 0), 0U) << check->text;
  for (const PercentileKey& key : kPercentiles)
    if (is_spoiled(bad.response, key)) {
      EXPECT_TRUE(is_spoiled(run.response, key)) << key.key;
      EXPECT_FALSE(run.response.*key.figure) << key.key;
    }
  EXPECT_TRUE(is_spoiled(run.response, kPercentiles[2]));
}

// A run like clean_record() of too few requests for its p99.
RunRecord few_record(std::uint32_t seed) {
  RunRecord few = record_of({});
  IntervalRecord interval;
  for (std::uint32_t i = 0; i < 300; ++i) note(interval, 100'000 + 2 * i + seed);
  add_interval(few, interval);
  few.planned = few.counters.sent + total(few.counters.unsent);
  few.config = {{"size", "64"}, {"rate", "6400/s"}, {"flows", "4"}, {"seed", "1"}};
  return few;
}

TEST(Merge, doubts_a_percentile_that_a_part_had_too_few_samples_to_look_at) {
  const Report merged =
      merge_reports(std::vector{named("a", clean_record(0)), named("b", few_record(0))});
  const auto of_p99 = [](const RunReport& run) {
    const auto found = std::find_if(run.verdict->numbers.begin(), run.verdict->numbers.end(),
                                    [](const auto& n) { return n.number == "response.p99"; });
    return *found;
  };
  ASSERT_TRUE(merged.runs[0].response.claims->p99.holds);
  EXPECT_EQ(of_p99(summarize(clean_record(0))).verdict, Verdict::trusted);
  EXPECT_NE(of_p99(merged.runs[0]).verdict, Verdict::trusted);
  const std::vector<std::string>& by = of_p99(merged.runs[0]).decided_by;
  EXPECT_NE(std::find(by.begin(), by.end(), "C1b"), by.end());
}

TEST(Merge, names_the_part_that_had_too_few_samples_within_a_merge_too) {
  const NamedReport a = named("a", few_record(0));
  const NamedReport b = named("b", few_record(1));
  const NamedReport c = named("c", clean_record(0));
  const NamedReport ab{"ab", merge_reports(std::vector{a, b})};
  ASSERT_FALSE(ab.report.runs[0].response.claims->p99.holds);
  const auto text = [](const std::vector<NamedReport>& reports) {
    const Report merged = merge_reports(reports);
    const auto found =
        std::find_if(merged.runs[0].checks->begin(), merged.runs[0].checks->end(),
                     [](const Check& k) { return k.id == "C1b" && k.name.ends_with(" p99"); });
    return found == merged.runs[0].checks->end() ? "no such check" : found->text;
  };
  EXPECT_EQ(text({a, b, c}), "part 1: Too little stood behind p99 there to look at it.");
  EXPECT_EQ(text({ab, c}), text({a, b, c}));
  EXPECT_EQ(text({c, ab}), "part 2: Too little stood behind p99 there to look at it.");
}

TEST(PartNamed, is_the_number_before_the_colon_and_nothing_else) {
  EXPECT_EQ(part_named("part 2: Much."), 2U);
  EXPECT_EQ(part_named("part 10000: "), 10'000U);
  for (const char* text : {"", "part ", "part 2", "part 2:", "part : x", "part x: y", "part 2 : x",
                           "part -2: x", "part 1234567: x", "a part 2: x", "Part 2: x"})
    EXPECT_EQ(part_named(text), std::nullopt) << text;
}

}  // namespace
}  // namespace volley
