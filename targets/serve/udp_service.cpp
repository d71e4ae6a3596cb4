#include "targets/serve/udp_service.hpp"

#include <linux/sock_diag.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "reports/measure/ensure.hpp"

namespace volley {
namespace {

bool is_answered(Decision decision) {
  return decision == Decision::respond || decision == Decision::respond_sized ||
         decision == Decision::echo;
}

// Datagrams that found the socket's receive buffer full, as the kernel counts them.
std::uint64_t drops_of(const Descriptor& socket) {
  std::array<std::uint32_t, SK_MEMINFO_VARS> info{};
  socklen_t size = sizeof info;
  if (getsockopt(socket.get(), SOL_SOCKET, SO_MEMINFO, info.data(), &size) != 0) return 0;
  return info[SK_MEMINFO_DROPS];
}

}  // namespace

UdpService::UdpService(Descriptor socket, ThreadContext& context, std::uint32_t index)
    : socket_(std::move(socket)),
      context_(context),
      index_(index),
      bound_(local_address(socket_)),
      shaped_(context.shared.behaviour.shapes_udp() || context.events.on()),
      shows_(context.options.print || context.options.log_messages ||
             context.options.stop_on_empty),
      received_(kSlots, kSlotBytes, true),
      batch_(2 * kSlots),
      sessions_(context.shared.key),
      queue_(context.shared.key, context.events) {
  const ServeOptions& o = context.options;
  policy_ = {.echoes = o.kind != TargetKind::udp_sink,
             .on_loopback = bound_.is_loopback(),
             .open = o.open,
             .guard = o.answer_guard,
             .prefix_bytes = o.reply_prefix.size()};
  if (const int error =
          context.poller.add(socket_.get(), make_tag(TagKind::udp, index), true, false)) {
    throw RunError("too_many_files", "setup",
                   "udp socket: cannot be waited on: " + error_text(error));
  }
}

void UdpService::on_ready(const Ready& ready, MonoTime now) {
  if (waits_to_write_) {
    if (!ready.writable && !ready.failed) return;
    flush(now);
    send_ready(now);
    if (waits_to_write_) return;
  }
  // What is programmed looks at the clock, so it wants a time of its own for each batch.
  const int rounds = shaped_ || context_.options.behaviour.stall ? 1 : kMostRounds;
  for (int round = 0; round < rounds && !waits_to_write_; ++round) {
    const std::size_t most = most_to_take();
    const int n = received_.receive(socket_, most);
    serve_received(n, now);
    if (n <= 0) break;
    if (most > 1) come_singly_ = n == 1;
    if (static_cast<std::size_t>(n) < kSlots) break;
  }
}

void UdpService::serve_received(int n, MonoTime now) {
  if (n < 0) ++context_.udp.receive_errors;
  if (n <= 0) return;
  context_.udp.datagrams += static_cast<std::uint64_t>(n);
  for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) handle(i, now);
  queue_.advance(now);
  send_ready(now);
  flush(now);
}

void UdpService::wait_in_receive() {
  constexpr Nanos kPatience = std::chrono::seconds(1);
  may_wait_ =
      !shaped_ && !context_.options.behaviour.stall && let_receive_wait(socket_, kPatience) == 0;
}

void UdpService::receive_next() {
  const int n = received_.await(socket_, 1);
  // Stopped: the call returned for that, not for a datagram.
  if (context_.shared.stopping.load(std::memory_order_acquire)) return;
  ++taken_singly_;
  serve_received(n, mono_now());
}

void UdpService::stop_waiting() const {
  // Says that the socket is not connected, and wakes who waits all the same.
  if (may_wait_) (void)shutdown(socket_.get(), SHUT_RD);
}

std::size_t UdpService::most_to_take() {
  if (!come_singly_ || ++taken_singly_ % kLookEvery == 0) return kSlots;
  return 1;
}

void UdpService::on_time(MonoTime now) {
  if (waits_to_write_) return;
  const auto due = queue_.next_due();
  if (!due || *due > now) return;
  queue_.advance(now);
  send_ready(now);
  flush(now);
}

std::optional<MonoTime> UdpService::next_due() const {
  return waits_to_write_ ? std::nullopt : queue_.next_due();
}

void UdpService::finish() {
  context_.udp.kernel_drops += drops_of(socket_);
  context_.udp.held += queue_.held();
  context_.udp.discarded += queue_.discarded() + queue_.waiting() + queue_.ready().size();
}

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

