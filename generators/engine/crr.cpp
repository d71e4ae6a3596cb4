// crr and connect: a new flow for every request.
//
// crr: connect, request, response, close; the response time runs from the intended time to the last
// byte of the answer. Over UDP a request has a socket of its own. connect: the handshake is the
// request (tcp). Closed loop: each of `--flows` keeps one conversation going. Open loop: a
// conversation begins whenever one is due, however many are still going on.
//
// Our side closes with RST unless told otherwise (--close fin): a conversation that ends in good
// order holds its local port for 60 s (TIME_WAIT), and a run would end after 28,000 of them.
#include <algorithm>

#include "generators/engine/churn.hpp"
#include "generators/engine/demand.hpp"
#include "generators/engine/exchange.hpp"
#include "generators/engine/link.hpp"
#include "generators/engine/outstanding.hpp"
#include "generators/engine/resting.hpp"
#include "generators/engine/tcp_quality.hpp"
#include "generators/engine/worker.hpp"

namespace volley {
namespace {

// A request's own socket and how far it has come.
struct Conversation {
  ChurnSocket socket;
  bool begun = false;  // the connection stands, and the kernel has its message or a part of it
  StreamState stream;
};

// The network answered the attempt to connect; anything else is trouble of our own side.
bool network_said(int error) {
  return error == ECONNREFUSED || error == ECONNRESET || error == ETIMEDOUT;
}

template <Protocol kProtocol, class Exchange, bool kConnectOnly>
class Conversations {
 public:
  explicit Conversations(Worker& worker)
      : worker_(worker),
        plan_(worker.plan()),
        exchange_(plan_, worker.session()),
        sizes_(plan_.sizes, plan_.seed),
        outstanding_(worker.flow_count(), plan_.timeout),
        next_sequence_(worker.flow_count(), 0),
        demand_(worker),
        sockets_(worker),
        tcp_(worker, 0),
        buffer_(std::size_t{64} << 10U) {}

  void run() {
    worker_.result().flows_opened = worker_.flow_count();
    if (!worker_.ready_and_wait()) return;
    if (!demand_.open_loop())
      for (std::uint32_t flow = 0; flow < worker_.flow_count(); ++flow) fill(flow, mono_now());
    while (!finished_) turn();
    worker_.result().ended = mono_now();
    worker_.result().planned_open_loop = demand_.planned();
  }

 private:
  void turn() {
    const MonoTime now = mono_now();
    worker_.tick(now);
    if (demand_.open_loop())
      demand_.for_each_due(now, [&](std::uint32_t flow, const Due& due) {
        worker_.recorder().on_due(due);
        begin(flow, due);
      });
    expire(now);
    drop_left_over();
    const bool over = demand_.over(now);
    if (over && worker_.result().sending_ended == MonoTime{}) worker_.result().sending_ended = now;
    if (worker_.stopped() || (over && outstanding_.empty())) {
      finished_ = true;
      return;
    }
    for (const Ready& ready : worker_.wait_until(now, next_wake(now))) {
      if (ready.tag >= conversations_.size()) continue;  // the waker
      const auto slot = static_cast<std::uint32_t>(ready.tag);
      if (!outstanding_.at(slot).in_use) continue;
      on_ready(slot, ready);
    }
  }

  [[nodiscard]] MonoTime next_wake(MonoTime now) const {
    MonoTime wake = now + std::chrono::seconds(1);
    if (const auto due = demand_.next_due()) wake = std::min(wake, *due);
    if (!outstanding_.empty()) wake = std::min(wake, outstanding_.next_deadline());
    if (const auto rested = resting_.next()) wake = std::min(wake, *rested);
    if (!again_.empty()) wake = now;
    if (now < worker_.times().measure_end) wake = std::min(wake, worker_.times().measure_end);
    return wake;
  }

  // --- beginning ---------------------------------------------------------------------------
  void fill(std::uint32_t flow, MonoTime now) {
    const std::optional<Due> due = demand_.take(flow, now);
    if (due && !begin(flow, *due)) resting_.add(flow, now);
  }

  // False: the request could not be sent.
  bool begin(std::uint32_t flow, const Due& due) {
    const std::uint32_t slot = outstanding_.next_slot();
    if (slot >= conversations_.size()) conversations_.resize(slot + 1);
    Conversation& conversation = conversations_[slot];
    const MonoTime sent = mono_now();
    const int error = sockets_.begin(conversation.socket);
    if (error != 0 && error != EINPROGRESS && !network_said(error)) {
      worker_.recorder().on_unsent(due.measured, error_kind_of(error));
      return false;
    }
    OutstandingRequest request;
    request.intended = due.intended;
    request.sent = sent;
    request.sequence = next_sequence_[flow]++;
    request.flow = flow;
    request.bytes = sizes_.size_of(worker_.flow_number(flow), request.sequence);
    request.measured = due.measured;
    outstanding_.add(request);
    worker_.note_sent(sent);
    worker_.recorder().on_sent(due, sent, 0);
    conversation.begun = false;
    conversation.stream = {};
    if (network_said(error))
      fail(slot, error_kind_of(error));
    else
      go_on(slot);
    return true;
  }

