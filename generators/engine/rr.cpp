// rr: request and response on standing flows.
//
// Closed loop: each flow keeps `depth` requests in flight; an answer, an error or a timeout makes
// room for the next. Open loop: requests are due by the schedule, whatever the answers do; one that
// cannot go out at once (a cap, an unwritable socket) waits in its flow's queue with its intended
// time, is counted as held back, and its response time still runs from that time.
//
// What a flow has to send at one moment leaves with one call: all the room that the answers of one
// reading made, all that is due by the clock. Nothing waits for a batch to fill.
#include <algorithm>
#include <array>

#include "generators/engine/demand.hpp"
#include "generators/engine/due_lines.hpp"
#include "generators/engine/exchange.hpp"
#include "generators/engine/ledger.hpp"
#include "generators/engine/link.hpp"
#include "generators/engine/loss_places.hpp"
#include "generators/engine/receive_wait.hpp"
#include "generators/engine/request_sender.hpp"
#include "generators/engine/resting.hpp"
#include "generators/engine/session.hpp"
#include "generators/engine/stamper.hpp"
#include "generators/engine/tcp_quality.hpp"
#include "generators/engine/udp_quality.hpp"
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
        ledger_(worker, Link::kProtocol == Protocol::tcp && !Exchange::kNamed),
        stamper_(make_stamper(worker)),
        sender_(worker, link_, exchange_, ledger_, stamper_ ? &*stamper_ : nullptr),
        flows_(worker.flow_count()),
        demand_(worker),
        waits_in_receive_(ReceiveWait::fits(worker)),
        tcp_(worker, flows_.size()) {}

  void run() {
    set_up();
    ask_before(worker_, flows_);
    if (!worker_.ready_and_wait()) return;
    start_flows(mono_now());
    while (!finished_) turn();
    worker_.result().ended = mono_now();
    worker_.result().planned_open_loop = demand_.planned();
    ledger_.take_figures();
    ask_after(worker_, flows_);
    take_socket_figures(worker_, flows_);
    for (const Flow& flow : flows_) tcp_.end(flow.index, flow.socket);
    take_jitters(worker_, flows_);
    if (stamper_) worker_.result().stamping = std::move(*stamper_).result();
  }

 private:
  static std::optional<Stamper> make_stamper(const Worker& worker) {
    if (!worker.plan().stamps) return std::nullopt;
    return Stamper(seeded(worker.plan().seed, worker.index()), worker.plan().timeout);
  }

  // --- set-up ------------------------------------------------------------------------------
  void set_up() {
    for (std::uint32_t i = 0; i < flows_.size() && !worker_.stopped(); ++i) {
      Flow& flow = flows_[i];
      flow.index = i;
      flow.number = worker_.flow_number(i);
      const int error = link_.open(flow);
      if (error == 0) {
        ++worker_.result().flows_opened;
        worker_.note_connected(flow.socket);
        ++alive_;
        tcp_.begin(i, flow.socket);
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
           plan_.response_size &&
           *plan_.response_size > SizeChooser(plan_.sizes, plan_.seed).smallest();
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
      const int error = waits_in_receive_ ? receive_wait_.begin(flow.socket) : watch(flow);
      if (error != 0)
        flow_died(flow, error_kind_of(error), now);
      else if (!demand_.open_loop())
        fill(flow, now);
    }
  }

  int watch(Flow& flow) {
    const int fd = flow.socket.get();
    const int error = worker_.poller().add(fd, flow.index, true, false);
    flow.told_once = error == 0 && Link::kProtocol == Protocol::tcp &&
                     worker_.poller().tell_once(fd, flow.index) == 0;
    return error;
  }
  // More may lie there than was read. Such a flow is told of all from then on.
  void tell_again(Flow& flow) {
    if (std::exchange(flow.told_once, false))
      (void)worker_.poller().change(flow.socket.get(), flow.index, true, flow.blocked);
  }

  // --- the loop ----------------------------------------------------------------------------
  void turn() {
    MonoTime now = mono_now();
    worker_.tick(now);
    tcp_.tick(now, [&](std::size_t i) -> const Descriptor& { return flows_[i].socket; });
    if (demand_.open_loop())
      lines_.serve(demand_, now, flows_, worker_.recorder(),
                   [&](Flow& flow) { send_waiting(flow); });
    expire(now);
    if (worker_.stopped() || is_over(now)) {
      finished_ = true;
      return;
    }
    const MonoTime wake = std::min(next_wake(now), worker_.recorder().interval_end());
    if (looks_directly(now, wake)) {
      look(now, wake);
    } else if (waits_in_receive_ && ledger_.batches().waiting_of(0) > 0 &&
               !flows_.front().blocked) {
      receive_wait_.limit(flows_.front().socket, now, wake);
      worker_.waits_from(now);
      receive(flows_.front(), {.waits = true});
    } else {
      for (const Ready& ready : worker_.wait_until(now, wake)) {
        if (ready.tag >= flows_.size()) continue;
        Flow& flow = flows_[ready.tag];
        if (flow.dead) continue;
        if (ready.more || ready.failed) tell_again(flow);
        if (ready.failed && stamper_) stamper_->take_send_stamps(flow);
        if (ready.readable || ready.failed) receive(flow);
        if (ready.writable && !flow.dead) flush(flow);
      }
    }
    use_room();
    ledger_.settle();
  }

  // First all that has come is read, then all that it made room for is sent, then it is taken down:
  // each step finds its instructions in the cache but the first time, and the book keeps nobody
  // waiting. That is worth 3 % of the rate over 64 connections.
  void use_room() {
    for (const Answered& answered : answered_) go_on(flows_[answered.flow], answered.at);
    answered_.clear();
  }

  // Spinning over a few flows: their own receive calls tell whether there is anything, and the
  // poller is asked now and then for what only it knows.
  [[nodiscard]] bool looks_directly(MonoTime now, MonoTime wake) {
    if (flows_.size() > kFewFlows || blocked_ > 0 || !worker_.spins(now, wake)) return false;
    return ++looks_ % kLooksPerPoll != 0;
  }

  // A look at one socket that has nothing takes a few hundred nanoseconds, and the answer waits for
  // the next one; so the clock and the lists are asked only after several, unless something is due.
  void look(MonoTime now, MonoTime wake) {
    const unsigned looks = wake - now > kLooksAhead ? kLooksPerTurn : 1;
    if (flows_.size() == 1) {
      (void)receive(flows_.front(), {.looks = looks});
      return;
    }
    for (unsigned i = 0; i < looks; ++i) {
      bool came = false;
      for (Flow& flow : flows_) came |= receive(flow);
      if (came) return;
    }
  }

  [[nodiscard]] MonoTime next_wake(MonoTime now) const {
    MonoTime wake = now + std::chrono::seconds(1);
    if (const auto due = demand_.next_due()) wake = std::min(wake, *due);
    if (!ledger_.batches().empty()) wake = std::min(wake, ledger_.batches().next_deadline());
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
    if (now >= cut_off_)
      for (Flow& flow : flows_) drop_line(flow, worker_.recorder(), ErrorKind::timed_out);
    const bool none_waits = std::all_of(flows_.begin(), flows_.end(),
                                        [](const Flow& flow) { return flow.waiting.empty(); });
    if (none_waits && worker_.result().sending_ended == MonoTime{})
      worker_.result().sending_ended = now;
    return none_waits && ledger_.batches().empty();
  }

  // --- sending -----------------------------------------------------------------------------
  // How many of `dues` have gone; fewer than all: the flow takes no more at present.
  std::uint32_t send(Flow& flow, std::span<const Due> dues) {
    const auto gone = sender_.send(flow, dues);
    if (gone.blocked) block(flow);
    if (gone.failure) failed_ = gone.failure;
    return gone.count;
  }

  // After a failed call: tcp has lost its connection; a udp flow of a closed loop rests, or it
  // would spin on the error. False: nothing failed.
  bool settle_failure(Flow& flow, MonoTime now) {
    if (!failed_) return false;
    const ErrorKind kind = *std::exchange(failed_, std::nullopt);
    if (Link::kProtocol == Protocol::tcp)
      flow_died(flow, kind, now);
    else if (!demand_.open_loop())
      resting_.add(flow.index, now);
    return true;
  }

  void block(Flow& flow) {
    if (std::exchange(flow.blocked, true)) return;
    ++blocked_;
    flow.told_once = false;
    if (waits_in_receive_)
      (void)worker_.poller().add(flow.socket.get(), flow.index, true, true);
    else
      (void)worker_.poller().change(flow.socket.get(), flow.index, true, true);
  }
  void unblock(Flow& flow) {
    flow.blocked = false;
    --blocked_;
    if (waits_in_receive_)
      worker_.poller().remove(flow.socket.get());
    else
      (void)worker_.poller().change(flow.socket.get(), flow.index, true, false);
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
      unblock(flow);
    }
    go_on(flow, mono_now());
  }

  void send_waiting(Flow& flow) {
    while (!flow.dead && !flow.blocked && !flow.waiting.empty()) {
      const auto dues = next_call(flow, sender_.room_of(flow), call_room_);
      if (dues.empty()) return;
      const std::uint32_t gone = send(flow, dues);
      flow.waiting.erase(flow.waiting.begin(), flow.waiting.begin() + gone);
      if (settle_failure(flow, mono_now()) && !demand_.open_loop()) return;
    }
  }

  // Closed loop: puts requests in flight until the flow is full.
  void fill(Flow& flow, MonoTime now) {
    while (!flow.dead && !flow.blocked && flow.waiting.empty()) {
      const std::uint32_t room = sender_.room_of(flow);
      const auto dues = next_call(demand_, flow.index, now, room, call_room_);
      if (dues.empty()) return;
      const std::uint32_t gone = send(flow, dues);
      if (gone == room && room < sender_.most() && !failed_) return;  // the flow is full
      // They were due when there was room.
      for (const Due& due : dues.subspan(gone)) flow.waiting.push_back(due);
      hold_back(flow, worker_.recorder());
      if (settle_failure(flow, now)) return;
    }
  }

  // --- receiving ---------------------------------------------------------------------------
  // Whether answers came.
  bool receive(Flow& flow, Reading reading = {}) {
    if (flow.dead) return false;
    MonoTime received{};  // the last answers
    const auto on_answer = [&](const Answer& answer) { ledger_.on_answer(flow, answer, received); };
    if constexpr (Link::kProtocol == Protocol::udp) {
      link_.receive(
          flow, reading, ledger_.batches().waiting_of(flow.index),
          [&](const Received& slot, MonoTime when) {
            received = when;
            take_datagrams(flow, slot, received, on_answer);
          },
          [&](int error) { worker_.note_event(error_kind_of(error), mono_now()); });
    } else {
      const bool full = link_.receive(
          flow, reading,
          [&](std::span<const std::byte> bytes) {
            received = mono_now();
            const bool sane = exchange_.consume(
                flow.stream, bytes, [&] { return ledger_.expected_of(flow); },
                [&](const Answer& answer) {
                  if (flow.stream.stamps && stamper_)
                    stamper_->on_stamps(flow, answer.slot, answer.sequence, *flow.stream.stamps,
                                        Nanos(0), received);
                  on_answer(answer);
                  return !flow.dead;
                });
            if (!sane && !flow.dead) flow_died(flow, ErrorKind::malformed, received);
          },
          [&](ErrorKind kind) { flow_died(flow, kind, mono_now()); });
      if (full && !flow.dead) tell_again(flow);
    }
    // Not yet: what came beside the answers due cannot answer what is sent next.
    if (received == MonoTime{}) return false;
    worker_.note_activity(received);
    answered_.push_back({flow.index, received});
    return true;
  }

  // One datagram, or several of one size that the kernel has joined, of which only the last may be
  // shorter.
  template <class OnAnswer>
  void take_datagrams(Flow& flow, const Received& slot, MonoTime received, OnAnswer&& on_answer) {
    std::span<const std::byte> rest = slot.bytes;
    const std::size_t each = slot.segment_bytes == 0 ? rest.size() : slot.segment_bytes;
    do {
      const std::size_t size = std::min(each, rest.size());
      if (stamper_) stamper_->on_datagram(flow, rest.first(size), slot.kernel_time, received);
      const auto expected = Exchange::kNamed ? std::nullopt : ledger_.expected_of(flow);
      const Answer answer = exchange_.recognise_joined(rest, size, expected);
      rest = rest.subspan(size * answer.count);
      on_answer(answer);
    } while (!rest.empty());
  }

  // An answer made room.
  void go_on(Flow& flow, MonoTime now) {
    if (!flow.waiting.empty()) send_waiting(flow);
    if (!demand_.open_loop()) fill(flow, now);
  }

  // --- endings -----------------------------------------------------------------------------
  void expire(MonoTime now) {
    for (std::uint32_t slot; (slot = ledger_.batches().expired(now)) != SentBatches::kNone;) {
      Flow& flow = flows_[ledger_.batches().at(slot).flow];
      ledger_.on_timeout(flow, slot);
      go_on(flow, now);
    }
    resting_.take_rested(now, [&](std::uint32_t flow) { go_on(flows_[flow], now); });
  }

  // What is in flight on a dead flow has failed; what waited, or was still its share, is not sent.
  void flow_died(Flow& flow, ErrorKind kind, MonoTime now) {
    if (flow.dead) return;
    flow.dead = true;
    --alive_;
    if (std::exchange(flow.blocked, false)) --blocked_;
    worker_.note_event(kind, now);
    worker_.poller().forget(flow.socket.get());
    tcp_.end(flow.index, flow.socket);
    flow.socket.close();
    ledger_.on_flow_death(flow, kind);
    drop_line(flow, worker_.recorder(), ErrorKind::flow_dead);
    give_up_share(flow);
  }
  void give_up_share(const Flow& flow) {
    worker_.recorder().on_unsent(true, ErrorKind::flow_dead, demand_.give_up(flow.index));
  }

  static constexpr std::size_t kFewFlows = 4;
  static constexpr unsigned kLooksPerPoll = 64;
  static constexpr unsigned kLooksPerTurn = 8;
  static constexpr Nanos kLooksAhead = std::chrono::microseconds(20);  // what those may take

  Worker& worker_;
  const RunPlan& plan_;
  Link link_;
  Exchange exchange_;
  Ledger ledger_;
  std::optional<Stamper> stamper_;
  RequestSender<Link, Exchange> sender_;
  std::vector<Flow> flows_;
  Demand demand_;
  DueLines lines_;
  CallRoom call_room_;
  RestingFlows resting_;
  std::uint32_t alive_ = 0;
  std::uint32_t blocked_ = 0;        // flows
  std::optional<ErrorKind> failed_;  // why the last call failed, until that is settled
  struct Answered {
    std::uint32_t flow;
    MonoTime at;
  };
  std::vector<Answered> answered_;  // flows that have room by what has been read
  unsigned looks_ = 0;
  MonoTime cut_off_{};  // when waiting requests are given up
  bool finished_ = false;
  bool target_is_ours_ = true;  // until it did not answer a greeting
  bool waits_in_receive_;       // for the whole run
  ReceiveWait receive_wait_;
  TcpReadings tcp_;
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
