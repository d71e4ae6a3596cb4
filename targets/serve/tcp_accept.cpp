// How TCP connections come to a thread: its listeners, the pause when descriptors run out, the
// dealing among the threads.
#include <sys/socket.h>

#include <cerrno>

#include "reports/measure/ensure.hpp"
#include "targets/serve/tcp_service.hpp"

namespace volley {
namespace {

constexpr std::uint32_t kGenerations = 0xFFFFFFU;  // what a tag has room for

bool wants_more_descriptors(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

void TcpService::add_listener(Descriptor listener) {
  const auto index = static_cast<std::uint32_t>(listeners_.size());
  const int error =
      context_.poller.add(listener.get(), make_tag(TagKind::listener, index), true, false);
  if (error != 0) {
    throw RunError("too_many_files", "setup",
                   "tcp listener: cannot be waited on: " + error_text(error));
  }
  listeners_.push_back(std::move(listener));
}

void TcpService::on_listener(std::uint32_t index, MonoTime now) {
  const Descriptor& listener = listeners_[index];
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    auto* raw = reinterpret_cast<sockaddr*>(&storage);
    Descriptor accepted(accept4(listener.get(), raw, &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (accepted.is_open()) {
      deal(std::move(accepted), Address(raw, size), now);
      continue;
    }
    const int error = errno;
    if (error == EAGAIN) return;
    if (wants_more_descriptors(error)) {
      pause_accepting(error, now);
      return;
    }
    // A connection that died in the queue says so here; the next one is waiting behind it.
    if (error != ECONNABORTED && error != EINTR) ++context_.tcp.accept_errors;
  }
}

// The listener would stay readable and the loop would spin; peers wait in its backlog meanwhile.
void TcpService::pause_accepting(int error, MonoTime now) {
  ++context_.tcp.accept_errors;
  if (!context_.shared.descriptors_ran_out.exchange(true)) {
    context_.shared.note("accepting pauses: " + error_text(error) +
                         "; peers wait until connections close; raise ulimit -n for more");
  }
  for (std::size_t i = 0; i < listeners_.size(); ++i) {
    const auto tag = make_tag(TagKind::listener, static_cast<std::uint32_t>(i));
    ensure(context_.poller.change(listeners_[i].get(), tag, false, false) == 0,
           "an open listener can be paused");
  }
  accept_again_at_ = now + kAcceptPause;
}

void TcpService::resume_accepting() {
  accept_again_at_.reset();
  for (std::size_t i = 0; i < listeners_.size(); ++i) {
    const auto tag = make_tag(TagKind::listener, static_cast<std::uint32_t>(i));
    ensure(context_.poller.change(listeners_[i].get(), tag, true, false) == 0,
           "an open listener can be waited on again");
  }
}

// The thread that shall serve a connection; it is counted there.
unsigned TcpService::thread_for(const Descriptor& accepted) {
  TargetShared& shared = context_.shared;
  if (!shared.thread_on_cpu.empty()) {
    const auto cpu = incoming_cpu(accepted);
    if (cpu && *cpu < shared.thread_on_cpu.size() && shared.thread_on_cpu[*cpu]) {
      const unsigned local = *shared.thread_on_cpu[*cpu];
      shared.dealer.give(local);
      return local;
    }
  }
  return shared.dealer.deal(context_.thread);
}

// Takes a connection in, or gives it to the thread that shall serve it.
void TcpService::deal(Descriptor socket, const Address& peer, MonoTime now) {
  TargetShared& shared = context_.shared;
  const std::uint64_t most = context_.options.max_connections;
  if (shared.connections.fetch_add(1) >= most && most != 0) {
    shared.connections.fetch_sub(1);
    ++context_.tcp.refused;
    return;
  }
  const unsigned to = thread_for(socket);
  if (to == context_.thread) {
    adopt(std::move(socket), peer, now);
  } else {
    shared.hand_over(to, {.socket = std::move(socket), .peer = peer});
  }
}

void TcpService::adopt(Descriptor socket, const Address& peer, MonoTime now) {
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(connections_.size()));
    connections_.emplace_back();
  }
  const std::uint32_t index = free_.back();
  free_.pop_back();
  ++context_.tcp.accepted;
  connections_[index] = std::make_unique<Connection>();
  Connection& c = *connections_[index];
  c.socket = std::move(socket);
  c.peer = peer;
  c.index = index;
  c.generation = next_generation_++ & kGenerations;
  c.ordinal = next_ordinal_++;
  touch(c);
  if (context_.options.log_connections) context_.shared.console->connection(peer);
  if (context_.options.kind == TargetKind::tcp_source) arm_timer(c, now + kSourceGrace);
  // The first bytes have often come already, or the end: so the poller need not say so first.
  if (!read(c, now)) return;
  const auto tag = make_tag(TagKind::connection, index, c.generation);
  if (context_.poller.add(c.socket.get(), tag, c.reads, c.writes) != 0)
    fail(c, &TargetTcpCounters::accept_errors);
  else
    settle(c, now);
}

}  // namespace volley
