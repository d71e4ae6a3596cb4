// stream: messages one way (up: generator to target, down, or both at once), as fast as a flow
// takes them (closed loop) or when they are due (open loop, up).
//
// A message is `completed` when the receiving end has counted it: our sink says so at the end of
// the run, over the flow itself; coming down, the receiver is this program. A foreign sink says
// nothing, and then completed and lost are unknown. Messages of the warm-up carry a kind of their
// own, so that the sink counts the measured ones apart.
#include "generators/engine/session.hpp"

#include <algorithm>
#include <array>

#include "generators/engine/burst.hpp"
#include "generators/engine/demand.hpp"

namespace volley {
namespace {

// A flow's place in the stream, beside what every flow has.
struct Place {
  std::uint64_t next_sequence = 0;  // of both kinds of messages
  std::uint64_t measured = 0;       // messages sent
  bool sink_is_ours = false;
  IncomingMessages incoming;  // down
  MonoTime rest_until{};      // after a failed send
};

template <class Link, bool kUp, bool kDown>
class Stream {
 public:
  explicit Stream(Worker& worker)
      : worker_(worker),
        plan_(worker.plan()),
        link_(worker),
        burst_(plan_, worker.session()),
        batch_(Burst::kMost),
        flows_(worker.flow_count()),
        places_(worker.flow_count(), Place{0, 0, false, IncomingMessages(burst_.largest()), {}}),
        demand_(worker) {}

  void run() {
    set_up();
    if (!worker_.ready_and_wait()) return;
    for (Flow& flow : flows_)
      if (!flow.dead && worker_.poller().add(flow.socket.get(), flow.index, true, false) != 0)
        flow_died(flow, ErrorKind::other);
    while (!finished_) turn();
    worker_.result().ended = mono_now();
    worker_.result().planned_open_loop = demand_.planned();
    take_socket_figures(worker_, flows_);
    if (kUp) ask_receivers();
  }

 private:
  static constexpr bool kUdp = Link::kProtocol == Protocol::udp;
  static constexpr Nanos kPatience = std::chrono::milliseconds(1000);
  static constexpr Nanos kRest = std::chrono::milliseconds(10);

  // --- set-up ------------------------------------------------------------------------------
  void set_up() {
    bool foreign = plan_.exchange != ExchangeKind::frame;
    for (std::uint32_t i = 0; i < flows_.size() && !worker_.stopped(); ++i) {
      Flow& flow = flows_[i];
      flow.index = i;
      flow.number = worker_.flow_number(i);
      if (const int error = link_.open(flow); error != 0) {
        worker_.note_set_up_failure(error, "cannot open a flow");
        flow.dead = true;
        flow.socket.close();
        if (error == EMFILE || error == ENFILE) return;
        continue;
      }
      ++worker_.result().flows_opened;
      ++alive_;
      // One foreign answer is enough: the flows have one server.
      if (!foreign) foreign = !greet(flow);
    }
  }

  // Names the session's purpose. False: the server is not ours, or does not do that.
  bool greet(Flow& flow) {
    Hello hello;
    hello.session_kind = kUp && kDown ? SessionKind::both
                         : kDown      ? SessionKind::source
                                      : SessionKind::sink;
    hello.message_bytes = burst_.largest() - static_cast<std::uint32_t>(kFrameBytes);
    const HelloResult said = say_hello(worker_, Link::kProtocol, flow.socket, hello, kPatience);
    places_[flow.index].sink_is_ours = said.ours && kUp;
    if (said.ours && kDown) places_[flow.index].incoming.expect_frames();
    // What came right behind the answer is still warm-up, but the position in the stream counts.
    if (kDown) (void)places_[flow.index].incoming.feed(said.rest, [](auto, auto) {});
    return said.ours;
  }

