// Batches of datagrams: recvmmsg and sendmmsg over memory that is laid out once.
//
// A batch is an array of slots. Each slot carries a datagram's bytes, its peer, the local address
// it came to (so that an answer leaves from there: IP_PKTINFO) and its time to live.
//
// With offload a slot carries several datagrams of one size: the kernel divides what is sent so
// (UDP_SEGMENT), and joins what came so (UDP_GRO). Each way through the kernel's network code then
// serves up to kMostSegments datagrams.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "reports/measure/time.hpp"
#include "targets/wire/address.hpp"
#include "targets/wire/socket.hpp"

namespace volley {

// The local end of a received datagram.
struct LocalAddress {
  // Destination address of the datagram, port 0, in the family of the peer's address (IPv4-mapped
  // on an IPv6 socket). Invalid: unknown, or multicast, from which nobody may answer.
  Address address;
  unsigned interface = 0;  // index, needed for IPv6 link-local answers
};

inline constexpr std::size_t kMostSlots = 1024;  // what the kernel takes in one call
// What the kernel divides one message into, at most (UDP_MAX_SEGMENTS was 64 before Linux 6.9), and
// how many bytes it may have: the payload of the largest UDP datagram over IPv4.
inline constexpr std::size_t kMostSegments = 64;
inline constexpr std::size_t kMostSegmentedBytes = 65'507;

// What is read of a datagram beside its bytes and its peer. Each piece costs the kernel and the
// reader some 50 ns a call.
enum class Details : std::uint8_t {
  none,
  segments,  // Received::segment_bytes (the socket needs join_datagrams())
  all,  // that, and local address and ttl where the socket has tell_local_address(), tell_ttl()
};

struct Received {
  std::span<std::byte> bytes;  // inside the batch, valid until the next receive
  const Address* peer = nullptr;
  LocalAddress local;      // invalid: unknown
  int ttl = -1;            // time to live or hop limit as received; -1: unknown
  bool truncated = false;  // the datagram was larger than a slot
  // The kernel has joined several datagrams of this size each; only the last may be shorter. 0:
  // `bytes` is one datagram.
  std::size_t segment_bytes = 0;
  // When the kernel received it, by CLOCK_REALTIME, where the socket has stamp_received() and the
  // batch reads it (read_kernel_times); what came joined shares one time. 0: not known.
  Nanos kernel_time{0};
};

class ReceiveBatch {
 public:
  // `slots` slots a call, of at most `slot_bytes` each. Where datagrams may come joined
  // (join_datagrams()), a slot must hold 65,535 bytes.
  ReceiveBatch(std::size_t slots, std::size_t slot_bytes, Details details);
  ReceiveBatch(ReceiveBatch&&) noexcept;
  ReceiveBatch& operator=(ReceiveBatch&&) noexcept;
  ~ReceiveBatch();

  // One call that does not wait and takes at most `most` datagrams (at least 1; no more than there
  // are slots). Returns how many came (0: none waiting), or a negative errno value. With `most` 1
  // it is recvmsg, or without details recvfrom, which cost less than recvmmsg where one datagram is
  // all there is to come: a blocking round trip is 4 to 5 % shorter by it.
  [[nodiscard]] int receive(const Descriptor& socket, std::size_t most = kMostSlots);
  // Waits for a datagram, as long as the socket lets it (let_receive_wait), and takes what else has
  // come, up to `most`. How many; 0 when none came; or a negative errno value.
  [[nodiscard]] int await(const Descriptor& socket, std::size_t most);
  // For one that spins: receive(socket, 1), asked again at once while nothing has come, up to
  // `times` (at least 1). Nothing is done between the calls, since what comes then waits.
  struct Looked {
    int received = 0;    // what receive() returns
    unsigned calls = 0;  // that were made
  };
  [[nodiscard]] Looked look(const Descriptor& socket, unsigned times);
  [[nodiscard]] Received at(std::size_t i);
  // From now on all that comes is taken to come from `peer`, to which the socket is connected: the
  // kernel need not say so each time (0.1 us of a call).
  void assume_peer(const Address& peer);
  // From the next call on Received::kernel_time is read.
  void read_kernel_times();

 private:
  [[nodiscard]] int receive(const Descriptor& socket, std::size_t most, int flags);
  [[nodiscard]] int receive_one(const Descriptor& socket, int flags);
  [[nodiscard]] ssize_t call_for_one(const Descriptor& socket, int flags);

  struct Memory;
  std::unique_ptr<Memory> memory_;
};

// Datagrams to send with one sendmmsg call.
class SendBatch {
 public:
  // `slots` datagrams a call, at most.
  explicit SendBatch(std::size_t slots);
  SendBatch(SendBatch&&) noexcept;
  SendBatch& operator=(SendBatch&&) noexcept;
  ~SendBatch();

  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] bool full() const;
  void clear();
  // The bytes must stay where they are until send() returns; the addresses are copied. `peer` null:
  // a connected socket. `local` null or invalid: the kernel chooses the source address. ttl 1..255;
  // -1: the socket's own. `segment_bytes` above 0 and below bytes.size(): the kernel divides the
  // slot into datagrams of that size (the last may be shorter), at most kMostSegments and
  // kMostSegmentedBytes.
  void add(std::span<const std::byte> bytes, const Address* peer = nullptr,
           const LocalAddress* local = nullptr, int ttl = -1, std::size_t segment_bytes = 0);
  // Asks the kernel when a slot leaves (stamps.hpp); after it was added.
  void stamp(std::size_t slot);
  // Sends the batch from slot `from` on with one call (sendmsg when it is one datagram). Returns
  // how many left, or a negative errno value when not even the first did.
  [[nodiscard]] int send(const Descriptor& socket, std::size_t from = 0);
  // Sends the datagrams of one divided slot as they are, with one call, from byte `from` of the
  // slot on (a multiple of its segment_bytes). Returns how many datagrams left, or a negative errno
  // value when not even the first did.
  [[nodiscard]] int send_singly(const Descriptor& socket, std::size_t slot, std::size_t from);

 private:
  struct Memory;
  std::unique_ptr<Memory> memory_;
};

// Sends one datagram without waiting. `peer` null: a connected socket, whose way the kernel knows
// already. errno.
[[nodiscard]] int send_datagram(const Descriptor& socket, std::span<const std::byte> bytes,
                                const Address* peer);

// Datagrams that found the socket's receive buffer full, since it was opened (SO_MEMINFO). What the
// kernel has joined counts once. None where it does not say.
[[nodiscard]] std::optional<std::uint64_t> dropped_datagrams(const Descriptor& socket);

// Asks the kernel to tell the local address, or the time to live, with every datagram. errno.
[[nodiscard]] int tell_local_address(const Descriptor& socket, int family);
[[nodiscard]] int tell_ttl(const Descriptor& socket, int family);

// Lets the kernel join datagrams of one peer and size into one slot (UDP_GRO). errno: ENOPROTOOPT
// before Linux 5.0.
[[nodiscard]] int join_datagrams(const Descriptor& socket);
// Whether the kernel can divide what a UDP socket sends (UDP_SEGMENT, Linux 4.18). A route may
// still refuse: see refuses_division().
[[nodiscard]] bool can_divide(const Descriptor& socket);
// Whether a send failed because it was to be divided, so that the same datagrams one by one may
// leave: the segments do not fit the route's packets, or its device cannot compute checksums.
[[nodiscard]] bool refuses_division(int errno_value);

}  // namespace volley
