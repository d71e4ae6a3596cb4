// hold: many connections that stay open, and probes (rr) over them.
//
// All connections are opened before the run's phases begin (hold_opening.hpp) and watched to the
// end, so one that its peer closes is noticed and counted. Probes go over them in turn, so that
// each is reached: in a closed loop a fixed number of them is in flight, in an open loop they are
// due by the schedule, slot k on connection k mod N. A connection costs a HeldFlow and a place in a
// table; what it needs only now and then (half an answer, half a probe, a probe that waits) is kept
// apart while it is needed.
#include <algorithm>
#include <vector>

#include "generators/engine/demand.hpp"
#include "generators/engine/exchange.hpp"
#include "generators/engine/held.hpp"
#include "generators/engine/hold_opening.hpp"
#include "generators/engine/link.hpp"
#include "generators/engine/resting.hpp"
#include "generators/engine/strain.hpp"
#include "generators/engine/tcp_quality.hpp"
#include "generators/engine/worker.hpp"

namespace volley {
namespace {

// What a thread needs however many connections it holds: made before memory is first looked at.
template <class Exchange>
struct Tools {
  explicit Tools(Worker& worker)
      : exchange(worker.plan(), worker.session()),
        sizes(worker.plan().sizes, worker.plan().seed),
        buffer(std::size_t{64} << 10U) {}
  Exchange exchange;
  SizeChooser sizes;
  std::vector<std::byte> buffer;
};

template <Protocol kProtocol, class Exchange>
class Holding {
 public:
  Holding(Worker& worker, Tools<Exchange>& tools)
      : worker_(worker),
        plan_(worker.plan()),
        tools_(tools),
        book_(worker, kProtocol == Protocol::tcp && !Exchange::kNamed),
        flows_(worker.flow_count()),
        demand_(worker),
        tcp_(worker, flows_.size()),
        probes_(plan_.probes / plan_.threads +
                (worker.index() < plan_.probes % plan_.threads ? 1U : 0U)) {}

  void run() {
    HoldOpening(worker_, flows_).open_all([this](std::uint32_t index, const Ready& ready) {
      on_ready(index, ready);
    });
    for (std::size_t i = 0; i < flows_.size(); ++i) tcp_.begin(i, flows_[i].socket);
    alive_ = static_cast<std::uint32_t>(
        std::count_if(flows_.begin(), flows_.end(),
                      [](const HeldFlow& f) { return f.state == HeldFlow::State::open; }));
    if (worker_.ready_and_wait()) {
      for (std::uint32_t i = 0; i < flows_.size(); ++i)
        if (flows_[i].state != HeldFlow::State::open) give_up_share(i);
      while (!finished_) turn();
      worker_.result().planned_open_loop = demand_.planned();
    }
    worker_.result().ended = mono_now();
    worker_.meet();
    leave();
  }

 private:
  // --- the loop ----------------------------------------------------------------------------
  void turn() {
    const MonoTime now = mono_now();
    worker_.tick(now);
    tcp_.tick(now, [&](std::size_t i) -> const Descriptor& { return flows_[i].socket; });
    if (demand_.open_loop())
      demand_.for_each_due(now, [&](std::uint32_t flow, const Due& due) {
        worker_.recorder().on_due(due);
        dispatch(flow, due);
      });
    expire(now);
    if (worker_.stopped() || is_over(now)) {
      finished_ = true;
      return;
    }
    if (!demand_.open_loop()) fill(now);
    for (const Ready& ready : worker_.wait_until(now, next_wake(now)))
      if (ready.tag < flows_.size()) on_ready(static_cast<std::uint32_t>(ready.tag), ready);
  }

  [[nodiscard]] MonoTime next_wake(MonoTime now) const {
    MonoTime wake = now + std::chrono::seconds(1);
    if (const auto due = demand_.next_due()) wake = std::min(wake, *due);
    if (!book_.outstanding().empty()) wake = std::min(wake, book_.outstanding().next_deadline());
    if (const auto rested = resting_.next()) wake = std::min(wake, *rested);
    for (const MonoTime at : {worker_.times().measure_begin, worker_.times().measure_end})
      if (now < at) wake = std::min(wake, at);
    if (cut_off_ != MonoTime{}) wake = std::min(wake, cut_off_);
    return wake;
  }

