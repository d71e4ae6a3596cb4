// rr: request and response on standing flows.
//
// Closed loop: each flow keeps `depth` requests in flight; an answer, an error or a timeout makes
// room for the next. Open loop: requests are due by the schedule, whatever the answers do; one that
// cannot go out at once (a cap, an unwritable socket) waits in its flow's queue with its intended
// time, is counted as held back, and its response time still runs from that time.
#include <algorithm>

#include "generators/engine/demand.hpp"
#include "generators/engine/exchange.hpp"
#include "generators/engine/ledger.hpp"
#include "generators/engine/link.hpp"
#include "generators/engine/resting.hpp"
#include "generators/engine/session.hpp"
#include "generators/engine/worker.hpp"

namespace volley {
namespace {

template <class Link, class Exchange>
class RequestResponse {
 public:
  explicit RequestResponse(Worker& worker)
      : worker_(worker),
        plan_(worker.plan()),
        link_(worker),
        exchange_(plan_, worker.session()),
        sizes_(plan_.sizes, plan_.seed),
        ledger_(worker, Link::kProtocol == Protocol::tcp && !Exchange::kNamed),
        flows_(worker.flow_count()),
        demand_(worker),
        waits_in_receive_(is_ping_pong()) {}

  void run() {
    set_up();
    if (!worker_.ready_and_wait()) return;
    start_flows(mono_now());
    while (!finished_) turn();
    worker_.result().ended = mono_now();
    worker_.result().planned_open_loop = demand_.planned();
    take_socket_figures(worker_, flows_);
  }

 private:
  // --- set-up ------------------------------------------------------------------------------
  void set_up() {
    for (std::uint32_t i = 0; i < flows_.size() && !worker_.stopped(); ++i) {
      Flow& flow = flows_[i];
      flow.index = i;
      flow.number = worker_.flow_number(i);
      const int error = link_.open(flow);
      if (error == 0) {
        ++worker_.result().flows_opened;
        ++alive_;
        if (target_is_ours_ && wants_proof()) prove_address(flow);
        continue;
      }
      worker_.note_set_up_failure(error, "cannot open a flow");
      flow.dead = true;
      flow.socket.close();
      if (error == EMFILE || error == ENFILE) return;  // the others will not fare better
    }
  }

  // A target of ours that others can reach sends larger answers than the requests only to an
  // address that has shown that it receives there.
  [[nodiscard]] bool wants_proof() const {
    return Link::kProtocol == Protocol::udp && plan_.exchange == ExchangeKind::frame &&
           plan_.response_size && *plan_.response_size > sizes_.smallest();
  }
  void prove_address(Flow& flow) {
    const HelloResult said =
        say_hello(worker_, Link::kProtocol, flow.socket, Hello{}, plan_.timeout);
    flow.cookie = said.cookie;
    target_is_ours_ = said.ours;
  }

  void start_flows(MonoTime now) {
    for (Flow& flow : flows_) {
      if (flow.dead) {
        give_up_share(flow);
        continue;
      }
      const int error = waits_in_receive_
                            ? await_at_most(flow, kMostPatience)
                            : worker_.poller().add(flow.socket.get(), flow.index, true, false);
      if (error != 0)
        flow_died(flow, error_kind_of(error), now);
      else if (!demand_.open_loop())
        fill(flow, now);
    }
  }

  // --- the loop ----------------------------------------------------------------------------
  void turn() {
    MonoTime now = mono_now();
    worker_.recorder().tick(now);
    if (demand_.open_loop())
      demand_.for_each_due(now, [&](std::uint32_t flow, const Due& due) { dispatch(flow, due); });
    expire(now);
    if (worker_.stopped() || is_over(now)) {
      finished_ = true;
      return;
    }
    const MonoTime wake = next_wake(now);
    if (waits_in_receive_ && ledger_.outstanding().waiting_of(0) == 1 && !flows_.front().blocked) {
      set_patience(now, std::min(wake, worker_.recorder().interval_end()));
      receive(flows_.front(), Reading::waits);
      return;
    }
    for (const Ready& ready : worker_.wait_until(now, wake)) {
      if (ready.tag >= flows_.size()) continue;
      Flow& flow = flows_[ready.tag];
      if (flow.dead) continue;
      if (ready.readable || ready.failed) receive(flow, Reading::takes);
      if (ready.writable && !flow.dead) flush(flow);
    }
  }

