#include "reports/judge/thresholds.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <string>

#include "reports/measure/ensure.hpp"

namespace volley {
namespace {

RunReport good_run() {
  RunReport run;
  run.requests.sent = 1000;
  run.requests.completed = 998;
  run.requests.lost = 2;
  run.requests.late = 1;
  run.requests.loss_ratio = 0.002;
  run.requests.errors = {{"reset", 3}, {"closed", 4}};
  run.requests.duplicates = 5;
  run.requests.reordered = 6;
  run.load.offered_per_s = 100.0;
  run.load.achieved_per_s = 99.8;
  run.response.p50 = 1'000'000;
  run.response.p90 = 1'500'000;
  run.response.p99 = 2'000'000;
  return run;
}

ThresholdResult judge(const std::string& expr, const std::vector<RunReport>& runs = {good_run()}) {
  return evaluate(parse_threshold("--fail-if", expr), runs);
}

std::string refusal(const std::string& text) {
  try {
    (void)parse_threshold("--fail-if", text);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Threshold, ComparesWithEveryOperator) {
  EXPECT_TRUE(judge("p99>2ms").pass);
  EXPECT_FALSE(judge("p99>=2ms").pass);
  EXPECT_TRUE(judge("p99<2ms").pass);
  EXPECT_FALSE(judge("p99<=2ms").pass);
  EXPECT_FALSE(judge("p99==2ms").pass);
  EXPECT_TRUE(judge("p99!=2ms").pass);
  EXPECT_FALSE(judge("p99!=2001us").pass);
}

TEST(Threshold, KnowsItsMetricsAndTheirUnits) {
  EXPECT_EQ(judge("p50>1s").value, 1e6);
  EXPECT_EQ(judge("p50>1s").unit, "ns");
  EXPECT_EQ(judge("p50>1s").limit, 1e9);
  EXPECT_EQ(judge("p90>1s").value, 1.5e6);
  EXPECT_EQ(judge("loss>=0.1%").value, 0.002);
  EXPECT_EQ(judge("loss>=0.1%").unit, "ratio");
  EXPECT_DOUBLE_EQ(judge("loss>=0.1%").limit, 0.001);
  EXPECT_EQ(judge("achieved<10k/s").value, 99.8);
  EXPECT_EQ(judge("achieved<10k/s").unit, "per_s");
  EXPECT_EQ(judge("achieved<10k/s").limit, 10'000);
  EXPECT_EQ(judge("offered<1").value, 100.0);
  EXPECT_EQ(judge("errors>0").value, 7.0);
  EXPECT_EQ(judge("errors>0").unit, "count");
  EXPECT_EQ(judge("late>0").value, 1.0);
  EXPECT_EQ(judge("duplicates>0").value, 5.0);
  EXPECT_EQ(judge("reordered>0").value, 6.0);
}

TEST(Threshold, KeepsTheExpressionWithoutBlanks) {
  EXPECT_EQ(judge(" p99 > 2ms ").expr, "p99>2ms");
}

TEST(Threshold, ThatCannotBeEvaluatedIsNotPassed) {
  for (const char* expr : {"p99_9<1h", "max<1h", "intended>1/s"}) {
    const auto result = judge(expr);
    EXPECT_FALSE(result.pass) << expr;
    EXPECT_FALSE(result.value.has_value()) << expr;
  }
  EXPECT_FALSE(judge("errors>0", {RunReport{}}).pass) << "nothing was sent";
  EXPECT_FALSE(judge("p99>1h", {}).pass) << "there is no run";
}

TEST(Threshold, OverSeveralRunsIsDecidedByTheOneThatMeetsIt) {
  RunReport slow = good_run();
  slow.response.p99 = 9'000'000;
  const auto met = judge("p99>5ms", {good_run(), slow, good_run()});
  EXPECT_FALSE(met.pass);
  EXPECT_EQ(met.value, 9e6);
  EXPECT_TRUE(judge("p99>10ms", {good_run(), slow}).pass);
  RunReport unknown = good_run();
  unknown.response.p99.reset();
  EXPECT_FALSE(judge("p99>10ms", {good_run(), unknown}).pass);
}

TEST(Threshold, RefusesWhatIsNoCondition) {
  EXPECT_EQ(refusal("p99"),
            "--fail-if: no comparison in it (p99) [> >= < <= == !=]; write it like 'p99>2ms' or "
            "'loss>=0.1%'");
  EXPECT_NE(refusal("p98>2ms").find("not a metric (p98) [p50 p90"), std::string::npos);
  EXPECT_NE(refusal("p99>2").find("--fail-if 'p99>2': not a time (2)"), std::string::npos);
  EXPECT_NE(refusal("loss>0.1ms").find("not a share"), std::string::npos);
  EXPECT_NE(refusal("achieved<fast").find("not a rate"), std::string::npos);
  EXPECT_NE(refusal("errors>-1").find("not a whole number"), std::string::npos);
  for (const char* text : {"", ">", "=", "p99=2ms", "p99!2ms", ">2ms", "p99>", "p99>>2ms",
                           "p99>nan", "loss>101%", "p99>2ms>1ms"})
    EXPECT_NE(refusal(text), "accepted") << text;
}

RC_GTEST_PROP(Threshold, IsParsedOrRefusedForArbitraryText, (const std::string& text)) {
  RC_ASSERT(!refusal(text).empty());
}

}  // namespace
}  // namespace volley