  // --- the loop ----------------------------------------------------------------------------
  void turn() {
    const MonoTime now = mono_now();
    worker_.recorder().tick(now);
    bool busy = false;
    if (kUp && demand_.open_loop())
      demand_.for_each_due(
          now, [&](std::uint32_t flow, const Due& due) { dispatch(flows_[flow], due); });
    else if (kUp)
      for (Flow& flow : flows_) busy = send_burst(flow) || busy;
    if (worker_.stopped() || is_over(now)) {
      finished_ = true;
      return;
    }
    MonoTime wake = std::min(now + std::chrono::milliseconds(10), worker_.times().measure_end);
    if (const auto due = demand_.next_due()) wake = std::min(wake, *due);
    for (const Ready& ready : worker_.wait_until(now, busy ? now : wake)) {
      if (ready.tag >= flows_.size() || flows_[ready.tag].dead) continue;
      Flow& flow = flows_[ready.tag];
      if (ready.readable || ready.failed) receive(flow);
      if (ready.writable && !flow.dead) unblock(flow);
    }
  }

  [[nodiscard]] bool is_over(MonoTime now) {
    if (alive_ == 0) return true;
    if (now < worker_.times().measure_end && !demand_.over(now)) return false;
    if (cut_off_ == MonoTime{}) cut_off_ = now + plan_.timeout;
    const auto idle = [](const Flow& f) {
      return f.dead || (f.waiting.empty() && f.unsent.empty());
    };
    if (kUp && now >= cut_off_) drop_waiting();
    if (kUp && now < cut_off_ && !std::all_of(flows_.begin(), flows_.end(), idle)) return false;
    worker_.result().sending_ended = now;
    return true;
  }

  // --- up ----------------------------------------------------------------------------------
  // Closed loop: sends a burst. True: the flow takes more.
  bool send_burst(Flow& flow) {
    const MonoTime now = mono_now();
    if (flow.dead || flow.blocked || now < places_[flow.index].rest_until) return false;
    Place& place = places_[flow.index];
    std::array<Due, Burst::kMost> dues;
    std::size_t n = 0;
    // Large messages go one by one, so that a turn stays short.
    const std::size_t most =
        std::clamp<std::size_t>((std::size_t{64} << 10U) / burst_.largest(), 1, Burst::kMost);
    for (; n < most; ++n) {
      const std::optional<Due> due = demand_.take(flow.index, now);
      if (!due) break;
      dues[n] = *due;
    }
    if (n == 0) return false;
    const Went went = send_messages(flow, place, std::span(dues).first(n), now);
    for (std::size_t i = went.sent + (went.failed ? 1 : 0); i < n; ++i)
      demand_.put_back(flow.index, dues[i].measured);
    if (went.failed) on_failed(flow, dues[went.sent], *went.failed);
    return went.sent == n && !flow.blocked;
  }

  // Open loop: a slot has become due.
  void dispatch(Flow& flow, const Due& due) {
    if (flow.dead) {
      worker_.recorder().on_unsent(due.measured, ErrorKind::flow_dead);
      return;
    }
    const bool first = flow.waiting.empty() && !flow.blocked;
    flow.waiting.push_back(due);
    if (first) send_waiting(flow);
    if (!flow.waiting.empty()) worker_.recorder().on_held_back(due.measured);
  }

  void send_waiting(Flow& flow) {
    while (!flow.dead && !flow.blocked && !flow.waiting.empty()) {
      const Due due = flow.waiting.front();
      flow.waiting.pop_front();
      const Went went = send_messages(flow, places_[flow.index], std::span(&due, 1), mono_now());
      if (went.failed)
        on_failed(flow, due, *went.failed);
      else if (went.sent == 0)
        flow.waiting.push_front(due);
    }
  }

  // The message of `due` has failed; those behind it were not tried.
  void on_failed(Flow& flow, const Due& due, ErrorKind kind) {
    worker_.recorder().on_unsent(due.measured, kind);
    if (kUdp)
      places_[flow.index].rest_until = mono_now() + kRest;
    else
      flow_died(flow, kind);
  }

  // What became of a burst: so many went out; the next one failed, or the flow is blocked, or that
  // was all.
  struct Went {
    std::size_t sent = 0;
    std::optional<ErrorKind> failed;
  };

