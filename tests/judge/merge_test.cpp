// merge*.cpp: the union equals having recorded everything at once, and claims no more than that.
#include "reports/judge/merge.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/judge/merge_reports.hpp"

namespace volley {
namespace {

using merging::clean_record;
using merging::Durations;
using merging::named;
using merging::note;
using merging::record_of;
using std::chrono::seconds;

bool same_kinds(const std::vector<KindCount>& a, const std::vector<KindCount>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.kind == y.kind && x.count == y.count;
  });
}

void expect_same_requests(const RunReport& sum, const RunReport& whole) {
  const RequestFigures& a = sum.requests;
  const RequestFigures& b = whole.requests;
  RC_ASSERT(a.planned == b.planned);
  RC_ASSERT(a.skipped == b.skipped);
  RC_ASSERT(a.sent == b.sent);
  RC_ASSERT(a.completed == b.completed);
  RC_ASSERT(a.lost == b.lost);
  RC_ASSERT(a.late == b.late);
  RC_ASSERT(a.in_flight == b.in_flight);
  RC_ASSERT(a.duplicates == b.duplicates);
  RC_ASSERT(a.reordered == b.reordered);
  RC_ASSERT(same_kinds(a.unsent, b.unsent));
  RC_ASSERT(same_kinds(a.errors, b.errors));
  // It may be withheld as INVALID by either's checks, which see other shares.
  if (a.loss_ratio && b.loss_ratio) RC_ASSERT(*a.loss_ratio == *b.loss_ratio);
  RC_ASSERT(broken_identity(a).empty());
  RC_ASSERT(sum.bytes_sent == whole.bytes_sent);
  RC_ASSERT(sum.bytes_received == whole.bytes_received);
  RC_ASSERT(sum.target_side->received_messages == whole.target_side->received_messages);
  RC_ASSERT(sum.generator.send_calls == whole.generator.send_calls);
  RC_ASSERT(sum.generator.context_switches == whole.generator.context_switches);
}

void expect_same_latencies(const LatencyFigures& sum, const LatencyFigures& whole,
                           std::uint64_t lost) {
  RC_ASSERT(sum.histogram.has_value());
  RC_ASSERT(*sum.histogram == *whole.histogram);
  const LatencyFigures wanted = figures_of(*whole.histogram, lost);
  RC_ASSERT(sum.count == wanted.count);
  RC_ASSERT(sum.min == wanted.min);
  RC_ASSERT(sum.max == wanted.max);
  RC_ASSERT(sum.mean == wanted.mean);
  RC_ASSERT(sum.stddev == wanted.stddev);
  for (const PercentileKey& key : kPercentiles)
    if (sum.*key.figure) RC_ASSERT((sum.*key.figure) == (wanted.*key.figure));
}

void expect_same_intervals(const RunReport& sum, const RunReport& whole) {
  RC_ASSERT(sum.intervals.size() == whole.intervals.size());
  for (std::size_t i = 0; i < sum.intervals.size(); ++i) {
    const IntervalFigures& a = sum.intervals[i];
    const IntervalFigures& b = whole.intervals[i];
    RC_ASSERT(a.start_s == b.start_s);
    RC_ASSERT(a.end_s == b.end_s);
    RC_ASSERT(a.sent == b.sent);
    RC_ASSERT(a.completed == b.completed);
    RC_ASSERT(a.lost == b.lost);
    RC_ASSERT(a.errors == b.errors);
    RC_ASSERT(a.unsent == b.unsent);
    RC_ASSERT(a.bytes_received == b.bytes_received);
    RC_ASSERT(a.response_max_ns == b.response_max_ns);
    RC_ASSERT(!a.response_p50_ns);
  }
}