  // One flow with one request in flight at a time: the receive call itself is the place to wait.
  // Beside a poller that saves a system call a round trip, and the sender the poller's wake-up.
  [[nodiscard]] bool is_ping_pong() const {
    return flows_.size() == 1 && plan_.depth == 1U && !demand_.open_loop() &&
           plan_.wait != Wait::spin && plan_.timeout >= kLeastTimeout;
  }
  int await_at_most(Flow& flow, Nanos patience) {
    patience_ = patience;
    return let_receive_wait(flow.socket, patience);
  }
  // A receive call waits at most until `wake`. Its limit is set anew (a system call) only when it
  // has become too long, or much too short: a short one costs the kernel more.
  void set_patience(MonoTime now, MonoTime wake) {
    const Nanos half = std::clamp<Nanos>((wake - now) / 2, kLeastPatience, kMostPatience);
    if (patience_ > 2 * half || patience_ < half / 4) (void)await_at_most(flows_.front(), half);
  }

  [[nodiscard]] MonoTime next_wake(MonoTime now) const {
    MonoTime wake = now + std::chrono::seconds(1);
    if (const auto due = demand_.next_due()) wake = std::min(wake, *due);
    if (!ledger_.outstanding().empty())
      wake = std::min(wake, ledger_.outstanding().next_deadline());
    if (const auto rested = resting_.next()) wake = std::min(wake, *rested);
    if (now < worker_.times().measure_end) wake = std::min(wake, worker_.times().measure_end);
    if (cut_off_ != MonoTime{}) wake = std::min(wake, cut_off_);
    return wake;
  }

  // Over: nothing more is due, nothing waits to be sent, nothing waits for an answer.
  [[nodiscard]] bool is_over(MonoTime now) {
    if (alive_ == 0) return true;
    if (!demand_.over(now)) return false;
    if (cut_off_ == MonoTime{}) cut_off_ = now + plan_.timeout;
    if (now >= cut_off_) drop_waiting(ErrorKind::timed_out);
    if (waiting_ == 0 && worker_.result().sending_ended == MonoTime{})
      worker_.result().sending_ended = now;
    return ledger_.outstanding().empty() && waiting_ == 0;
  }

  // --- sending -----------------------------------------------------------------------------
  // Open loop: a slot has become due.
  void dispatch(std::uint32_t index, const Due& due) {
    Flow& flow = flows_[index];
    if (flow.dead)
      worker_.recorder().on_unsent(due.measured, ErrorKind::flow_dead);
    else if (can_send(flow))
      send(flow, due, mono_now());
    else
      wait_in_line(flow, due);
  }

  [[nodiscard]] bool has_room(const Flow& flow) const {
    return !plan_.depth || ledger_.outstanding().waiting_of(flow.index) < *plan_.depth;
  }
  [[nodiscard]] bool can_send(const Flow& flow) const {
    return !flow.blocked && flow.waiting.empty() && has_room(flow);
  }

  void wait_in_line(Flow& flow, const Due& due) {
    flow.waiting.push_back(held_back(due));
    ++waiting_;
  }
  // Counts each request once, however often it is put off.
  Due held_back(Due due) {
    if (!due.held_back) worker_.recorder().on_held_back(due.measured);
    due.held_back = true;
    return due;
  }

