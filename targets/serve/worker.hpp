// One thread of a target: waits for its own sockets and lets its services work, until it is
// stopped.
#pragma once

#include <deque>
#include <optional>

#include "targets/serve/context.hpp"
#include "targets/serve/listeners.hpp"
#include "targets/serve/tcp_service.hpp"
#include "targets/serve/udp_service.hpp"
#include "targets/wire/poller.hpp"

namespace volley {

class Worker {
 public:
  // Takes the sockets over. Throws RunError (too_many_files).
  Worker(TargetShared& shared, ThreadSockets sockets);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Serves until `shared.stopping` is set and wake() was called.
  void run();
  // Wakes the thread to look at `shared.stopping`, which must be set. Any thread.
  void wake() const;

  // After run() has returned.
  [[nodiscard]] const TargetUdpCounters& udp() const { return context_.udp; }
  [[nodiscard]] const TargetTcpCounters& tcp() const { return context_.tcp; }

 private:
  void dispatch(const Ready& ready, MonoTime now);
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
};

}  // namespace volley
