#include "generators/engine/link.hpp"

#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <poll.h>

#include <array>

namespace volley {
namespace {

// Said with each call, because a socket whose receive calls wait is a blocking one.
constexpr int kSendFlags = MSG_NOSIGNAL | MSG_DONTWAIT;

// The way a socket is made and prepared, whatever the protocol.
int open_prepared(Worker& worker, Protocol protocol, Flow& flow) {
  int error = open_socket(protocol, worker.peer().family(), flow.socket);
  if (error == 0) error = apply(worker.plan().socket, protocol, flow.socket);
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

int UdpLink::open(Flow& flow) {
  const int error = open_prepared(worker_, kProtocol, flow);
  return error != 0 ? error : start_connect(flow.socket, worker_.peer());
}

SendResult UdpLink::send(Flow& flow, std::span<const std::byte> message) {
  ++worker_.result().send_calls;
  return result_of(::send(flow.socket.get(), message.data(), message.size(), kSendFlags),
                   message.size());
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

SendResult TcpLink::send(Flow& flow, std::span<const std::byte> message) {
  ++worker_.result().send_calls;
  const ssize_t n = ::send(flow.socket.get(), message.data(), message.size(), kSendFlags);
  if (n < 0 || n == static_cast<ssize_t>(message.size())) return result_of(n, message.size());
  const auto rest = message.subspan(static_cast<std::size_t>(n));
  flow.unsent.assign(rest.begin(), rest.end());
  return {Sent::whole, 0};
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
    if (!flow.socket.is_open()) continue;
    if (worker.plan().protocol == Protocol::udp) {
      std::array<std::uint32_t, SK_MEMINFO_VARS> figures{};
      socklen_t size = sizeof figures;
      if (getsockopt(flow.socket.get(), SOL_SOCKET, SO_MEMINFO, figures.data(), &size) == 0)
        worker.result().socket_drops += figures[SK_MEMINFO_DROPS];
    } else {
      tcp_info info{};
      socklen_t size = sizeof info;
      if (getsockopt(flow.socket.get(), IPPROTO_TCP, TCP_INFO, &info, &size) == 0)
        worker.result().retransmits += info.tcpi_total_retrans;
    }
  }
}

}  // namespace volley
