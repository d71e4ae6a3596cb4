// Netlink messages made by hand, as the kernel would write them.
#pragma once

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace volley::netlink_bytes {

using Bytes = std::vector<std::byte>;

template <class T>
void put(Bytes& to, const T& value) {
  const auto* bytes = reinterpret_cast<const std::byte*>(&value);
  to.insert(to.end(), bytes, bytes + sizeof value);
  while (to.size() % 4 != 0) to.push_back(std::byte{0});
}

inline Bytes attribute(std::uint16_t type, const Bytes& payload) {
  Bytes bytes;
  put(bytes, rtattr{static_cast<unsigned short>(sizeof(rtattr) + payload.size()), type});
  bytes.insert(bytes.end(), payload.begin(), payload.end());
  while (bytes.size() % 4 != 0) bytes.push_back(std::byte{0});
  return bytes;
}

inline Bytes message(std::uint16_t type, const Bytes& payload) {
  nlmsghdr head{};
  head.nlmsg_len = static_cast<std::uint32_t>(sizeof head + payload.size());
  head.nlmsg_type = type;
  Bytes bytes;
  put(bytes, head);
  bytes.insert(bytes.end(), payload.begin(), payload.end());
  return bytes;
}

inline Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

}  // namespace volley::netlink_bytes
