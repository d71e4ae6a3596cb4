#include "targets/serve/answer_rules.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace volley {
namespace {

constexpr AnswerPolicy kLoopback{.on_loopback = true};
constexpr AnswerPolicy kExposed{};
constexpr AnswerPolicy kOpen{.open = true};

DatagramFacts plain(std::size_t bytes = 10) {
  return {.bytes = bytes, .frame = std::nullopt, .peer_port = 40'000, .ttl = 64};
}

DatagramFacts framed(FrameKind kind, std::size_t bytes = 512) {
  DatagramFacts facts = plain(bytes);
  facts.frame = Frame{.kind = kind, .length = static_cast<std::uint32_t>(bytes - kFrameBytes)};
  return facts;
}

const std::vector<FrameKind> kAnswers{FrameKind::response,          FrameKind::stamped_response,
                                      FrameKind::hello_ack,         FrameKind::statistics_ack,
                                      FrameKind::goodbye_ack,       FrameKind::socket_counters_ack,
                                      FrameKind::stream_quality_ack};
const std::vector<FrameKind> kControls{FrameKind::hello, FrameKind::statistics, FrameKind::goodbye,
                                       FrameKind::socket_counters, FrameKind::stream_quality};
const std::vector<AnswerPolicy> kPolicies{kLoopback, kExposed, kOpen};

TEST(AnswerRules, a_request_frame_is_answered_everywhere) {
  for (const AnswerPolicy& policy : kPolicies) {
    EXPECT_EQ(decide(policy, framed(FrameKind::request)), Decision::respond);
    EXPECT_EQ(decide(policy, framed(FrameKind::stamped_request)), Decision::respond);
  }
}

TEST(AnswerRules, an_answer_is_never_answered) {
  for (const AnswerPolicy& policy : kPolicies) {
    for (const FrameKind kind : kAnswers) {
      EXPECT_EQ(decide(policy, framed(kind)), Decision::ignore_answer);
    }
  }
}

TEST(AnswerRules, the_own_address_and_low_ports_are_never_answered) {
  for (const AnswerPolicy& policy : kPolicies) {
    for (const auto& sound : {plain(), framed(FrameKind::request), framed(FrameKind::hello),
                              framed(FrameKind::sized_request)}) {
      DatagramFacts facts = sound;
      facts.from_own_address = true;
      EXPECT_EQ(decide(policy, facts), Decision::ignore_own_address);
      facts = sound;
      for (const int port : {0, 7, 19, 53, 1023}) {
        facts.peer_port = static_cast<std::uint16_t>(port);
        EXPECT_EQ(decide(policy, facts), Decision::ignore_low_port) << port;
      }
      facts.peer_port = 1024;
      EXPECT_NE(decide(policy, facts), Decision::ignore_low_port);
    }
  }
}

TEST(AnswerRules, plain_text_is_answered_on_loopback_or_when_open) {
  EXPECT_EQ(decide(kLoopback, plain()), Decision::echo);
  EXPECT_EQ(decide(kOpen, plain()), Decision::echo);
  EXPECT_EQ(decide(kExposed, plain()), Decision::ignore_not_frame);
  EXPECT_EQ(decide(kLoopback, plain(0)), Decision::echo);
}

TEST(AnswerRules, a_plain_answer_of_a_target_is_known_by_its_mark_up_to_32_hops_away) {
  for (const AnswerPolicy& policy : {kLoopback, kOpen}) {
    for (int ttl = -1; ttl <= 255; ++ttl) {
      DatagramFacts facts = plain();
      facts.ttl = ttl;
      const bool marked = ttl >= 190 && ttl <= 222;
      EXPECT_EQ(decide(policy, facts), marked ? Decision::ignore_marked : Decision::echo) << ttl;
    }
  }
}

TEST(AnswerRules, the_mark_says_nothing_about_frames) {
  DatagramFacts facts = framed(FrameKind::request);
  facts.ttl = kMarkedTtl;
  EXPECT_EQ(decide(kExposed, facts), Decision::respond);
}

TEST(AnswerRules, a_larger_answer_needs_loopback_or_open_or_a_proven_address) {
  DatagramFacts facts = framed(FrameKind::sized_request);
  facts.response_bytes = static_cast<std::uint32_t>(facts.bytes - kFrameBytes);
  EXPECT_EQ(decide(kExposed, facts), Decision::respond_sized);  // as large as its cause
  ++facts.response_bytes;
  EXPECT_EQ(decide(kExposed, facts), Decision::ignore_unproven);
  EXPECT_EQ(decide(kLoopback, facts), Decision::respond_sized);
  EXPECT_EQ(decide(kOpen, facts), Decision::respond_sized);
  facts.proven = true;
  EXPECT_EQ(decide(kExposed, facts), Decision::respond_sized);
}

TEST(AnswerRules, an_answer_that_fits_no_datagram_is_refused) {
  DatagramFacts facts = framed(FrameKind::sized_request);
  facts.response_bytes = static_cast<std::uint32_t>(kMostAnswerBytes - kFrameBytes);
  EXPECT_EQ(decide(kLoopback, facts), Decision::respond_sized);
  ++facts.response_bytes;
  EXPECT_EQ(decide(kLoopback, facts), Decision::ignore_malformed);
  facts.response_bytes = 0xFFFFFFFFU;
  EXPECT_EQ(decide(kLoopback, facts), Decision::ignore_malformed);

  AnswerPolicy prefixed = kLoopback;
  prefixed.prefix_bytes = 5;
  EXPECT_EQ(decide(prefixed, plain(kMostAnswerBytes - 5)), Decision::echo);
  EXPECT_EQ(decide(prefixed, plain(kMostAnswerBytes - 4)), Decision::ignore_malformed);
}

TEST(AnswerRules, a_control_frame_without_padding_is_left_alone_beyond_loopback) {
  for (const FrameKind kind : kControls) {
    const std::size_t whole = control_bytes(kind);
    EXPECT_EQ(decide(kExposed, framed(kind, whole)), Decision::control);
    EXPECT_EQ(decide(kExposed, framed(kind, whole - 1)), Decision::ignore_unproven);
    EXPECT_EQ(decide(kLoopback, framed(kind, whole - 1)), Decision::control);
  }
}

TEST(AnswerRules, stream_messages_are_counted_from_anywhere_and_never_answered) {
  for (const AnswerPolicy& policy : kPolicies) {
    for (const FrameKind kind : {FrameKind::data, FrameKind::data_warm_up}) {
      DatagramFacts facts = framed(kind);
      EXPECT_EQ(decide(policy, facts), Decision::count_data);
      facts.peer_port = 7;
      EXPECT_EQ(decide(policy, facts), Decision::count_data);
    }
  }
}

TEST(AnswerRules, a_sink_answers_control_frames_only) {
  AnswerPolicy sink = kOpen;
  sink.echoes = false;
  EXPECT_EQ(decide(sink, plain()), Decision::take);
  EXPECT_EQ(decide(sink, framed(FrameKind::request)), Decision::take);
  EXPECT_EQ(decide(sink, framed(FrameKind::sized_request)), Decision::take);
  for (const FrameKind kind : kControls) {
    EXPECT_EQ(decide(sink, framed(kind)), Decision::control);
  }
}

TEST(AnswerRules, without_the_guard_answers_are_answered_which_is_why_it_is_there) {
  AnswerPolicy unguarded = kLoopback;
  unguarded.guard = false;
  DatagramFacts marked = plain();
  marked.ttl = kMarkedTtl;
  EXPECT_EQ(decide(unguarded, marked), Decision::echo);
  EXPECT_EQ(decide(unguarded, framed(FrameKind::response)), Decision::echo);
}

TEST(AnswerRules, with_frames_only_plain_text_is_answered_nowhere_and_frames_as_before) {
  for (AnswerPolicy policy : kPolicies) {
    policy.frames_only = true;
    EXPECT_EQ(decide(policy, plain()), Decision::ignore_not_frame);
    EXPECT_EQ(decide(policy, framed(FrameKind::request)), Decision::respond);
    EXPECT_EQ(decide(policy, framed(FrameKind::hello)), Decision::control);
    EXPECT_EQ(decide(policy, framed(FrameKind::data)), Decision::count_data);
    policy.echoes = false;
    EXPECT_EQ(decide(policy, plain()), Decision::take);  // a sink answers nothing anyway
  }
}

}  // namespace
}  // namespace volley
