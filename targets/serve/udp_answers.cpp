// What a UDP service answers: acknowledgements, answers made in place, answers that pass through
// the programmed behaviour. How datagrams come and go is the business of udp_service.cpp.
#include <algorithm>
#include <cstring>

#include "targets/serve/udp_service.hpp"

namespace volley {
namespace {

constexpr std::byte kFiller{'v'};

}  // namespace

HelloAck UdpService::acknowledge(const Hello& hello, const Address& peer) const {
  const TargetKind kind = context_.options.kind;
  const bool sinks = kind == TargetKind::all || kind == TargetKind::udp_sink;
  return {.cookie = cookie_of(context_.shared.key, peer),
          .most_response_bytes = static_cast<std::uint32_t>(kMostAnswerBytes - kFrameBytes),
          .accepted = (hello.session_kind == SessionKind::echo && policy_.echoes) ||
                      (hello.session_kind == SessionKind::sink && sinks)};
}

void UdpService::answer_control(const Received& received, const Frame& frame) {
  const auto hello = read_hello(received.bytes.subspan(kFrameBytes));
  if (frame.kind == FrameKind::hello && !hello) {
    ++context_.udp.malformed;
    return;
  }
  ++context_.udp.control;
  const auto answer = slot_of(received).first(kControlBytes);
  std::fill(answer.begin(), answer.end(), std::byte{0});
  const auto payload = answer.subspan(kFrameBytes);
  Frame ack = frame;
  ack.length = static_cast<std::uint32_t>(payload.size());
  if (frame.kind == FrameKind::hello) {
    ack.kind = FrameKind::hello_ack;
    write_payload(acknowledge(*hello, *received.peer), payload);
  } else {
    ack.kind =
        frame.kind == FrameKind::statistics ? FrameKind::statistics_ack : FrameKind::goodbye_ack;
    write_payload(sessions_.statistics(*received.peer, frame.session), payload);
  }
  write_frame(ack, answer);
  add(answer, *received.peer, received.local, -1, true);
}

std::span<std::byte> UdpService::slot_of(const Received& received) {
  return {received.bytes.data(), kSlotBytes};
}

// The answer takes the place of the request, so no byte of an earlier datagram may show behind it.
std::span<const std::byte> UdpService::make_answer(Decision decision, const Received& received,
                                                   const DatagramFacts& facts) {
  const std::span<std::byte> slot = slot_of(received);
  const std::size_t size = received.bytes.size();
  if (decision == Decision::echo) {
    const std::string& prefix = context_.options.reply_prefix;
    if (prefix.empty()) return received.bytes;
    std::memmove(slot.data() + prefix.size(), slot.data(), size);
    std::memcpy(slot.data(), prefix.data(), prefix.size());
    return slot.first(prefix.size() + size);
  }
  Frame frame = *facts.frame;
  frame.kind = FrameKind::response;
  if (decision == Decision::respond_sized) {
    frame.length = facts.response_bytes;
    const std::size_t wanted = kFrameBytes + facts.response_bytes;
    if (wanted > size) {
      const auto behind = slot.subspan(size, wanted - size);
      std::fill(behind.begin(), behind.end(), kFiller);
    }
  }
  write_frame(frame, slot);
  return slot.first(kFrameBytes + frame.length);
}

void UdpService::answer_shaped(Decision decision, const Received& received,
                               const DatagramFacts& facts, MonoTime now) {
  const Behaviour& behaviour = context_.shared.behaviour;
  const PeerFlow& flow = queue_.count_request(*received.peer);
  RequestName name{
      .peer = *received.peer, .framed = facts.frame.has_value(), .sequence = flow.requests - 1};
  RequestNumber number{.flow = flow.ordinal, .n = flow.requests - 1};
  if (facts.frame) {
    name.session = facts.frame->session;
    name.flow = facts.frame->flow;
    name.sequence = facts.frame->sequence;
    number = {.flow = facts.frame->flow, .n = facts.frame->sequence};
  }
  context_.events.write(now, name, Event::received);
  if (behaviour.drops(number, flow.requests)) {
    ++context_.udp.dropped;
    context_.events.write(now, name, Event::dropped);
    return;
  }
  const auto bytes = make_answer(decision, received, facts);
  OwnedAnswer answer{.bytes = {bytes.begin(), bytes.end()},
                     .request = name,
                     .local = received.local,
                     .ttl = decision == Decision::echo ? kMarkedTtl : -1,
                     .copies = behaviour.duplicates(number) ? 2U : 1U,
                     .overtaken = behaviour.reorders(number)};
  if (answer.copies > 1) ++context_.udp.duplicated;
  MonoTime due = now;
  if (behaviour.defers()) {
    due = context_.server.leave(now, behaviour.service_time(number)) + behaviour.delay();
  }
  if (!queue_.push(std::move(answer), due, now)) {
    context_.events.write(now, name, Event::dropped);
  }
}

}  // namespace volley