RC_GTEST_PROP(Merge, of_parts_equals_having_recorded_all_at_once, ()) {
  const auto parts = *rc::gen::inRange<std::size_t>(2, 6);
  std::vector<NamedReport> reports;
  Durations all;
  for (std::size_t i = 0; i < parts; ++i) {
    // So that request j of all lies in the same interval as it did in its part.
    auto own = *rc::gen::container<Durations>(rc::gen::inRange<std::uint32_t>(0, 3'000'000'000));
    while (own.size() % 3 != 0) own.push_back(static_cast<std::uint32_t>(own.size()));
    const RunRecord record = record_of(own);
    reports.push_back(named(std::to_string(i), record));
    all.insert(all.end(), own.begin(), own.end());
  }
  const Report merged = merge_reports(reports);
  const RunReport& sum = merged.runs.at(0);
  const RunReport expected = summarize(record_of(all));
  expect_same_requests(sum, expected);
  expect_same_latencies(sum.response, expected.response, *expected.requests.lost);
  expect_same_latencies(sum.response_delivered, expected.response_delivered, 0);
  expect_same_latencies(sum.service, expected.service, 0);
  expect_same_latencies(sum.send_lag, expected.send_lag, 0);
  expect_same_intervals(sum, expected);
  RC_ASSERT(merged.parts.size() == parts);
  RC_ASSERT(sum.socket_events.size() == expected.socket_events.size());
  for (const SocketEventFigures& event : expected.socket_events)
    RC_ASSERT(std::any_of(sum.socket_events.begin(), sum.socket_events.end(), [&](const auto& e) {
      return e.kind == event.kind && e.count == event.count && e.first_s == event.first_s &&
             e.last_s == event.last_s;
    }));
}

// ------------------------------------------------------------------------------------------------
// Grouping and order

TEST(Merge, of_merges_is_the_merge_of_all) {
  const NamedReport a = named("a", clean_record(0));
  const NamedReport b = named("b", clean_record(1'000));
  const NamedReport c = named("c", clean_record(90'000));
  const Report flat = merge_reports(std::vector{a, b, c});
  const Report left =
      merge_reports(std::vector{NamedReport{"ab", merge_reports(std::vector{a, b})}, c});
  const Report right =
      merge_reports(std::vector{a, NamedReport{"bc", merge_reports(std::vector{b, c})}});
  for (const Report* other : {&left, &right}) {
    const RunReport& x = flat.runs[0];
    const RunReport& y = other->runs[0];
    EXPECT_EQ(flat.parts, other->parts);
    EXPECT_EQ(x.config, y.config);
    EXPECT_EQ(x.requests.sent, y.requests.sent);
    EXPECT_EQ(x.requests.completed, y.requests.completed);
    EXPECT_DOUBLE_EQ(x.load.offered_per_s, y.load.offered_per_s);
    EXPECT_EQ(*x.response.histogram, *y.response.histogram);
    EXPECT_EQ(*x.send_lag.histogram, *y.send_lag.histogram);
    EXPECT_EQ(x.response.p99, y.response.p99);
    EXPECT_EQ(x.verdict->overall, y.verdict->overall);
    ASSERT_EQ(x.checks->size(), y.checks->size());
    for (std::size_t i = 0; i < x.checks->size(); ++i) {
      EXPECT_EQ((*x.checks)[i].status, (*y.checks)[i].status) << (*x.checks)[i].id;
      EXPECT_EQ((*x.checks)[i].text, (*y.checks)[i].text) << (*x.checks)[i].id;
    }
  }
}

TEST(Merge, does_not_depend_on_the_order_in_figures) {
  const NamedReport a = named("a", clean_record(0));
  const NamedReport b = named("b", clean_record(70'000));
  const Report ab = merge_reports(std::vector{a, b});
  const Report ba = merge_reports(std::vector{b, a});
  EXPECT_EQ(*ab.runs[0].response.histogram, *ba.runs[0].response.histogram);
  EXPECT_EQ(ab.runs[0].requests.sent, ba.runs[0].requests.sent);
  EXPECT_EQ(ab.runs[0].response.p99, ba.runs[0].response.p99);
  EXPECT_EQ(ab.runs[0].response.mean, ba.runs[0].response.mean);
  EXPECT_EQ(ab.parts[0], ba.parts[1]);
}

// ------------------------------------------------------------------------------------------------
// Frame, loads and conditions

TEST(Merge, adds_loads_flows_and_rates_and_lists_what_differs) {
  RunRecord fast = clean_record(0);
  fast.config = {{"size", "64"}, {"rate", "10k/s"}, {"flows", "12"}, {"seed", "7"}};
  const Report merged = merge_reports(std::vector{named("a", clean_record(0)), named("b", fast)});
  const RunReport& run = merged.runs[0];
  EXPECT_EQ(run.config,
            (TextPairs{{"size", "64"}, {"rate", "16400/s"}, {"flows", "16"}, {"seed", "1 | 7"}}));
  EXPECT_EQ(run.load.intended_per_s, 12'800);
  EXPECT_EQ(run.load.offered_per_s, 12'800);
  EXPECT_EQ(run.load.achieved_per_s, 12'800);
  EXPECT_EQ(run.duration_s, 10);
  EXPECT_EQ(merged.labels, (TextPairs{{"branch", "main"}}));
  EXPECT_EQ(merged.host, (TextPairs{{"kernel", "Linux 6.1.0"}}));
  EXPECT_EQ(merged.argv, (std::vector<std::string>{"volley", "run", "udp"}));
  ASSERT_EQ(merged.parts.size(), 2U);
  EXPECT_EQ(merged.parts[1].labels, (TextPairs{{"branch", "main"}, {"who", "b"}}));
  EXPECT_EQ(merged.parts[1].runs.at(0).sent, 64'000U);
}

TEST(Merge, says_where_conditions_differ) {
  RunRecord a = clean_record(0);
  RunRecord b = clean_record(0);
  for (const char* name : kConditionNames) {
    a.conditions.push_back({name, {}, "same"});
    b.conditions.push_back({name, {}, std::string(name) == "device" ? "eth0" : "same"});
  }
  b.conditions[1].effective.reset();
  const Report merged = merge_reports(std::vector{named("a", a), named("b", b)});
  const std::vector<Condition>& c = merged.runs[0].conditions;
  ASSERT_EQ(c.size(), kConditionNames.size());
  EXPECT_EQ(c[0].effective, "same | eth0");
  EXPECT_EQ(c[1].effective, "same | -");
  EXPECT_EQ(c[2].effective, "same");
  EXPECT_FALSE(c[2].asked);
}

TEST(Merge, of_an_interrupted_part_is_interrupted) {
  RunRecord cut = clean_record(0);
  cut.status = RunStatus::interrupted;
  NamedReport b = named("b", cut);
  b.report.status = "interrupted";
  const Report merged = merge_reports(std::vector{named("a", clean_record(0)), b});
  EXPECT_EQ(merged.status, "interrupted");
  EXPECT_EQ(merged.runs[0].status, "interrupted");
}

TEST(Merge, says_that_versions_differ_and_that_parts_ran_together_for_a_while_only) {
  NamedReport b = named("b", clean_record(0));
  b.report.tool_version = "0.2.0";
  b.report.started_at = "2026-11-22T13:13:03.123Z";  // 5 s later, of 10
  const Report merged = merge_reports(std::vector{named("a", clean_record(0)), b});
  const std::vector<std::string>& warnings = merged.runs[0].generator.warnings;
  ASSERT_EQ(warnings.size(), 2U);
  EXPECT_NE(warnings[0].find("together for 5 s only, the longest of them for 10 s"),
            std::string::npos)
      << warnings[0];
  EXPECT_NE(warnings[1].find("0.1.0 (0123abcd), 0.2.0 (0123abcd)"), std::string::npos)
      << warnings[1];
  EXPECT_EQ(merged.started_at, "2026-11-22T13:12:58.123Z");
}

TEST(Merge, keeps_what_is_unknown_unknown) {
  RunRecord b = clean_record(0);
  b.planned.reset();
  b.generator.send_calls = 7;
  b.protocol_figures = {{"socket_drops", std::nullopt}};
  const RunReport run =
      merge_reports(std::vector{named("a", clean_record(0)), named("b", b)}).runs[0];
  EXPECT_FALSE(run.requests.planned);
  EXPECT_FALSE(run.generator.send_calls);
  EXPECT_FALSE(run.target_side);
  ASSERT_EQ(run.protocol_figures.size(), 1U);
  EXPECT_FALSE(run.protocol_figures[0].second);
}

TEST(Merge, takes_sums_and_ends_of_protocol_figures_and_nothing_else) {
  RunRecord a = clean_record(0);
  RunRecord b = clean_record(0);
  a.protocol_figures = {
      {"socket_drops", 3},       {"rcvbuf_bytes", 4096},      {"sndbuf_bytes", 1},
      {"ipdv_longer_max_ns", 9}, {"rtt_min_ns", 5},           {"jitter_ns", 2},
      {"sent_bytes", 100},       {"retransmitted_bytes", 10}, {"tcp_efficiency_ratio", 0.9}};
  b.protocol_figures = {
      {"socket_drops", 4},       {"rcvbuf_bytes", 4096},     {"sndbuf_bytes", 2},
      {"ipdv_longer_max_ns", 7}, {"rtt_min_ns", 6},          {"jitter_ns", 2},
      {"sent_bytes", 300},       {"retransmitted_bytes", 0}, {"tcp_efficiency_ratio", 1.0}};
  const auto figures =
      merge_reports(std::vector{named("a", a), named("b", b)}).runs[0].protocol_figures;
  const decltype(a.protocol_figures) wanted{
      {"socket_drops", 7},       {"rcvbuf_bytes", 4096},      {"sndbuf_bytes", {}},
      {"ipdv_longer_max_ns", 9}, {"rtt_min_ns", 5},           {"jitter_ns", {}},
      {"sent_bytes", 400},       {"retransmitted_bytes", 10}, {"tcp_efficiency_ratio", 0.975}};
  EXPECT_EQ(figures, wanted);
}

TEST(Merge, weighs_the_memory_of_a_connection_by_the_connections) {
  const auto held = [](std::uint64_t opened, double bytes) {
    RunRecord r = clean_record(0);
    r.workload = "hold";
    r.hold = HoldSide{};
    r.hold->wanted = r.hold->opened = r.hold->held_at_end = opened;
    r.hold->open_duration = seconds(1);
    r.hold->memory = {bytes, {}, bytes};
    return r;
  };
  const RunReport run =
      merge_reports(std::vector{named("a", held(300, 1000)), named("b", held(100, 2000))}).runs[0];
  ASSERT_TRUE(run.hold);
  EXPECT_EQ(run.hold->opened, 400U);
  EXPECT_EQ(run.hold->opened_per_s, 400);
  EXPECT_EQ(run.hold->memory.generator_bytes, 1250);
  EXPECT_FALSE(run.hold->memory.target_bytes);
}

TEST(Merge, keeps_the_account_of_losses_whole) {
  RunRecord a = clean_record(0);
  RunRecord b = clean_record(0);
  LossPlaces& x = a.loss_places.emplace();
  x.sent = 100;
  x.answered = 90;
  x.lost = 10;
  x.unattributed = 1;
  x.at(LossSite::qdisc) = 4;
  x.at(LossSite::own_socket) = 5;
  LossPlaces& y = b.loss_places.emplace();
  y.sent = 50;
  y.answered = 44;
  y.lost = 6;
  y.at(LossSite::own_socket) = 6;
  const RunReport run = merge_reports(std::vector{named("a", a), named("b", b)}).runs[0];
  ASSERT_TRUE(run.loss_places);
  const LossPlaces& sum = *run.loss_places;
  EXPECT_EQ(sum.sent, 150U);
  EXPECT_EQ(sum.lost, 16U);
  EXPECT_EQ(sum.at(LossSite::own_socket), 11U);
  EXPECT_FALSE(sum.at(LossSite::qdisc)) << "b cannot see it";
  EXPECT_EQ(sum.unattributed, 5U);
}

TEST(Merge, leaves_intervals_out_where_they_lie_elsewhere_and_says_so) {
  RunRecord a = record_of(Durations(30, 1000));
  RunRecord b = record_of(Durations(30, 1000));
  b.intervals[1].begin += std::chrono::milliseconds(1);
  const RunReport run = merge_reports(std::vector{named("a", a), named("b", b)}).runs[0];
  EXPECT_TRUE(run.intervals.empty());
  EXPECT_NE(run.generator.warnings.back().find("intervals are left out"), std::string::npos);
  // One that goes on for longer has further ones.
  b = record_of(Durations(30, 1000));
  a.intervals.pop_back();
  a.intervals.back().end -= std::chrono::milliseconds(3);
  const RunReport longer = merge_reports(std::vector{named("a", a), named("b", b)}).runs[0];
  ASSERT_EQ(longer.intervals.size(), 3U);
  EXPECT_EQ(longer.intervals[1].end_s, 2);
  EXPECT_EQ(longer.intervals[2].sent, b.intervals[2].counters.sent);
}

// ------------------------------------------------------------------------------------------------
// Rounds

TEST(Merge, of_duels_adds_each_round_to_its_like_and_compares_again) {
  const auto duel = [](std::string name, std::int64_t slower) {
    std::vector<RunReport> runs;
    for (const char* protocol : {"udp", "tcp", "tcp", "udp"}) {
      RunRecord r = clean_record(slower);
      r.protocol = protocol;
      r.name = std::string(protocol) + " rr";
      r.counters.duplicates = runs.size() + 1;  // tells the rounds apart
      if (r.protocol == "tcp") r.protocol_figures.clear();
      runs.push_back(summarize(r));
    }
    NamedReport report = named(std::move(name), std::move(runs));
    report.report.comparison = compare_protocols(report.report.runs);
    return report;
  };
  const Report merged = merge_reports(std::vector{duel("a", 0), duel("b", 1000)});
  ASSERT_EQ(merged.runs.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(merged.runs[i].requests.duplicates, 2 * (i + 1));
    EXPECT_EQ(merged.runs[i].requests.sent, 128'000U);
  }
  ASSERT_TRUE(merged.comparison);
  EXPECT_EQ(merged.comparison->sides[0].sent, 256'000U);
  EXPECT_EQ(merged.comparison->sides[0].rounds, 2U);
}

}  // namespace
}  // namespace volley