  // Sends one request. False: the flow takes no more at present.
  bool send(Flow& flow, const Due& due, MonoTime now) {
    const std::uint32_t bytes = sizes_.size_of(flow.number, flow.next_sequence);
    const std::span<const std::byte> message = exchange_.encode(
        Outgoing{flow.number, ledger_.next_slot(), flow.next_sequence, bytes, flow.cookie});
    SendResult result = link_.send(flow, message);
    if (result.what == Sent::failed && result.error == ECONNREFUSED) {
      // The socket reported an earlier datagram's ICMP error; this one has not been tried yet.
      worker_.note_event(ErrorKind::refused, now);
      result = link_.send(flow, message);
    }
    if (result.what == Sent::whole) {
      ledger_.on_sent(flow, due, now, static_cast<std::uint32_t>(message.size()));
      if (Link::kProtocol == Protocol::tcp && !flow.unsent.empty()) block(flow);
      return !flow.blocked;
    }
    if (result.what == Sent::blocked) {
      flow.waiting.push_front(held_back(due));
      ++waiting_;
      block(flow);
      return false;
    }
    worker_.recorder().on_unsent(due.measured, error_kind_of(result.error));
    if (Link::kProtocol == Protocol::tcp)
      flow_died(flow, error_kind_of(result.error), now);
    else
      rest(flow, now);
    return false;
  }

  void block(Flow& flow) {
    flow.blocked = true;
    if (waits_in_receive_)
      (void)worker_.poller().add(flow.socket.get(), flow.index, true, true);
    else
      (void)worker_.poller().change(flow.socket.get(), flow.index, true, true);
  }

  // The socket is writable again, or an answer made room: sends what waits.
  void flush(Flow& flow) {
    if (flow.blocked) {
      if constexpr (Link::kProtocol == Protocol::tcp) {
        const SendResult rest = link_.send_rest(flow);
        if (rest.what == Sent::blocked) return;
        if (rest.what == Sent::failed) {
          flow_died(flow, error_kind_of(rest.error), mono_now());
          return;
        }
      }
      flow.blocked = false;
      if (waits_in_receive_)
        worker_.poller().remove(flow.socket.get());
      else
        (void)worker_.poller().change(flow.socket.get(), flow.index, true, false);
    }
    send_waiting(flow);
    if (!demand_.open_loop()) fill(flow, mono_now());
  }

  void send_waiting(Flow& flow) {
    while (!flow.dead && !flow.waiting.empty() && !flow.blocked && has_room(flow)) {
      const Due due = flow.waiting.front();
      flow.waiting.pop_front();
      --waiting_;
      if (!send(flow, due, mono_now())) return;
    }
  }

  // Closed loop: puts requests in flight until the flow is full.
  void fill(Flow& flow, MonoTime now) {
    while (!flow.dead && can_send(flow)) {
      const std::optional<Due> due = demand_.take(flow.index, now);
      if (!due || !send(flow, *due, now)) return;
    }
  }

  // Closed loop: after a failed send a flow rests, or it would spin on the error.
  void rest(Flow& flow, MonoTime now) {
    if (!demand_.open_loop()) resting_.add(flow.index, now);
  }

  // --- receiving ---------------------------------------------------------------------------
  void receive(Flow& flow, Reading reading) {
    if constexpr (Link::kProtocol == Protocol::udp) {
      MonoTime received{};
      link_.receive(
          flow, reading, ledger_.outstanding().waiting_of(flow.index),
          [&](std::span<const std::byte> datagram) {
            if (received == MonoTime{}) received = mono_now();
            on_answer(flow, exchange_.recognise(datagram, ledger_.expected_of(flow)), received);
          },
          [&](int error) { worker_.note_event(error_kind_of(error), mono_now()); });
    } else {
      link_.receive(
          flow, reading,
          [&](std::span<const std::byte> bytes) {
            const MonoTime received = mono_now();
            std::optional<Completion> last;
            const bool sane = exchange_.consume(
                flow.stream, bytes, [&] { return ledger_.expected_of(flow); },
                [&](const Answer& answer) {
                  if (last) worker_.recorder().on_completed(*last);
                  last = ledger_.on_answer(flow, answer, received);
                  return !flow.dead;
                });
            // Only now: what came beside the answers due cannot answer what is sent next.
            if (sane)
              go_on(flow, received);
            else if (!flow.dead)
              flow_died(flow, ErrorKind::malformed, received);
            if (last) worker_.recorder().on_completed(*last);
          },
          [&](ErrorKind kind) { flow_died(flow, kind, mono_now()); });
    }
  }

