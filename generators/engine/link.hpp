// A link is one way to carry the messages of a flow: udp or tcp. A flow is one conversation, with
// its own numbers and its own sockets. Links send and read; what the bytes mean is the exchange's
// business, what follows from it the workload's.
#pragma once

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "generators/engine/demand.hpp"
#include "generators/engine/exchange.hpp"
#include "generators/engine/message_batch.hpp"
#include "generators/engine/worker.hpp"
#include "reports/measure/reordering.hpp"
#include "targets/wire/datagrams.hpp"
#include "targets/wire/socket.hpp"
#include "targets/wire/tuning.hpp"

namespace volley {

struct Flow {
  Descriptor socket;
  std::uint32_t index = 0;   // within the thread
  std::uint32_t number = 0;  // within the run
  bool dead = false;
  bool blocked = false;      // the socket took no more; waiting until it is writable
  bool told_once = false;    // Poller::tell_once
  std::uint64_t cookie = 0;  // udp: proof of our address, from the target
  std::uint64_t next_sequence = 0;
  std::uint64_t first_measured = ~std::uint64_t{0};  // lower numbers are warm-up
  std::deque<Due> waiting;                           // due, not sent yet
  ArrivalTracker arrived;      // which requests have been answered or have failed
  VariationTracker variation;  // udp: of the round trips of those answered in time
  // Unnamed answers: whether the last request was lost and its answer may still come.
  bool last_lost = false;
  bool last_measured = false;
  std::uint32_t stamps_asked = 0;  // udp: sends whose time the kernel was asked for
  // tcp
  StreamState stream;
  std::vector<std::byte> unsent;  // the rest of a message that the socket took in part
};

enum class Sent : std::uint8_t {
  whole,    // handed to the kernel, or the rest of it is in Flow::unsent
  blocked,  // nothing went out; try again when writable
  failed,
};
struct SendResult {
  Sent what = Sent::whole;
  int error = 0;  // errno, when failed
};
// What became of a batch: the first `sent` messages went out, and what happened to the next one.
// whole: there is none.
struct BatchResult {
  std::uint32_t sent = 0;
  Sent what = Sent::whole;
  int error = 0;  // errno, when failed
};

// A receive call takes what has come, or waits for something to come (let_receive_wait), or is made
// up to `looks` times until something has come.
struct Reading {
  bool waits = false;
  unsigned looks = 1;
};

class UdpLink {
 public:
  static constexpr Protocol kProtocol = Protocol::udp;
  static constexpr std::size_t kSlots = 32;

  explicit UdpLink(Worker& worker);

  // Opens the flow's socket and connects it to the peer. errno.
  [[nodiscard]] int open(Flow& flow);
  [[nodiscard]] SendResult send(Flow& flow, std::span<const std::byte> message);
  // One call for all of them, where the kernel takes them all. An ICMP error of an earlier datagram
  // is a socket event, and no reason to stop.
  [[nodiscard]] BatchResult send(Flow& flow, const MessageBatch& messages);
  // The same; the kernel is asked when the message `stamped` leaves (what is divided leaves at one
  // time), if the plan says so.
  [[nodiscard]] BatchResult send_stamped(Flow& flow, const MessageBatch& messages,
                                         std::uint32_t stamped);
  // Whether it is asked.
  [[nodiscard]] bool stamps() const { return stamps_; }
  // Reads what is there, of `in_flight` datagrams that can be (or waits for the first).
  // on_datagrams(received, when): one, or several that the kernel has joined; `when` is shared by
  // what came with one call. on_error(errno) for what the socket reports.
  template <class OnDatagrams, class OnError>
  void receive(Flow& flow, Reading reading, std::size_t in_flight, OnDatagrams&& on_datagrams,
               OnError&& on_error) {
    // With one answer to come, one call reads it; level-triggered polling tells of any more. Where
    // answers came joined of late, each slot will hold many.
    const std::size_t most =
        std::clamp<std::size_t>(come_joined_ ? in_flight / kMostSegments : in_flight, 1, kSlots);
    std::size_t got = 0;
    for (int round = 0; round < kMostRounds; ++round) {
      const auto [n, calls] = call(flow, round == 0 ? reading : Reading{}, most);
      worker_.result().receive_calls += calls;
      if (n < 0) {
        if (n != -EAGAIN && n != -EINTR) on_error(-n);
        return;
      }
      const MonoTime when = n > 0 ? mono_now() : MonoTime{};
      for (int i = 0; i < n; ++i) {
        const Received received = batch_.at(static_cast<std::size_t>(i));
        got += count(received);
        on_datagrams(received, when);
      }
      if (static_cast<std::size_t>(n) < most || got >= in_flight) return;
    }
  }

