#include "generators/engine/link.hpp"

#include <poll.h>

#include "targets/wire/stamps.hpp"

namespace volley {
namespace {

// Said with each call, because a socket whose receive calls wait is a blocking one.
constexpr int kSendFlags = MSG_NOSIGNAL | MSG_DONTWAIT;

// The way a socket is made and prepared, whatever the protocol.
int open_prepared(Worker& worker, Protocol protocol, Flow& flow) {
  int error = open_socket(protocol, worker.peer().family(), flow.socket);
  if (error == 0) error = apply(worker.plan().socket, protocol, flow.socket);
  if (error == 0 && worker.plan().source)
    error = bind_source(flow.socket, worker.plan().source->at(flow.number));
  if (error == 0 && !worker.result().buffers) worker.result().buffers = buffer_sizes(flow.socket);
  return error;
}

SendResult result_of(ssize_t sent, std::size_t wanted) {
  if (sent == static_cast<ssize_t>(wanted)) return {Sent::whole, 0};
  if (sent >= 0) return {Sent::failed, EMSGSIZE};
  if (errno == EAGAIN || errno == EINTR) return {Sent::blocked, 0};
  return {Sent::failed, errno};
}

}  // namespace

UdpLink::UdpLink(Worker& worker)
    : worker_(worker),
      batch_(kSlots, kMostDatagramBytes + 1,
             worker.plan().wants_offload() ? Details::segments : Details::none),
      out_(kMostInBatch) {}

int UdpLink::open(Flow& flow) {
  const int error = open_prepared(worker_, kProtocol, flow);
  if (error != 0) return error;
  batch_.assume_peer(worker_.peer());
  if (worker_.plan().wants_offload()) {
    divides_ = can_divide(flow.socket);
    const int unable = join_datagrams(flow.socket);
    joins_ = unable == 0;
    if (worker_.plan().offload == Offload::on && (!divides_ || !joins_))
      return unable != 0 ? unable : ENOPROTOOPT;
  }
  if (worker_.plan().stamps && stamp_both(flow.socket) == 0) {
    stamps_ = true;
    batch_.read_kernel_times();
  }
  return start_connect(flow.socket, worker_.peer());
}

SendResult UdpLink::send(Flow& flow, std::span<const std::byte> message) {
  ++worker_.result().send_calls;
  return result_of(::send(flow.socket.get(), message.data(), message.size(), kSendFlags),
                   message.size());
}

BatchResult UdpLink::send(Flow& flow, const MessageBatch& messages) {
  if (messages.count() == 1) {
    SendResult result = send(flow, messages.bytes());
    if (result.what == Sent::failed && result.error == ECONNREFUSED) {
      // The socket reported an earlier datagram's ICMP error; this one has not been tried yet.
      worker_.note_event(ErrorKind::refused, mono_now());
      result = send(flow, messages.bytes());
    }
    return {result.what == Sent::whole ? 1U : 0U, result.what, result.error};
  }
  return send_several(flow, messages, std::nullopt);
}

BatchResult UdpLink::send_stamped(Flow& flow, const MessageBatch& messages, std::uint32_t stamped) {
  return stamps_ ? send_several(flow, messages, stamped) : send(flow, messages);
}

BatchResult UdpLink::send_several(Flow& flow, const MessageBatch& messages,
                                  std::optional<std::uint32_t> stamped) {
  if (divides_ && messages.count() > 1 && messages.is_even()) {
    const BatchResult result = send_divided(flow, messages, stamped);
    if (result.what != Sent::failed || !refuses_division(result.error)) return result;
    divides_ = false;
    worker_.result().offload.refused = result.error;
  }
  return send_each(flow, messages, stamped);
}

BatchResult UdpLink::send_divided(Flow& flow, const MessageBatch& messages,
                                  std::optional<std::uint32_t> stamped) {
  out_.clear();
  out_.add(messages.bytes(), nullptr, nullptr, -1, messages.sizes().front());
  if (stamped) out_.stamp(0);
  ++worker_.result().send_calls;
  int n = out_.send(flow.socket);
  if (n == -ECONNREFUSED) {
    worker_.note_event(ErrorKind::refused, mono_now());
    ++worker_.result().send_calls;
    n = out_.send(flow.socket);
  }
  if (n == -EAGAIN || n == -EINTR) return {0, Sent::blocked, 0};
  if (n < 0) return {0, Sent::failed, -n};
  ++worker_.result().offload.divided_sends;
  worker_.result().offload.divided_datagrams += messages.count();
  return {messages.count(), Sent::whole, 0};
}

// A call that stops in the middle keeps the reason to itself; the next one tells it.
BatchResult UdpLink::send_each(Flow& flow, const MessageBatch& messages,
                               std::optional<std::uint32_t> stamped) {
  out_.clear();
  std::size_t at = 0;
  for (const std::uint32_t size : messages.sizes()) {
    out_.add(messages.bytes().subspan(at, size));
    at += size;
  }
  if (stamped) out_.stamp(*stamped);
  std::uint32_t sent = 0;
  bool refused_just_now = false;
  while (sent < messages.count()) {
    ++worker_.result().send_calls;
    const int n = out_.send(flow.socket, sent);
    if (n == -ECONNREFUSED && !refused_just_now) {
      worker_.note_event(ErrorKind::refused, mono_now());
      refused_just_now = true;
      continue;
    }
    if (n == -EAGAIN || n == -EINTR) return {sent, Sent::blocked, 0};
    if (n <= 0) return {sent, Sent::failed, n == 0 ? EIO : -n};
    refused_just_now = false;
    sent += static_cast<std::uint32_t>(n);
  }
  return {sent, Sent::whole, 0};
}

int TcpLink::open(Flow& flow) {
  int error = open_prepared(worker_, kProtocol, flow);
  if (error == 0) error = start_connect(flow.socket, worker_.peer());
  if (error != EINPROGRESS) return error;
  const MonoTime deadline = mono_now() + worker_.plan().timeout;
  pollfd waiting{flow.socket.get(), POLLOUT, 0};
  while (!worker_.stopped()) {
    const Nanos left = deadline - mono_now();
    if (left <= Nanos(0)) return ETIMEDOUT;
    // In slices, so that an interrupted set-up ends soon.
    const auto slice = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::min<Nanos>(left, std::chrono::milliseconds(100)));
    if (::poll(&waiting, 1, static_cast<int>(slice.count()) + 1) > 0)
      return socket_error(flow.socket);
  }
  return ECANCELED;
}

