// A set of descriptors a thread waits on, level-triggered unless told otherwise, with a nanosecond
// timeout.
//
// A few descriptors are asked by ppoll, more are kept in an epoll set. Whatever comes to a
// descriptor in an epoll set is announced to it, by the sender and under a lock, also while nobody
// waits: over loopback that costs a round trip between two threads that spin 0.5 to 1 us. ppoll
// leaves no trace behind.
//
// The data sockets of a worker sit in such a set, not in asio's reactor, because the reactor costs
// an extra receive or epoll_ctl call per message (measured: 0.86-0.89 of a bare loop at 64 TCP
// flows, against 0.94 and above for this).
#pragma once

#include <poll.h>
#include <sys/epoll.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "reports/measure/time.hpp"
#include "targets/wire/socket.hpp"

namespace volley {

struct Ready {
  std::uint64_t tag = 0;  // what add() was given
  bool readable = false;  // data, end of stream or an error to be read
  bool writable = false;
  bool failed = false;  // EPOLLERR or EPOLLHUP
  bool more = false;    // tell_once(): an end or an urgent byte lies there, at which a read stops
};

// From now on waits of this thread end at their time: the default timer slack of 50 us would be
// added to each.
void wait_without_slack();

class Poller {
 public:
  Poller();  // throws RunError{"too_many_files", "setup"} when no descriptor is left

  // errno values. `tag` comes back with every event of the descriptor.
  [[nodiscard]] int add(int fd, std::uint64_t tag, bool read, bool write);
  [[nodiscard]] int change(int fd, std::uint64_t tag, bool read, bool write);
  // From now on what has come is told once, and not again while it lies there: for a descriptor
  // that is in, to be read, and whose reads bring less than they have room for. That spares the
  // kernel a look at it in the next wait (1.5 % of the round trips over 64 connections). After
  // a read that was full, or `more` or `failed`, something may lie there: change() has all told
  // again. Where ppoll asks, nothing changes.
  [[nodiscard]] int tell_once(int fd, std::uint64_t tag);
  void remove(int fd);
  // The descriptor is about to be closed. Like remove(), without a system call where closing it
  // does the same. None of the set: nothing happens.
  void forget(int fd);

  // Waits until something is ready, at most `timeout` (none: for ever; zero: only looks). A signal
  // ends the wait with nothing ready. The result is valid until the next call.
  [[nodiscard]] std::span<const Ready> wait(std::optional<Nanos> timeout);

  // More descriptors than kMostPolled are kept in the epoll set, until there are kFewPolled again.
  static constexpr std::size_t kMostPolled = 6;
  static constexpr std::size_t kFewPolled = 3;

 private:
  struct Member {
    std::uint64_t tag = 0;
    std::uint32_t events = 0;  // of poll and epoll, which use the same bits
    bool in = false;
  };
  [[nodiscard]] bool has(int fd) const;
  int set_events(int fd, std::uint64_t tag, std::uint32_t events);
  [[nodiscard]] std::vector<pollfd>::iterator polled(int fd);
  int move_to_epoll();
  void move_from_epoll();
  std::span<const Ready> wait_polled(std::optional<Nanos> timeout);
  std::span<const Ready> wait_epoll(std::optional<Nanos> timeout);

  static constexpr std::size_t kMostEvents = 256;
  Descriptor epoll_;
  std::vector<Member> members_;  // by descriptor
  std::size_t count_ = 0;        // of members that are in
  bool polls_ = true;            // and the epoll set is empty
  std::vector<pollfd> polled_;   // the members, while polls_
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
