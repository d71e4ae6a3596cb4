// merge*.cpp: the union equals having recorded everything at once, and claims no more than that.
#include "reports/judge/merge.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "reports/judge/verdicts.hpp"
#include "tests/judge/merge_reports.hpp"

namespace volley {
namespace {

using merging::clean_record;
using merging::named;
using std::chrono::seconds;
using Durations = std::vector<std::uint32_t>;

RunRecord empty_record() {
  RunRecord r;
  r.name = "udp rr";
  r.protocol = "udp";
  r.workload = "rr";
  r.arrival = "poisson";
  r.endpoint = "udp://127.0.0.1:2924";
  r.config = {{"size", "64"}, {"rate", "500/s"}, {"flows", "4"}, {"seed", "1"}};
  r.timeout = seconds(2);
  r.duration = seconds(10);
  r.planned = 0;
  r.intended_per_s = 500;
  r.target_side = TargetSide{0, 0, 0, 0, {}};
  return r;
}

// A request that took so long, or (by a few of its values) was lost, failed or could not be sent.
void note(IntervalRecord& interval, std::uint32_t took) {
  RequestCounters& c = interval.counters;
  if (took % 29 == 0) {
    ++c.unsent[took % 2 == 0 ? 3 : 8];
    return;
  }
  ++c.sent;
  c.bytes_sent += 64;
  interval.latencies.send_lag.record(took % 1000, 1);
  if (took % 17 == 0) {
    ++c.lost;
    if (took % 2 == 0) ++c.late;
  } else if (took % 19 == 0) {
    ++c.errors[took % 2 == 0 ? 1 : 5];
  } else {
    ++c.completed;
    c.bytes_received += 64;
    c.duplicates += took % 5 == 0 ? 1 : 0;
    c.reordered += took % 7 == 0 ? 1 : 0;
    interval.latencies.response.record(took + 1, 1);
    interval.latencies.service.record(took, 1);
  }
}

// A record of these requests, a third of them in each of three intervals.
RunRecord record_of(const Durations& requests) {
  RunRecord r = empty_record();
  for (std::uint32_t i = 0; i < 3; ++i) {
    IntervalRecord interval;
    interval.index = i;
    interval.begin = seconds(i);
    interval.end = seconds(i + 1);
    for (std::size_t j = i; j < requests.size(); j += 3) note(interval, requests[j]);
    add_interval(r, interval);
  }
  r.slices = Slices(Nanos(0));
  IntervalRecord slice;
  for (std::size_t i = 0; i < 40 && i < requests.size(); ++i) {
    slice.clear();
    for (std::size_t j = i; j < requests.size(); j += 40) note(slice, requests[j]);
    r.slices.add(slice_end(Nanos(0)) * static_cast<std::int64_t>(i), slice.latencies,
                 slice.counters);
  }
  r.planned = requests.size();
  r.generator.threads = 1;
  r.generator.context_switches = requests.size();
  r.generator.send_calls = r.counters.sent;
  r.target_side->received_messages = r.counters.completed;
  for (const std::uint32_t took : requests)
    if (took % 23 == 0)
      r.socket_events.push_back({static_cast<ErrorKind>(took % 3), 1, Nanos(took), Nanos(took)});
  return r;
}

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
// What may be claimed

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
