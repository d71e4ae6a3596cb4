// Two reports held against each other, and the limits as they are typed.
#include "reports/judge/compare.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "reports/measure/ensure.hpp"

namespace volley {
namespace {

RunReport run_of(const std::string& name, double achieved, std::int64_t p99_us, double loss) {
  RunReport run;
  run.name = name;
  run.protocol = name.substr(0, 3);
  run.workload = "rr";
  run.arrival = "poisson";
  run.status = "ok";
  run.config = {{"rate", "1000/s"}, {"size", "64"}, {"seed", "1"}};
  run.requests.sent = 1000;
  run.requests.completed = 1000;
  run.requests.lost = 0;
  run.requests.loss_ratio = loss;
  run.load.achieved_per_s = achieved;
  run.response.p50 = 50'000;
  run.response.p99 = p99_us * 1000;
  run.verdict = RunVerdict{Verdict::trusted, "", {}};
  return run;
}

Report report_of(std::vector<RunReport> runs) {
  Report report;
  report.runs = std::move(runs);
  return report;
}

ReportChange compare(const RunReport& base, const RunReport& latest,
                     const std::vector<std::string>& limits = {}) {
  return compare_reports(report_of({base}), report_of({latest}),
                         parse_regression_limits("--max-regression", limits));
}

const FigureChange& figure(const ReportChange& change, const std::string& name) {
  static const FigureChange none;
  for (const ScenarioChange& scenario : change.scenarios)
    for (const FigureChange& f : scenario.figures)
      if (f.name == name) return f;
  ADD_FAILURE() << "no figure " << name;
  return none;
}

const RunReport kBase = run_of("udp rr", 1000, 100, 0);

TEST(Compare, OfAReportWithItselfFindsNothing) {
  const ReportChange change = compare(kBase, kBase);
  EXPECT_FALSE(change.regressed);
  ASSERT_EQ(change.scenarios.size(), 1U);
  EXPECT_EQ(change.scenarios[0].id, "udp-rr");
  EXPECT_TRUE(change.scenarios[0].load.empty());
  EXPECT_EQ(figure(change, "response_p99").change, Change::within);
  EXPECT_EQ(figure(change, "errors").change, Change::unlimited);
  EXPECT_EQ(change.sentence,
            "No regression in 4 figures with a limit. No significance was tested: two reports "
            "alone cannot tell a difference from chance.");
}

TEST(Compare, CallsMoreThanTheLimitARegressionAndTheLimitItselfNone) {
  EXPECT_EQ(figure(compare(kBase, run_of("udp rr", 1000, 110, 0)), "response_p99").change,
            Change::within);
  EXPECT_EQ(figure(compare(kBase, run_of("udp rr", 1000, 111, 0)), "response_p99").change,
            Change::regressed);
  EXPECT_EQ(figure(compare(kBase, run_of("udp rr", 1000, 89, 0)), "response_p99").change,
            Change::improved);
  EXPECT_EQ(figure(compare(kBase, run_of("udp rr", 900, 100, 0)), "achieved").change,
            Change::within);
  EXPECT_EQ(figure(compare(kBase, run_of("udp rr", 899, 100, 0)), "achieved").change,
            Change::regressed);
  EXPECT_EQ(figure(compare(kBase, run_of("udp rr", 1200, 100, 0)), "achieved").change,
            Change::improved);
  const ReportChange worse = compare(kBase, run_of("udp rr", 899, 150, 0));
  EXPECT_TRUE(worse.regressed);
  EXPECT_NEAR(figure(worse, "response_p99").change_ratio.value_or(0), 0.5, 1e-12);
  EXPECT_EQ(figure(worse, "response_p99").difference, 50'000.0);
  EXPECT_TRUE(
      worse.sentence.starts_with("Regressed beyond its limit: udp-rr achieved (-10.1 %), "
                                 "udp-rr response_p99 (+50.0 %). No significance"))
      << worse.sentence;
}

TEST(Compare, MeasuresTheLossByItsDifferenceBecauseTheBaseIsOftenZero) {
  EXPECT_EQ(figure(compare(kBase, run_of("udp rr", 1000, 100, 0.001)), "loss_ratio").change,
            Change::within);
  const ReportChange lossy = compare(kBase, run_of("udp rr", 1000, 100, 0.002));
  EXPECT_EQ(figure(lossy, "loss_ratio").change, Change::regressed);
  EXPECT_FALSE(figure(lossy, "loss_ratio").change_ratio.has_value());
  EXPECT_FALSE(compare(kBase, run_of("udp rr", 1000, 100, 0.002), {"loss:0.5%"}).regressed);
  RunReport faulty = kBase;
  faulty.requests.errors = {{"reset", 1}};
  EXPECT_FALSE(compare(kBase, faulty).regressed);
  EXPECT_TRUE(compare(kBase, faulty, {"errors:50%"}).regressed) << "any of none is more";
  EXPECT_FALSE(figure(compare(kBase, faulty), "errors").change_ratio.has_value());
}

TEST(Compare, CallsWhatIsGoneARegressionButNeverWhatIsInvalid) {
  RunReport gone = kBase;
  gone.response.p99.reset();
  gone.response.beyond_lost = true;
  const ReportChange lost = compare(kBase, gone);
  EXPECT_TRUE(lost.regressed);
  EXPECT_EQ(figure(lost, "response_p99").latest_missing, "lost");
  RunReport spoiled = kBase;
  spoiled.response.p99.reset();
  spoiled.response.spoiled = {kP99.ppm};
  const ReportChange invalid = compare(kBase, spoiled);
  EXPECT_FALSE(invalid.regressed);
  EXPECT_EQ(figure(invalid, "response_p99").change, Change::not_comparable);
  EXPECT_NE(invalid.sentence.find(
                "No regression in 3 figures with a limit; 1 more could not be compared."),
            std::string::npos);
  // A rate stays in the report when its verdict is INVALID; a regression it is not.
  RunReport slow = run_of("udp rr", 500, 100, 0);
  slow.verdict->numbers = {{"achieved_per_s", Verdict::invalid, {"C1a"}}};
  const ReportChange rate = compare(kBase, slow);
  EXPECT_FALSE(rate.regressed);
  EXPECT_EQ(figure(rate, "achieved").latest_missing, "invalid");
  EXPECT_FALSE(figure(rate, "achieved").latest.has_value());
  EXPECT_EQ(figure(compare(slow, kBase), "achieved").base_missing, "invalid");
  const RunReport useful = [&] {
    RunReport run = slow;
    run.goodput_bits_per_s = 1;
    return run;
  }();
  EXPECT_EQ(figure(compare(useful, useful), "goodput").base_missing, "invalid");
  // Nor have a mean and a largest value a verdict: they share their percentiles'.
  spoiled.response.mean = 200'000;
  spoiled.response.max = 900'000;
  const ReportChange mean = compare(spoiled, spoiled, {"response_mean:10%"});
  EXPECT_EQ(figure(mean, "response_mean").base_missing, "invalid");
  EXPECT_EQ(figure(mean, "response_max").latest_missing, "invalid");
  EXPECT_EQ(figure(mean, "response_p50").change, Change::within);
  EXPECT_FALSE(compare(gone, kBase).regressed) << "the base has no p99 to be worse than";
}

TEST(Compare, CountsWhatCouldBeHeldToItsLimit) {
  EXPECT_EQ(compare(kBase, kBase).limited, 4U);
  RunReport spoiled = kBase;
  spoiled.verdict->numbers = {{"achieved_per_s", Verdict::invalid, {"C1a"}},
                              {"loss_ratio", Verdict::invalid, {"C1a"}}};
  spoiled.response.p50.reset();
  spoiled.response.p99.reset();
  spoiled.response.spoiled = {kP50.ppm, kP99.ppm};
  const ReportChange nothing = compare(kBase, spoiled);
  EXPECT_EQ(nothing.limited, 0U);
  EXPECT_FALSE(nothing.regressed);
  EXPECT_TRUE(nothing.sentence.starts_with(
      "Not one figure with a limit could be compared (4 should have been). No significance"))
      << nothing.sentence;
}

TEST(Compare, MatchesScenariosByTheirIdAndNamesTheOthers) {
  const RunReport tcp = run_of("tcp rr", 900, 90, 0);
  const RunReport crr = run_of("tcp crr", 100, 90, 0);
  const ReportChange change =
      compare_reports(report_of({kBase, tcp}), report_of({crr, kBase}), default_limits());
  ASSERT_EQ(change.scenarios.size(), 1U);
  EXPECT_EQ(change.gone, std::vector<std::string>{"tcp-rr"});
  EXPECT_EQ(change.added, std::vector<std::string>{"tcp-crr"});
  EXPECT_TRUE(change.regressed) << "a scenario that vanished is no success";
  EXPECT_FALSE(
      compare_reports(report_of({kBase}), report_of({kBase, crr}), default_limits()).regressed);
  RunReport failed = kBase;
  failed.status = "failed";
  const ReportChange unfinished = compare(kBase, failed);
  EXPECT_TRUE(unfinished.regressed);
  EXPECT_EQ(figure(unfinished, "achieved").latest_missing, "no_run");
}

TEST(Compare, PutsRoundsTogetherFirst) {
  const RunReport slow = run_of("udp rr", 500, 100, 0);
  const ReportChange change = compare_reports(report_of({kBase, kBase, slow}),
                                              report_of({kBase, slow, slow}), default_limits());
  ASSERT_EQ(change.scenarios.size(), 1U);
  EXPECT_EQ(change.scenarios[0].base_rounds, 3U);
  EXPECT_EQ(figure(change, "achieved").base, 1000.0) << "the median of the rounds";
  EXPECT_EQ(figure(change, "achieved").latest, 500.0);
  EXPECT_EQ(figure(change, "achieved").change, Change::regressed);
}

TEST(Compare, SaysWhereItWasNotTheSameLoad) {
  RunReport other = kBase;
  other.config = {{"rate", "2000/s"}, {"size", "64"}, {"seed", "7"}, {"flows", "8"}};
  other.verdict->overall = Verdict::degraded;
  const ReportChange change = compare(kBase, other);
  ASSERT_EQ(change.scenarios.size(), 1U);
  const auto& load = change.scenarios[0].load;
  ASSERT_EQ(load.size(), 2U) << "another seed is the same load";
  EXPECT_EQ(load[0].key, "rate");
  EXPECT_EQ(load[0].base, "1000/s");
  EXPECT_EQ(load[0].latest, "2000/s");
  EXPECT_EQ(load[1].key, "flows");
  EXPECT_FALSE(load[1].base.has_value());
  EXPECT_FALSE(change.regressed);
  EXPECT_EQ(change.scenarios[0].base_verdict, Verdict::trusted);
  EXPECT_EQ(change.scenarios[0].latest_verdict, Verdict::degraded);
}

std::string refusal(const std::string& limit) {
  try {
    (void)parse_regression_limits("--max-regression", {limit});
  } catch (const UsageError& error) {
    return error.what();
  }
  return "accepted";
}

double limit_for(const std::vector<std::string>& values, const std::string& name) {
  for (const RegressionLimit& limit : parse_regression_limits("--max-regression", values))
    if (limit.metric.name == name) return limit.most;
  return -1;
}

TEST(RegressionLimits, AreThoseOfTheDefaultsButWhereAskedOtherwise) {
  EXPECT_DOUBLE_EQ(limit_for({}, "response_p99"), 0.1);
  EXPECT_DOUBLE_EQ(limit_for({}, "loss_ratio"), 0.001);
  EXPECT_DOUBLE_EQ(limit_for({}, "response_mean"), -1);
  EXPECT_DOUBLE_EQ(limit_for({"5%"}, "achieved"), 0.05);
  EXPECT_DOUBLE_EQ(limit_for({"5%"}, "loss_ratio"), 0.001);
  EXPECT_DOUBLE_EQ(limit_for({"p99:250%", "5%"}, "response_p99"), 2.5);
  EXPECT_DOUBLE_EQ(limit_for({"p99:20%", "response p99:30%"}, "response_p99"), 0.3);
}

TEST(RegressionLimits, RefuseWhatIsNone) {
  EXPECT_EQ(refusal("10"),
            "--max-regression: not a share (10) [0% to 10000%]; write it like 10% or p99:25%");
  EXPECT_NE(refusal("p98:10%").find("--max-regression 'p98', column 1: not a metric (p98)"),
            std::string::npos);
  EXPECT_EQ(refusal("sent:10%"),
            "--max-regression: neither more nor less of it is worse (sent) [achieved, goodput, "
            "loss, p99, errors …]; use --fail-if of run or report for it");
  for (const char* text : {"", "%", ":", "p99:", ":10%", "-1%", "10001%", "nan%", "1e3%", "1..0%",
                           "verdict:1%", "udp.jitter_ns:10%", ".5%", "5.%", "9999999999999%"})
    EXPECT_NE(refusal(text), "accepted") << text;
}

}  // namespace
}  // namespace volley
