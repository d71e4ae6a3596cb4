// One thread of a target: waits for its own sockets and lets its services work, until it is
// stopped.
#pragma once

#include <deque>
#include <mutex>
#include <optional>
#include <vector>

#include "targets/serve/context.hpp"
#include "targets/serve/listeners.hpp"
#include "targets/serve/tcp_service.hpp"
#include "targets/serve/udp_service.hpp"
#include "targets/wire/poller.hpp"

namespace volley {

class Worker {
 public:
  // Takes the sockets over. Throws RunError (too_many_files).
  // `number` is its place among the threads, from 0.
  Worker(TargetShared& shared, ThreadSockets sockets, unsigned number);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Serves until `shared.stopping` is set and wake() was called.
  void run();
  // Closes what it has accepted: on the thread of run(), which may be the only one that knows these
  // descriptors (own_descriptor_table).
  void close_connections() { tcp_.close_all(); }
  // Gives it a connection to serve. Any thread.
  void give(Accepted accepted);
  // Wakes the thread to look at `shared.stopping`, which must be set. Any thread.
  void wake() const;

  // After run() has returned.
  [[nodiscard]] const TargetUdpCounters& udp() const { return context_.udp; }
  [[nodiscard]] const TargetTcpCounters& tcp() const { return context_.tcp; }

 private:
  // Spinning: calls to receive between two looks, at least; and those in a row.
  static constexpr unsigned kTriesPerLook = 32;
  static constexpr unsigned kTriesAtOnce = 8;

  // Serves what is ready within that time; none: waits for ever. Whether there was anything.
  bool look(std::optional<Nanos> patience);
  void spin();
  void take_given(MonoTime now);
  void dispatch(const Ready& ready, MonoTime arrived);
  [[nodiscard]] std::optional<Nanos> time_to_wait();
  [[nodiscard]] std::optional<StallWindow> stall() const;
  // Lets a stall pass that has begun. True: time went by, so what is ready must be asked again.
  bool sit_out_stall();

  Poller poller_;
  Waker waker_;
  ThreadContext context_;
  std::deque<UdpService> udp_;
  TcpService tcp_;
  bool stall_is_over_ = false;
  std::mutex given_mutex_;
  std::vector<Accepted> given_;  // by other threads
};

}  // namespace volley