 private:
  // Reads of one flow before the others get their turn.
  static constexpr int kMostRounds = 16;

  [[nodiscard]] ReceiveBatch::Looked call(Flow& flow, Reading reading, std::size_t most) {
    if (reading.waits) return {batch_.await(flow.socket, most), 1};
    if (most == 1) return batch_.look(flow.socket, reading.looks);
    int n = 0;
    unsigned calls = 0;
    do {
      n = batch_.receive(flow.socket, most);
    } while (++calls < reading.looks && n == 0);
    return {n, calls};
  }

  // Datagrams in a slot.
  std::size_t count(const Received& received) {
    come_joined_ = received.segment_bytes != 0;
    if (!come_joined_) return 1;
    const std::size_t n =
        (received.bytes.size() + received.segment_bytes - 1) / received.segment_bytes;
    ++worker_.result().offload.joined_receives;
    worker_.result().offload.joined_datagrams += n;
    return n;
  }
  [[nodiscard]] BatchResult send_several(Flow& flow, const MessageBatch& messages,
                                         std::optional<std::uint32_t> stamped);
  [[nodiscard]] BatchResult send_divided(Flow& flow, const MessageBatch& messages,
                                         std::optional<std::uint32_t> stamped);
  [[nodiscard]] BatchResult send_each(Flow& flow, const MessageBatch& messages,
                                      std::optional<std::uint32_t> stamped);

  Worker& worker_;
  ReceiveBatch batch_;
  SendBatch out_;
  bool divides_ = false;      // UDP_SEGMENT
  bool joins_ = false;        // UDP_GRO
  bool come_joined_ = false;  // the last slot held several datagrams
  bool stamps_ = false;       // SO_TIMESTAMPING
};

class TcpLink {
 public:
  static constexpr Protocol kProtocol = Protocol::tcp;
  static constexpr std::size_t kReadBytes = std::size_t{256} << 10U;  // the most of one receive()

  explicit TcpLink(Worker& worker) : worker_(worker), buffer_(kReadBytes) {}

  // Connects, waiting until the connection stands or the plan's timeout is over. errno.
  [[nodiscard]] int open(Flow& flow);
  // All messages with one call. What the socket took of the last one is continued by send_rest();
  // the messages behind it have not been sent.
  [[nodiscard]] BatchResult send(Flow& flow, const MessageBatch& messages);
  // The kernel says when it sent some bytes of a stream, not when it sent a request.
  [[nodiscard]] BatchResult send_stamped(Flow& flow, const MessageBatch& messages,
                                         std::uint32_t /*stamped*/) {
    return send(flow, messages);
  }
  [[nodiscard]] static bool stamps() { return false; }
  // Sends on what is left of a message taken in part. blocked: still not all.
  [[nodiscard]] SendResult send_rest(Flow& flow);
  // One read, which may wait. on_bytes(bytes); on_end(kind) when the peer closed or the connection
  // failed. Whether the read was full, so that more may lie there.
  template <class OnBytes, class OnEnd>
  bool receive(Flow& flow, Reading reading, OnBytes&& on_bytes, OnEnd&& on_end) {
    const int flags = reading.waits ? 0 : MSG_DONTWAIT;
    ssize_t n = -1;
    unsigned calls = 0;
    do {
      // The segment that is looked for needs the lock that a look takes: 1.5 % of the round trips.
      if (calls != 0) leave_a_gap();
      n = ::recv(flow.socket.get(), buffer_.data(), buffer_.size(), flags);
    } while (++calls < reading.looks && n < 0 && errno == EAGAIN);
    worker_.result().receive_calls += calls;
    if (n > 0)
      on_bytes(std::span<const std::byte>(buffer_).first(static_cast<std::size_t>(n)));
    else if (n == 0)
      on_end(ErrorKind::closed);
    else if (errno != EAGAIN && errno != EINTR)
      on_end(error_kind_of(errno));
    return n == static_cast<ssize_t>(buffer_.size());
  }

 private:
  Worker& worker_;
  std::vector<std::byte> buffer_;
};

// What the flows of a finished worker cost and lost, into its result.
void take_socket_figures(Worker& worker, std::span<Flow> flows);
// The same of one open socket.
void take_socket_figures(Worker& worker, const Descriptor& socket);

}  // namespace volley
