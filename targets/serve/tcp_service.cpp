#include "targets/serve/tcp_service.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "reports/measure/ensure.hpp"

namespace volley {
namespace {

constexpr int kTurns = 8;  // pieces a connection may write before others get their turn

}  // namespace

TcpService::TcpService(ThreadContext& context)
    : context_(context),
      shaped_(context.shared.behaviour.defers() || context.events.on()),
      input_(kLongestHead + Gathering::kGathered),
      chunk_(kChunkBytes),
      filler_(kChunkBytes, std::byte{'v'}) {}

// --- events ---

Connection* TcpService::find(std::uint32_t index, std::uint32_t generation) {
  if (index >= connections_.size()) return nullptr;
  Connection* c = connections_[index].get();
  return c != nullptr && c->generation == generation ? c : nullptr;
}

void TcpService::on_connection(const Ready& ready, MonoTime now) {
  Connection* c = find(tag_index(ready.tag), tag_generation(ready.tag));
  if (c == nullptr) return;  // closed earlier in this round
  tries_left_ = kTries;
  const bool has_room = c->unread.size() <= kLongestHead;
  if (ready.failed && (c->peer_done || !has_room)) {  // nothing more can be read from it
    fail(*c, &TargetTcpCounters::reset);
    return;
  }
  if (c->told_once && (ready.more || ready.failed)) set_interest(*c, c->reads, c->writes);
  if (ready.writable && !write(*c, now)) return;
  const bool may_read = (c->reads && has_room) || ready.failed;
  if (ready.readable && may_read && !read_on(*c, now)) return;
  settle(*c, now);
}

unsigned TcpService::try_receive(unsigned times) {
  if (open() == 0 || open() > kMostTried || tries_left_ == 0) return 0;
  unsigned calls = 0;
  bool came = false;
  for (std::uint32_t index = newest_; index != kNoConnection;) {
    Connection& c = *connections_[index];
    index = c.older;  // what is read here may move this one or end it, no other
    if (!c.reads || c.unread.size() > kLongestHead) continue;
    ssize_t n = kNothing;
    for (unsigned i = 0; i < times && n == kNothing; ++i, ++calls) n = receive(c, MSG_DONTWAIT);
    if (n == kNothing) continue;
    came = true;
    const MonoTime now = context_.arrival_time();
    if (take_received(c, n, now)) settle(c, now);
  }
  tries_left_ = came ? kTries : tries_left_ - std::min(calls, tries_left_);
  return calls;
}

void TcpService::on_time(MonoTime now) {
  if (accept_again_at_ && *accept_again_at_ <= now) resume_accepting();
  while (!timers_.empty() && timers_.top().at <= now) {
    const Timer timer = timers_.top();
    timers_.pop();
    Connection* c = find(timer.index, timer.generation);
    if (c != nullptr) on_timer(*c, now);
  }
  for (std::uint32_t i = newest_; i != kNoConnection && connections_[i]->last_active == kThisTurn;
       i = connections_[i]->older)
    connections_[i]->last_active = now;
  const Nanos idle = context_.options.idle_timeout;
  if (idle == Nanos{0}) return;
  while (oldest_ != kNoConnection && connections_[oldest_]->last_active + idle <= now) {
    fail(*connections_[oldest_], &TargetTcpCounters::closed_idle);
  }
}

void TcpService::on_timer(Connection& c, MonoTime now) {
  c.timer_armed = false;
  const bool has_room = c.reads && c.unread.size() <= kLongestHead;
  if (c.gathering.looks() && has_room && !read_on(c, now)) return;
  c.gathering.check(c.socket, now);
  if (c.gathering.on()) arm_timer(c, c.gathering.check_at());
  const bool silent = c.speech == Connection::Speech::unknown;
  if (context_.options.kind == TargetKind::tcp_source && silent && !c.streams) {
    start_stream(c, 0, 0, kSourceMessage);
  }
  // The poller tells when a full socket takes more: to try it at each look would cost more than the
  // looking.
  if (c.writes || write(c, now)) settle(c, now);
}

std::optional<MonoTime> TcpService::next_due() const {
  std::optional<MonoTime> due = accept_again_at_;
  if (!timers_.empty()) due = earlier(due, timers_.top().at);
  const Nanos idle = context_.options.idle_timeout;
  if (idle != Nanos{0} && oldest_ != kNoConnection) {
    due = earlier(due, connections_[oldest_]->last_active + idle);
  }
  return due;
}

void TcpService::finish() {
  for (const auto& c : connections_) {
    if (c) ++context_.tcp.open_at_end;
  }
}

// --- one connection ---

bool TcpService::read(Connection& c, MonoTime now) {
  const ssize_t n = receive(c, MSG_DONTWAIT);
  return n == kNothing || take_received(c, n, now);
}

// A stream that gathers is read until little is left: for less than what it gathers the poller
// would not say so again.
bool TcpService::read_on(Connection& c, MonoTime now) {
  const std::uint64_t before = context_.tcp.bytes_received;
  do {
    if (!read(c, now)) return false;
  } while (filled_ && c.gathering.on() && !is_full(c) && c.unread.size() <= kLongestHead &&
           context_.tcp.bytes_received - before < Gathering::kMostAtOnce);
  return true;
}

// After a read: a fast stream of messages that nobody answers is read in large pieces. A thread
// that spins is woken for none of them.
void TcpService::gather(Connection& c, std::size_t came) {
  const bool one_way = c.speech == Connection::Speech::discard ||
                       c.current.kind == FrameKind::data ||
                       c.current.kind == FrameKind::data_warm_up;
  // An answer that waits for its time, or a source's grace, needs the connection's timer.
  const bool has_timer = !shaped_ && (c.gathering.on() || !c.timer_armed);
  const bool spins = context_.options.wait == Wait::spin;
  if (!one_way || !has_timer || spins || !c.gathering.count(came)) return;
  c.gathering.consider(
      c.socket, mono_now(),
      is_discarded(c) ? Gathering::Told::by_its_timer : Gathering::Told::by_the_kernel);
  if (!c.gathering.on()) return;
  ++context_.tcp.gathered;
  arm_timer(c, c.gathering.check_at());
}

// What recv returned; kNothing: nothing has come.
ssize_t TcpService::receive(Connection& c, int flags) {
  const std::size_t discarded = most_to_discard(c);
  discards_now_ = discarded != 0;
  const std::size_t most = discards_now_ ? discarded : most_to_read(c);
  ssize_t n = 0;
  if (discards_now_) {
    n = recv(c.socket.get(), nullptr, most, flags | MSG_TRUNC);
  } else {
    std::copy(c.unread.begin(), c.unread.end(), input_.begin());
    n = recv(c.socket.get(), input_.data() + c.unread.size(), most, flags);
  }
  filled_ = n == static_cast<ssize_t>(most);
  return n < 0 && (errno == EAGAIN || errno == EINTR) ? kNothing : n;
}

// Whether nobody looks at what comes: the payload of stream messages, and all that a sink is sent
// without frames.
bool TcpService::is_discarded(const Connection& c) const {
  if (!context_.options.discard) return false;
  const bool data = c.current.kind == FrameKind::data || c.current.kind == FrameKind::data_warm_up;
  return c.speech == Connection::Speech::discard || (data && c.current.length >= kLeastDiscarded);
}

std::size_t TcpService::most_to_discard(const Connection& c) const {
  if (!is_discarded(c) || !c.unread.empty() || c.ending) return 0;
  if (c.speech == Connection::Speech::discard) return kMostDiscarded;
  return c.payload_left;
}

// Before the head of a message whose payload will be discarded as little as possible is copied.
std::size_t TcpService::most_to_read(const Connection& c) const {
  const bool is_head = c.speech == Connection::Speech::frames && c.payload_left == 0;
  if (is_discarded(c) && is_head) return kLongestHead;
  return c.gathering.on() ? Gathering::kGathered : kReadBytes;
}

bool TcpService::take_received(Connection& c, ssize_t n, MonoTime now) {
  if (n < 0) return fail(c, &TargetTcpCounters::reset);
  if (n == 0) {
    c.peer_done = true;
    take_end(c, now);
    return send_scratch(c) && write(c, now);
  }
  const auto count = static_cast<std::size_t>(n);
  const std::size_t kept = c.unread.size();
  context_.tcp.bytes_received += count;
  touch(c);
  gather(c, count);
  if (discards_now_) {
    context_.tcp.bytes_discarded += count;
    if (c.speech == Connection::Speech::frames) c.payload_left -= static_cast<std::uint32_t>(count);
    return true;
  }
  c.unread.clear();
  std::span<std::byte> input = std::span(input_).first(kept + count);
  const std::size_t whole = answer_in_place(c, input, now);
  count_in_a_row(whole == input.size());
  count_short_read(c, whole == input.size() && !filled_);
  if (whole != 0) {
    if (!send_at_once(c, input.first(whole))) return false;
    input = input.subspan(whole);
    if (input.empty()) return true;
  }
  if (!take(c, input, now)) {
    return fail(c, &TargetTcpCounters::hostile);
  }
  if (!send_scratch(c)) return false;
  // What was not sent at once, and what a control frame set going.
  return (c.out.empty() && !c.streams && c.filler_left == 0) || write(c, now);
}

std::optional<std::size_t> TcpService::send_some(Connection& c, std::span<const std::byte> bytes) {
  const ssize_t n = send(c.socket.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (n < 0) {
    if (errno == EAGAIN || errno == EINTR) return 0;
    fail(c, &TargetTcpCounters::reset);
    return std::nullopt;
  }
  const auto count = static_cast<std::size_t>(n);
  context_.tcp.bytes_sent += count;
  if (count != 0) touch(c);
  return count;
}

// With nothing queued before: what the socket does not take is queued.
bool TcpService::send_at_once(Connection& c, std::span<const std::byte> bytes) {
  const auto sent = send_some(c, bytes);
  if (sent && *sent < bytes.size()) c.out.append(bytes.subspan(*sent));
  return sent.has_value();
}

bool TcpService::send_scratch(Connection& c) {
  if (scratch_.empty()) return true;
  const bool stands = send_at_once(c, scratch_);
  scratch_.clear();
  return stands;
}

bool TcpService::write(Connection& c, MonoTime now) {
  for (int turn = 0; turn < kTurns && !c.shut; ++turn) {
    // A streamed frame is finished before anything else may stand in the stream.
    const std::size_t left = c.stream.left_of_frame();
    if (left == 0 && c.control) answer_control(c);
    if (left == 0 && c.filler_left != 0) refill(c);
    const auto queued = c.out.ready(now);
    std::span<const std::byte> piece = queued;
    const bool from_stream = left != 0 || (queued.empty() && c.streams);
    if (from_stream) {
      const auto chunk =
          std::span(chunk_).first(left != 0 ? std::min(left, kChunkBytes) : kChunkBytes);
      c.stream.peek(chunk);
      piece = chunk;
    }
    if (piece.empty()) return true;
    const auto sent = send_some(c, piece);
    if (!sent) return false;
    if (from_stream) {
      const std::uint64_t frames = c.stream.take(*sent);
      c.counted.sent_messages += frames;
      c.counted.sent_bytes += frames * c.stream.frame_bytes();
      context_.tcp.data_sent += frames;
    } else {
      c.out.take(*sent, [&](const RequestName& request) {
        context_.events.write(now, request, Event::answered);
      });
    }
    if (*sent < piece.size()) return true;  // the socket is full
  }
  return true;
}

// Takes input that had to wait for room, as far as there is room now.
bool TcpService::take_waiting(Connection& c, MonoTime now) {
  while (!c.unread.empty() && !is_full(c)) {
    const std::vector<std::byte> waiting = std::exchange(c.unread, {});
    if (!take(c, waiting, now)) return fail(c, &TargetTcpCounters::hostile);
    if (!send_scratch(c) || !write(c, now)) return false;
    if (c.unread.size() == waiting.size()) break;  // the beginning of a head: more must come
  }
  return true;
}

void TcpService::settle(Connection& c, MonoTime now) {
  if (is_at_rest(c)) return;
  if (!take_waiting(c, now)) return;
  if (!end_if_done(c)) return;
  update_interest(c, now);
  if (const auto due = c.out.next_due(now)) arm_timer(c, *due);
}

// Nothing is unsent, waits or ends, and the poller knows all it must.
bool TcpService::is_at_rest(const Connection& c) {
  return c.unread.empty() && c.out.empty() && c.filler_left == 0 && !c.control && !c.streams &&
         !c.ending && !c.peer_done && c.reads && !c.writes;
}

// Closes our side once everything is sent, and the connection once the peer has closed its own:
// closing with unread input would reset it, and the peer might lose our last words.
bool TcpService::end_if_done(Connection& c) {
  const bool sent = c.out.empty() && c.filler_left == 0 && !c.streams && !c.control;
  if (!c.ending || !sent) return true;
  if (c.peer_done) return fail(c, &TargetTcpCounters::closed_by_peer);
  if (!c.shut) shutdown(c.socket.get(), SHUT_WR);
  c.shut = true;
  return true;
}

void TcpService::update_interest(Connection& c, MonoTime now) {
  const bool reads = !c.peer_done && (c.ending || !is_full(c));
  const bool writes =
      !c.shut && (!c.out.ready(now).empty() || c.streams || (c.filler_left != 0 && c.out.empty()));
  if (reads != c.reads || writes != c.writes) set_interest(c, reads, writes);
}

// A connection of requests and answers is told once of what has come; whatever else it does, all is
// told until it has been read.
void TcpService::count_short_read(Connection& c, bool is_one) {
  c.short_reads = is_one ? std::min<std::uint8_t>(c.short_reads + 1, kShortReads) : 0;
  if (!is_one && c.told_once) set_interest(c, c.reads, c.writes);
  if (c.short_reads < kShortReads || c.told_once || !is_at_rest(c)) return;
  if (context_.options.behaviour.stall) return;  // after it the poller is asked again
  const auto tag = make_tag(TagKind::connection, c.index, c.generation);
  c.told_once = context_.poller.tell_once(c.socket.get(), tag) == 0;
}

void TcpService::set_interest(Connection& c, bool reads, bool writes) {
  const auto tag = make_tag(TagKind::connection, c.index, c.generation);
  ensure(context_.poller.change(c.socket.get(), tag, reads, writes) == 0,
         "an open connection can be waited on");
  if (writes != c.writes) writes ? ++writing_ : --writing_;
  c.reads = reads;
  c.writes = writes;
  c.told_once = false;
}

void TcpService::arm_timer(Connection& c, MonoTime at) {
  if (c.timer_armed) return;
  c.timer_armed = true;
  timers_.push({.at = at, .index = c.index, .generation = c.generation});
}

bool TcpService::fail(Connection& c, std::uint64_t TargetTcpCounters::*reason) {
  ++(context_.tcp.*reason);
  close(c);
  return false;
}

void TcpService::close(Connection& c) {
  scratch_.clear();
  if (c.writes) --writing_;
  unlink(c);
  context_.shared.connections.fetch_sub(1);
  context_.shared.dealer.closed(context_.thread);
  const std::uint32_t index = c.index;
  if (kept_ == index) kept_ = kNoConnection;
  in_a_row_ = 0;
  context_.poller.forget(c.socket.get());
  connections_[index].reset();
  free_.push_back(index);
}

// The list of connections in the order of their last activity: the idle ones are at its old end.
// The clock is read for it when a turn's answers are on their way (spinning: at the next look).
void TcpService::unlink(Connection& c) {
  if (c.older != kNoConnection) connections_[c.older]->newer = c.newer;
  if (c.newer != kNoConnection) connections_[c.newer]->older = c.older;
  if (oldest_ == c.index) oldest_ = c.newer;
  if (newest_ == c.index) newest_ = c.older;
  c.older = c.newer = kNoConnection;
}

void TcpService::touch(Connection& c) {
  c.last_active = kThisTurn;
  if (newest_ == c.index) return;
  unlink(c);
  c.older = newest_;
  if (newest_ != kNoConnection) connections_[newest_]->newer = c.index;
  newest_ = c.index;
  if (oldest_ == kNoConnection) oldest_ = c.index;
}

}  // namespace volley