  // Over: nothing more is due, nothing waits to be sent, nothing waits for an answer.
  [[nodiscard]] bool is_over(MonoTime now) {
    if (alive_ == 0) return true;
    if (!demand_.over(now)) return false;
    if (cut_off_ == MonoTime{}) cut_off_ = now + plan_.timeout;
    if (now >= cut_off_)
      strains_.drop_waiting([&](const Due& due) { unsent(due, ErrorKind::timed_out); });
    if (strains_.waiting() == 0 && worker_.result().sending_ended == MonoTime{})
      worker_.result().sending_ended = now;
    return book_.outstanding().empty() && strains_.waiting() == 0;
  }

  void on_ready(std::uint32_t index, const Ready& ready) {
    if (flows_[index].state != HeldFlow::State::open) return;
    if (ready.readable || ready.failed) receive(index);
    if (ready.writable && flows_[index].state == HeldFlow::State::open) flush(index);
  }

  // --- sending -----------------------------------------------------------------------------
  // Open loop: a slot has become due.
  void dispatch(std::uint32_t index, const Due& due) {
    if (flows_[index].state != HeldFlow::State::open)
      worker_.recorder().on_unsent(due.measured, ErrorKind::flow_dead);
    else if (can_send(index))
      send(index, due);
    else
      wait_in_line(index, due, false);
  }

  [[nodiscard]] bool can_send(std::uint32_t index) const {
    const HeldFlow& flow = flows_[index];
    return flow.state == HeldFlow::State::open && !flow.blocked && has_room(index) &&
           !strains_.waits(flow, index);
  }
  [[nodiscard]] bool has_room(std::uint32_t index) const {
    return !plan_.depth || book_.outstanding().waiting_of(index) < *plan_.depth;
  }

  // Counts each probe once, however often it is put off.
  void wait_in_line(std::uint32_t index, Due due, bool in_front) {
    if (!due.held_back) worker_.recorder().on_held_back(due.measured);
    due.held_back = true;
    strains_.wait(flows_[index], index, due, in_front);
  }

  // Closed loop: probes are in flight as many as there shall be, each on the next connection in
  // turn.
  void fill(MonoTime now) {
    const std::uint64_t most = std::min<std::uint64_t>(probes_, alive_);
    while (book_.outstanding().waiting() + strains_.waiting() + unfit_ < most &&
           !demand_.over(now)) {
      const std::optional<std::uint32_t> index = next_in_turn();
      if (!index) return;
      now = mono_now();
      if (const std::optional<Due> due = demand_.take(*index, now)) send(*index, *due);
    }
  }
  [[nodiscard]] std::optional<std::uint32_t> next_in_turn() {
    for (std::size_t n = 0; n < flows_.size(); ++n) {
      const std::uint32_t index = turn_of_;
      turn_of_ = turn_of_ + 1 == flows_.size() ? 0 : turn_of_ + 1;
      if (can_send(index)) return index;
    }
    return std::nullopt;
  }

