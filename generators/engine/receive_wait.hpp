// Closed loop on one flow: the receive call itself is the place to wait. Beside a poller that saves
// a system call a round trip, and the sender the poller's wake-up.
#pragma once

#include <algorithm>
#include <chrono>

#include "generators/engine/worker.hpp"
#include "reports/measure/time.hpp"
#include "targets/wire/socket.hpp"

namespace volley {

class ReceiveWait {
 public:
  // Whether a worker may wait so, for the whole run.
  [[nodiscard]] static bool fits(const Worker& worker) {
    return worker.flow_count() == 1 && !worker.plan().open_loop() &&
           worker.waiting() != Wait::spin && worker.plan().timeout >= kLeastTimeout;
  }
  // Lets the receive calls of the flow's socket wait. errno.
  [[nodiscard]] int begin(const Descriptor& socket) { return set(socket, kMostPatience); }
  // The next one waits at most until `wake`. Its limit is set anew (a system call) only when it has
  // become too long, or much too short: a short one costs the kernel more.
  void limit(const Descriptor& socket, MonoTime now, MonoTime wake) {
    const Nanos half = std::clamp<Nanos>((wake - now) / 2, kLeastPatience, kMostPatience);
    if (patience_ > 2 * half || patience_ < half / 4) (void)set(socket, half);
  }

 private:
  int set(const Descriptor& socket, Nanos patience) {
    patience_ = patience;
    return let_receive_wait(socket, patience);
  }

  // A stop of the run must wait for the call.
  static constexpr Nanos kMostPatience = std::chrono::milliseconds(250);
  static constexpr Nanos kLeastPatience = std::chrono::milliseconds(1);
  // The kernel's ticks would make a shorter timeout late.
  static constexpr Nanos kLeastTimeout = std::chrono::milliseconds(100);

  Nanos patience_{};
};

}  // namespace volley
