#include "targets/serve/options.hpp"

#include <gtest/gtest.h>

#include <string>

#include "reports/measure/ensure.hpp"

namespace volley {
namespace {

std::string refusal(const ServeOptions& options) {
  try {
    check(options);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

TEST(ServeOptions, the_rules_for_dropping_are_a_share_a_period_or_a_limit) {
  EXPECT_EQ(parse_drop("--drop", "1%").kind, DropRule::Kind::ratio);
  EXPECT_DOUBLE_EQ(parse_drop("--drop", "1%").ratio, 0.01);
  EXPECT_EQ(parse_drop("--drop", "every:10").kind, DropRule::Kind::every);
  EXPECT_EQ(parse_drop("--drop", "every:10").n, 10U);
  EXPECT_EQ(parse_drop("--drop", "after:0").kind, DropRule::Kind::after);
  for (const char* wrong : {"", "every:0", "every:", "after:-1", "first:3", "101%", "every:1e3"}) {
    EXPECT_THROW((void)parse_drop("--drop", wrong), UsageError) << wrong;
  }
}

TEST(ServeOptions, service_times_are_fixed_or_exponential) {
  EXPECT_EQ(parse_service_time("--service-time", "fixed:1ms").mean, std::chrono::milliseconds(1));
  EXPECT_EQ(parse_service_time("--service-time", "exp:200us").kind, ServiceTime::Kind::exponential);
  for (const char* wrong : {"", "1ms", "fixed:", "fixed:0", "exp:-1ms", "gauss:1ms", "exp:2h"}) {
    EXPECT_THROW((void)parse_service_time("--service-time", wrong), UsageError) << wrong;
  }
}

TEST(ServeOptions, a_stall_is_a_length_at_a_time) {
  const Stall stall = parse_stall("--stall", "1s@4s");
  EXPECT_EQ(stall.length, std::chrono::seconds(1));
  EXPECT_EQ(stall.after, std::chrono::seconds(4));
  EXPECT_EQ(parse_stall("--stall", "10ms@0").after, Nanos{0});
  for (const char* wrong : {"", "1s", "@4s", "1s@", "0@4s", "1@4"}) {
    EXPECT_THROW((void)parse_stall("--stall", wrong), UsageError) << wrong;
  }
}

TEST(ServeOptions, every_kind_has_a_word_that_parses_back) {
  for (const char* word :
       {"all", "udp-echo", "udp-sink", "tcp-accept", "tcp-echo", "tcp-sink", "tcp-source"}) {
    EXPECT_EQ(to_string(parse_target_kind("KIND", word)), word);
  }
  EXPECT_THROW((void)parse_target_kind("KIND", "udp_echo"), UsageError);
}

TEST(ServeOptions, faults_of_datagrams_are_refused_for_tcp_with_the_reason) {
  ServeOptions options;
  options.kind = TargetKind::tcp_echo;
  EXPECT_EQ(refusal(options), "");
  options.behaviour.drop = {.kind = DropRule::Kind::every, .n = 10};
  EXPECT_NE(refusal(options).find("TCP itself repeats"), std::string::npos);
  options.kind = TargetKind::all;
  EXPECT_EQ(refusal(options), "");
}

TEST(ServeOptions, a_sink_gives_no_answers_that_could_be_delayed) {
  ServeOptions options;
  options.kind = TargetKind::udp_sink;
  options.behaviour.delay = std::chrono::milliseconds(1);
  EXPECT_NE(refusal(options), "");
  options.behaviour.delay = Nanos{0};
  options.behaviour.stall = Stall{.length = std::chrono::seconds(1)};
  EXPECT_EQ(refusal(options), "");  // not reading is something a sink can do
}

TEST(ServeOptions, what_belongs_to_one_protocol_is_refused_for_the_other) {
  ServeOptions options;
  options.kind = TargetKind::udp_echo;
  options.log_connections = true;
  EXPECT_NE(refusal(options), "");
  options = {};
  options.kind = TargetKind::tcp_accept;
  options.log_messages = true;
  EXPECT_NE(refusal(options), "");
}

TEST(ServeOptions, frames_only_is_refused_where_there_is_nothing_it_could_mean) {
  ServeOptions options;
  options.frames_only = true;
  EXPECT_EQ(refusal(options), "");
  options.reply_prefix = "OK...";
  EXPECT_EQ(refusal(options),
            "--frames-only, --reply-prefix: the prefix stands in front of plain answers, and there "
            "would be none; leave out one of the two");
  options.reply_prefix.clear();
  options.kind = TargetKind::tcp_echo;
  EXPECT_EQ(refusal(options),
            "--frames-only: tcp-echo serves TCP only, which answers whatever comes; leave it out");
}

TEST(ServeOptions, one_peer_is_refused_where_there_would_be_more) {
  ServeOptions options;
  options.one_peer = true;
  options.kind = TargetKind::udp_echo;
  EXPECT_EQ(refusal(options), "");
  options.threads = 2;
  EXPECT_EQ(refusal(options),
            "--one-peer, --threads 2: one peer is served by one thread; leave out one of the two");
  options.threads = 1;
  options.listen = {{"127.0.0.1", 0}, {"127.0.0.2", 0}};
  EXPECT_EQ(refusal(options),
            "--one-peer, --listen: one peer comes to one address; give one --listen");
  options.listen.pop_back();
  options.kind = TargetKind::tcp_echo;
  EXPECT_EQ(refusal(options), "");
  for (const TargetKind kind : {TargetKind::all, TargetKind::udp_sink, TargetKind::tcp_sink}) {
    options.kind = kind;
    EXPECT_EQ(refusal(options), "--one-peer: " + std::string(to_string(kind)) +
                                    " serves many by its nature; use udp-echo or tcp-echo, or "
                                    "leave it out");
  }
}

TEST(ServeOptions, connections_are_dealt_by_cpu_only_where_threads_are_tied_to_some) {
  ServeOptions options;
  options.deal = Deal::cpu;
  EXPECT_EQ(refusal(options), "--deal cpu: no thread is tied to a CPU; add --pin");
  options.pin = true;
  EXPECT_EQ(refusal(options), "");
  options.kind = TargetKind::udp_echo;
  EXPECT_EQ(refusal(options),
            "--deal cpu: udp-echo serves UDP, which has no connections; leave it out");
}

}  // namespace
}  // namespace volley
