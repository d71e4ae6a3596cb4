#include "targets/serve/udp_service.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "reports/measure/ensure.hpp"
#include "targets/serve/datagram_needs.hpp"

namespace volley {

UdpService::UdpService(Descriptor socket, ThreadContext& context, std::uint32_t index)
    : socket_(std::move(socket)),
      context_(context),
      index_(index),
      bound_(local_address(socket_)),
      shaped_(context.shared.behaviour.shapes_udp() || context.events.on()),
      shows_(context.options.print || context.options.log_messages ||
             context.options.stop_on_empty),
      received_(kSlots, kSlotBytes, needs_of(context.options, bound_).details()),
      sender_(socket_, context, 2 * kSlots,
              context.options.offload != Offload::off && can_divide(socket_)),
      seeks_peer_(context.options.one_peer && !bound_.is_wildcard()),
      sessions_(context.shared.key),
      queue_(context.shared.key, context.events) {
  const ServeOptions& o = context.options;
  policy_ = {.echoes = o.kind != TargetKind::udp_sink,
             .on_loopback = bound_.is_loopback(),
             .open = o.open,
             .frames_only = o.frames_only,
             .guard = o.answer_guard,
             .prefix_bytes = o.reply_prefix.size()};
  if (o.one_peer && bound_.is_wildcard())
    context.shared.note("--one-peer: a socket for every address of the host (" + bound_.text() +
                        ") keeps to no peer; give --listen one address");
  if (const int error =
          context.poller.add(socket_.get(), make_tag(TagKind::udp, index), true, false)) {
    throw RunError("too_many_files", "setup",
                   "udp socket: cannot be waited on: " + error_text(error));
  }
}

void UdpService::on_ready(const Ready& ready, MonoTime now) {
  if (waits_to_write_) {
    if (!ready.writable && !ready.failed) return;
    if (flush(now)) serve_in_hand(now);
    if (waits_to_write_) return;
  }
  tries_left_ = kTries;
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
  if (n == 0) ++context_.udp.receive_misses;
  if (n <= 0) return;
  ++context_.udp.receive_calls;
  time_of_call_.reset();
  if (n == 1 && answer_at_once(received_.at(0))) {
    if (seeks_peer_) note_peer(*received_.at(0).peer, now);
    return;
  }
  in_a_row_ = 0;
  in_hand_ = static_cast<std::size_t>(n);
  slot_ = 0;
  offset_ = 0;
  serve_in_hand(now);
}

void UdpService::note_peer(const Address& peer, MonoTime now) {
  in_a_row_ = peer == last_peer_ ? in_a_row_ + 1 : 1;
  last_peer_ = peer;
  if (in_a_row_ >= kInARow) keep_to_peer(now);
}

// Connected, the socket is sent nothing but what this peer sends, and the kernel knows the way of
// the answers. What others have sent before is answered before the sender of each datagram is no
// longer asked for; while there is no end of it, it is asked for.
void UdpService::keep_to_peer(MonoTime now) {
  seeks_peer_ = false;
  const Address peer = last_peer_;
  if (const int error = start_connect(socket_, peer); error != 0) {
    context_.shared.note("--one-peer: the socket cannot be connected to " + peer.text() + " (" +
                         error_text(error) + "); all peers are served");
    return;
  }
  for (int round = 0; round < kMostRounds; ++round) {
    if (waits_to_write_) return;  // what is unsent lies where the next batch would
    const int n = received_.receive(socket_, kSlots);
    serve_received(n, now);
    if (n != 0) continue;
    received_.assume_peer(peer);
    sender_.keep_to_peer();
    return;
  }
}

// What was received but not served yet; stops where the socket is full.
void UdpService::serve_in_hand(MonoTime now) {
  for (; slot_ < in_hand_; ++slot_) {
    if (!serve_slot(received_.at(slot_), now)) return;
    offset_ = 0;
  }
  queue_.advance(now);
  send_ready(now);
  (void)flush(now);
}

MonoTime UdpService::time_of_call() {
  if (!time_of_call_) time_of_call_ = mono_now();
  return *time_of_call_;
}

bool UdpService::serve_slot(const Received& slot, MonoTime now) {
  if (slot.truncated || !slot.peer->valid()) {
    ++context_.udp.datagrams;
    context_.udp.bytes_received += slot.bytes.size();
    ++context_.udp.malformed;
    return true;
  }
  if (slot.segment_bytes != 0 && offset_ == 0) {
    ++context_.udp.joined_slots;
    context_.udp.joined += (slot.bytes.size() + slot.segment_bytes - 1) / slot.segment_bytes;
  }
  const DatagramFacts facts = facts_of_sender(slot);
  do {
    if (!sender_.has_room() && !flush(now)) return false;
    offset_ += handle(slot, facts, now);
  } while (offset_ < slot.bytes.size());
  return true;
}

unsigned UdpService::try_receive(unsigned times) {
  if (tries_left_ == 0 || waits_to_write_) return 0;
  const std::size_t most = most_to_take();
  const auto [n, calls] =
      most == 1 ? received_.look(socket_, times)
                : ReceiveBatch::Looked{.received = received_.receive(socket_, most), .calls = 1};
  if (n == 0) {
    tries_left_ -= std::min(calls, tries_left_);
    context_.udp.receive_misses += calls;
    return calls;
  }
  context_.udp.receive_misses += calls - 1;
  tries_left_ = kTries;
  serve_received(n, context_.arrival_time());
  if (most > 1) come_singly_ = n == 1;
  return calls;
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
  serve_received(n, context_.arrival_time());
}

void UdpService::stop_waiting() const {
  // May say that the socket is not connected, and wakes who waits all the same.
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
  (void)flush(now);
}

std::optional<MonoTime> UdpService::next_due() const {
  return waits_to_write_ ? std::nullopt : queue_.next_due();
}

void UdpService::finish() {
  context_.udp.kernel_drops += dropped_datagrams(socket_).value_or(0);
  context_.udp.held += queue_.held();
  context_.udp.discarded += queue_.discarded() + queue_.waiting() + queue_.ready().size();
}

void UdpService::send_ready(MonoTime now) {
  auto& ready = queue_.ready();
  while (!ready.empty() && !waits_to_write_) {
    if (sender_.slots_left() < ready.front().copies) {
      (void)flush(now);
      continue;
    }
    sender_.add(std::move(ready.front()));
    ready.pop_front();
  }
  if (!waits_to_write_) (void)flush(now);
}

bool UdpService::flush(MonoTime now) {
  const bool all = sender_.flush(now);
  want_write(!all);
  return all;
}

void UdpService::want_write(bool on) {
  if (on == waits_to_write_) return;
  const int error = context_.poller.change(socket_.get(), make_tag(TagKind::udp, index_), !on, on);
  ensure(error == 0, "an open socket can be waited on");
  waits_to_write_ = on;
}

}  // namespace volley
