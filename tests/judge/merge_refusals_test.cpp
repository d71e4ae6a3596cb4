// merge.cpp: what is not one load is refused, with the report that does not fit and the reason.
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "reports/measure/ensure.hpp"
#include "tests/judge/merge_reports.hpp"

namespace volley {
namespace {

using merging::clean_record;
using merging::named;

std::string refusal(const std::vector<NamedReport>& reports) {
  try {
    static_cast<void>(merge_reports(reports));
  } catch (const RunError& e) {
    EXPECT_EQ(e.code(), "unmergeable");
    EXPECT_EQ(e.phase(), "report");
    return e.what();
  }
  return "(merged)";
}

// What merging a clean report with another that was changed says.
std::string refusal_of(const std::function<void(Report&)>& change) {
  NamedReport b = named("b", clean_record(0));
  change(b.report);
  return refusal({named("a", clean_record(0)), b});
}

TEST(MergeRefuses, fewer_than_two) {
  EXPECT_EQ(refusal({named("a", clean_record(0))}),
            "FILE: too few reports to merge (1) [2 or more]; give one of each generator");
  EXPECT_NE(refusal({}).find("(0)"), std::string::npos);
}

TEST(MergeRefuses, one_report_twice_also_within_a_merge) {
  const NamedReport a = named("a", clean_record(0));
  const NamedReport b = named("b", clean_record(0));
  NamedReport copy = a;
  copy.name = "copy";
  EXPECT_EQ(refusal({a, copy}),
            "copy: the report of 2026-11-22T13:12:58.123Z is in a already (same start, command "
            "line, host and counts) [each generator once]; leave one out");
  const NamedReport ab{"ab", merge_reports(std::vector{a, b})};
  EXPECT_EQ(refusal({ab, copy}).rfind("copy: the report of", 0), 0U);
}

TEST(MergeRefuses, other_requests_and_says_which_key) {
  EXPECT_EQ(refusal_of([](Report& r) { r.runs[0].config[0].second = "128"; }),
            "b: other requests than those of a: size (128) [64]; merge reports of the same "
            "requests");
  EXPECT_NE(refusal_of([](Report& r) {
              r.runs[0].config.erase(r.runs[0].config.begin());
            }).find("size (none) [64]"),
            std::string::npos);
  EXPECT_NE(refusal_of([](Report& r) {
              r.runs[0].config.emplace_back("timeout", "2s");
            }).find("timeout (2s) [none]"),
            std::string::npos);
  EXPECT_NE(refusal_of([](Report& r) {
              r.runs[0].arrival = "constant";
            }).find("arrival (constant) [poisson]"),
            std::string::npos);
  EXPECT_NE(refusal_of([](Report& r) {
              r.runs[0].endpoint = "udp://127.0.0.2:1";
            }).find("endpoint (udp://127.0.0.2:1) [udp://127.0.0.1:2924]"),
            std::string::npos);
}

TEST(MergeRefuses, other_runs_and_says_which) {
  EXPECT_EQ(refusal_of([](Report& r) { r.runs[0].name = "tcp rr"; }),
            "b: the run \"tcp rr\" (rr over udp, number 1 of that name) is not in a; give reports "
            "of the same runs");
  EXPECT_NE(refusal_of([](Report& r) {
              r.runs.push_back(r.runs[0]);
            }).find("\"udp rr\" (rr over udp, number 2 of that name) is not in a"),
            std::string::npos);
  const NamedReport a = named("a", clean_record(0));
  NamedReport two = named("two", clean_record(0));
  two.report.runs.push_back(two.report.runs[0]);
  EXPECT_NE(refusal({two, a}).find("a: the run \"udp rr\" (rr over udp, number 2 of that name) is "
                                   "missing, two has it"),
            std::string::npos);
}

TEST(MergeRefuses, what_failed_or_is_not_whole) {
  EXPECT_NE(refusal_of([](Report& r) {
              r.status = "failed";
              r.error = {"refused", "nobody", "setup"};
            }).find("b: its run failed (refused)"),
            std::string::npos);
  EXPECT_NE(
      refusal_of([](Report& r) { r.runs[0].status = "failed"; }).find("b: its run \"udp rr\""),
      std::string::npos);
  EXPECT_NE(refusal_of([](Report& r) { r.runs.clear(); }).find("b: it has no runs"),
            std::string::npos);
  EXPECT_NE(refusal_of([](Report& r) { r.runs[0].checks.reset(); }).find("has no checks"),
            std::string::npos);
  EXPECT_NE(refusal_of([](Report& r) { r.runs[0].checks->resize(1'001); }).find("(1001)"),
            std::string::npos);
  EXPECT_NE(refusal_of([](Report& r) { r.parts.resize(10'000); }).find("too many parts (10001)"),
            std::string::npos);
  EXPECT_NE(refusal_of([](Report& r) { ++r.runs[0].requests.sent; }).find("does not hold"),
            std::string::npos);
}

TEST(MergeRefuses, what_never_ran_at_once) {
  EXPECT_EQ(refusal_of([](Report& r) { r.started_at = "2026-11-22T13:13:09.123Z"; }),
            "b: it started 1.000 s after that of a had ended: never at once, so not one load "
            "[generators that ran at the same time]; start them together");
  EXPECT_NE(refusal_of([](Report& r) {
              r.started_at = "2026-11-22T13:12:08.123Z";
            }).find("a: it started 40.000 s after that of b"),
            std::string::npos);
  for (const char* bad : {"", "yesterday", "2026-13-22T13:12:58.123Z", "2026-11-22T13:12:58.12xZ",
                          "2026-11-22T25:12:58.123Z", "-026-11-22T13:12:58.123Z"})
    EXPECT_NE(refusal_of([&](Report& r) { r.started_at = bad; }).find("its start is no time"),
              std::string::npos)
        << bad;
}

TEST(MergeRefuses, sums_that_no_report_can_hold) {
  const std::vector<std::function<void(Report&)>> changes{
      [](Report& r) { r.runs[0].bytes_sent = UINT64_MAX - 1; },
      [](Report& r) { r.runs[0].generator.threads = UINT32_MAX; },
      [](Report& r) { r.runs[0].load.offered_per_s = 1.7e308; },
      [](Report& r) { r.runs[0].generator.cpu_user_s = 1.7e308; },
      [](Report& r) { r.runs[0].protocol_figures[0].second = 1.7e308; }};
  for (const auto& change : changes) {
    NamedReport a = named("a", clean_record(0));
    NamedReport b = named("b", clean_record(0));
    change(a.report);
    change(b.report);
    EXPECT_NE(refusal({a, b}).find("larger than a report can hold"), std::string::npos);
  }
}

}  // namespace
}  // namespace volley