DatagramFacts UdpService::facts_of(const Received& received) const {
  DatagramFacts facts{.bytes = received.bytes.size(),
                      .frame = read_datagram(received.bytes),
                      .peer_port = received.peer->port(),
                      .from_own_address = is_own(received),
                      .ttl = received.ttl};
  if (facts.frame && facts.frame->kind == FrameKind::sized_request) {
    const auto sized = read_sized_request(received.bytes.subspan(kFrameBytes));
    // Without a size it asks for nothing that could be given.
    facts.response_bytes = sized ? sized->response_bytes : kMostPayload;
    facts.proven = sized && sized->cookie != 0 &&
                   cookie_is_valid(context_.shared.key, *received.peer, sized->cookie);
  }
  return facts;
}

void UdpService::handle(std::size_t slot, MonoTime now) {
  const Received received = received_.at(slot);
  context_.udp.bytes_received += received.bytes.size();
  if (received.truncated || !received.peer->valid()) {
    ++context_.udp.malformed;
    return;
  }
  const DatagramFacts facts = facts_of(received);
  if (shows_ && !facts.frame) show(received);
  const Decision decision = decide(policy_, facts);
  if (decision == Decision::control) {
    answer_control(received, *facts.frame);
    return;
  }
  if (!is_answered(decision) && decision != Decision::take && decision != Decision::count_data) {
    count_ignored(decision);
    return;
  }
  context_.on_request(now);
  count_taken(decision, facts);
  if (decision == Decision::count_data) sessions_.count(*received.peer, *facts.frame);
  if (!is_answered(decision)) return;
  if (shaped_) {
    answer_shaped(decision, received, facts, now);
    return;
  }
  const int ttl = decision == Decision::echo ? kMarkedTtl : -1;
  add(make_answer(decision, received, facts), *received.peer, received.local, ttl, false);
}

void UdpService::count_taken(Decision decision, const DatagramFacts& facts) {
  if (decision == Decision::count_data) {
    ++context_.udp.data;
  } else if (facts.frame) {
    ++context_.udp.requests;
  } else {
    ++context_.udp.plain;
  }
}

void UdpService::count_ignored(Decision decision) {
  TargetUdpCounters& udp = context_.udp;
  switch (decision) {
    case Decision::ignore_answer:
      ++udp.ignored.answers;
      break;
    case Decision::ignore_own_address:
      ++udp.ignored.own_address;
      break;
    case Decision::ignore_low_port:
      ++udp.ignored.low_ports;
      break;
    case Decision::ignore_marked:
      ++udp.ignored.marked;
      break;
    case Decision::ignore_not_frame:
      ++udp.ignored.not_frames;
      break;
    case Decision::ignore_unproven:
      ++udp.ignored.unproven;
      break;
    default:
      ++udp.malformed;
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

void UdpService::send_ready(MonoTime now) {
  auto& ready = queue_.ready();
  while (!ready.empty() && !waits_to_write_) {
    if (batch_.size() + ready.front().copies > 2 * kSlots) {
      flush(now);
      continue;
    }
    leaving_.push_back(std::move(ready.front()));
    ready.pop_front();
    const OwnedAnswer& answer = leaving_.back();
    for (unsigned copy = 0; copy < answer.copies; ++copy) {
      add(answer.bytes, answer.request.peer, answer.local, answer.ttl, false);
      if (context_.events.on()) names_.back() = answer.request;
    }
  }
  if (!waits_to_write_) flush(now);
}

void UdpService::add(std::span<const std::byte> bytes, const Address& peer,
                     const LocalAddress& local, int ttl, bool is_control) {
  batch_.add(bytes, &peer, &local, ttl);
  notes_.push_back({.bytes = bytes.size(), .is_control = is_control});
  if (context_.events.on()) names_.emplace_back();
}

void UdpService::flush(MonoTime now) {
  while (sent_ < batch_.size()) {
    const int n = batch_.send(socket_, sent_);
    if (n == -EAGAIN) {
      want_write(true);
      return;
    }
    if (n == -EINTR) continue;
    if (n <= 0) {  // the kernel refuses this one; the others may still leave
      ++context_.udp.send_errors;
      ++sent_;
      continue;
    }
    note_sent(sent_, static_cast<std::size_t>(n), now);
    sent_ += static_cast<std::size_t>(n);
  }
  batch_.clear();
  notes_.clear();
  names_.clear();
  leaving_.clear();
  sent_ = 0;
  want_write(false);
}

void UdpService::note_sent(std::size_t from, std::size_t count, MonoTime now) {
  for (std::size_t i = from; i < from + count; ++i) {
    context_.udp.bytes_sent += notes_[i].bytes;
    if (notes_[i].is_control) {
      ++context_.udp.control_answered;
      continue;
    }
    ++context_.udp.answered;
    if (context_.events.on()) context_.events.write(now, names_[i], Event::answered);
  }
}

void UdpService::want_write(bool on) {
  if (on == waits_to_write_) return;
  const int error = context_.poller.change(socket_.get(), make_tag(TagKind::udp, index_), !on, on);
  ensure(error == 0, "an open socket can be waited on");
  waits_to_write_ = on;
}

}  // namespace volley