  void send(std::uint32_t index, const Due& due) {
    HeldFlow& flow = flows_[index];
    const std::uint32_t number = worker_.flow_number(index);
    const std::uint32_t bytes = tools_.sizes.size_of(number, flow.next_sequence);
    const std::span<const std::byte> message =
        tools_.exchange.encode(Outgoing{number, book_.next_slot(), flow.next_sequence, bytes, 0});
    const MonoTime now = mono_now();
    ssize_t n = send_some(flow, message);
    if (n < 0 && errno == ECONNREFUSED && kProtocol == Protocol::udp) {
      // The socket reported an earlier datagram's ICMP error; this one has not been tried yet.
      worker_.note_event(ErrorKind::refused, now);
      n = send_some(flow, message);
    }
    if (n >= 0) {
      book_.on_sent(flow, index, due, now, static_cast<std::uint32_t>(message.size()));
      const auto rest = message.subspan(static_cast<std::size_t>(n));
      if (rest.empty()) return;
      strains_.of(flow, index).unsent.assign(rest.begin(), rest.end());
      block(index);
    } else if (errno == EAGAIN || errno == EINTR) {
      wait_in_line(index, due, true);
      block(index);
    } else {
      const ErrorKind kind = error_kind_of(errno);
      worker_.recorder().on_unsent(due.measured, kind);
      if (kProtocol == Protocol::tcp) {
        flow_died(index, kind, now);
      } else if (!demand_.open_loop()) {
        // Its place among the probes in flight rests, or the thread would spin on the error.
        resting_.add(index, now);
        ++unfit_;
      }
    }
  }

