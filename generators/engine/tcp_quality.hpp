// How TCP fared: readings of TCP_INFO of a thread's connections, taken in turns while the run goes
// on, and what the report says of them among its figures of tcp.
//
// A reading is a system call of some 0.4 us, so there are few: each connection is read 20 times a
// second, and where a thread has more than 32 all of them together 640 times a second, one at a
// time. Nothing wakes a thread for it, and it takes the time that the loop has read anyway.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "generators/engine/worker.hpp"
#include "reports/measure/record.hpp"
#include "reports/measure/tcp_quality.hpp"
#include "targets/wire/socket.hpp"

namespace volley {

// What the kernel says of a connection; none: it says nothing, or (before Linux 5.4) too little.
[[nodiscard]] std::optional<TcpReading> read_tcp(const Descriptor& socket);

// The readings of one thread; of udp it takes none.
class TcpReadings {
 public:
  // A connection costs 72 bytes.
  TcpReadings(Worker& worker, std::size_t connections);

  // Connection i stands; before the run's phases begin.
  void begin(std::size_t i, const Descriptor& socket);

  using SocketAt = std::function<const Descriptor&(std::size_t)>;
  // Once a turn. socket_at(i): that of connection i, closed when it is dead. What is seldom done is
  // kept out of the loop that calls this, whose code is to be short.
  template <class Lookup>
  void tick(MonoTime now, Lookup&& socket_at) {
    if (now >= next_) [[unlikely]]
      take_turns(now, SocketAt(std::forward<Lookup>(socket_at)));
  }

  // Connection i ends, or the run does; its socket is still open.
  void end(std::size_t i, const Descriptor& socket);

  // A connection that lived for one measured request ends. The first 32 of each 50 ms are read.
  void end_of_short_one(MonoTime now, const Descriptor& socket);

 private:
  static constexpr Nanos kEach = std::chrono::milliseconds(50);
  static constexpr std::size_t kMostEach = 32;

  void take_turns(MonoTime now, const SocketAt& socket_at);
  void sample(const Descriptor& socket);
  void advance() { turn_of_ = turn_of_ + 1 == begun_.size() ? 0 : turn_of_ + 1; }
  void plan_next(MonoTime now);

  MonoTime next_{};  // when to read again; of short connections: when left_ is full again
  Worker& worker_;
  // By connection: counts of before the measure phase.
  std::vector<std::optional<TcpCounts>> begun_;
  std::size_t at_once_;  // how many turns can be made up for at once
  Nanos period_;
  std::size_t turn_of_ = 0;
  bool measures_ = false;
  std::size_t left_ = 0;  // of kMostEach, up to next_; of short connections
};

// Adds the figures to record.protocol_figures, and the congestion control to record.config.
// docs/report.md says what each is.
void add_tcp_quality(RunRecord& record, const RunPlan& plan,
                     const std::vector<std::unique_ptr<Worker>>& workers);

}  // namespace volley
