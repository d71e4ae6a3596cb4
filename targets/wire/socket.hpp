// Sockets: descriptors that close themselves, and the few things both ends do with them.
// Functions that can fail at run time return an errno value (0: done); nothing here throws but
// resolve() and the functions that say so.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reports/measure/time.hpp"
#include "targets/wire/address.hpp"
#include "targets/wire/endpoint.hpp"

namespace volley {

// Owns a descriptor; closes it at the end of its life.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      close();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { close(); }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }
  void close();

 private:
  int fd_ = -1;
};

// What users may set on a socket; empty: leave it to the kernel (buffers: as large as it grants).
struct SocketOptions {
  std::optional<std::uint64_t> rcvbuf_bytes;
  std::optional<std::uint64_t> sndbuf_bytes;
  bool nodelay = true;                             // TCP_NODELAY
  std::string congestion;                          // TCP_CONGESTION
  std::optional<unsigned> dscp;                    // 0..63
  std::optional<std::uint64_t> pacing_bits_per_s;  // SO_MAX_PACING_RATE (tcp)
};

// Which address families a name may resolve to.
enum class Family : std::uint8_t { any, v4, v6 };

// Non-blocking, close-on-exec socket of the address's family. errno on failure.
[[nodiscard]] int open_socket(Protocol protocol, int family, Descriptor& into);
// Makes a call that does not ask for MSG_DONTWAIT wait for input, at most `patience` (rounded up to
// the kernel's tick). errno.
[[nodiscard]] int let_receive_wait(const Descriptor& socket, Nanos patience);
// Applies the options; buffer sizes are capped by the kernel in silence, see buffer_sizes().
// Returns an errno value (an unknown congestion control: ENOENT).
[[nodiscard]] int apply(const SocketOptions& options, Protocol protocol, const Descriptor& socket);

struct BufferSizes {
  std::uint64_t receive_bytes = 0;  // effective payload space: half of what the kernel reports
  std::uint64_t send_bytes = 0;
};
[[nodiscard]] BufferSizes buffer_sizes(const Descriptor& socket);

// Asks for close with RST instead of FIN: no TIME_WAIT on our side, unread data is discarded.
void close_by_reset(Descriptor& socket);

// Gives a socket without a peer its local address; the port is chosen when it connects, so that
// every address and peer have all ports (IP_BIND_ADDRESS_NO_PORT). errno.
[[nodiscard]] int bind_source(const Descriptor& socket, const Address& source);
// Another one, after disconnect(). errno.
[[nodiscard]] int change_source(const Descriptor& socket, const Address& source);

// Starts a connection (or fixes a UDP peer). 0: connected; EINPROGRESS: wait until writable, then
// socket_error(); anything else: failed.
[[nodiscard]] int start_connect(const Descriptor& socket, const Address& peer);
// Takes the peer away again, so that the socket can be connected anew, from another port. TCP: the
// connection ends by RST, as with close_by_reset(). errno.
[[nodiscard]] int disconnect(const Descriptor& socket);
// SO_ERROR: the pending error of the socket, cleared by reading it.
[[nodiscard]] int socket_error(const Descriptor& socket);
[[nodiscard]] Address local_address(const Descriptor& socket);
[[nodiscard]] Address peer_address(const Descriptor& socket);

struct BindOptions {
  bool reuse_port = false;  // share the port with the other threads of one target
  int backlog = 4096;       // tcp
  bool v6_only = false;     // an IPv6 wildcard leaves IPv4 to others
};
// Tells whether the port is free, by binding a socket of its own that shares with nobody, and
// closing it again. Call it once before the listeners of one target share the port (reuse_port),
// which alone would let another process's target join in silence. Port 0 is always free. errno.
[[nodiscard]] int probe_port(Protocol protocol, const Address& where,
                             const BindOptions& options = {});
// Opens, binds and (tcp) listens. An IPv6 wildcard takes IPv4 too unless `v6_only`. errno.
[[nodiscard]] int open_listener(Protocol protocol, const Address& where, const BindOptions& options,
                                Descriptor& into);

// All addresses of a host, in the resolver's order, with the port set. A literal address needs no
// resolver. Throws RunError{"unresolvable", "resolve"} when there is none, with the resolver's
// words.
[[nodiscard]] std::vector<Address> resolve(const HostPort& where, Family family = Family::any);

// "connection refused", "address already in use": strerror without its capital.
[[nodiscard]] std::string error_text(int errno_value);

}  // namespace volley
