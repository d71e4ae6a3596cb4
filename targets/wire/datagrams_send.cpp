// Sending batches of datagrams.
#include <linux/net_tstamp.h>
#include <netinet/udp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "reports/measure/ensure.hpp"
#include "targets/wire/ancillary.hpp"
#include "targets/wire/datagrams.hpp"

namespace volley {
namespace {

constexpr int kSendFlags = MSG_DONTWAIT | MSG_NOSIGNAL;

// What send() returns of one message. Without ancillary data the kernel has less to read.
int send_one(const Descriptor& socket, const msghdr& message) {
  const ssize_t sent =
      message.msg_controllen == 0
          ? sendto(socket.get(), message.msg_iov->iov_base, message.msg_iov->iov_len, kSendFlags,
                   static_cast<const sockaddr*>(message.msg_name), message.msg_namelen)
          : sendmsg(socket.get(), &message, kSendFlags);
  return sent < 0 ? -errno : 1;
}

}  // namespace

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
    append_ancillary(message, m.ancillary[i], IPPROTO_UDP, UDP_SEGMENT,
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
  if (decides == nullptr || v4) append_ancillary(message, m.ancillary[i], IPPROTO_IP, IP_TTL, ttl);
  if (!v4) append_ancillary(message, m.ancillary[i], IPPROTO_IPV6, IPV6_HOPLIMIT, ttl);
}

void SendBatch::stamp(std::size_t slot) {
  Memory& m = *memory_;
  ensure(slot < m.size, "a slot is stamped that is there");
  append_ancillary(m.messages[slot].msg_hdr, m.ancillary[slot], SOL_SOCKET, SO_TIMESTAMPING,
                   std::uint32_t{SOF_TIMESTAMPING_TX_SOFTWARE});
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
  if (division == nullptr || !holds_ancillary<std::uint16_t>(division, IPPROTO_UDP, UDP_SEGMENT))
    return -EINVAL;
  const std::size_t each = ancillary_content<std::uint16_t>(division);
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

}  // namespace volley
