// metrics.cpp: names that cannot be mixed up, and values that are those of the run.
#include "reports/judge/metrics.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

namespace volley {
namespace {

RunReport some_run() {
  RunReport run;
  run.protocol = "udp";
  run.requests.sent = 10;
  run.requests.completed = 8;
  run.requests.lost = 2;
  run.requests.loss_ratio = 0.2;
  run.requests.errors = {{"reset", 3}, {"refused", 4}};
  run.response.p99 = 1234;
  run.service.p99 = 567;
  run.load.offered_per_s = 99.5;
  run.protocol_figures = {{"jitter_ns", 12.5}, {"gso_bytes", std::nullopt}};
  return run;
}

std::optional<double> value_of(const RunReport& run, std::string_view name) {
  const auto kind = find_metric(name);
  return kind ? kind->value(run) : std::nullopt;
}

TEST(Metrics, no_word_means_two_things) {
  std::set<std::string> seen;
  for (const MetricKind& kind : metric_kinds()) {
    for (const std::string& word : std::set<std::string>{kind.path, kind.name, kind.short_name})
      EXPECT_TRUE(word.empty() || seen.insert(word).second) << word;
    EXPECT_EQ(kind.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_"),
              std::string::npos)
        << kind.name;
    EXPECT_TRUE(std::set<std::string>({"ns", "s", "per_s", "bits_per_s", "bytes", "ratio", "count"})
                    .contains(kind.unit))
        << kind.unit;
  }
}

TEST(Metrics, are_found_by_path_name_and_short_name) {
  const RunReport run = some_run();
  EXPECT_EQ(value_of(run, "latency_ns.response.p99"), 1234.0);
  EXPECT_EQ(value_of(run, "response_p99"), 1234.0);
  EXPECT_EQ(value_of(run, "p99"), 1234.0);
  EXPECT_EQ(value_of(run, "service_p99"), 567.0);
  EXPECT_EQ(value_of(run, "loss"), 0.2);
  EXPECT_EQ(value_of(run, "errors"), 7.0);
  EXPECT_EQ(value_of(run, "requests.errors.reset"), 3.0);
  EXPECT_EQ(value_of(run, "requests.errors.closed"), 0.0);
  EXPECT_EQ(value_of(run, "offered"), 99.5);
  EXPECT_EQ(value_of(run, "p50"), std::nullopt);
}

TEST(Metrics, of_one_protocol_are_found_by_any_key_and_missing_elsewhere) {
  RunReport run = some_run();
  EXPECT_EQ(value_of(run, "udp.jitter_ns"), 12.5);
  EXPECT_EQ(value_of(run, "udp.gso_bytes"), std::nullopt);
  EXPECT_EQ(find_metric("udp.jitter_ns")->unit, "ns");
  EXPECT_EQ(find_metric("tcp.x_bits_per_s")->unit, "bits_per_s");
  EXPECT_EQ(find_metric("tcp.retransmits")->unit, "count");
  run.protocol = "tcp";
  EXPECT_EQ(value_of(run, "udp.jitter_ns"), std::nullopt);
  for (const char* nonsense : {"", "udp.", "udp.X", "udpxjitter", "sctp.x", "udp.a b", "p100"})
    EXPECT_FALSE(find_metric(nonsense)) << nonsense;
}

TEST(Metrics, without_a_request_say_nothing_of_failures) {
  RunReport run = some_run();
  run.requests.sent = 0;
  for (const char* name : {"errors", "late", "lost", "duplicates", "reordered", "errors_reset"})
    EXPECT_EQ(value_of(run, name), std::nullopt) << name;
}

TEST(Metrics, have_an_interval_only_where_the_claim_holds) {
  RunReport run = some_run();
  const auto p99 = find_metric("p99");
  ASSERT_TRUE(p99 && p99->claim);
  EXPECT_EQ(p99->claim(run), nullptr);
  run.response.claims.emplace().p99 = {.holds = true,
                                       .effective_samples = 1e4,
                                       .tail_events = 50,
                                       .samples_needed = {},
                                       .low = 1200,
                                       .high = 1300};
  ASSERT_NE(p99->claim(run), nullptr);
  EXPECT_EQ(p99->claim(run)->low, 1200);
  run.response.claims->p99.holds = false;
  EXPECT_EQ(p99->claim(run), nullptr);
  EXPECT_FALSE(find_metric("achieved")->claim);
}

TEST(Metrics, headlines_are_known_and_each_says_which_way_is_better_or_is_a_load) {
  const std::vector<MetricKind> headlines = headline_metrics();
  EXPECT_EQ(headlines.size(), 17U);
  for (const MetricKind& kind : headlines)
    EXPECT_TRUE(kind.better != Better::neither || kind.path.starts_with("load.")) << kind.path;
}

}  // namespace
}  // namespace volley
