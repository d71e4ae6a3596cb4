#include "reports/judge/thresholds.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "reports/judge/threshold_parser.hpp"
#include "reports/measure/ensure.hpp"

namespace volley {
namespace {

RunReport good_run() {
  RunReport run;
  run.name = "udp rr";
  run.protocol = "udp";
  run.requests.sent = 1000;
  run.requests.completed = 998;
  run.requests.lost = 2;
  run.requests.late = 1;
  run.requests.loss_ratio = 0.002;
  run.requests.errors = {{"reset", 3}, {"closed", 4}};
  run.requests.duplicates = 5;
  run.requests.reordered = 6;
  run.load.intended_per_s = 100.0;
  run.load.offered_per_s = 100.0;
  run.load.achieved_per_s = 99.8;
  run.goodput_bits_per_s = 2e9;
  run.bytes_sent = 64'000;
  run.duration_s = 10;
  run.response.p50 = 1'000'000;
  run.response.p90 = 1'500'000;
  run.response.p99 = 2'000'000;
  run.send_lag.p99 = 30'000;
  run.protocol_figures = {{"jitter_ns", 5000.0}, {"truncated", 0.0}};
  run.verdict = RunVerdict{Verdict::degraded, "", {}};
  return run;
}

Report report_of(std::vector<RunReport> runs) {
  Report report;
  report.runs = std::move(runs);
  return report;
}

ThresholdResult judge(const std::string& expr, std::vector<RunReport> runs = {good_run()}) {
  return evaluate(parse_threshold("--fail-if", expr), report_of(std::move(runs)));
}

std::string refusal(const std::string& text) {
  try {
    (void)parse_threshold("--fail-if", text);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "accepted";
}

// What is taken, and what it comes to in good_run().
struct Taken {
  const char* text;
  const char* expr;
  const char* metric;
  double value;
  double limit;
  bool pass;
};
constexpr double kMilli = 1e6;
const std::vector<Taken> kTaken{
    // short names, as ever
    {"p99>2ms", "p99>2ms", "latency_ns.response.p99", 2 * kMilli, 2 * kMilli, true},
    {"p99>=2ms", "p99>=2ms", "latency_ns.response.p99", 2 * kMilli, 2 * kMilli, false},
    {"p99<2ms", "p99<2ms", "latency_ns.response.p99", 2 * kMilli, 2 * kMilli, true},
    {"p99<=2ms", "p99<=2ms", "latency_ns.response.p99", 2 * kMilli, 2 * kMilli, false},
    {"p99==2ms", "p99==2ms", "latency_ns.response.p99", 2 * kMilli, 2 * kMilli, false},
    {"p99!=2ms", "p99!=2ms", "latency_ns.response.p99", 2 * kMilli, 2 * kMilli, true},
    {"p99!=2001us", "p99!=2001us", "latency_ns.response.p99", 2 * kMilli, 2.001 * kMilli, false},
    {"p50>1s", "p50>1s", "latency_ns.response.p50", kMilli, 1e9, true},
    {"p90 > 0", "p90>0", "latency_ns.response.p90", 1.5 * kMilli, 0, false},
    {"loss>=0.1%", "loss>=0.1%", "requests.loss_ratio", 0.002, 0.001, false},
    {"loss > 0.01", "loss>0.01", "requests.loss_ratio", 0.002, 0.01, true},
    {"achieved<10k/s", "achieved<10k/s", "load.achieved_per_s", 99.8, 10'000, false},
    {"offered<1", "offered<1", "load.offered_per_s", 100, 1, true},
    {"achieved==0", "achieved==0", "load.achieved_per_s", 99.8, 0, true},
    {"intended>0/s", "intended>0/s", "load.intended_per_s", 100, 0, false},
    {"errors>0", "errors>0", "requests.errors", 7, 0, false},
    {"late>0", "late>0", "requests.late", 1, 0, false},
    {"duplicates>5", "duplicates>5", "requests.duplicates", 5, 5, true},
    {"reordered>1k", "reordered>1k", "requests.reordered", 6, 1000, true},
    {"goodput<1Gbit/s", "goodput<1Gbit/s", "bytes.goodput_bits_per_s", 2e9, 1e9, true},
    {"goodput < 300MB/s", "goodput<300MB/s", "bytes.goodput_bits_per_s", 2e9, 2.4e9, false},
    {"goodput<=0", "goodput<=0", "bytes.goodput_bits_per_s", 2e9, 0, true},
    // blanks
    {" p99 > 2ms ", "p99>2ms", "latency_ns.response.p99", 2 * kMilli, 2 * kMilli, true},
    {"\tp99\t>\t2 ms", "p99>2ms", "latency_ns.response.p99", 2 * kMilli, 2 * kMilli, true},
    {"p99 > = 2ms", "p99>=2ms", "latency_ns.response.p99", 2 * kMilli, 2 * kMilli, false},
    {"achieved < 10 k/s", "achieved<10k/s", "load.achieved_per_s", 99.8, 10'000, false},
    // paths, names, words
    {"latency_ns.response.p99 > 3ms", "latency_ns.response.p99>3ms", "latency_ns.response.p99",
     2 * kMilli, 3 * kMilli, true},
    {"requests.errors.reset>3", "requests.errors.reset>3", "requests.errors.reset", 3, 3, true},
    {"requests.errors.refused>0", "requests.errors.refused>0", "requests.errors.refused", 0, 0,
     true},
    {"udp.jitter_ns > 1us", "udp.jitter_ns>1us", "udp.jitter_ns", 5000, 1000, false},
    {"udp.truncated != 0.5", "udp.truncated!=0.5", "udp.truncated", 0, 0.5, false},
    {"bytes.sent < 1MiB", "bytes.sent<1MiB", "bytes.sent", 64'000, 1'048'576, false},
    {"duration_s < 10s", "duration_s<10s", "duration_s", 10, 10, true},
    {"duration < 1m", "duration<1m", "duration_s", 10, 60, false},
    {"response_p99>2ms", "response_p99>2ms", "latency_ns.response.p99", 2 * kMilli, 2 * kMilli,
     true},
    {"send_lag_p99 > 20us", "send_lag_p99>20us", "latency_ns.send_lag.p99", 30'000, 20'000, false},
    {"p99 response > 2ms", "p99 response>2ms", "latency_ns.response.p99", 2 * kMilli, 2 * kMilli,
     true},
    {"response   p99 > 2ms", "response p99>2ms", "latency_ns.response.p99", 2 * kMilli, 2 * kMilli,
     true},
    {"send_lag p99 > 1ms", "send_lag p99>1ms", "latency_ns.send_lag.p99", 30'000, kMilli, true},
    {"p99 send_lag > 1ms", "p99 send_lag>1ms", "latency_ns.send_lag.p99", 30'000, kMilli, true},
    {"p99 send lag > 1ms", "p99 send lag>1ms", "latency_ns.send_lag.p99", 30'000, kMilli, true},
    {"send lag p99 > 1ms", "send lag p99>1ms", "latency_ns.send_lag.p99", 30'000, kMilli, true},
    {"reset errors > 2", "reset errors>2", "requests.errors.reset", 3, 2, false},
    {"loss ratio > 1%", "loss ratio>1%", "requests.loss_ratio", 0.002, 0.01, true},
    // other metrics as the limit
    {"achieved < 0.99 * intended", "achieved<0.99*intended", "load.achieved_per_s", 99.8, 99, true},
    {"achieved < intended*0.999", "achieved<intended*0.999", "load.achieved_per_s", 99.8, 99.9,
     false},
    {"achieved<intended", "achieved<intended", "load.achieved_per_s", 99.8, 100, false},
    {"p99 > 10 * p50", "p99>10*p50", "latency_ns.response.p99", 2 * kMilli, 10 * kMilli, true},
    {"p99 > 1.5 * p50 response", "p99>1.5*p50 response", "latency_ns.response.p99", 2 * kMilli,
     1.5 * kMilli, false},
    {"send_lag p99 > 0.1*p99", "send_lag p99>0.1*p99", "latency_ns.send_lag.p99", 30'000, 200'000,
     true},
    {"late > 0 * sent", "late>0*sent", "requests.late", 1, 0, false},
    // verdicts: worse is smaller
    {"verdict < TRUSTED", "verdict<TRUSTED", "verdict", 2, 3, false},
    {"verdict<DEGRADED", "verdict<DEGRADED", "verdict", 2, 2, true},
    {"verdict <= degraded", "verdict<=degraded", "verdict", 2, 2, false},
    {"verdict == INVALID", "verdict==INVALID", "verdict", 2, 0, true},
    {"verdict <= NOT CLAIMABLE", "verdict<=NOTCLAIMABLE", "verdict", 2, 1, true},
    // scopes
    {"udp: p99>2ms", "udp:p99>2ms", "latency_ns.response.p99", 2 * kMilli, 2 * kMilli, true},
    {"udp-rr : p99 >= 2ms", "udp-rr:p99>=2ms", "latency_ns.response.p99", 2 * kMilli, 2 * kMilli,
     false},
    {"udp:udp.jitter_ns>1us", "udp:udp.jitter_ns>1us", "udp.jitter_ns", 5000, 1000, false},
};

TEST(Threshold, IsTakenInEveryWayItMayBeWritten) {
  for (const Taken& t : kTaken) {
    SCOPED_TRACE(t.text);
    ASSERT_EQ(refusal(t.text), "accepted");
    const ThresholdResult result = judge(t.text);
    EXPECT_EQ(result.expr, t.expr);
    EXPECT_EQ(result.metric, t.metric);
    ASSERT_TRUE(result.value.has_value());
    EXPECT_DOUBLE_EQ(*result.value, t.value);
    ASSERT_TRUE(result.limit.has_value());
    EXPECT_DOUBLE_EQ(*result.limit, t.limit);
    EXPECT_EQ(result.pass, t.pass);
    EXPECT_EQ(result.reason, "");
    // What the report keeps can be given again, and means the same.
    const ThresholdResult again = judge(result.expr);
    EXPECT_EQ(again.expr, result.expr);
    EXPECT_EQ(again.limit, result.limit);
    EXPECT_EQ(again.pass, result.pass);
  }
}

// What cannot be evaluated, and why.
struct Unknown {
  const char* text;
  const char* reason;
  const char* missing;
};
const std::vector<Unknown> kUnknown{
    {"p99_9<1h", "lost", "latency_ns.response.p99_9"},
    {"p99.9<1h", "lost", "latency_ns.response.p99_9"},
    {"max<1h", "lost", "latency_ns.response.max"},
    {"p99_99<1h", "invalid", "latency_ns.response.p99_99"},
    {"service p99<1h", "not_claimable", "latency_ns.service.p99"},
    {"connect p99<1h", "not_measured", "latency_ns.connect.p99"},
    {"p99 > 2 * service p99", "not_claimable", "latency_ns.service.p99"},
    {"udp.no_such_figure>0", "not_measured", "udp.no_such_figure"},
    {"tcp.retransmits>0", "no_run", "tcp.retransmits"},
    {"tcp: p99>2ms", "no_run", "latency_ns.response.p99"},
    {"udp-crr: p99>2ms", "no_run", "latency_ns.response.p99"},
};

TEST(Threshold, ThatCannotBeEvaluatedFailsAndSaysWhy) {
  RunReport run = good_run();
  run.response.beyond_lost = true;
  run.response.spoiled = {kP99_99.ppm};
  run.service.claims = Claims{};
  for (const Unknown& u : kUnknown) {
    SCOPED_TRACE(u.text);
    ASSERT_EQ(refusal(u.text), "accepted");
    const ThresholdResult result = judge(u.text, {run});
    EXPECT_FALSE(result.pass);
    EXPECT_FALSE(result.value.has_value());
    EXPECT_EQ(result.reason, u.reason);
    EXPECT_EQ(result.missing, u.missing);
  }
  EXPECT_EQ(result_text(judge("p99.9<1h", {run})),
            "it could not be evaluated: latency_ns.response.p99_9 falls among the lost requests, "
            "which have no end");
  EXPECT_EQ(judge("errors>0", {RunReport{}}).reason, "not_measured") << "nothing was sent";
  EXPECT_EQ(judge("verdict<TRUSTED", {RunReport{}}).reason, "not_judged");
  EXPECT_EQ(judge("p99>1h", {}).reason, "no_run");
  EXPECT_EQ(judge("p99>1h", {}).limit, 3.6e12);
  EXPECT_FALSE(judge("achieved<0.5*intended", {}).limit.has_value());
  RunReport spoiled = good_run();
  spoiled.requests.loss_ratio.reset();
  EXPECT_EQ(judge("loss>1%", {spoiled}).reason, "invalid");
}

// What is refused, in these very words. NAMES stands for the list of short names.
struct Refused {
  const char* text;
  const char* says;
};
const std::vector<Refused> kRefused{
    {"",
     "--fail-if '', column 1: no comparison in it [> >= < <= == !=]; write it like 'p99>2ms' or "
     "'achieved < 0.99 * intended'\n  \n  ^"},
    {"p99",
     "--fail-if 'p99', column 4: no comparison in it (p99) [> >= < <= == !=]; write it like "
     "'p99>2ms' or 'achieved < 0.99 * intended'\n  p99\n     ^"},
    {"p98>2ms",
     "--fail-if 'p98>2ms', column 1: not a metric (p98) [NAMES]; did you mean p90 or p99?\n"
     "  p98>2ms\n  ^"},
    {"  lsos > 1%",
     "--fail-if '  lsos > 1%', column 3: not a metric (lsos) [NAMES]; did you mean loss?\n"
     "    lsos > 1%\n    ^"},
    {"latency > 2ms",
     "--fail-if 'latency > 2ms', column 1: not a metric (latency) [NAMES]; choose one of these, or "
     "a path of the JSON (docs/thresholds.md)\n  latency > 2ms\n  ^"},
    {">2ms",
     "--fail-if '>2ms', column 1: a metric is missing [NAMES]; write it like 'p99>2ms' or "
     "'achieved < 0.99 * intended'\n  >2ms\n  ^"},
    {"p99>",
     "--fail-if 'p99>', column 5: the limit is missing; write it like 'p99>2ms' or 'achieved < "
     "0.99 * intended'\n  p99>\n      ^"},
    {"verdict <",
     "--fail-if 'verdict <', column 10: the limit is missing [TRUSTED DEGRADED NOT_CLAIMABLE "
     "INVALID]; write it like 'p99>2ms' or 'achieved < 0.99 * intended'\n  verdict <\n"
     "           ^"},
    {"p99=2ms",
     "--fail-if 'p99=2ms', column 4: not a comparison (=) [> >= < <= == !=]; write it like "
     "'p99>2ms' or 'achieved < 0.99 * intended'\n  p99=2ms\n     ^"},
    {"p99 >> 2ms",
     "--fail-if 'p99 >> 2ms', column 5: not a comparison (>>) [> >= < <= == !=]; write it like "
     "'p99>2ms' or 'achieved < 0.99 * intended'\n  p99 >> 2ms\n      ^"},
    {"p99>2ms>1ms",
     "--fail-if 'p99>2ms>1ms', column 8: a second comparison (>) [one]; give --fail-if once for "
     "each\n  p99>2ms>1ms\n         ^"},
    {"p99 > 2",
     "--fail-if 'p99 > 2', column 7: not a time (2) [0 to 1h]; write it like 90us, 1.5ms, 10s or "
     "2m\n  p99 > 2\n        ^"},
    {"p99>2h",
     "--fail-if 'p99>2h', column 5: time out of range (2h) [0 to 1h]; choose a time in that "
     "range\n  p99>2h\n      ^"},
    {"p99>1e3ms",
     "--fail-if 'p99>1e3ms', column 5: not a time (1e3ms) [0 to 1h]; write it like 90us, 1.5ms, "
     "10s or 2m\n  p99>1e3ms\n      ^"},
    {"p99>99999999999999999999999999999999ms",
     "--fail-if 'p99>99999999999999999999999999999999ms', column 5: time out of range "
     "(99999999999999999999999999999999ms) [0 to 1h]; choose a time in that range\n"
     "  p99>99999999999999999999999999999999ms\n      ^"},
    {"loss>0.1ms",
     "--fail-if 'loss>0.1ms', column 6: not a share (0.1ms) [0% to 100%, or 0 to 1]; write it like "
     "1%, 0.5% or 0.01\n  loss>0.1ms\n       ^"},
    {"loss>101%",
     "--fail-if 'loss>101%', column 6: share out of range (101%) [0% to 100%, or 0 to 1]; choose "
     "one in that range\n  loss>101%\n       ^"},
    {"loss > -1%",
     "--fail-if 'loss > -1%', column 8: not a share (-1%) [0% to 100%, or 0 to 1]; write it like "
     "1%, 0.5% or 0.01\n  loss > -1%\n         ^"},
    {"achieved<2ms",
     "--fail-if 'achieved<2ms', column 10: not a rate (2ms) [0.000001/s to 1G/s]; write it like "
     "500/s, 10k or 1.5M/s\n  achieved<2ms\n           ^"},
    {"achieved<fast",
     "--fail-if 'achieved<fast', column 10: not a metric (fast) [NAMES]; choose one of these, or a "
     "path of the JSON (docs/thresholds.md)\n  achieved<fast\n           ^"},
    {"goodput<5",
     "--fail-if 'goodput<5', column 9: not a rate of bits (5) [1kbit/s to 1000Gbit/s]; write it "
     "like 100Mbit/s or 12.5MB/s\n  goodput<5\n          ^"},
    {"bytes.sent<5x",
     "--fail-if 'bytes.sent<5x', column 12: not a size (5x) [0 to 18446744073709551615 bytes]; "
     "write it like 64, 4KiB or 1MB\n  bytes.sent<5x\n             ^"},
    {"errors>0.5",
     "--fail-if 'errors>0.5', column 8: not a whole number (0.5) [0 or more]; write it like 8, "
     "20000 or 20k\n  errors>0.5\n         ^"},
    {"p99>nan",
     "--fail-if 'p99>nan', column 5: not a metric (nan) [NAMES]; choose one of these, or a path of "
     "the JSON (docs/thresholds.md)\n  p99>nan\n      ^"},
    {"achieved < 0.99 * p50",
     "--fail-if 'achieved < 0.99 * p50', column 19: a metric of another unit, ns (p50) [per_s, as "
     "achieved is]; compare like with like\n  achieved < 0.99 * p50\n                    ^"},
    {"p99 > loss",
     "--fail-if 'p99 > loss', column 7: a metric of another unit, ratio (loss) [ns, as "
     "response_p99 "
     "is]; compare like with like\n  p99 > loss\n        ^"},
    {"achieved < 99% * intended",
     "--fail-if 'achieved < 99% * intended', column 12: not a factor (99%) [0 to 1000000]; write "
     "it like 'p99>2ms' or 'achieved < 0.99 * intended'\n  achieved < 99% * intended\n"
     "             ^"},
    {"achieved < 1e400 * intended",
     "--fail-if 'achieved < 1e400 * intended', column 12: not a factor (1e400) [0 to 1000000]; "
     "write it like 'p99>2ms' or 'achieved < 0.99 * intended'\n  achieved < 1e400 * intended\n"
     "             ^"},
    {"p99 > p50 * p90",
     "--fail-if 'p99 > p50 * p90', column 7: not a factor (p50) [0 to 1000000]; write it like "
     "'p99>2ms' or 'achieved < 0.99 * intended'\n  p99 > p50 * p90\n        ^"},
    {"p99 > 2 * p50 * 3",
     "--fail-if 'p99 > 2 * p50 * 3', column 15: a second product (*) [FACTOR * METRIC]; write it "
     "like 'p99>2ms' or 'achieved < 0.99 * intended'\n  p99 > 2 * p50 * 3\n                ^"},
    {"p99 > 2 *",
     "--fail-if 'p99 > 2 *', column 10: a metric is missing [NAMES]; write it like 'p99>2ms' or "
     "'achieved < 0.99 * intended'\n  p99 > 2 *\n           ^"},
    {"verdict < GOOD",
     "--fail-if 'verdict < GOOD', column 11: not a verdict (GOOD) [TRUSTED DEGRADED NOT_CLAIMABLE "
     "INVALID]; choose one of these; worse is smaller\n  verdict < GOOD\n            ^"},
    {"verdict < 2",
     "--fail-if 'verdict < 2', column 11: not a verdict (2) [TRUSTED DEGRADED NOT_CLAIMABLE "
     "INVALID]; choose one of these; worse is smaller\n  verdict < 2\n            ^"},
    {": p99>2ms",
     "--fail-if ': p99>2ms', column 1: not a scope [udp, tcp, or a scenario such as udp-rr]; write "
     "it like 'udp: p99>2ms'\n  : p99>2ms\n  ^"},
    {"udp rr: p99>2ms",
     "--fail-if 'udp rr: p99>2ms', column 1: not a scope (udp rr) [udp, tcp, or a scenario such as "
     "udp-rr]; write it like 'udp: p99>2ms'\n  udp rr: p99>2ms\n  ^"},
    {"udp: >2ms",
     "--fail-if 'udp: >2ms', column 5: a metric is missing [NAMES]; write it like 'p99>2ms' or "
     "'achieved < 0.99 * intended'\n  udp: >2ms\n      ^"},
    {"p99 response now > 2ms",
     "--fail-if 'p99 response now > 2ms', column 1: not a metric (p99 response now) [NAMES]; "
     "choose "
     "one of these, or a path of the JSON (docs/thresholds.md)\n  p99 response now > 2ms\n  ^"},
    {"p99>2ms\n",
     "--fail-if 'p99>2ms?', column 8: a character that no condition has (byte 0x0a) [letters, "
     "digits and signs of ASCII]; write it like 'p99>2ms' or 'achieved < 0.99 * intended'\n"
     "  p99>2ms?\n         ^"},
    {"p99>2\xc2\xb5s",
     "--fail-if 'p99>2??s', column 6: a character that no condition has (byte 0xc2) [letters, "
     "digits and signs of ASCII]; write it like 'p99>2ms' or 'achieved < 0.99 * intended'\n"
     "  p99>2??s\n       ^"},
};

// The list of short names, which every refusal of a metric has.
const char* const kNames =
    "intended offered achieved unsent sent completed lost late errors duplicates reordered "
    "held_back loss goodput min mean stddev p50 p90 p99 p99_9 p99_99 max verdict";

TEST(Threshold, RefusesWhatIsNoConditionAndPointsAtIt) {
  for (const Refused& r : kRefused) {
    std::string says = r.says;
    if (const auto at = says.find("NAMES"); at != std::string::npos) says.replace(at, 5, kNames);
    EXPECT_EQ(refusal(r.text), says) << r.text;
  }
  EXPECT_GE(kTaken.size() + kUnknown.size() + kRefused.size(), 60U);
}

TEST(Threshold, TakesNoTextOfAnyLengthOrWithNulIntoItsMessage) {
  EXPECT_EQ(refusal(std::string(10'240, 'p')),
            "--fail-if: too long (10240 characters) [at most 200]; write it like 'p99>2ms' or "
            "'achieved < 0.99 * intended'");
  const std::string with_nul = refusal(std::string("p99\0>2ms", 8));
  EXPECT_EQ(with_nul.find('\0'), std::string::npos);
  EXPECT_NE(with_nul.find("--fail-if 'p99?>2ms', column 4: a character that no condition has "
                          "(byte 0x00)"),
            std::string::npos)
      << with_nul;
  EXPECT_NE(refusal("p99>\x1b[2Jms").find("'p99>?[2Jms', column 5"), std::string::npos);
}

TEST(Threshold, OverSeveralRunsIsDecidedByTheOneThatMeetsIt) {
  RunReport slow = good_run();
  slow.response.p99 = 9'000'000;
  const auto met = judge("p99>5ms", {good_run(), slow, good_run()});
  EXPECT_FALSE(met.pass);
  EXPECT_EQ(met.value, 9e6);
  EXPECT_EQ(met.run, "udp rr");
  EXPECT_EQ(met.round, 2U);
  EXPECT_EQ(result_text(met), "it is 9.00 ms, in run 2 of udp rr");
  const auto closest = judge("p99>10ms", {good_run(), slow});
  EXPECT_TRUE(closest.pass);
  EXPECT_EQ(closest.value, 9e6) << "none met it, and this one came closest";
  EXPECT_EQ(judge("p99<1ms", {slow, good_run()}).value, 2e6);
  RunReport unknown = good_run();
  unknown.response.p99.reset();
  const auto lacking = judge("p99>10ms", {good_run(), unknown});
  EXPECT_FALSE(lacking.pass);
  EXPECT_EQ(lacking.round, 2U);
  const auto met_beside = judge("p99>1ms", {unknown, good_run()});
  EXPECT_FALSE(met_beside.pass);
  EXPECT_EQ(met_beside.value, 2e6) << "that it is met weighs more than that one lacks it";
}

TEST(Threshold, OfAScopeLooksAtItsRunsOnly) {
  RunReport tcp = good_run();
  tcp.name = "tcp rr";
  tcp.protocol = "tcp";
  tcp.response.p99 = 9'000'000;
  tcp.protocol_figures = {{"retransmits", 3.0}};
  const std::vector<RunReport> duel{good_run(), tcp};
  EXPECT_TRUE(judge("udp: p99>5ms", duel).pass);
  EXPECT_FALSE(judge("tcp: p99>5ms", duel).pass);
  EXPECT_FALSE(judge("tcp-rr: p99>5ms", duel).pass);
  EXPECT_FALSE(judge("p99>5ms", duel).pass);
  EXPECT_TRUE(judge("udp.jitter_ns>1ms", duel).pass) << "the TCP run is not asked";
  EXPECT_EQ(judge("tcp.retransmits>2", duel).value, 3.0);
  EXPECT_EQ(judge("udp: tcp.retransmits>2", duel).reason, "no_run");
  EXPECT_FALSE(judge("p99>5ms", duel).round.has_value()) << "it is the only one of its name";
}

TEST(Threshold, TellsALimitThatHangsOnTheRun) {
  EXPECT_EQ(result_text(judge("achieved<intended")), "it is 99.8/s against 100/s");
  EXPECT_EQ(result_text(judge("p99>10*p50")), "it is 2.00 ms against 10.0 ms");
  EXPECT_EQ(result_text(judge("verdict<TRUSTED")), "it is DEGRADED");
  EXPECT_EQ(result_text(judge("udp.jitter_ns>1us")), "it is 5.00 us");
}

// A condition put together of parts, and what the parts are.
RC_GTEST_PROP(Threshold, IsReadBackAsItWasWritten, ()) {
  const auto kinds = metric_kinds();
  const auto kind = kinds[*rc::gen::inRange<std::size_t>(0, kinds.size())];
  const auto spelled = *rc::gen::element(kind.path, kind.name);
  const auto op = *rc::gen::element<std::string>(">", ">=", "<", "<=", "==", "!=");
  const auto scope = *rc::gen::element<std::string>("", "udp", "tcp", "udp-rr.2");
  const auto number = *rc::gen::inRange<std::uint64_t>(1, 900);
  const auto blanks = *rc::gen::element<std::string>("", " ", "\t  ");
  const bool multiple = *rc::gen::arbitrary<bool>();
  const std::map<std::string, std::pair<std::string, double>> units{
      {"ns", {"us", 1e3}}, {"s", {"s", 1}},          {"per_s", {"k/s", 1e3}},
      {"ratio", {"", 0}},  {"bytes", {"KiB", 1024}}, {"bits_per_s", {"Mbit/s", 1e6}},
      {"count", {"", 1}}};
  std::string limit = std::to_string(number) + units.at(kind.unit).first;
  double expected = static_cast<double>(number) * units.at(kind.unit).second;
  if (kind.unit == "ratio") {
    limit = "0." + std::to_string(number + 1000).substr(1);
    expected = static_cast<double>(number) / 1000;
  }
  if (multiple) limit = std::to_string(number) + blanks + "*" + blanks + kind.name;
  const std::string text = blanks + scope + (scope.empty() ? "" : ":") + blanks + spelled + blanks +
                           op + blanks + limit + blanks;
  const Threshold parsed = parse_threshold("x", text);
  RC_ASSERT(parsed.scope == scope);
  RC_ASSERT(parsed.metric.path == kind.path);
  RC_ASSERT(std::holds_alternative<MetricMultiple>(parsed.limit) == multiple);
  if (multiple) {
    RC_ASSERT(std::get<MetricMultiple>(parsed.limit).factor == static_cast<double>(number));
    RC_ASSERT(std::get<MetricMultiple>(parsed.limit).metric.path == kind.path);
  } else {
    RC_ASSERT(std::get<double>(parsed.limit) == expected);
  }
  RC_ASSERT(parse_threshold("x", parsed.expr).expr == parsed.expr);
  RC_ASSERT(parsed.expr.find_first_of(" \t") == std::string::npos);
}

RC_GTEST_PROP(Threshold, IsParsedOrRefusedForArbitraryText, (const std::string& text)) {
  RC_ASSERT(!refusal(text).empty());
}

// Random text rarely gets beyond the first word.
RC_GTEST_PROP(Threshold, IsParsedOrRefusedForAnyOrderOfItsParts, ()) {
  const auto parts = *rc::gen::container<std::vector<std::string>>(
      rc::gen::element<std::string>("p99", "loss", "verdict", "udp", ":", ">", "<", "=", "!", "*",
                                    " ", ".", "2", "ms", "%", "INVALID", "achieved", "-", "e"));
  std::string text;
  for (const std::string& part : parts) text += part;
  const std::string said = refusal(text);
  RC_ASSERT(said == "accepted" || said.starts_with("--fail-if"));
}

}  // namespace
}  // namespace volley
