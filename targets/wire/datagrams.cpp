#include "targets/wire/datagrams.hpp"

#include <netinet/udp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "reports/measure/ensure.hpp"

namespace volley {
namespace {

constexpr std::size_t kCacheLine = 64;
constexpr int kSendFlags = MSG_DONTWAIT | MSG_NOSIGNAL;

// An IPv6 socket gets both families' messages with an IPv4 datagram. Aligned like a header of them.
struct alignas(cmsghdr) Ancillary {
  static constexpr std::size_t kBytes = CMSG_SPACE(sizeof(in_pktinfo)) +
                                        CMSG_SPACE(sizeof(in6_pktinfo)) +
                                        3 * CMSG_SPACE(sizeof(int));
  std::array<std::byte, kBytes> bytes{};
};

template <typename T>
T content(const cmsghdr* header) {
  T value{};
  std::memcpy(&value, CMSG_DATA(header), sizeof value);
  return value;
}

template <typename T>
bool holds(const cmsghdr* header, int level, int type) {
  return header->cmsg_level == level && header->cmsg_type == type &&
         header->cmsg_len >= CMSG_LEN(sizeof(T));
}

template <typename T>
void append(msghdr& message, Ancillary& memory, int level, int type, const T& value) {
  ensure(message.msg_controllen + CMSG_SPACE(sizeof value) <= Ancillary::kBytes,
         "the ancillary data of a datagram has room");
  auto* at = memory.bytes.data() + message.msg_controllen;
  cmsghdr header{};
  header.cmsg_len = CMSG_LEN(sizeof value);
  header.cmsg_level = level;
  header.cmsg_type = type;
  std::memcpy(at, &header, sizeof header);
  std::memcpy(at + CMSG_LEN(0), &value, sizeof value);
  message.msg_control = memory.bytes.data();
  message.msg_controllen += CMSG_SPACE(sizeof value);
}

in6_addr mapped(in_addr v4) {
  in6_addr v6{};
  v6.s6_addr[10] = 0xFF;
  v6.s6_addr[11] = 0xFF;
  std::memcpy(v6.s6_addr + 12, &v4, sizeof v4);
  return v6;
}

in6_addr v6_of(const Address& address) {
  sockaddr_in6 v6{};
  std::memcpy(&v6, address.data(), sizeof v6);
  return v6.sin6_addr;
}

// The IPv4 address in an IPv4 or IPv4-mapped address.
in_addr v4_of(const Address& address) {
  if (address.family() == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, address.data(), sizeof v4);
    return v4.sin_addr;
  }
  in_addr v4{};
  std::memcpy(&v4, v6_of(address).s6_addr + 12, sizeof v4);
  return v4;
}

bool speaks_v4(const Address& address) {
  if (address.family() == AF_INET) return true;
  const in6_addr ip = v6_of(address);
  return IN6_IS_ADDR_V4MAPPED(&ip);
}

LocalAddress local_from(const in_pktinfo& info, int family) {
  // ipi_spec_dst is where an answer comes from, also when the datagram was a broadcast.
  if (info.ipi_spec_dst.s_addr == INADDR_ANY) return {};
  const Address address = family == AF_INET ? Address::v4(ntohl(info.ipi_spec_dst.s_addr), 0)
                                            : Address::v6(mapped(info.ipi_spec_dst), 0);
  return {.address = address, .interface = static_cast<unsigned>(info.ipi_ifindex)};
}

LocalAddress local_from(const in6_pktinfo& info) {
  if (IN6_IS_ADDR_MULTICAST(&info.ipi6_addr)) return {};
  const std::uint32_t scope = IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr) ? info.ipi6_ifindex : 0;
  return {.address = Address::v6(info.ipi6_addr, 0, scope), .interface = info.ipi6_ifindex};
}

