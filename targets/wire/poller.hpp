// A set of descriptors a thread waits on: level-triggered epoll with a nanosecond timeout.
//
// The data sockets of a worker sit in such a set, not in asio's reactor, because the reactor costs
// an extra receive or epoll_ctl call per message (measured: 0.86-0.89 of a bare loop at 64 TCP
// flows, against 0.94 and above for this).
#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "reports/measure/time.hpp"
#include "targets/wire/socket.hpp"

namespace volley {

struct Ready {
  std::uint64_t tag = 0;  // what add() was given
  bool readable = false;  // data, end of stream or an error to be read
  bool writable = false;
  bool failed = false;  // EPOLLERR or EPOLLHUP
};

class Poller {
 public:
  Poller();  // throws RunError{"too_many_files", "setup"} when no descriptor is left

  // errno values. `tag` comes back with every event of the descriptor.
  [[nodiscard]] int add(int fd, std::uint64_t tag, bool read, bool write);
  [[nodiscard]] int change(int fd, std::uint64_t tag, bool read, bool write);
  void remove(int fd);

  // Waits until something is ready, at most `timeout` (none: for ever; zero: only looks). A signal
  // ends the wait with nothing ready. The result is valid until the next call.
  [[nodiscard]] std::span<const Ready> wait(std::optional<Nanos> timeout);

  [[nodiscard]] int fd() const { return epoll_.get(); }

 private:
  static constexpr std::size_t kMostEvents = 256;
  Descriptor epoll_;
  std::array<epoll_event, kMostEvents> events_{};
  std::array<Ready, kMostEvents> ready_{};
};

// Wakes a Poller from another thread (an eventfd).
class Waker {
 public:
  Waker();
  void wake() const;   // any thread, also from a signal handler
  void drain() const;  // the waiting thread, after it was woken
  [[nodiscard]] int fd() const { return event_.get(); }

 private:
  Descriptor event_;
};

}  // namespace volley