  // The messages share the time before the call.
  Went send_messages(Flow& flow, Place& place, std::span<const Due> dues, MonoTime now) {
    std::array<std::span<const std::byte>, Burst::kMost> messages;
    Place numbered = place;
    for (std::size_t i = 0; i < dues.size(); ++i)
      messages[i] = burst_.make(i, flow.number, dues[i].measured, take_number(numbered, dues[i]));
    const auto burst = std::span(messages).first(dues.size());
    const Went went = kUdp ? send_datagrams(flow, burst) : send_bytes(flow, burst);
    for (std::size_t i = 0; i < went.sent; ++i) {
      take_number(place, dues[i]);
      worker_.recorder().on_sent(dues[i].measured, dues[i].intended, now,
                                 static_cast<std::uint32_t>(messages[i].size()));
    }
    return went;
  }

  static std::uint64_t take_number(Place& place, const Due& due) {
    if (due.measured) ++place.measured;
    return place.next_sequence++;
  }

  Went send_datagrams(Flow& flow, std::span<const std::span<const std::byte>> messages) {
    batch_.clear();
    for (const auto& message : messages) batch_.add(message);
    ++worker_.result().send_calls;
    int sent = batch_.send(flow.socket);
    if (sent == -ECONNREFUSED) {  // an earlier datagram's ICMP error; this burst is untried
      worker_.note_event(ErrorKind::refused, mono_now());
      sent = batch_.send(flow.socket);
    }
    if (sent == -EAGAIN) {
      block(flow);
      return {};
    }
    if (sent < 0) return {0, error_kind_of(-sent)};
    const auto n = static_cast<std::size_t>(sent);
    return n == messages.size() ? Went{n, {}} : find_out(flow, messages, n);
  }

  // A batch stopped after `sent`, and sendmmsg has swallowed the reason: one more message brings it
  // back.
  Went find_out(Flow& flow, std::span<const std::span<const std::byte>> messages,
                std::size_t sent) {
    const SendResult result = link_.send(flow, messages[sent]);
    if (result.what == Sent::whole) {
      if (const int error = socket_error(flow.socket); error != 0)
        worker_.note_event(error_kind_of(error), mono_now());
      return {sent + 1, {}};
    }
    if (result.what == Sent::blocked) {
      block(flow);
      return {sent, {}};
    }
    if (result.error != ECONNREFUSED) return {sent, error_kind_of(result.error)};
    worker_.note_event(ErrorKind::refused, mono_now());  // again that of an earlier datagram
    return {sent, {}};
  }

  Went send_bytes(Flow& flow, std::span<const std::span<const std::byte>> messages) {
    joined_.clear();
    for (const auto& message : messages)
      joined_.insert(joined_.end(), message.begin(), message.end());
    ++worker_.result().send_calls;
    const ssize_t n = ::send(flow.socket.get(), joined_.data(), joined_.size(), MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN) return {0, error_kind_of(errno)};
    auto taken = static_cast<std::size_t>(std::max<ssize_t>(n, 0));
    std::size_t sent = 0;
    while (sent < messages.size() && taken >= messages[sent].size())
      taken -= messages[sent++].size();
    if (sent == messages.size()) return {sent, {}};
    // A message taken in part is on its way; those behind it have not been sent.
    if (taken > 0) {
      const auto rest = messages[sent].subspan(taken);
      flow.unsent.assign(rest.begin(), rest.end());
      ++sent;
    }
    block(flow);
    return {sent, {}};
  }

  void block(Flow& flow) {
    flow.blocked = true;
    (void)worker_.poller().change(flow.socket.get(), flow.index, true, true);
  }

  void unblock(Flow& flow) {
    if constexpr (!kUdp) {
      const SendResult rest = link_.send_rest(flow);
      if (rest.what == Sent::blocked) return;
      if (rest.what == Sent::failed) {
        flow_died(flow, error_kind_of(rest.error));
        return;
      }
    }
    flow.blocked = false;
    (void)worker_.poller().change(flow.socket.get(), flow.index, true, false);
    send_waiting(flow);
  }

  // --- down --------------------------------------------------------------------------------
  void receive(Flow& flow) {
    if constexpr (kUdp) {
      link_.receive(
          flow, Reading::takes, UdpLink::kSlots, [](std::span<const std::byte>) {},
          [&](int error) { worker_.note_event(error_kind_of(error), mono_now()); });
    } else {
      link_.receive(
          flow, Reading::takes, [&](std::span<const std::byte> bytes) { on_bytes(flow, bytes); },
          [&](ErrorKind kind) { flow_died(flow, kind); });
    }
  }

