// What a UDP service answers: acknowledgements, answers made in place, answers that pass through
// the programmed behaviour. How datagrams come and go is the business of udp_service.cpp.
#include <algorithm>
#include <cstring>
#include <utility>

#include "targets/serve/udp_service.hpp"
#include "targets/wire/stamps.hpp"

namespace volley {
namespace {

constexpr std::byte kFiller{'v'};

}  // namespace

// One request frame, to be answered with as many bytes by nothing but a call: its peer waits, so
// what a batch would need is left out, and it is counted when the answer is on its way. That makes
// a round trip of spinning sides a tenth of a microsecond shorter.
bool UdpService::answer_at_once(const Received& slot) {
  const bool is_common = !context_.times_arrivals && !shows_ && slot.segment_bytes == 0 &&
                         !slot.truncated && slot.peer->valid() && !slot.local.address.valid();
  if (!is_common) return false;
  DatagramFacts facts = facts_of_sender(slot);
  look_into(slot.bytes, *slot.peer, facts);
  if (!facts.frame || facts.frame->kind != FrameKind::request ||
      decide(policy_, facts) != Decision::respond)
    return false;
  turn_into_responses(slot.bytes, slot.bytes.size());
  if (!sender_.send_at_once(slot.bytes, *slot.peer)) {
    sender_.add(slot.bytes, *slot.peer, slot.local, -1);
    (void)flush(MonoTime{});
  }
  ++context_.udp.datagrams;
  context_.udp.bytes_received += slot.bytes.size();
  ++context_.udp.requests;
  return true;
}

HelloAck UdpService::acknowledge(const Hello& hello, const Address& peer) const {
  const TargetKind kind = context_.options.kind;
  const bool sinks = kind == TargetKind::all || kind == TargetKind::udp_sink;
  return {.cookie = cookie_of(context_.shared.key, peer),
          .most_response_bytes = static_cast<std::uint32_t>(kMostAnswerBytes - kFrameBytes),
          .accepted = (hello.session_kind == SessionKind::echo && policy_.echoes) ||
                      (hello.session_kind == SessionKind::sink && sinks)};
}

// What has become of the requests so far. The answers that were decided before this question leave
// first, so that they are counted, and arrive first.
SocketCounters UdpService::counters(MonoTime now) {
  queue_.advance(now);
  send_ready(now);
  const TargetUdpCounters& udp = context_.udp;
  const std::uint64_t ignored =
      udp.ignored.own_address + udp.ignored.low_ports + udp.ignored.unproven + udp.malformed;
  return {.place = static_cast<std::uint16_t>(context_.thread),
          .places = static_cast<std::uint16_t>(context_.options.threads),
          .joins = context_.options.offload != Offload::off,
          .taken = udp.requests + ignored,
          .answered = udp.answered,
          .duplicated = udp.duplicated,
          .dropped = udp.dropped,
          .discarded = udp.discarded + queue_.discarded(),
          .send_errors = udp.send_errors,
          .ignored = ignored,
          .kernel_drops = dropped_datagrams(socket_).value_or(0)};
}

void UdpService::answer_control(const Received& slot, std::span<std::byte> datagram,
                                const Frame& frame, MonoTime now) {
  const auto hello = read_hello(datagram.subspan(kFrameBytes));
  if (frame.kind == FrameKind::hello && !hello) {
    ++context_.udp.malformed;
    return;
  }
  ++context_.udp.control;
  SocketCounters so_far;
  if (frame.kind == FrameKind::socket_counters) {
    so_far = counters(now);
    if (!sender_.has_room()) return;  // the socket takes no more: who asks will ask again
  }
  const auto answer = place_of(Decision::control, slot, datagram).first(control_bytes(frame.kind));
  std::fill(answer.begin(), answer.end(), std::byte{0});
  const auto payload = answer.subspan(kFrameBytes);
  Frame ack = frame;
  ack.length = static_cast<std::uint32_t>(payload.size());
  if (frame.kind == FrameKind::hello) {
    ack.kind = FrameKind::hello_ack;
    write_payload(acknowledge(*hello, *slot.peer), payload);
  } else if (frame.kind == FrameKind::socket_counters) {
    ack.kind = FrameKind::socket_counters_ack;
    write_payload(so_far, payload);
  } else if (frame.kind == FrameKind::stream_quality) {
    ack.kind = FrameKind::stream_quality_ack;
    write_payload(StreamQuality{.place = static_cast<std::uint16_t>(context_.thread),
                                .places = static_cast<std::uint16_t>(context_.options.threads),
                                .figures = sessions_.quality(*slot.peer, frame.session)},
                  payload);
  } else {
    ack.kind =
        frame.kind == FrameKind::statistics ? FrameKind::statistics_ack : FrameKind::goodbye_ack;
    write_payload(sessions_.statistics(*slot.peer, frame.session), payload);
  }
  write_frame(ack, answer);
  sender_.add_control(answer, *slot.peer, slot.local);
}

// Where the answer to a datagram is made: in the slot that it has for itself. In a slot with others
// an answer may only take the place of its request when it is as long; else it gets memory of its
// own.
std::span<std::byte> UdpService::place_of(Decision decision, const Received& slot,
                                          std::span<std::byte> datagram) {
  if (slot.segment_bytes == 0) return {datagram.data(), kSlotBytes};
  const bool fits =
      decision == Decision::respond || (decision == Decision::echo && policy_.prefix_bytes == 0);
  return fits ? datagram : sender_.room();
}

// The answer may take the place of the request, so no byte of an earlier datagram may show behind
// it.
std::span<const std::byte> UdpService::make_answer(Decision decision,
                                                   std::span<const std::byte> datagram,
                                                   std::span<std::byte> place,
                                                   const DatagramFacts& facts) {
  const std::string& prefix = context_.options.reply_prefix;
  const bool is_echo = decision == Decision::echo;
  const std::size_t before = is_echo ? prefix.size() : 0;
  if (place.data() + before != datagram.data() && !datagram.empty()) {
    std::memmove(place.data() + before, datagram.data(), datagram.size());
  }
  if (is_echo) {
    std::copy(prefix.begin(), prefix.end(), reinterpret_cast<char*>(place.data()));
    return place.first(before + datagram.size());
  }
  Frame frame = *facts.frame;
  frame.kind = wants_stamps(facts) ? FrameKind::stamped_response : FrameKind::response;
  if (decision == Decision::respond_sized) {
    frame.length = facts.response_bytes;
    const std::size_t wanted = kFrameBytes + facts.response_bytes;
    if (wanted > datagram.size()) {
      const auto behind = place.subspan(datagram.size(), wanted - datagram.size());
      std::fill(behind.begin(), behind.end(), kFiller);
    }
  }
  write_frame(frame, place);
  return place.first(kFrameBytes + frame.length);
}

bool UdpService::wants_stamps(const DatagramFacts& facts) {
  return facts.frame && facts.frame->kind == FrameKind::stamped_request &&
         facts.frame->length >= kTargetStampsBytes;
}

// The answer says when its request was here. The kernel is asked for its part of that by the first
// such request, which itself goes without.
void UdpService::answer_stamped(const Received& slot, std::span<const std::byte> datagram,
                                std::span<std::byte> place, const DatagramFacts& facts,
                                MonoTime now) {
  const MonoTime taken_up = context_.times_arrivals ? now : mono_now();
  TargetStamps stamps{.received_ns = taken_up.time_since_epoch().count()};
  if (!std::exchange(stamps_, true) && stamp_received(socket_) == 0) received_.read_kernel_times();
  if (slot.kernel_time != Nanos(0))
    stamps.kernel_received_ns = (slot.kernel_time - wall_offset().ahead).count();
  stamps.sent_ns = stamps.received_ns;  // until it leaves
  if (shaped_) {
    // Behaviour copies the answer from where its request lies.
    std::memmove(place.data(), datagram.data(), datagram.size());
    write_payload(stamps, place.subspan(kFrameBytes));
    answer_shaped(Decision::respond, slot, place.first(datagram.size()), place, facts, now);
    return;
  }
  const auto answer = make_answer(Decision::respond, datagram, place, facts);
  write_payload(stamps, place.subspan(kFrameBytes));
  sender_.add(answer, *slot.peer, slot.local, -1);
  sender_.stamp_when_sent(place.first(answer.size()));
}

// The answers to a row of sized requests that want the same size, one behind the other.
std::span<const std::byte> UdpService::answer_sized_row(const Row& row,
                                                        const DatagramFacts& facts) {
  const std::span<std::byte> room = sender_.room();
  const std::size_t bytes = kFrameBytes + facts.response_bytes;
  std::size_t made = 0;
  for (std::size_t at = 0; at < row.bytes.size(); at += row.each, made += bytes) {
    const auto request = row.bytes.subspan(at, row.each);
    const auto answer = room.subspan(made, bytes);
    Frame frame = *read_frame(request);
    frame.kind = FrameKind::response;
    frame.length = facts.response_bytes;
    const std::size_t kept = std::min(bytes, request.size());
    std::copy_n(request.begin(), kept, answer.begin());
    std::fill(answer.begin() + static_cast<std::ptrdiff_t>(kept), answer.end(), kFiller);
    write_frame(frame, answer);
  }
  return room.first(made);
}

void UdpService::answer_shaped(Decision decision, const Received& slot,
                               std::span<const std::byte> datagram, std::span<std::byte> place,
                               const DatagramFacts& facts, MonoTime now) {
  const Behaviour& behaviour = context_.shared.behaviour;
  const PeerFlow& flow = queue_.count_request(*slot.peer);
  RequestName name{
      .peer = *slot.peer, .framed = facts.frame.has_value(), .sequence = flow.requests - 1};
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
  const auto bytes = make_answer(decision, datagram, place, facts);
  OwnedAnswer answer{.bytes = {bytes.begin(), bytes.end()},
                     .request = name,
                     .local = slot.local,
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
