// crr and connect: a new flow for every request.
//
// crr: connect, request, response, close; the response time runs from the intended time to the last
// byte of the answer. Over UDP a request has a socket of its own. connect: the handshake is the
// request (tcp). Closed loop: each of `--flows` keeps one conversation going. Open loop: a
// conversation begins whenever one is due, however many are still going on.
//
// Our side closes with RST: otherwise every conversation would hold a local port for 60 s
// (TIME_WAIT), and a run would end after 28,000 of them.
#include <algorithm>

#include "generators/engine/demand.hpp"
#include "generators/engine/exchange.hpp"
#include "generators/engine/link.hpp"
#include "generators/engine/outstanding.hpp"
#include "generators/engine/resting.hpp"
#include "generators/engine/worker.hpp"

namespace volley {
namespace {

// A request's own socket and how far it has come.
struct Conversation {
  Descriptor socket;
  std::uint32_t generation = 0;  // tells events of this socket from those of the slot's former one
  bool connecting = false;
  std::size_t message_sent = 0;    // bytes, where the socket took the message in part
  std::vector<std::byte> message;  // kept only in that case
  StreamState stream;
};

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
      demand_.for_each_due(now, [&](std::uint32_t flow, const Due& due) { begin(flow, due); });
    expire(now);
    const bool over = demand_.over(now);
    if (over && worker_.result().sending_ended == MonoTime{}) worker_.result().sending_ended = now;
    if (worker_.stopped() || (over && outstanding_.empty())) {
      finished_ = true;
      return;
    }
    for (const Ready& ready : worker_.wait_until(now, next_wake(now))) {
      const auto slot = static_cast<std::uint32_t>(ready.tag);
      if (ready.tag == Worker::kWakerTag || slot >= conversations_.size()) continue;
      Conversation& conversation = conversations_[slot];
      if (!conversation.socket.is_open() || ready.tag >> 32U != conversation.generation) continue;
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
    Descriptor socket;
    const MonoTime sent = mono_now();
    int error = open_socket(kProtocol, worker_.peer().family(), socket);
    if (error == 0) error = apply(plan_.socket, kProtocol, socket);
    if (error == 0 && !worker_.result().buffers) worker_.result().buffers = buffer_sizes(socket);
    if (error == 0) error = start_connect(socket, worker_.peer());
    ++worker_.result().send_calls;
    const bool answered_by_network =
        error == ECONNREFUSED || error == ECONNRESET || error == ETIMEDOUT;
    if (error != 0 && error != EINPROGRESS && !answered_by_network) {
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
    const std::uint32_t slot = outstanding_.add(request);
    if (slot >= conversations_.size()) conversations_.resize(slot + 1);
    worker_.recorder().on_sent(due.measured, due.intended, sent, 0);
    Conversation& conversation = conversations_[slot];
    conversation.socket = std::move(socket);
    ++conversation.generation;
    conversation.connecting = kProtocol == Protocol::tcp;
    conversation.stream = {};
    if (answered_by_network) {
      fail(slot, error_kind_of(error));
      return true;
    }
    const int watched = worker_.poller().add(conversation.socket.get(), tag_of(slot),
                                             !conversation.connecting, conversation.connecting);
    if (watched != 0)
      fail(slot, error_kind_of(watched));
    else if (kProtocol == Protocol::udp)
      send_request(slot);
    return true;
  }

  [[nodiscard]] std::uint64_t tag_of(std::uint32_t slot) const {
    return std::uint64_t{conversations_[slot].generation} << 32U | slot;
  }

  // --- going on ----------------------------------------------------------------------------
  void on_ready(std::uint32_t slot, const Ready& ready) {
    Conversation& conversation = conversations_[slot];
    if (conversation.connecting) {
      if (const int error = socket_error(conversation.socket); error != 0) {
        fail(slot, error_kind_of(error));
        return;
      }
      if (ready.writable) established(slot);
      return;
    }
    if (ready.writable && !conversation.message.empty()) {
      send_rest(slot);
      if (!conversations_[slot].socket.is_open()) return;
    }
    if (ready.readable || ready.failed) receive(slot);
  }

  void established(std::uint32_t slot) {
    const OutstandingRequest& request = outstanding_.at(slot);
    const MonoTime now = mono_now();
    worker_.recorder().on_connected(request.measured, request.intended, now);
    conversations_[slot].connecting = false;
    if constexpr (kConnectOnly) {
      ++worker_.recorder().of(request.measured).counters.completed;
      end(slot, now);
    } else {
      send_request(slot);
      if (conversations_[slot].socket.is_open() && conversations_[slot].message.empty())
        (void)worker_.poller().change(conversations_[slot].socket.get(), tag_of(slot), true, false);
    }
  }

  void send_request(std::uint32_t slot) {
    const OutstandingRequest& request = outstanding_.at(slot);
    Conversation& conversation = conversations_[slot];
    const std::span<const std::byte> message = exchange_.encode(
        Outgoing{worker_.flow_number(request.flow), slot, request.sequence, request.bytes});
    outstanding_.at(slot).bytes = static_cast<std::uint32_t>(message.size());
    conversation.message.clear();
    conversation.message_sent = 0;
    ++worker_.result().send_calls;
    const ssize_t n =
        ::send(conversation.socket.get(), message.data(), message.size(), MSG_NOSIGNAL);
    if (n == static_cast<ssize_t>(message.size())) {
      worker_.recorder().of(request.measured).counters.bytes_sent += message.size();
    } else if (n >= 0 || errno == EAGAIN) {
      conversation.message.assign(message.begin(), message.end());
      conversation.message_sent = n > 0 ? static_cast<std::size_t>(n) : 0;
      (void)worker_.poller().change(conversation.socket.get(), tag_of(slot), true, true);
    } else {
      fail(slot, error_kind_of(errno));
    }
  }

  void send_rest(std::uint32_t slot) {
    Conversation& conversation = conversations_[slot];
    const auto rest =
        std::span<const std::byte>(conversation.message).subspan(conversation.message_sent);
    ++worker_.result().send_calls;
    const ssize_t n = ::send(conversation.socket.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN) {
      fail(slot, error_kind_of(errno));
      return;
    }
    if (n > 0) conversation.message_sent += static_cast<std::size_t>(n);
    if (conversation.message_sent < conversation.message.size()) return;
    worker_.recorder().of(outstanding_.at(slot).measured).counters.bytes_sent +=
        conversation.message.size();
    conversation.message.clear();
    (void)worker_.poller().change(conversation.socket.get(), tag_of(slot), true, false);
  }

  void receive(std::uint32_t slot) {
    Conversation& conversation = conversations_[slot];
    const ssize_t n = ::recv(conversation.socket.get(), buffer_.data(), buffer_.size(), 0);
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
    close(slot);
    if (!demand_.open_loop()) resting_.add(flow, mono_now());
  }

  void end(std::uint32_t slot, MonoTime now) {
    const std::uint32_t flow = outstanding_.at(slot).flow;
    close(slot);
    if (!demand_.open_loop()) again_.push_back(Again{now, flow});
  }

  void close(std::uint32_t slot) {
    if constexpr (kProtocol == Protocol::tcp)
      close_by_reset(conversations_[slot].socket);
    else
      conversations_[slot].socket.close();
    outstanding_.remove(slot);
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
  std::vector<std::uint64_t> next_sequence_;  // by flow
  Demand demand_;
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
