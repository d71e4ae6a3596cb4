// What a plan chooses when nothing was said, and how it tells its effective values.
#include "generators/plan/plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>

#include "generators/plan/payload.hpp"
#include "reports/measure/ensure.hpp"
#include "reports/measure/units.hpp"
#include "tests/plan/plan_for_tests.hpp"

namespace volley {
namespace {

using namespace tests;
using namespace std::chrono_literals;

std::string value_of(const RunPlan& plan, const std::string& key) {
  for (const auto& [name, value] : effective_values(plan))
    if (name == key) return value;
  return "no such key";
}

TEST(Plan, OfNothingSaidIsTenSecondsOfClosedLoop) {
  const RunPlan plan = plan_with([](RunOptions&) {});
  EXPECT_FALSE(plan.open_loop());
  EXPECT_EQ(plan.duration, Nanos(10s));
  EXPECT_FALSE(plan.requests.has_value());
  EXPECT_EQ(plan.depth, 1U);
  EXPECT_EQ(plan.exchange, ExchangeKind::frame);
  ASSERT_EQ(plan.sizes.size(), 1U);
  EXPECT_EQ(plan.sizes.front().bytes, 64U);
  EXPECT_EQ(run_name(plan), "udp rr");
}

TEST(Plan, AThreadSpinsForAWhileOnlyWhereEveryOneHasACpu) {
  const auto wait = [](unsigned cpus, std::uint32_t threads, const char* host) {
    RunOptions o;
    o.flows = o.threads = threads;
    if (host != nullptr) o.where = HostPort{host, 2924};
    return make_plan(o, PlanLimits{.cpus = cpus}).wait;
  };
  EXPECT_EQ(wait(2, 1, nullptr), Wait::hybrid);
  EXPECT_EQ(wait(2, 1, "127.0.0.1"), Wait::hybrid);
  EXPECT_EQ(wait(1, 1, nullptr), Wait::block) << "our own target needs one, too";
  EXPECT_EQ(wait(1, 1, "localhost"), Wait::block);
  EXPECT_EQ(wait(1, 1, "::1"), Wait::block);
  EXPECT_EQ(wait(2, 2, "127.1.2.3"), Wait::block);
  EXPECT_EQ(wait(1, 1, "192.0.2.1"), Wait::hybrid);
  EXPECT_EQ(wait(1, 2, "192.0.2.1"), Wait::block);
  EXPECT_EQ(plan_with([](RunOptions& o) { o.wait = Wait::block; }).wait, Wait::block);
  EXPECT_EQ(plan_with([](RunOptions& o) { o.wait = Wait::spin; }).wait, Wait::spin);
}

TEST(Plan, WithARateIsAnOpenPoissonLoopWithoutACap) {
  const RunPlan plan = plan_with([](RunOptions& o) { o.rate = Rate{1'000'000'000}; });
  EXPECT_TRUE(plan.open_loop());
  EXPECT_EQ(plan.arrival.kind, Arrival::Kind::poisson);
  EXPECT_FALSE(plan.depth.has_value());
  EXPECT_EQ(value_of(plan, "depth"), "unlimited");
  EXPECT_EQ(value_of(plan, "arrival"), "poisson");
  EXPECT_EQ(value_of(plan, "rate"), "1000/s");
}

TEST(Plan, SendsPlainBytesWhenAMessageHasNoRoomForAHeader) {
  const RunPlan small = plan_with([](RunOptions& o) {
    o.sizes = {{23, 1}, {64, 1}};
    o.rate = Rate{1'000'000'000};
  });
  EXPECT_EQ(small.exchange, ExchangeKind::echo);
  EXPECT_EQ(small.depth, 1U) << "also in an open loop";
  EXPECT_EQ(plan_with([](RunOptions& o) { o.sizes = {{24, 1}}; }).exchange, ExchangeKind::frame);
}

TEST(Plan, KeepsOneForeignRequestInFlightPerFlowUnlessTcpIsAskedForMore) {
  const auto foreign = [](RunOptions& o) {
    tcp(o);
    o.request = "PING\r\n";
    o.reply = reply(ReplyRule::Kind::until);
    o.rate = Rate{1'000'000'000};
  };
  const RunPlan plan = plan_with(foreign);
  EXPECT_EQ(plan.exchange, ExchangeKind::scripted);
  EXPECT_EQ(plan.depth, 1U);
  ASSERT_EQ(plan.sizes.size(), 1U);
  EXPECT_EQ(plan.sizes.front().bytes, 6U);
  EXPECT_EQ(plan_with([&](RunOptions& o) { foreign(o), o.depth = 16; }).depth, 16U);
}

TEST(Plan, AllowsWhatGoesTogether) {
  const auto any = reply(ReplyRule::Kind::any);
  EXPECT_EQ(refusal([&](RunOptions& o) { o.request = "", o.reply = any; }), "accepted");
  EXPECT_EQ(refusal([&](RunOptions& o) { o.request = "x", o.reply = any, o.expect = "y"; }),
            "accepted");
  EXPECT_EQ(refusal([](RunOptions& o) { o.workload = Workload::crr, o.flows = 8; }), "accepted");
  EXPECT_EQ(refusal([](RunOptions& o) { o.workload = Workload::stream; }), "accepted");
  EXPECT_EQ(refusal([](RunOptions& o) { o.sizes = {{65'507, 1}}; }), "accepted");
  EXPECT_EQ(refusal([](RunOptions& o) {
              o.sizes = {{36, 1}}, o.response_size = 65'507;
            }),
            "accepted");
  EXPECT_EQ(refusal([](RunOptions& o) { o.wait = Wait::spin, o.flows = 2, o.threads = 2; }),
            "accepted");
  EXPECT_EQ(refusal([](RunOptions& o) { o.requests = 20'000, o.duration = 5s; }), "accepted");
  for (const Direction d : {Direction::up, Direction::down, Direction::both})
    EXPECT_EQ(
        refusal([&](RunOptions& o) { tcp(o), o.workload = Workload::stream, o.direction = d; }),
        "accepted");
  EXPECT_EQ(refusal([](RunOptions& o) {
              tcp(o), o.workload = Workload::crr, o.request = "GET / HTTP/1.0\r\n\r\n";
              o.reply = reply(ReplyRule::Kind::close);
            }),
            "accepted");
}

TEST(Plan, AsksForNoSizeWhenTheAnswerIsAsLargeAsTheRequest) {
  EXPECT_FALSE(plan_with([](RunOptions& o) { o.response_size = 64; }).response_size.has_value());
  EXPECT_EQ(plan_with([](RunOptions& o) { o.response_size = 65; }).response_size, 65U);
  EXPECT_EQ(refusal([](RunOptions& o) { o.sizes = {{24, 1}}, o.response_size = 24; }), "accepted");
}

TEST(Plan, OfATraceLastsUntilItsEnd) {
  RunOptions options;
  options.arrival = arrival(Arrival::Kind::trace);
  options.warm_up = Nanos(50);
  const auto trace = std::make_shared<const std::vector<Nanos>>(
      std::vector<Nanos>{Nanos(1), Nanos(50), Nanos(60), Nanos(60)});
  const RunPlan plan = make_plan(options, kTwoCpus, trace);
  EXPECT_EQ(plan.requests, 3U);
  EXPECT_FALSE(plan.duration.has_value());
  EXPECT_EQ(schedule_of(plan).trace, trace);

  options.warm_up = Nanos(61);
  EXPECT_THROW((void)make_plan(options, kTwoCpus, trace), UsageError);
  options.warm_up = Nanos(0);
  options.requests = 2;
  EXPECT_EQ(make_plan(options, kTwoCpus, trace).requests, 2U);
}

TEST(Plan, GivesBothProtocolsTheSameKeysInTheSameOrder) {
  const auto keys = [](const RunPlan& plan) {
    std::vector<std::string> names;
    for (const auto& [name, value] : effective_values(plan)) names.push_back(name);
    return names;
  };
  EXPECT_EQ(keys(plan_with([](RunOptions&) {})), keys(plan_with(tcp)));
  EXPECT_EQ(keys(plan_with([](RunOptions& o) { o.workload = Workload::stream; })),
            keys(plan_with([](RunOptions& o) { tcp(o), o.rate = Rate{5'000'000}; })));
}

TEST(Plan, SaysItsEffectiveValuesSoThatTheyParseBack) {
  const RunPlan plan = plan_with([](RunOptions& o) {
    o.sizes = {{64, 7}, {576, 4}};
    o.rate = Rate{1'500'000};
    o.warm_up = 250ms;
    o.timeout = 1500us;
    o.requests = 20'000;
  });
  EXPECT_EQ(parse_size_mix("s", value_of(plan, "size")).size(), 2U);
  EXPECT_EQ(parse_rate("r", value_of(plan, "rate")), Rate{1'500'000});
  EXPECT_EQ(parse_duration("d", value_of(plan, "warm_up"), 0s, 1h), Nanos(250ms));
  EXPECT_EQ(parse_duration("d", value_of(plan, "timeout"), 0s, 1h), Nanos(1500us));
  EXPECT_EQ(parse_count("c", value_of(plan, "requests"), 1), 20'000U);
  EXPECT_EQ(value_of(plan, "duration"), "-");
}

TEST(Plan, ShowsAForeignRequestInPrintableText) {
  const auto shown = [](const std::string& request) {
    return value_of(plan_with([&](RunOptions& o) {
                      o.request = request, o.reply = reply(ReplyRule::Kind::any);
                    }),
                    "request");
  };
  EXPECT_EQ(shown("PING\r\n\\\xff"), R"(PING\r\n\\\xff)");
  EXPECT_EQ(unescape("t", shown(std::string("\0\1\x7f", 3))), std::string("\0\1\x7f", 3));
  EXPECT_LT(shown(std::string(60'000, 'x')).size(), 300U);
}

TEST(Plan, NamesRunsTheSameWayEveryTime) {
  EXPECT_EQ(run_name(plan_with([](RunOptions& o) { o.workload = Workload::crr; })), "udp crr");
  EXPECT_EQ(run_name(plan_with([](RunOptions& o) {
              tcp(o), o.workload = Workload::stream, o.direction = Direction::down;
            })),
            "tcp stream down");
  Arrival bursts = arrival(Arrival::Kind::burst);
  bursts.burst = 8;
  EXPECT_EQ(arrival_text(bursts), "burst:8");
}

TEST(Plan, ProbesOfHoldAreTheShareRoundedUpAndAtLeastOneAThread) {
  const auto probes = [](std::uint32_t flows, std::uint32_t threads, std::optional<double> share) {
    return plan_with([&](RunOptions& o) {
             o.workload = Workload::hold, o.flows = flows, o.threads = threads;
             o.probe_share = share;
           })
        .probes;
  };
  EXPECT_EQ(probes(19'000, 1, std::nullopt), 190U);
  EXPECT_EQ(probes(19'001, 1, std::nullopt), 191U);
  EXPECT_EQ(probes(10, 2, std::nullopt), 2U);
  EXPECT_EQ(probes(10, 1, 1.0), 10U);
  EXPECT_EQ(probes(10, 1, 0.0), 0U);
  const RunPlan open = plan_with(
      [](RunOptions& o) { tcp(o), o.workload = Workload::hold, o.rate = Rate{5'000'000}; });
  EXPECT_EQ(open.probes, 0U);
  EXPECT_EQ(value_of(open, "probes"), "-");
  EXPECT_EQ(value_of(open, "close"), "rst");
}

}  // namespace
}  // namespace volley
