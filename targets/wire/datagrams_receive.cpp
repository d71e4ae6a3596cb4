// Receiving batches of datagrams.
#include <algorithm>
#include <cerrno>

#include "reports/measure/ensure.hpp"
#include "targets/wire/ancillary.hpp"
#include "targets/wire/datagrams.hpp"

namespace volley {
namespace {

constexpr std::size_t kCacheLine = 64;

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
    if (wants_times && ancillary.empty()) prepare_ancillary();
    for (std::size_t i = 0; i < used; ++i) make_room(i);
    used = 0;
  }
  void prepare_ancillary() {
    ancillary.resize(messages.size());
    for (std::size_t i = 0; i < messages.size(); ++i) {
      messages[i].msg_hdr.msg_control = ancillary[i].bytes.data();
      make_room(i);
    }
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
  bool wants_times = false;
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

// Not before the next call: what the last one brought may still be read.
void ReceiveBatch::read_kernel_times() { memory_->wants_times = true; }

void ReceiveBatch::assume_peer(const Address& peer) {
  Memory& m = *memory_;
  std::fill(m.peers.begin(), m.peers.end(), peer);
  for (mmsghdr& message : m.messages) {
    message.msg_hdr.msg_name = nullptr;
    message.msg_hdr.msg_namelen = 0;
  }
  m.peer_is_known = true;
}

}  // namespace volley