  // --- going on ----------------------------------------------------------------------------
  void on_ready(std::uint32_t slot, const Ready& ready) {
    ChurnSocket& socket = conversations_[slot].socket;
    if (!conversations_[slot].begun) {
      const int error = ready.failed ? socket_error(socket.descriptor) : 0;
      if (error != 0)
        fail(slot, error_kind_of(error));
      else if (ready.writable)
        go_on(slot);
      return;
    }
    if (ready.writable && !socket.unsent.empty()) {
      if (const int error = sockets_.send_rest(socket); error != 0) {
        fail(slot, error_kind_of(error));
        return;
      }
      if (!after_sending(slot)) return;
    }
    if (ready.readable || ready.failed) receive(slot);
  }

  // A conversation that can perhaps go on. On loopback a connection stands when connect() returns,
  // although it says EINPROGRESS, so the next step is simply tried: it tells whether it does.
  void go_on(std::uint32_t slot) {
    const MonoTime now = mono_now();
    const int error = kConnectOnly ? sockets_.go_on(conversations_[slot].socket) : send(slot);
    if (error == EINPROGRESS || error == EAGAIN)
      (void)watch(slot, true);
    else if (error != 0)
      fail(slot, error_kind_of(error));
    else
      established(slot, kConnectOnly ? mono_now() : now);
  }

  [[nodiscard]] int send(std::uint32_t slot) {
    OutstandingRequest& request = outstanding_.at(slot);
    const std::span<const std::byte> message = exchange_.encode(
        Outgoing{worker_.flow_number(request.flow), slot, request.sequence, request.bytes});
    request.bytes = static_cast<std::uint32_t>(message.size());
    return sockets_.send(conversations_[slot].socket, message);
  }

  void established(std::uint32_t slot, MonoTime now) {
    const OutstandingRequest& request = outstanding_.at(slot);
    if (kProtocol == Protocol::tcp)
      worker_.recorder().on_connected(request.measured, request.intended, now);
    conversations_[slot].begun = true;
    if (kConnectOnly) {
      ++worker_.recorder().of(request.measured).counters.completed;
      end(slot, now);
    } else {
      (void)after_sending(slot);
    }
  }

  // False: the conversation has failed.
  bool after_sending(std::uint32_t slot) {
    const OutstandingRequest& request = outstanding_.at(slot);
    const bool whole = conversations_[slot].socket.unsent.empty();
    if (whole) worker_.recorder().of(request.measured).counters.bytes_sent += request.bytes;
    return watch(slot, !whole);
  }

  bool watch(std::uint32_t slot, bool for_room) {
    const int error = sockets_.watch(conversations_[slot].socket, slot, for_room);
    if (error != 0) fail(slot, error_kind_of(error));
    return error == 0;
  }

  void receive(std::uint32_t slot) {
    Conversation& conversation = conversations_[slot];
    const ssize_t n =
        ::recv(conversation.socket.descriptor.get(), buffer_.data(), buffer_.size(), 0);
    const int error = errno;
    ++worker_.result().receive_calls;
    const MonoTime now = mono_now();
    if (n < 0) {
      if (error != EAGAIN && error != EINTR) on_socket_error(slot, error, now);
      return;
    }
    const auto bytes = std::span<const std::byte>(buffer_).first(static_cast<std::size_t>(n));
    const OutstandingRequest& request = outstanding_.at(slot);
    const Expected expected{request.sequence, request.bytes};
    if constexpr (kProtocol == Protocol::udp) {
      const Answer answer = exchange_.recognise(bytes, expected);
      // Our port may have been another conversation's before, whose answer comes late.
      if (answer.verdict == Answer::Verdict::foreign ||
          (answer.named && answer.sequence != request.sequence))
        worker_.note_event(ErrorKind::unexpected, now);
      else
        conclude(slot, answer, now);
    } else if (n == 0) {
      at_close(slot, now);
    } else {
      std::optional<Answer> answer;
      const bool sane = exchange_.consume(
          conversation.stream, bytes, [&] { return std::optional(expected); },
          [&](const Answer& found) {
            answer = found;
            return false;  // one answer a conversation
          });
      if (!sane)
        fail(slot, ErrorKind::malformed);
      else if (answer)
        conclude(slot, *answer, now);
    }
  }

  // A UDP socket may report an ICMP error and still get its answer; a TCP one is finished.
  void on_socket_error(std::uint32_t slot, int error, MonoTime now) {
    if (kProtocol == Protocol::udp)
      worker_.note_event(error_kind_of(error), now);
    else
      fail(slot, error_kind_of(error));
  }