  void on_answer(Flow& flow, const Answer& answer, MonoTime received) {
    const std::optional<Completion> completion = ledger_.on_answer(flow, answer, received);
    go_on(flow, received);
    if (completion) worker_.recorder().on_completed(*completion);
  }
  // An answer made room.
  void go_on(Flow& flow, MonoTime now) {
    if (!flow.waiting.empty()) send_waiting(flow);
    if (!demand_.open_loop()) fill(flow, now);
  }

  // --- endings -----------------------------------------------------------------------------
  void expire(MonoTime now) {
    for (std::uint32_t slot; (slot = ledger_.outstanding().expired(now)) != kNoSlot;) {
      Flow& flow = flows_[ledger_.flow_of(slot)];
      ledger_.on_timeout(flow, slot);
      send_waiting(flow);
      if (!demand_.open_loop()) fill(flow, now);
    }
    resting_.take_rested(now, [&](std::uint32_t flow) { fill(flows_[flow], now); });
  }

  // What is in flight on a dead flow has failed; what waited, or was still its share, is not sent.
  void flow_died(Flow& flow, ErrorKind kind, MonoTime now) {
    if (flow.dead) return;
    flow.dead = true;
    --alive_;
    worker_.note_event(kind, now);
    worker_.poller().remove(flow.socket.get());
    flow.socket.close();
    ledger_.on_flow_death(flow, kind);
    drop_waiting_of(flow, ErrorKind::flow_dead);
    give_up_share(flow);
  }
  void give_up_share(const Flow& flow) {
    worker_.recorder().on_unsent(true, ErrorKind::flow_dead, demand_.give_up(flow.index));
  }

  void drop_waiting_of(Flow& flow, ErrorKind kind) {
    for (const Due& due : flow.waiting) worker_.recorder().on_unsent(due.measured, kind);
    waiting_ -= flow.waiting.size();
    flow.waiting.clear();
  }
  void drop_waiting(ErrorKind kind) {
    for (Flow& flow : flows_) drop_waiting_of(flow, kind);
  }

  // How long a receive call waits at most: a stop of the run must wait for it.
  static constexpr Nanos kMostPatience = std::chrono::milliseconds(250);
  static constexpr Nanos kLeastPatience = std::chrono::milliseconds(1);
  // The kernel's ticks would make a shorter timeout late.
  static constexpr Nanos kLeastTimeout = std::chrono::milliseconds(100);

  Worker& worker_;
  const RunPlan& plan_;
  Link link_;
  Exchange exchange_;
  SizeChooser sizes_;
  Ledger ledger_;
  std::vector<Flow> flows_;
  Demand demand_;
  RestingFlows resting_;
  std::uint32_t alive_ = 0;
  std::uint64_t waiting_ = 0;  // due requests that wait in their flows
  MonoTime cut_off_{};         // when waiting requests are given up
  bool finished_ = false;
  bool target_is_ours_ = true;  // until it did not answer a greeting
  bool waits_in_receive_;       // for the whole run
  Nanos patience_{};
};

template <class Link, class Exchange>
void work(Worker& worker) {
  RequestResponse<Link, Exchange>(worker).run();
}

}  // namespace

WorkloadBody rr_workload(Protocol protocol, ExchangeKind exchange) {
  const bool udp = protocol == Protocol::udp;
  switch (exchange) {
    case ExchangeKind::frame:
      return udp ? &work<UdpLink, FrameExchange> : &work<TcpLink, FrameExchange>;
    case ExchangeKind::echo:
      return udp ? &work<UdpLink, EchoExchange> : &work<TcpLink, EchoExchange>;
    case ExchangeKind::scripted:
      break;
  }
  return udp ? &work<UdpLink, ScriptedExchange> : &work<TcpLink, ScriptedExchange>;
}

}  // namespace volley
