// stream: messages one way (up: generator to target, down, or both at once), as fast as a flow
// takes them (closed loop) or when they are due (open loop, up).
//
// A message is `completed` when the receiving end has counted it: our sink says so at the end of
// the run, over the flow itself; coming down, the receiver is this program. A foreign sink says
// nothing, and then completed and lost are unknown. Messages of the warm-up carry a kind of their
// own, so that the sink counts the measured ones apart.
#include "generators/engine/session.hpp"

#include <algorithm>

#include "generators/engine/demand.hpp"
#include "generators/engine/due_lines.hpp"
#include "generators/engine/message_batch.hpp"
#include "generators/engine/tcp_quality.hpp"
#include "targets/wire/gathering.hpp"

namespace volley {
namespace {

// A flow's place in the stream, beside what every flow has.
struct Place {
  std::uint64_t next_sequence = 0;  // of both kinds of messages
  std::uint64_t measured = 0;       // messages sent
  bool sink_is_ours = false;
  IncomingMessages incoming;  // down
  Gathering gathering;        // of what comes down
  MonoTime rest_until{};      // after a failed send
};

std::vector<std::byte> sample_message(const SizeChooser& sizes, std::uint64_t seed) {
  std::vector<std::byte> sample(std::max<std::size_t>(sizes.largest(), kFrameBytes));
  fill_payload(sample, seed);
  return sample;
}

template <class Link, bool kUp, bool kDown>
class Stream {
 public:
  explicit Stream(Worker& worker)
      : worker_(worker),
        plan_(worker.plan()),
        link_(worker),
        sizes_(plan_.sizes, plan_.seed),
        messages_(plan_.batch, sample_message(sizes_, plan_.seed), plan_.sizes.size() == 1),
        flows_(worker.flow_count()),
        places_(worker.flow_count(),
                Place{0, 0, false, IncomingMessages(sizes_.largest()), {}, {}}),
        demand_(worker),
        tcp_(worker, flows_.size()) {}

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
    for (const Flow& flow : flows_) tcp_.end(flow.index, flow.socket);
  }