  void at_close(std::uint32_t slot, MonoTime now) {
    std::optional<Answer> answer;
    if constexpr (std::is_same_v<Exchange, ScriptedExchange>)
      answer = exchange_.at_close(conversations_[slot].stream);
    if (answer)
      conclude(slot, *answer, now);
    else
      fail(slot, ErrorKind::closed);
  }

  // --- ending ------------------------------------------------------------------------------
  void conclude(std::uint32_t slot, const Answer& answer, MonoTime received) {
    const OutstandingRequest request = outstanding_.at(slot);
    if (received - request.sent > plan_.timeout) {
      worker_.recorder().on_lost(request.measured);
      worker_.recorder().on_late(request.measured);
    } else if (answer.verdict == Answer::Verdict::valid &&
               (!answer.named || answer.sequence == request.sequence)) {
      worker_.recorder().on_completed(
          {request.intended, request.sent, received, answer.bytes, request.measured});
    } else {
      worker_.recorder().on_error(request.measured, answer.verdict == Answer::Verdict::unexpected
                                                        ? ErrorKind::unexpected
                                                        : ErrorKind::malformed);
    }
    end(slot, received);
  }

  void fail(std::uint32_t slot, ErrorKind kind) {
    worker_.recorder().on_error(outstanding_.at(slot).measured, kind);
    const std::uint32_t flow = outstanding_.at(slot).flow;
    sockets_.close(conversations_[slot].socket);
    outstanding_.remove(slot);
    if (!demand_.open_loop()) resting_.add(flow, mono_now());
  }

  void end(std::uint32_t slot, MonoTime now) {
    const std::uint32_t flow = outstanding_.at(slot).flow;
    if (kProtocol == Protocol::tcp && outstanding_.at(slot).measured)
      tcp_.end_of_short_one(now, conversations_[slot].socket.descriptor);
    sockets_.end(conversations_[slot].socket);
    ChurnSocket& socket = conversations_[slot].socket;
    if (socket.descriptor.is_open() && !std::exchange(socket.left_over, true))
      left_over_.push_back(slot);
    outstanding_.remove(slot);
    if (!demand_.open_loop()) again_.push_back(Again{now, flow});
  }

  // But for those that the flows which begin anew in the next turn will take.
  void drop_left_over() {
    std::size_t wanted = again_.size();
    std::erase_if(left_over_, [&](std::uint32_t slot) {
      ChurnSocket& socket = conversations_[slot].socket;
      const bool taken = outstanding_.at(slot).in_use;
      if (!taken && wanted > 0) {
        --wanted;
        return false;
      }
      socket.left_over = false;
      if (!taken) sockets_.drop(socket);
      return true;
    });
  }

  void expire(MonoTime now) {
    for (std::uint32_t slot; (slot = outstanding_.expired(now)) != kNoSlot;) {
      worker_.recorder().on_lost(outstanding_.at(slot).measured);
      end(slot, now);
    }
    // Flows whose conversation ended begin the next one here and not inside the ending, so that a
    // peer that refuses at once cannot make the calls nest.
    for (std::size_t n = again_.size(); n > 0; --n) {
      const Again next = again_.front();
      again_.pop_front();
      fill(next.flow, std::max(next.since, worker_.times().start));
    }
    resting_.take_rested(now, [&](std::uint32_t flow) { fill(flow, now); });
  }

  // A flow that has had room since then.
  struct Again {
    MonoTime since;
    std::uint32_t flow;
  };

  Worker& worker_;
  const RunPlan& plan_;
  Exchange exchange_;
  SizeChooser sizes_;
  Outstanding outstanding_;
  std::vector<Conversation> conversations_;   // by slot
  std::vector<std::uint32_t> left_over_;      // slots with a socket that no conversation uses
  std::vector<std::uint64_t> next_sequence_;  // by flow
  Demand demand_;
  ChurnSockets sockets_;
  TcpReadings tcp_;
  std::vector<std::byte> buffer_;
  RestingFlows resting_;
  std::deque<Again> again_;  // closed loop
  bool finished_ = false;
};

template <Protocol kProtocol, class Exchange, bool kConnectOnly>
void work(Worker& worker) {
  Conversations<kProtocol, Exchange, kConnectOnly>(worker).run();
}

}  // namespace

WorkloadBody crr_workload(Protocol protocol, ExchangeKind exchange, bool connect_only) {
  if (connect_only) return &work<Protocol::tcp, ScriptedExchange, true>;
  const bool udp = protocol == Protocol::udp;
  switch (exchange) {
    case ExchangeKind::frame:
      return udp ? &work<Protocol::udp, FrameExchange, false>
                 : &work<Protocol::tcp, FrameExchange, false>;
    case ExchangeKind::echo:
      return udp ? &work<Protocol::udp, EchoExchange, false>
                 : &work<Protocol::tcp, EchoExchange, false>;
    case ExchangeKind::scripted:
      break;
  }
  return udp ? &work<Protocol::udp, ScriptedExchange, false>
             : &work<Protocol::tcp, ScriptedExchange, false>;
}

}  // namespace volley