  ssize_t send_some(const HeldFlow& flow, std::span<const std::byte> bytes) {
    ++worker_.result().send_calls;
    return ::send(flow.socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }

  void block(std::uint32_t index) {
    flows_[index].blocked = true;
    (void)worker_.poller().change(flows_[index].socket.get(), index, true, true);
  }

  // The socket is writable again: sends what waits.
  void flush(std::uint32_t index) {
    HeldFlow& flow = flows_[index];
    if (!flow.blocked) return;
    std::vector<std::byte>& unsent = strains_.of(flow, index).unsent;
    if (!unsent.empty()) {
      const ssize_t n = send_some(flow, unsent);
      if (n < 0 && errno != EAGAIN && errno != EINTR) {
        flow_died(index, error_kind_of(errno), mono_now());
        return;
      }
      if (n > 0) unsent.erase(unsent.begin(), unsent.begin() + n);
      if (!unsent.empty()) return;
    }
    flow.blocked = false;
    (void)worker_.poller().change(flow.socket.get(), index, true, false);
    send_waiting(index);
  }

  // An answer or a timeout made room.
  void send_waiting(std::uint32_t index) {
    HeldFlow& flow = flows_[index];
    if (!flow.strained) return;
    while (flow.state == HeldFlow::State::open && !flow.blocked && has_room(index) &&
           strains_.waits(flow, index))
      send(index, strains_.take_waiting(index));
    strains_.relax(flow, index);
  }

  // --- receiving ---------------------------------------------------------------------------
  void receive(std::uint32_t index) {
    HeldFlow& flow = flows_[index];
    const ssize_t n =
        ::recv(flow.socket.get(), tools_.buffer.data(), tools_.buffer.size(), MSG_DONTWAIT);
    const int error = errno;
    ++worker_.result().receive_calls;
    const MonoTime now = mono_now();
    if (n < 0) {
      if (error == EAGAIN || error == EINTR) return;
      if (kProtocol == Protocol::udp)
        worker_.note_event(error_kind_of(error), now);
      else
        flow_died(index, error_kind_of(error), now);
      return;
    }
    const auto bytes = std::span<const std::byte>(tools_.buffer).first(static_cast<std::size_t>(n));
    if constexpr (kProtocol == Protocol::udp) {
      book_.on_answer(flow, index, tools_.exchange.recognise(bytes, book_.expected_of(index)), now);
      send_waiting(index);
    } else if (n == 0) {
      flow_died(index, ErrorKind::closed, now);
    } else {
      consume(index, bytes, now);
    }
  }

  // Most reads hold one whole answer: the state of a stream is kept only of those that do not.
  void consume(std::uint32_t index, std::span<const std::byte> bytes, MonoTime now) {
    HeldFlow& flow = flows_[index];
    StreamState stream = strains_.take_stream(flow, index);
    const bool sane = tools_.exchange.consume(
        stream, bytes, [&] { return book_.expected_of(index); },
        [&](const Answer& answer) {
          book_.on_answer(flow, index, answer, now);
          return true;
        });
    if (!sane) {
      flow_died(index, ErrorKind::malformed, now);
      return;
    }
    if (!is_at_rest(stream)) strains_.of(flow, index).stream = std::move(stream);
    send_waiting(index);
  }

  // --- endings -----------------------------------------------------------------------------
  void expire(MonoTime now) {
    for (std::uint32_t slot; (slot = book_.outstanding().expired(now)) != kNoSlot;) {
      const std::uint32_t index = book_.flow_of(slot);
      book_.on_timeout(flows_[index], slot);
      send_waiting(index);
    }
    resting_.take_rested(now, [&](std::uint32_t) { --unfit_; });
  }

  // What is in flight on a dead connection has failed; what waited, or was still its share, is not
  // sent.
  void flow_died(std::uint32_t index, ErrorKind kind, MonoTime now) {
    HeldFlow& flow = flows_[index];
    if (flow.state != HeldFlow::State::open) return;
    flow.state = HeldFlow::State::dead;
    if (alive_ > 0) --alive_;
    worker_.note_event(kind, now);
    ++worker_.result().hold->died[static_cast<std::size_t>(kind)];
    worker_.poller().forget(flow.socket.get());
    tcp_.end(index, flow.socket);
    flow.socket.close();
    book_.on_death(index, kind);
    strains_.drop_waiting_of(flow, index,
                             [&](const Due& due) { unsent(due, ErrorKind::flow_dead); });
    strains_.forget(flow, index);
    give_up_share(index);
  }
  void give_up_share(std::uint32_t index) {
    worker_.recorder().on_unsent(true, ErrorKind::flow_dead, demand_.give_up(index));
  }
  void unsent(const Due& due, ErrorKind kind) { worker_.recorder().on_unsent(due.measured, kind); }

  // Closed by RST, thousands of connections are gone at once and leave no TIME_WAIT.
  void leave() {
    WorkerResult& result = worker_.result();
    for (std::size_t i = 0; i < flows_.size(); ++i) {
      HeldFlow& flow = flows_[i];
      if (flow.state == HeldFlow::State::dead) ++result.flows_dead;
      if (flow.state == HeldFlow::State::open) {
        ++result.hold->held_at_end;
        take_socket_figures(worker_, flow.socket);
        tcp_.end(i, flow.socket);
      }
      if (kProtocol == Protocol::tcp && flow.socket.is_open()) close_by_reset(flow.socket);
    }
  }

  Worker& worker_;
  const RunPlan& plan_;
  Tools<Exchange>& tools_;
  HeldBook book_;
  std::vector<HeldFlow> flows_;
  Demand demand_;
  TcpReadings tcp_;
  std::uint32_t probes_;       // closed loop: in flight at any time, this thread's share
  std::uint32_t turn_of_ = 0;  // closed loop: the connection whose turn is next
  Strains strains_;
  RestingFlows resting_;
  std::uint64_t unfit_ = 0;  // closed loop: places that rest
  std::uint32_t alive_ = 0;
  MonoTime cut_off_{};  // when waiting probes are given up
  bool finished_ = false;
};

template <Protocol kProtocol, class Exchange>
void work(Worker& worker) {
  worker.result().hold.emplace();
  Tools<Exchange> tools(worker);
  worker.meet();
  Holding<kProtocol, Exchange>(worker, tools).run();
}

}  // namespace

WorkloadBody hold_workload(Protocol protocol, ExchangeKind exchange) {
  const bool udp = protocol == Protocol::udp;
  switch (exchange) {
    case ExchangeKind::frame:
      return udp ? &work<Protocol::udp, FrameExchange> : &work<Protocol::tcp, FrameExchange>;
    case ExchangeKind::echo:
      return udp ? &work<Protocol::udp, EchoExchange> : &work<Protocol::tcp, EchoExchange>;
    case ExchangeKind::scripted:
      break;
  }
  return udp ? &work<Protocol::udp, ScriptedExchange> : &work<Protocol::tcp, ScriptedExchange>;
}

}  // namespace volley
