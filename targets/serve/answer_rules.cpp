#include "targets/serve/answer_rules.hpp"

namespace volley {
namespace {

bool is_answer(FrameKind kind) {
  return kind == FrameKind::response || kind == FrameKind::stamped_response ||
         kind == FrameKind::hello_ack || kind == FrameKind::statistics_ack ||
         kind == FrameKind::goodbye_ack || kind == FrameKind::socket_counters_ack ||
         kind == FrameKind::stream_quality_ack;
}

bool is_marked(int ttl) { return ttl <= kMarkedTtl && ttl >= kMarkedTtl - kMarkedHops; }

Decision decide_sized(const AnswerPolicy& policy, const DatagramFacts& facts) {
  const std::size_t answer = kFrameBytes + facts.response_bytes;
  if (answer > kMostAnswerBytes) return Decision::ignore_malformed;
  const bool fits = answer <= facts.bytes;
  return fits || policy.may_enlarge() || facts.proven ? Decision::respond_sized
                                                      : Decision::ignore_unproven;
}

Decision decide_frame(const AnswerPolicy& policy, const DatagramFacts& facts) {
  switch (facts.frame->kind) {
    case FrameKind::request:
    case FrameKind::stamped_request:
      return policy.echoes ? Decision::respond : Decision::take;
    case FrameKind::sized_request:
      if (!policy.echoes) return Decision::take;
      return decide_sized(policy, facts);
    case FrameKind::data:
    case FrameKind::data_warm_up:
      return Decision::count_data;
    case FrameKind::hello:
    case FrameKind::statistics:
    case FrameKind::goodbye:
    case FrameKind::socket_counters:
    case FrameKind::stream_quality:
      return facts.bytes >= control_bytes(facts.frame->kind) || policy.may_enlarge()
                 ? Decision::control
                 : Decision::ignore_unproven;
    case FrameKind::response:
    case FrameKind::stamped_response:
    case FrameKind::hello_ack:
    case FrameKind::statistics_ack:
    case FrameKind::goodbye_ack:
    case FrameKind::socket_counters_ack:
    case FrameKind::stream_quality_ack:
      return policy.guard ? Decision::ignore_answer : Decision::echo;
  }
  return Decision::ignore_malformed;
}

Decision decide_plain(const AnswerPolicy& policy, const DatagramFacts& facts) {
  if (!policy.echoes) return Decision::take;
  if (policy.guard && is_marked(facts.ttl)) return Decision::ignore_marked;
  if (policy.frames_only || !policy.may_enlarge()) return Decision::ignore_not_frame;
  if (facts.bytes + policy.prefix_bytes > kMostAnswerBytes) return Decision::ignore_malformed;
  return Decision::echo;
}

}  // namespace

Decision decide(const AnswerPolicy& policy, const DatagramFacts& facts) {
  // What is never answered anyway may come from anywhere.
  const bool is_data = facts.frame && (facts.frame->kind == FrameKind::data ||
                                       facts.frame->kind == FrameKind::data_warm_up);
  if (policy.guard && !is_data) {
    if (facts.frame && is_answer(facts.frame->kind)) return Decision::ignore_answer;
    if (facts.from_own_address) return Decision::ignore_own_address;
    const bool plain_at_sink = !policy.echoes && !facts.frame;
    if (facts.peer_port < kFirstFreePort && !plain_at_sink) return Decision::ignore_low_port;
  }
  return facts.frame ? decide_frame(policy, facts) : decide_plain(policy, facts);
}

}  // namespace volley