BatchResult TcpLink::send(Flow& flow, const MessageBatch& messages) {
  const std::span<const std::byte> bytes = messages.bytes();
  ++worker_.result().send_calls;
  const ssize_t n = ::send(flow.socket.get(), bytes.data(), bytes.size(), kSendFlags);
  if (n == static_cast<ssize_t>(bytes.size())) return {messages.count(), Sent::whole, 0};
  if (n < 0) {
    const SendResult result = result_of(n, bytes.size());
    return {0, result.what, result.error};
  }
  std::size_t begin = 0;  // of the message that was cut
  std::uint32_t sent = 0;
  const auto taken = static_cast<std::size_t>(n);
  while (begin + messages.sizes()[sent] <= taken) begin += messages.sizes()[sent++];
  if (begin < taken) {
    const auto rest = bytes.subspan(taken, begin + messages.sizes()[sent] - taken);
    flow.unsent.assign(rest.begin(), rest.end());
    ++sent;
  }
  return {sent, Sent::blocked, 0};
}

SendResult TcpLink::send_rest(Flow& flow) {
  while (!flow.unsent.empty()) {
    ++worker_.result().send_calls;
    const ssize_t n = ::send(flow.socket.get(), flow.unsent.data(), flow.unsent.size(), kSendFlags);
    if (n < 0) return result_of(n, flow.unsent.size());
    flow.unsent.erase(flow.unsent.begin(), flow.unsent.begin() + n);
  }
  return {Sent::whole, 0};
}

void take_socket_figures(Worker& worker, std::span<Flow> flows) {
  for (Flow& flow : flows) {
    if (flow.dead) ++worker.result().flows_dead;
    if (flow.socket.is_open()) take_socket_figures(worker, flow.socket);
  }
}

void take_socket_figures(Worker& worker, const Descriptor& socket) {
  if (worker.plan().protocol == Protocol::udp)
    worker.result().socket_drops += dropped_datagrams(socket).value_or(0);
}

}  // namespace volley
