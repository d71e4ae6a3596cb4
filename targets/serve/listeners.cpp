#include "targets/serve/listeners.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <cerrno>

#include "reports/measure/ensure.hpp"
#include "targets/serve/datagram_needs.hpp"
#include "targets/wire/datagrams.hpp"

namespace volley {
namespace {

constexpr int kPortTries = 64;

std::string advice(int error, Protocol protocol, std::uint16_t port) {
  switch (error) {
    case EADDRINUSE:
      return fmt::format(
          "stop the program that has it (ss -l{}np 'sport = :{}' shows it) or choose another port "
          "(port 0 picks a free one)",
          protocol == Protocol::udp ? 'u' : 't', port);
    case EACCES:
    case EPERM:
      return "ports below 1024 belong to root; use a port from 1024 on, or grant "
             "CAP_NET_BIND_SERVICE";
    case EADDRNOTAVAIL:
      return "this machine has no such address; `ip address` lists those it has, 0.0.0.0 and [::] "
             "stand for all of them";
    case EMFILE:
    case ENFILE:
      return "raise the limit of open files (ulimit -n) or use fewer --threads";
    default:
      return "check the address and the limits of this machine (volley doctor)";
  }
}

std::string code_of(int error) {
  switch (error) {
    case EADDRINUSE:
      return "address_in_use";
    case EACCES:
    case EPERM:
      return "permission";
    case EADDRNOTAVAIL:
      return "address_not_available";
    case EMFILE:
    case ENFILE:
      return "too_many_files";
    default:
      return "bind";
  }
}

[[noreturn]] void refuse(int error, Protocol protocol, const Address& where) {
  throw RunError(code_of(error), "setup",
                 fmt::format("--listen {}: cannot listen on {}: {} (errno {}); {}", where.text(),
                             to_string(protocol), error_text(error), error,
                             advice(error, protocol, where.port())));
}

int prepare(Protocol protocol, const Address& where, const ServeOptions& o,
            const Descriptor& socket) {
  // Accepted connections inherit what is set on their listener.
  if (const int error = apply(SocketOptions{}, protocol, socket)) return error;
  if (protocol == Protocol::tcp) return 0;
  if (o.offload != Offload::off) {
    const bool can = can_divide(socket) && join_datagrams(socket) == 0;
    if (!can && o.offload == Offload::on) {
      throw RunError("offload", "setup",
                     "--offload on: this kernel does not divide and join datagrams [UDP_SEGMENT, "
                     "UDP_GRO: Linux 5.0 or later]; use --offload auto or off");
    }
  }
  const DatagramNeeds needs = needs_of(o, where);
  if (needs.local)
    if (const int error = tell_local_address(socket, where.family())) return error;
  return needs.ttl ? tell_ttl(socket, where.family()) : 0;
}

// The sockets of all threads for one address. The first takes the port for itself and then allows
// the others to join. Port 0 in `where` becomes the port that was picked.
int open_set(Protocol protocol, Address& where, const ServeOptions& o, bool v6_only,
             std::vector<Descriptor>& into) {
  BindOptions bind{.reuse_port = false, .backlog = o.backlog, .v6_only = v6_only};
  for (unsigned thread = 0; thread < o.threads; ++thread) {
    Descriptor socket;
    if (const int error = open_listener(protocol, where, bind, socket)) return error;
    if (thread == 0 && o.threads > 1) {
      const int on = 1;
      if (setsockopt(socket.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) return errno;
      bind.reuse_port = true;
    }
    if (const int error = prepare(protocol, where, o, socket)) return error;
    if (thread == 0) where.set_port(local_address(socket).port());
    into.push_back(std::move(socket));
  }
  return 0;
}

class Binder {
 public:
  Binder(const ServeOptions& options, BoundTarget& target) : options_(options), target_(target) {}

  void bind(const HostPort& listen) {
    const Address wanted = resolve(listen).front();
    const bool v6_only = options_.listen.size() > 1;
    // Port 0 with both protocols: TCP picks a number, and somebody may have it for UDP.
    for (int attempt = 1;; ++attempt) {
      Address where = wanted;
      std::vector<Descriptor> tcp;
      std::vector<Descriptor> udp;
      if (serves(options_.kind, Protocol::tcp)) {
        const int error = open_set(Protocol::tcp, where, options_, v6_only, tcp);
        if (error != 0) refuse(error, Protocol::tcp, where);
      }
      if (serves(options_.kind, Protocol::udp)) {
        const int error = open_set(Protocol::udp, where, options_, v6_only, udp);
        if (error == EADDRINUSE && wanted.port() == 0 && attempt < kPortTries) continue;
        if (error != 0) refuse(error, Protocol::udp, where);
      }
      take(where, std::move(udp), std::move(tcp));
      return;
    }
  }

 private:
  void take(const Address& where, std::vector<Descriptor> udp, std::vector<Descriptor> tcp) {
    target_.addresses.push_back(where);
    if (!udp.empty()) target_.listening.push_back("udp://" + where.text());
    if (!tcp.empty()) target_.listening.push_back("tcp://" + where.text());
    for (std::size_t thread = 0; thread < target_.threads.size(); ++thread) {
      ThreadSockets& sockets = target_.threads[thread];
      if (!udp.empty()) sockets.udp.push_back(std::move(udp[thread]));
      if (!tcp.empty()) sockets.tcp.push_back(std::move(tcp[thread]));
    }
  }

  const ServeOptions& options_;
  BoundTarget& target_;
};

// What makes more of an answer than there was of the question is for friends only.
void check_exposure(const ServeOptions& o, const BoundTarget& target) {
  if (o.open) return;
  for (const Address& address : target.addresses) {
    if (address.is_loopback()) continue;
    const auto refuse_option = [&](bool used, std::string_view option) {
      if (!used) return;
      throw UsageError(fmt::format(
          "{}: makes answers larger than their cause, which strangers could aim at others "
          "(listening on {}); listen on 127.0.0.1, or add --open where only friends can reach it",
          option, address.text()));
    };
    refuse_option(o.behaviour.duplicate_ratio > 0, "--duplicate");
    refuse_option(!o.reply_prefix.empty(), "--reply-prefix");
  }
}

}  // namespace

BoundTarget bind_target(const ServeOptions& options) {
  BoundTarget target;
  target.threads.resize(options.threads);
  Binder binder(options, target);
  if (options.listen.empty()) {
    binder.bind({.host = ServeOptions::kDefaultHost, .port = kDefaultPort});
  }
  for (const HostPort& listen : options.listen) binder.bind(listen);
  check_exposure(options, target);
  return target;
}

}  // namespace volley
