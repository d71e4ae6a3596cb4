// Opens the connections that a thread of the workload hold keeps: many at a time, but only so many
// that the peer's queue of connections to accept does not run over.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <span>

#include "generators/engine/held.hpp"
#include "generators/engine/port_windows.hpp"
#include "generators/engine/worker.hpp"
#include "targets/wire/poller.hpp"

namespace volley {

class HoldOpening {
 public:
  // What an open connection has to say before all are open: data, or its end.
  using OnEvent = std::function<void(std::uint32_t index, const Ready& ready)>;

  HoldOpening(Worker& worker, std::span<HeldFlow> flows);

  // Opens them all, or until the run is stopped or the time for it is over: the plan's timeout for
  // each, and kBase and kEach for each of them for the whole. Then every flow is open, watched for
  // input under its index, or dead; counts go to the worker's result and recorder.
  void open_all(const OnEvent& on_event);

 private:
  void start(std::uint32_t index);
  [[nodiscard]] int connect(std::uint32_t index);
  void conclude(std::uint32_t index, MonoTime now);
  void opened(std::uint32_t index);
  void failed(std::uint32_t index, int error);
  void expire(MonoTime now);
  void give_up_rest(int error);
  void wait(const OnEvent& on_event);

  // Of one thread; a listener's queue has room for 4096 or more (SOMAXCONN).
  static constexpr std::uint32_t kMostOpening = 256;
  static constexpr Nanos kBase = std::chrono::seconds(10);
  static constexpr Nanos kEach = std::chrono::milliseconds(1);
  // So many sockets are opened before answers are looked at, which each take some microseconds.
  static constexpr std::uint32_t kMostPerTurn = 64;

  struct Pending {
    std::uint32_t index;
    MonoTime since;
  };
  Worker& worker_;
  std::span<HeldFlow> flows_;
  PortWindows ports_;            // tcp
  std::deque<Pending> pending_;  // in the order they began; some are decided already
  std::uint32_t opening_ = 0;
  std::uint32_t next_ = 0;
};

}  // namespace volley