 private:
  static constexpr bool kUdp = Link::kProtocol == Protocol::udp;
  static constexpr Nanos kPatience = std::chrono::milliseconds(1000);
  static constexpr unsigned kBatchesPerPoll = 16;
  static constexpr int kMostTimeouts = 10;  // for all counts of sinks whose connections move
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
      worker_.note_connected(flow.socket);
      ++alive_;
      // One foreign answer is enough: the flows have one server.
      if (!foreign) foreign = !greet(flow);
      tcp_.begin(i, flow.socket);
    }
  }

  // Names the session's purpose. False: the server is not ours, or does not do that.
  bool greet(Flow& flow) {
    Hello hello;
    hello.session_kind = kUp && kDown ? SessionKind::both
                         : kDown      ? SessionKind::source
                                      : SessionKind::sink;
    hello.message_bytes = sizes_.largest() - static_cast<std::uint32_t>(kFrameBytes);
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
    worker_.tick(now);
    tcp_.tick(now, [&](std::size_t i) -> const Descriptor& { return flows_[i].socket; });
    bool busy = false;
    if (kUp && demand_.open_loop())
      lines_.serve(demand_, now, flows_, worker_.recorder(),
                   [&](Flow& flow) { send_waiting(flow); });
    else if (kUp)
      for (Flow& flow : flows_) busy = send_batch(flow) || busy;
    if (worker_.stopped() || is_over(now)) {
      finished_ = true;
      return;
    }
    // A flow that takes all it is given needs no poller; other events can wait for some batches.
    if (busy && !kDown && ++unpolled_ % kBatchesPerPoll != 0) return;
    MonoTime wake = std::min(now + std::chrono::milliseconds(10), worker_.times().measure_end);
    if (const auto due = demand_.next_due()) wake = std::min(wake, *due);
    if (kDown && !kUdp) wake = std::min(wake, check_gathering(now));
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
    if (kUp && now >= cut_off_)
      for (Flow& flow : flows_) drop_line(flow, worker_.recorder(), ErrorKind::timed_out);
    if (kUp && now < cut_off_ && !std::all_of(flows_.begin(), flows_.end(), idle)) return false;
    worker_.result().sending_ended = now;
    return true;
  }

  // --- up ----------------------------------------------------------------------------------
  // Closed loop: sends a batch. True: the flow takes more.
  bool send_batch(Flow& flow) {
    const MonoTime now = mono_now();
    if (flow.dead || flow.blocked || now < places_[flow.index].rest_until) return false;
    const auto dues = next_call(demand_, flow.index, now, messages_.most(), call_room_);
    if (dues.empty()) return false;
    const BatchResult result = send(flow, dues, now);
    const bool failed = result.what == Sent::failed;
    for (const Due& due : dues.subspan(result.sent + (failed ? 1 : 0)))
      demand_.put_back(flow.index, due.measured);
    if (failed) on_failed(flow, dues[result.sent], error_kind_of(result.error));
    return result.what == Sent::whole;
  }

  void send_waiting(Flow& flow) {
    while (!flow.dead && !flow.blocked && !flow.waiting.empty()) {
      const auto dues = next_call(flow, messages_.most(), call_room_);
      const BatchResult result = send(flow, dues, mono_now());
      const bool failed = result.what == Sent::failed;
      flow.waiting.erase(flow.waiting.begin(),
                         flow.waiting.begin() + result.sent + (failed ? 1 : 0));
      if (failed) on_failed(flow, dues[result.sent], error_kind_of(result.error));
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

  // Sends messages of one phase with one call; they share the time before it.
  BatchResult send(Flow& flow, std::span<const Due> dues, MonoTime now) {
    Place& place = places_[flow.index];
    lay_out(flow.number, place.next_sequence, dues, now);
    const BatchResult result = link_.send(flow, messages_);
    if (result.sent > 0) {
      std::uint64_t bytes = 0;
      for (const std::uint32_t size : messages_.sizes().first(result.sent)) bytes += size;
      place.next_sequence += result.sent;
      if (dues.front().measured) place.measured += result.sent;
      worker_.note_sent(now);
      worker_.recorder().on_sent(dues.first(result.sent), now, bytes);
    }
    if (result.what == Sent::blocked) block(flow);
    return result;
  }

  void lay_out(std::uint32_t flow, std::uint64_t sequence, std::span<const Due> dues,
               MonoTime now) {
    messages_.clear();
    Frame frame;
    frame.kind = dues.front().measured ? FrameKind::data : FrameKind::data_warm_up;
    frame.session = worker_.session();
    if (kUdp) frame.slot = time_mark(now);
    frame.flow = static_cast<std::uint16_t>(flow);
    frame.sequence = sequence;
    const auto n = static_cast<std::uint32_t>(dues.size());
    const std::uint32_t together = messages_.one_size() ? n : 1;
    for (std::uint32_t i = 0; i < n; i += together, frame.sequence += together) {
      const std::uint32_t bytes = sizes_.size_of(flow, frame.sequence);
      frame.length = bytes - static_cast<std::uint32_t>(kFrameBytes);
      write_frames(frame, together, bytes, messages_.add(bytes, together));
    }
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
          flow, Reading{}, UdpLink::kSlots, [](const Received&, MonoTime) {},
          [&](int error) { worker_.note_event(error_kind_of(error), mono_now()); });
    } else {
      receive_stream(flow);
    }
  }

  // A stream that gathers is read until little is left.
  void receive_stream(Flow& flow) {
    Gathering& gathering = places_[flow.index].gathering;
    std::size_t came = 0;
    std::size_t last = 0;
    do {
      last = 0;
      link_.receive(
          flow, Reading{},
          [&](std::span<const std::byte> bytes) {
            last = bytes.size();
            on_bytes(flow, bytes);
          },
          [&](ErrorKind kind) { flow_died(flow, kind); });
      came += last;
    } while (!flow.dead && gathering.on() && last == TcpLink::kReadBytes &&
             came < Gathering::kMostAtOnce);
    if (!kDown || flow.dead || worker_.waiting() == Wait::spin || !gathering.count(came)) return;
    gathering.consider(flow.socket, mono_now());
    gathers_ = gathers_ || gathering.on();
  }

  // When this is to be done next.
  MonoTime check_gathering(MonoTime now) {
    if (!gathers_) return MonoTime::max();
    MonoTime next = MonoTime::max();
    for (Flow& flow : flows_) {
      Gathering& gathering = places_[flow.index].gathering;
      if (flow.dead || !gathering.on()) continue;
      gathering.check(flow.socket, now);
      if (gathering.on()) next = std::min(next, gathering.check_at());
    }
    gathers_ = next != MonoTime::max();
    return next;
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
    worker_.poller().forget(flow.socket.get());
    tcp_.end(flow.index, flow.socket);
    flow.socket.close();
    drop_line(flow, worker_.recorder(), ErrorKind::flow_dead);
    worker_.recorder().on_unsent(true, ErrorKind::flow_dead, demand_.give_up(flow.index));
  }

  // What did the sinks count? Datagrams queue in the sink's socket in order, so its answer to this
  // question comes after the last message: the tail is counted too.
  void ask_receivers() {
    WorkerResult& result = worker_.result();
    result.receiver = TargetSide{0, 0, 0, 0, std::nullopt};
    RequestCounters& counters = worker_.recorder().of(true).counters;
    const MonoTime at_most = mono_now() + kMostTimeouts * plan_.timeout;
    for (Flow& flow : flows_) {
      Place& place = places_[flow.index];
      if (!flow.dead) place.gathering.stop(flow.socket);
      const bool asked = !flow.dead && place.sink_is_ours;
      const auto counted = asked ? ask_statistics(worker_, Link::kProtocol, flow, at_most,
                                                  place.incoming.rest_of_frame())
                                 : std::nullopt;
      if (!counted || counted->messages > place.measured) {
        result.receiver_known = false;
        result.receiver_silent = asked;
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
    if (kUdp) ask_how_they_arrived();
  }

  // Any flow that reaches a place of the target hears of all that reach it.
  void ask_how_they_arrived() {
    auto& heard = worker_.result().stream_quality;
    for (const Flow& flow : flows_) {
      const auto answer = ask_quality(worker_, flow);
      if (!answer) return;
      heard[answer->place] = answer->figures;
      if (heard.size() == answer->places) return;
    }
  }

  Worker& worker_;
  const RunPlan& plan_;
  Link link_;
  SizeChooser sizes_;
  MessageBatch messages_;
  std::vector<Flow> flows_;
  std::vector<Place> places_;
  Demand demand_;
  TcpReadings tcp_;
  DueLines lines_;
  CallRoom call_room_;
  std::uint32_t alive_ = 0;
  unsigned unpolled_ = 0;  // turns without a look at the poller
  bool gathers_ = false;   // one of the flows
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
