// What the kernel tells and is told beside a datagram: local address, time to live, size of joined
// or divided datagrams. For datagrams_receive.cpp, datagrams_send.cpp
// and stamps.cpp only.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <ctime>

#include "reports/measure/ensure.hpp"
#include "targets/wire/address.hpp"
#include "targets/wire/datagrams.hpp"

namespace volley {

// The scm_timestamping of linux/errqueue.h, which is no header for C++; software's comes first.
using KernelTimes = std::array<timespec, 3>;

// Room for all that may stand beside one datagram: an IPv6 socket gets both families' messages with
// an IPv4 datagram. Aligned like a header of them.
struct alignas(cmsghdr) Ancillary {
  static constexpr std::size_t kBytes =
      CMSG_SPACE(sizeof(in_pktinfo)) + CMSG_SPACE(sizeof(in6_pktinfo)) +
      3 * CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(KernelTimes));
  std::array<std::byte, kBytes> bytes{};
};

// The value of a message that holds_ancillary<T>().
template <typename T>
[[nodiscard]] T ancillary_content(const cmsghdr* header) {
  T value{};
  std::memcpy(&value, CMSG_DATA(header), sizeof value);
  return value;
}

// Whether it is of this kind, and long enough for a T.
template <typename T>
[[nodiscard]] bool holds_ancillary(const cmsghdr* header, int level, int type) {
  return header->cmsg_level == level && header->cmsg_type == type &&
         header->cmsg_len >= CMSG_LEN(sizeof(T));
}

// One more piece beside the datagram of `message`, whose ancillary data lie in `memory`.
template <typename T>
void append_ancillary(msghdr& message, Ancillary& memory, int level, int type, const T& value) {
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

// What a stamp of the kernel says; 0: none.
[[nodiscard]] inline Nanos nanos_of(const timespec& time) {
  return std::chrono::seconds(time.tv_sec) + Nanos(time.tv_nsec);
}

// Whether datagrams to or from this address are IPv4: IPv4-mapped ones are.
[[nodiscard]] bool speaks_v4(const Address& address);
// What came beside a datagram whose bytes are in `into` already, on a socket of this family.
void read_ancillary(msghdr& message, int family, Received& into);
// Lets an answer leave from `local`. `v4`: as speaks_v4() says of its peer.
void append_source(msghdr& message, Ancillary& memory, const LocalAddress& local, bool v4);

}  // namespace volley