void read_ancillary(msghdr& message, int family, Received& into) {
  for (cmsghdr* h = CMSG_FIRSTHDR(&message); h != nullptr; h = CMSG_NXTHDR(&message, h)) {
    if (holds<in_pktinfo>(h, IPPROTO_IP, IP_PKTINFO)) {
      into.local = local_from(content<in_pktinfo>(h), family);
    } else if (holds<in6_pktinfo>(h, IPPROTO_IPV6, IPV6_PKTINFO)) {
      // An IPv4 datagram brings both; IP_PKTINFO, which comes second, then overwrites this.
      into.local = local_from(content<in6_pktinfo>(h));
    } else if (holds<int>(h, IPPROTO_IP, IP_TTL) || holds<int>(h, IPPROTO_IPV6, IPV6_HOPLIMIT)) {
      into.ttl = content<int>(h);
    } else if (holds<int>(h, IPPROTO_UDP, UDP_GRO)) {
      const auto each = static_cast<std::size_t>(content<int>(h));
      if (each < into.bytes.size()) into.segment_bytes = each;
    }
  }
}

void append_source(msghdr& message, Ancillary& memory, const LocalAddress& local, bool v4) {
  if (v4) {
    if (!speaks_v4(local.address)) return;
    in_pktinfo info{};
    info.ipi_spec_dst = v4_of(local.address);
    append(message, memory, IPPROTO_IP, IP_PKTINFO, info);
    return;
  }
  in6_pktinfo info{};
  info.ipi6_addr = v6_of(local.address);
  // Only a link-local address needs its interface; any other would tie the answer to the interface
  // the datagram came in by, whatever the routes say.
  if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr)) info.ipi6_ifindex = local.interface;
  append(message, memory, IPPROTO_IPV6, IPV6_PKTINFO, info);
}

// What send() returns of one message. Without ancillary data the kernel has less to read.
int send_one(const Descriptor& socket, const msghdr& message) {
  const ssize_t sent =
      message.msg_controllen == 0
          ? sendto(socket.get(), message.msg_iov->iov_base, message.msg_iov->iov_len, kSendFlags,
                   static_cast<const sockaddr*>(message.msg_name), message.msg_namelen)
          : sendmsg(socket.get(), &message, kSendFlags);
  return sent < 0 ? -errno : 1;
}

int switch_on(const Descriptor& socket, int level, int name) {
  const int on = 1;
  return setsockopt(socket.get(), level, name, &on, sizeof on) == 0 ? 0 : errno;
}

}  // namespace

struct ReceiveBatch::Memory {
  Memory(std::size_t slots, std::size_t slot_bytes, Details details)
      : stride((slot_bytes + kCacheLine - 1) / kCacheLine * kCacheLine),
        bytes(slots * stride),
        peers(slots),
        ancillary(details == Details::none ? 0 : slots),
        vectors(slots),
        messages(slots) {
    for (std::size_t i = 0; i < slots; ++i) {
      vectors[i] = {.iov_base = bytes.data() + i * stride, .iov_len = slot_bytes};
      msghdr& message = messages[i].msg_hdr;
      message.msg_name = peers[i].data();
      message.msg_iov = &vectors[i];
      message.msg_iovlen = 1;
      if (!ancillary.empty()) message.msg_control = ancillary[i].bytes.data();
      make_room(i);
    }
  }

  // The kernel writes the lengths it used over the room it was given.
  void make_room(std::size_t i) {
    messages[i].msg_hdr.msg_namelen = peer_is_known ? 0 : Address::capacity();
    messages[i].msg_hdr.msg_controllen = ancillary.empty() ? 0 : Ancillary::kBytes;
  }

  void make_room() {
    for (std::size_t i = 0; i < used; ++i) make_room(i);
    used = 0;
  }
  // After a call that returned `n`: what receive() returns.
  int took(int n) {
    if (n < 0) return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    used = static_cast<std::size_t>(n);
    if (!peer_is_known)
      for (std::size_t i = 0; i < used; ++i) peers[i].set_size(messages[i].msg_hdr.msg_namelen);
    return n;
  }

