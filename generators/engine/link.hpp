// A link is one way to carry the messages of a flow: udp or tcp. A flow is one conversation, with
// its own numbers and its own sockets. Links send and read; what the bytes mean is the exchange's
// business, what follows from it the workload's.
#pragma once

#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <vector>

#include "generators/engine/demand.hpp"
#include "generators/engine/exchange.hpp"
#include "generators/engine/worker.hpp"
#include "reports/measure/sequence.hpp"
#include "targets/wire/datagrams.hpp"
#include "targets/wire/socket.hpp"

namespace volley {

struct Flow {
  Descriptor socket;
  std::uint32_t index = 0;   // within the thread
  std::uint32_t number = 0;  // within the run
  bool dead = false;
  bool blocked = false;      // the socket took no more; waiting until it is writable
  std::uint64_t cookie = 0;  // udp: proof of our address, from the target
  std::uint64_t next_sequence = 0;
  std::uint64_t first_measured = ~std::uint64_t{0};  // lower numbers are warm-up
  std::deque<Due> waiting;                           // due, not sent yet
  SequenceTracker arrived;  // which requests have been answered or have failed
  // Unnamed answers: whether the last request was lost and its answer may still come.
  bool last_lost = false;
  bool last_measured = false;
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

// A receive call takes what has come, or waits for something to come (let_receive_wait).
enum class Reading : std::uint8_t { takes, waits };

struct UdpLink {
  static constexpr Protocol kProtocol = Protocol::udp;
  static constexpr std::size_t kSlots = 32;

  explicit UdpLink(Worker& worker)
      : worker_(worker), batch_(kSlots, kMostDatagramBytes + 1, false) {}

  // Opens the flow's socket and connects it to the peer. errno.
  [[nodiscard]] int open(Flow& flow);
  [[nodiscard]] SendResult send(Flow& flow, std::span<const std::byte> message);
  // Reads what is there (or waits for one datagram). on_datagram(bytes) for each; on_error(errno)
  // for what the socket reports.
  template <class OnDatagram, class OnError>
  void receive(Flow& flow, Reading reading, std::size_t in_flight, OnDatagram&& on_datagram,
               OnError&& on_error) {
    // With one answer to come, one call reads it; level-triggered polling tells of any more.
    const std::size_t most = in_flight <= 1 ? 1 : kSlots;
    for (;;) {
      const int n = reading == Reading::waits ? batch_.await(flow.socket, most)
                                              : batch_.receive(flow.socket, most);
      ++worker_.result().receive_calls;
      if (n < 0) {
        if (n != -EAGAIN && n != -EINTR) on_error(-n);
        return;
      }
      for (int i = 0; i < n; ++i) on_datagram(batch_.at(static_cast<std::size_t>(i)).bytes);
      if (static_cast<std::size_t>(n) < kSlots) return;
    }
  }

 private:
  Worker& worker_;
  ReceiveBatch batch_;
};

struct TcpLink {
  static constexpr Protocol kProtocol = Protocol::tcp;

  explicit TcpLink(Worker& worker) : worker_(worker), buffer_(kReadBytes) {}

  // Connects, waiting until the connection stands or the plan's timeout is over. errno.
  [[nodiscard]] int open(Flow& flow);
  [[nodiscard]] SendResult send(Flow& flow, std::span<const std::byte> message);
  // Sends on what is left of a message taken in part. blocked: still not all.
  [[nodiscard]] SendResult send_rest(Flow& flow);
  // One read, which may wait. on_bytes(bytes); on_end(kind) when the peer closed or the connection
  // failed.
  template <class OnBytes, class OnEnd>
  void receive(Flow& flow, Reading reading, OnBytes&& on_bytes, OnEnd&& on_end) {
    const ssize_t n = ::recv(flow.socket.get(), buffer_.data(), buffer_.size(),
                             reading == Reading::waits ? 0 : MSG_DONTWAIT);
    ++worker_.result().receive_calls;
    if (n > 0)
      on_bytes(std::span<const std::byte>(buffer_).first(static_cast<std::size_t>(n)));
    else if (n == 0)
      on_end(ErrorKind::closed);
    else if (errno != EAGAIN && errno != EINTR)
      on_end(error_kind_of(errno));
  }

 private:
  static constexpr std::size_t kReadBytes = std::size_t{256} << 10U;
  Worker& worker_;
  std::vector<std::byte> buffer_;
};

// What the flows of a finished worker cost and lost, into its result.
void take_socket_figures(Worker& worker, std::span<Flow> flows);

}  // namespace volley
