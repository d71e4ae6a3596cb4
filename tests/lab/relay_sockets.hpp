// The relay's sockets: the kernel's time of arrival with each datagram, the largest buffers it
// grants, and how many it threw away nevertheless.
#pragma once

#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <stdexcept>
#include <string>

#include "relay_plan.hpp"

namespace lab {

inline constexpr std::size_t kMostBytes = 2048;  // of a datagram; longer ones are cut
inline constexpr std::size_t kBatch = 32;

inline Nanos now() {
  timespec time{};
  clock_gettime(CLOCK_REALTIME, &time);
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

[[noreturn]] inline void fail(const char* what) {
  throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
}

inline int udp_socket() {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("socket");
  const int on = 1;
  const int bytes = 8 << 20;
  if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) != 0) fail("SO_TIMESTAMPNS");
  for (const int option : {SO_RCVBUFFORCE, SO_SNDBUFFORCE, SO_RCVBUF, SO_SNDBUF}) {
    if (setsockopt(fd, SOL_SOCKET, option, &bytes, sizeof bytes) == 0 && option == SO_SNDBUFFORCE)
      break;  // the others are for those who may not force
  }
  return fd;
}

// How many datagrams found this socket's buffer full.
inline std::uint64_t kernel_drops(int fd) {
  std::array<std::uint32_t, SK_MEMINFO_VARS> info{};
  socklen_t size = sizeof info;
  getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info.data(), &size);
  return info[SK_MEMINFO_DROPS];
}

// Room for one reading of a socket.
struct Reading {
  std::array<std::array<std::uint8_t, kMostBytes>, kBatch> bytes;
  std::array<std::array<char, 64>, kBatch> control;
  std::array<sockaddr_in, kBatch> from;
  std::array<iovec, kBatch> parts;
  std::array<mmsghdr, kBatch> messages;

  int read(int fd) {
    for (std::size_t i = 0; i < kBatch; ++i) {
      parts[i] = {bytes[i].data(), kMostBytes};
      messages[i] = {};
      messages[i].msg_hdr.msg_name = &from[i];
      messages[i].msg_hdr.msg_namelen = sizeof from[i];
      messages[i].msg_hdr.msg_iov = &parts[i];
      messages[i].msg_hdr.msg_iovlen = 1;
      messages[i].msg_hdr.msg_control = control[i].data();
      messages[i].msg_hdr.msg_controllen = control[i].size();
    }
    return recvmmsg(fd, messages.data(), kBatch, MSG_DONTWAIT, nullptr);
  }
  // The kernel's time of arrival.
  Nanos arrived(std::size_t i) {
    msghdr& header = messages[i].msg_hdr;
    for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
      if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS) continue;
      timespec time{};
      std::memcpy(&time, CMSG_DATA(c), sizeof time);
      return time.tv_sec * 1'000'000'000 + time.tv_nsec;
    }
    return now();
  }
};

}  // namespace lab