  // The same after a call for one, which returned `size`.
  int took_one(ssize_t size) {
    if (size < 0) return took(-1);
    messages[0].msg_len = static_cast<unsigned>(size);
    // recvfrom has no flags to say so.
    if (ancillary.empty())
      messages[0].msg_hdr.msg_flags =
          size > static_cast<ssize_t>(vectors[0].iov_len) ? MSG_TRUNC : 0;
    return took(1);
  }

  std::size_t stride;
  std::vector<std::byte> bytes;
  std::vector<Address> peers;
  std::vector<Ancillary> ancillary;
  std::vector<iovec> vectors;
  std::vector<mmsghdr> messages;
  std::size_t used = 0;  // slots the last call wrote to
  bool peer_is_known = false;
};

ReceiveBatch::ReceiveBatch(std::size_t slots, std::size_t slot_bytes, Details details) {
  ensure(slots >= 1 && slots <= kMostSlots, "a batch has 1 to 1024 slots");
  ensure(slot_bytes >= 1, "a slot holds at least a byte");
  memory_ = std::make_unique<Memory>(slots, slot_bytes, details);
}

ReceiveBatch::ReceiveBatch(ReceiveBatch&&) noexcept = default;
ReceiveBatch& ReceiveBatch::operator=(ReceiveBatch&&) noexcept = default;
ReceiveBatch::~ReceiveBatch() = default;

int ReceiveBatch::receive(const Descriptor& socket, std::size_t most) {
  return receive(socket, most, MSG_DONTWAIT);
}

int ReceiveBatch::await(const Descriptor& socket, std::size_t most) {
  return receive(socket, most, most == 1 ? 0 : MSG_WAITFORONE);
}

int ReceiveBatch::receive(const Descriptor& socket, std::size_t most, int flags) {
  ensure(most >= 1, "a call may take at least one datagram");
  if (most == 1) return receive_one(socket, flags);
  Memory& m = *memory_;
  m.make_room();
  // Never recvmmsg's timeout argument: the kernel looks at it only after a datagram has come.
  const int n = recvmmsg(socket.get(), m.messages.data(),
                         static_cast<unsigned>(std::min(most, m.messages.size())), flags, nullptr);
  return m.took(n);
}

int ReceiveBatch::receive_one(const Descriptor& socket, int flags) {
  memory_->make_room();
  return memory_->took_one(call_for_one(socket, flags));
}

ReceiveBatch::Looked ReceiveBatch::look(const Descriptor& socket, unsigned times) {
  memory_->make_room();
  ssize_t bytes = -1;
  unsigned calls = 0;
  // A call that brings nothing leaves the room as it was.
  do {
    bytes = call_for_one(socket, MSG_DONTWAIT);
  } while (++calls < times && bytes < 0 && errno == EAGAIN);
  return {memory_->took_one(bytes), calls};
}

// The bytes of a datagram that came into the first slot; -1: errno.
ssize_t ReceiveBatch::call_for_one(const Descriptor& socket, int flags) {
  Memory& m = *memory_;
  msghdr& message = m.messages[0].msg_hdr;
  if (!m.ancillary.empty()) return recvmsg(socket.get(), &message, flags);
  // MSG_TRUNC: the datagram's whole size, however much of it the slot holds.
  const iovec& slot = m.vectors[0];
  if (m.peer_is_known) return recv(socket.get(), slot.iov_base, slot.iov_len, flags | MSG_TRUNC);
  return recvfrom(socket.get(), slot.iov_base, slot.iov_len, flags | MSG_TRUNC, m.peers[0].data(),
                  &message.msg_namelen);
}

