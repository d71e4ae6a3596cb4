// What a UDP service does with what it received: judges it, counts it, has it answered. A slot may
// hold a row of datagrams; as long as they are decided alike, they are handled at once.
#include <algorithm>

#include "targets/serve/udp_service.hpp"

namespace volley {
namespace {

bool is_answered(Decision decision) {
  return decision == Decision::respond || decision == Decision::respond_sized ||
         decision == Decision::echo;
}

bool is_control(FrameKind kind) {
  return kind == FrameKind::hello || kind == FrameKind::statistics || kind == FrameKind::goodbye ||
         kind == FrameKind::socket_counters || kind == FrameKind::stream_quality;
}

// Each is answered with something of its own.
bool stands_alone(FrameKind kind) { return is_control(kind) || kind == FrameKind::stamped_request; }

// How many datagrams of `bytes` each the kernel takes at once.
std::size_t most_in_row(std::size_t bytes) {
  return std::clamp<std::size_t>(kMostSegmentedBytes / bytes, 1, kMostSegments);
}

// How many datagrams, from the first on, are as long as it and no frames of ours, as it is.
std::size_t count_plain(std::span<const std::byte> joined, std::size_t each) {
  std::size_t count = 1;
  for (std::size_t at = each; at + each <= joined.size(); at += each, ++count) {
    if (read_datagram(joined.subspan(at, each))) break;
  }
  return count;
}

}  // namespace

bool UdpService::is_own(const Received& received) const {
  const Address& peer = *received.peer;
  if (peer.port() == bound_.port() && received.local.address.valid()) {
    Address ip = peer;
    ip.set_port(0);
    if (ip == received.local.address) return true;
  }
  const auto& bound = context_.shared.bound;
  return std::any_of(bound.begin(), bound.end(), [&](const Address& own) { return own == peer; });
}

// What holds for every datagram of a slot.
DatagramFacts UdpService::facts_of_sender(const Received& slot) const {
  return {.peer_port = slot.peer->port(), .from_own_address = is_own(slot), .ttl = slot.ttl};
}

void UdpService::look_into(std::span<const std::byte> datagram, const Address& peer,
                           DatagramFacts& facts) const {
  facts.bytes = datagram.size();
  facts.frame = read_datagram(datagram);
  if (!facts.frame || facts.frame->kind != FrameKind::sized_request) return;
  const auto sized = read_sized_request(datagram.subspan(kFrameBytes));
  // Without a size it asks for nothing that could be given.
  facts.response_bytes = sized ? sized->response_bytes : kMostPayload;
  facts.proven =
      sized && sized->cookie != 0 && cookie_is_valid(context_.shared.key, peer, sized->cookie);
}

// How many datagrams at the start of what is left of a slot are decided like the first and may be
// handled with it.
std::size_t UdpService::count_alike_in(std::span<const std::byte> left, const Received& first,
                                       Decision decision, const DatagramFacts& facts) const {
  const std::size_t each = first.bytes.size();
  if (left.size() <= each || (facts.frame && stands_alone(facts.frame->kind))) return 1;
  if (!facts.frame && (shows_ || policy_.prefix_bytes != 0)) return 1;
  const bool has_answers = is_answered(decision);
  if (has_answers && (shaped_ || !sender_.divides())) return 1;
  if (facts.frame && facts.frame->kind == FrameKind::sized_request) {
    return decision == Decision::respond_sized ? count_sized(left, first, facts) : 1;
  }
  const std::size_t alike = facts.frame ? count_alike(left, each) : count_plain(left, each);
  return has_answers ? std::min(alike, most_in_row(each)) : alike;
}

// The same for sized requests, each of which must be looked into.
std::size_t UdpService::count_sized(std::span<const std::byte> left, const Received& first,
                                    const DatagramFacts& facts) const {
  const std::size_t each = first.bytes.size();
  const std::size_t most =
      std::min(left.size() / each, most_in_row(kFrameBytes + facts.response_bytes));
  std::size_t count = 1;
  for (; count < most; ++count) {
    DatagramFacts next = facts;
    look_into(left.subspan(count * each, each), *first.peer, next);
    if (next.response_bytes != facts.response_bytes) break;
    if (decide(policy_, next) != Decision::respond_sized) break;
  }
  return count;
}

// Handles the next datagram of a slot and those behind it that are decided alike. How many bytes.
std::size_t UdpService::handle(const Received& slot, DatagramFacts facts, MonoTime now) {
  const std::span<std::byte> left = slot.bytes.subspan(offset_);
  const std::size_t each =
      slot.segment_bytes == 0 ? left.size() : std::min(slot.segment_bytes, left.size());
  Received first = slot;
  first.bytes = left.first(each);
  look_into(first.bytes, *slot.peer, facts);
  if (shows_ && !facts.frame) show(first);
  const Decision decision = decide(policy_, facts);
  const std::size_t n = count_alike_in(left, first, decision, facts);
  const Row row{.bytes = left.first(std::min(n * each, left.size())), .each = each};
  context_.udp.datagrams += n;
  context_.udp.bytes_received += row.bytes.size();
  if (decision == Decision::control) {
    answer_control(slot, first.bytes, *facts.frame, now);
    return row.bytes.size();
  }
  if (!is_answered(decision) && decision != Decision::take && decision != Decision::count_data) {
    count_ignored(decision, n);
    return row.bytes.size();
  }
  context_.on_request(now);
  count_taken(decision, facts, n);
  if (decision == Decision::count_data) {
    if (n == 1) {
      sessions_.count(*slot.peer, *facts.frame, time_of_call());
    } else {
      sessions_.count_row(*slot.peer, row.bytes, each, time_of_call());
    }
  }
  if (is_answered(decision)) answer(decision, slot, row, facts, now);
  return row.bytes.size();
}

void UdpService::answer(Decision decision, const Received& slot, const Row& row,
                        const DatagramFacts& facts, MonoTime now) {
  const int ttl = decision == Decision::echo ? kMarkedTtl : -1;
  if (row.count() > 1) {
    if (decision == Decision::respond_sized) {
      const auto answers = answer_sized_row(row, facts);
      sender_.add(answers, *slot.peer, slot.local, ttl, kFrameBytes + facts.response_bytes);
      return;
    }
    if (decision == Decision::respond) turn_into_responses(row.bytes, row.each);
    sender_.add(row.bytes, *slot.peer, slot.local, ttl, row.each);
    return;
  }
  const auto place = place_of(decision, slot, row.bytes);
  if (wants_stamps(facts)) {
    answer_stamped(slot, row.bytes, place, facts, now);
    return;
  }
  if (shaped_) {
    answer_shaped(decision, slot, row.bytes, place, facts, now);
    return;
  }
  sender_.add(make_answer(decision, row.bytes, place, facts), *slot.peer, slot.local, ttl);
}

void UdpService::count_taken(Decision decision, const DatagramFacts& facts, std::size_t n) {
  if (decision == Decision::count_data) {
    context_.udp.data += n;
  } else if (facts.frame) {
    context_.udp.requests += n;
  } else {
    context_.udp.plain += n;
  }
}

void UdpService::count_ignored(Decision decision, std::size_t n) {
  TargetUdpCounters& udp = context_.udp;
  switch (decision) {
    case Decision::ignore_answer:
      udp.ignored.answers += n;
      break;
    case Decision::ignore_own_address:
      udp.ignored.own_address += n;
      break;
    case Decision::ignore_low_port:
      udp.ignored.low_ports += n;
      break;
    case Decision::ignore_marked:
      udp.ignored.marked += n;
      break;
    case Decision::ignore_not_frame:
      udp.ignored.not_frames += n;
      break;
    case Decision::ignore_unproven:
      udp.ignored.unproven += n;
      break;
    default:
      udp.malformed += n;
  }
}

void UdpService::show(const Received& received) {
  const ServeOptions& o = context_.options;
  if (o.stop_on_empty && received.bytes.empty()) {
    context_.shared.request_stop("empty_datagram");
    return;
  }
  if (o.log_messages) context_.shared.console->message(*received.peer, received.bytes);
  if (o.print) context_.shared.console->data(received.bytes);
}

}  // namespace volley