  void on_bytes(Flow& flow, std::span<const std::byte> bytes) {
    if (!kDown) return;  // an echo of what we send: nobody asked for it
    const MonoTime now = mono_now();
    const bool sane = places_[flow.index].incoming.feed(
        bytes, [&](std::uint64_t n, std::uint64_t size) { count_messages(flow, now, n, size); });
    if (!sane) flow_died(flow, ErrorKind::malformed);
  }

  // What came down is sent and completed at once: the receiver is this program.
  void count_messages(Flow& flow, MonoTime now, std::uint64_t messages, std::uint64_t bytes) {
    if (messages == 0) return;
    const bool measured = now >= worker_.times().measure_begin;
    if (now >= worker_.times().measure_end) return;
    const std::uint64_t each = bytes / messages;
    if (measured && !kUp) messages = demand_.take_many(flow.index, now, messages);
    RequestCounters& counters = worker_.recorder().of(measured).counters;
    counters.sent += messages;
    counters.completed += messages;
    counters.bytes_received += messages * each;
  }

  // --- endings -----------------------------------------------------------------------------
  void flow_died(Flow& flow, ErrorKind kind) {
    if (flow.dead) return;
    flow.dead = true;
    --alive_;
    worker_.note_event(kind, mono_now());
    worker_.poller().remove(flow.socket.get());
    flow.socket.close();
    for (const Due& due : flow.waiting)
      worker_.recorder().on_unsent(due.measured, ErrorKind::flow_dead);
    flow.waiting.clear();
    worker_.recorder().on_unsent(true, ErrorKind::flow_dead, demand_.give_up(flow.index));
  }

  void drop_waiting() {
    for (Flow& flow : flows_) {
      for (const Due& due : flow.waiting)
        worker_.recorder().on_unsent(due.measured, ErrorKind::timed_out);
      flow.waiting.clear();
    }
  }

  // What did the sinks count? Datagrams queue in the sink's socket in order, so its answer to this
  // question comes after the last message: the tail is counted too.
  void ask_receivers() {
    WorkerResult& result = worker_.result();
    result.receiver = TargetSide{0, 0, 0, 0, std::nullopt};
    RequestCounters& counters = worker_.recorder().of(true).counters;
    for (Flow& flow : flows_) {
      const Place& place = places_[flow.index];
      const Nanos patience =
          worker_.stopped() ? Nanos(std::chrono::milliseconds(300)) : plan_.timeout;
      const auto counted = flow.dead || !place.sink_is_ours
                               ? std::nullopt
                               : ask_statistics(worker_, Link::kProtocol, flow.socket, patience,
                                                place.incoming.rest_of_frame());
      if (!counted || counted->messages > place.measured) {
        result.receiver_known = false;
        return;
      }
      counters.completed += counted->messages;
      counters.lost += place.measured - counted->messages;
      counters.duplicates += counted->duplicates;
      counters.reordered += counted->reordered;
      counters.bytes_received += counted->bytes;
      *result.receiver.received_messages += counted->messages;
      *result.receiver.received_bytes += counted->bytes;
      *result.receiver.duplicates += counted->duplicates;
      *result.receiver.reordered += counted->reordered;
    }
  }

  Worker& worker_;
  const RunPlan& plan_;
  Link link_;
  Burst burst_;
  SendBatch batch_;
  std::vector<std::byte> joined_;  // tcp: the messages of a burst in a row
  std::vector<Flow> flows_;
  std::vector<Place> places_;
  Demand demand_;
  std::uint32_t alive_ = 0;
  MonoTime cut_off_{};
  bool finished_ = false;
};

template <class Link, bool kUp, bool kDown>
void work(Worker& worker) {
  Stream<Link, kUp, kDown>(worker).run();
}

}  // namespace

WorkloadBody stream_workload(Protocol protocol, Direction direction, ExchangeKind /*exchange*/) {
  if (protocol == Protocol::udp) return &work<UdpLink, true, false>;
  switch (direction) {
    case Direction::up:
      return &work<TcpLink, true, false>;
    case Direction::down:
      return &work<TcpLink, false, true>;
    case Direction::both:
      break;
  }
  return &work<TcpLink, true, true>;
}

}  // namespace volley