Received ReceiveBatch::at(std::size_t i) {
  Memory& m = *memory_;
  ensure(i < m.used, "a slot is read only when a datagram came into it");
  mmsghdr& slot = m.messages[i];
  const std::size_t size = std::min<std::size_t>(slot.msg_len, m.vectors[i].iov_len);
  Received received;
  received.bytes = std::span(m.bytes).subspan(i * m.stride, size);
  received.peer = &m.peers[i];
  received.truncated = (slot.msg_hdr.msg_flags & MSG_TRUNC) != 0;
  if (slot.msg_hdr.msg_controllen != 0) {
    read_ancillary(slot.msg_hdr, m.peers[i].family(), received);
  }
  return received;
}

void ReceiveBatch::assume_peer(const Address& peer) {
  Memory& m = *memory_;
  std::fill(m.peers.begin(), m.peers.end(), peer);
  for (mmsghdr& message : m.messages) {
    message.msg_hdr.msg_name = nullptr;
    message.msg_hdr.msg_namelen = 0;
  }
  m.peer_is_known = true;
}

struct SendBatch::Memory {
  explicit Memory(std::size_t slots)
      : peers(slots), ancillary(slots), vectors(slots), messages(slots) {
    for (std::size_t i = 0; i < slots; ++i) {
      messages[i].msg_hdr.msg_iov = &vectors[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
  }

  std::vector<sockaddr_in6> peers;  // large enough for either family, and small enough to copy
  std::vector<Ancillary> ancillary;
  std::vector<iovec> vectors;
  std::vector<mmsghdr> messages;
  std::size_t size = 0;
};

SendBatch::SendBatch(std::size_t slots) {
  ensure(slots >= 1 && slots <= kMostSlots, "a batch has 1 to 1024 slots");
  memory_ = std::make_unique<Memory>(slots);
}

SendBatch::SendBatch(SendBatch&&) noexcept = default;
SendBatch& SendBatch::operator=(SendBatch&&) noexcept = default;
SendBatch::~SendBatch() = default;

std::size_t SendBatch::size() const { return memory_->size; }
bool SendBatch::full() const { return memory_->size == memory_->messages.size(); }
void SendBatch::clear() { memory_->size = 0; }

void SendBatch::add(std::span<const std::byte> bytes, const Address* peer,
                    const LocalAddress* local, int ttl, std::size_t segment_bytes) {
  ensure(!full(), "a datagram is added only to a batch with a free slot");
  ensure(ttl == -1 || (ttl >= 1 && ttl <= 255), "a time to live is 1 to 255");
  Memory& m = *memory_;
  const std::size_t i = m.size++;
  // sendmmsg only reads what iov_base points to; its type cannot say so.
  m.vectors[i] = {.iov_base = const_cast<std::byte*>(bytes.data()), .iov_len = bytes.size()};
  msghdr& message = m.messages[i].msg_hdr;
  message.msg_name = nullptr;
  message.msg_namelen = 0;
  message.msg_control = nullptr;
  message.msg_controllen = 0;
  if (peer != nullptr) {
    ensure(peer->size() <= sizeof m.peers[i], "a peer has an IPv4 or IPv6 address");
    std::memcpy(&m.peers[i], peer->data(), peer->size());
    message.msg_name = &m.peers[i];
    message.msg_namelen = peer->size();
  }
  if (segment_bytes > 0 && segment_bytes < bytes.size()) {
    // The first of the messages: send_singly() leaves it out.
    ensure(bytes.size() <= kMostSegmentedBytes && bytes.size() <= kMostSegments * segment_bytes,
           "a slot is divided into what the kernel takes at once");
    append(message, m.ancillary[i], IPPROTO_UDP, UDP_SEGMENT,
           static_cast<std::uint16_t>(segment_bytes));
  }
  const bool has_local = local != nullptr && local->address.valid();
  if (!has_local && ttl == -1) return;
  // An IPv6 socket sends to an IPv4-mapped peer by IPv4, which looks at IPv4's messages only.
  const Address* decides = peer != nullptr ? peer : has_local ? &local->address : nullptr;
  const bool v4 = decides != nullptr && speaks_v4(*decides);
  if (has_local) append_source(message, m.ancillary[i], *local, v4);
  if (ttl == -1) return;
  // With nothing to tell the family, both are given: each ignores the other's.
  if (decides == nullptr || v4) append(message, m.ancillary[i], IPPROTO_IP, IP_TTL, ttl);
  if (!v4) append(message, m.ancillary[i], IPPROTO_IPV6, IPV6_HOPLIMIT, ttl);
}

int SendBatch::send(const Descriptor& socket, std::size_t from) {
  Memory& m = *memory_;
  if (from >= m.size) return 0;
  if (m.size - from == 1) return send_one(socket, m.messages[from].msg_hdr);
  const int n = sendmmsg(socket.get(), m.messages.data() + from,
                         static_cast<unsigned>(m.size - from), kSendFlags);
  return n < 0 ? -errno : n;
}

int SendBatch::send_singly(const Descriptor& socket, std::size_t slot, std::size_t from) {
  Memory& m = *memory_;
  ensure(slot < m.size && from < m.vectors[slot].iov_len, "what is sent is in the batch");
  msghdr message = m.messages[slot].msg_hdr;
  const cmsghdr* division = CMSG_FIRSTHDR(&message);
  if (division == nullptr || !holds<std::uint16_t>(division, IPPROTO_UDP, UDP_SEGMENT))
    return -EINVAL;
  const std::size_t each = content<std::uint16_t>(division);
  message.msg_control =
      static_cast<std::byte*>(message.msg_control) + CMSG_SPACE(sizeof(std::uint16_t));
  message.msg_controllen -= CMSG_SPACE(sizeof(std::uint16_t));
  std::array<iovec, kMostSegments> vectors{};
  std::array<mmsghdr, kMostSegments> messages{};
  unsigned count = 0;
  const iovec whole = m.vectors[slot];
  for (std::size_t at = from; at < whole.iov_len; at += each, ++count) {
    vectors[count] = {.iov_base = static_cast<std::byte*>(whole.iov_base) + at,
                      .iov_len = std::min(each, whole.iov_len - at)};
    messages[count].msg_hdr = message;
    messages[count].msg_hdr.msg_iov = &vectors[count];
  }
  const int n = sendmmsg(socket.get(), messages.data(), count, kSendFlags);
  return n < 0 ? -errno : n;
}

int send_datagram(const Descriptor& socket, std::span<const std::byte> bytes, const Address* peer) {
  const ssize_t sent =
      sendto(socket.get(), bytes.data(), bytes.size(), kSendFlags,
             peer == nullptr ? nullptr : peer->data(), peer == nullptr ? 0 : peer->size());
  return sent < 0 ? errno : 0;
}

// An IPv6 socket may receive IPv4 datagrams, of which only IPv4's options tell.
int tell_local_address(const Descriptor& socket, int family) {
  if (const int error = switch_on(socket, IPPROTO_IP, IP_PKTINFO)) return error;
  return family == AF_INET6 ? switch_on(socket, IPPROTO_IPV6, IPV6_RECVPKTINFO) : 0;
}

int tell_ttl(const Descriptor& socket, int family) {
  if (const int error = switch_on(socket, IPPROTO_IP, IP_RECVTTL)) return error;
  return family == AF_INET6 ? switch_on(socket, IPPROTO_IPV6, IPV6_RECVHOPLIMIT) : 0;
}

int join_datagrams(const Descriptor& socket) { return switch_on(socket, IPPROTO_UDP, UDP_GRO); }

bool can_divide(const Descriptor& socket) {
  int each = 0;
  socklen_t size = sizeof each;
  return getsockopt(socket.get(), IPPROTO_UDP, UDP_SEGMENT, &each, &size) == 0;
}

bool refuses_division(int errno_value) {
  return errno_value == EINVAL || errno_value == EIO || errno_value == EMSGSIZE ||
         errno_value == EOPNOTSUPP;
}

}  // namespace volley
