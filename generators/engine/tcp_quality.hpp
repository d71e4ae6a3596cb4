// How TCP fared: readings of TCP_INFO of a thread's connections, taken in turns while the run goes
// on, and what the report says of them among its figures of tcp.
//
// A reading is a system call of some 0.4 us, so there are few: each connection is read 20 times a
// second, and where a thread has more than 32 all of them together 640 times a second, one at a
// time. Nothing wakes a thread for it, and it takes the time that the loop has read anyway.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
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

  // Once a turn. socket_at(i): that of connection i, closed when it is dead.
  template <class SocketAt>
  void tick(MonoTime now, SocketAt&& socket_at) {
    if (now < next_) return;
    const bool sampling = now < worker_.times().measure_end;
    // The counts of the warm-up end here. Of more than 32 connections those of the others ended at
    // their last turn. Without a warm-up the first requests may have left already.
    if (!measures_ && worker_.recorder().measures()) {
      if (worker_.plan().warm_up > Nanos(0))
        for (std::size_t n = 0; n < at_once_; ++n, advance()) begin(turn_of_, socket_at(turn_of_));
      measures_ = true;
    }
    for (std::size_t n = 0; n < at_once_ && now >= next_; ++n, advance()) {
      next_ += period_;
      if (!measures_)
        begin(turn_of_, socket_at(turn_of_));
      else if (sampling)
        sample(socket_at(turn_of_));
    }
    plan_next(now);
  }

  // Connection i ends, or the run does; its socket is still open.
  void end(std::size_t i, const Descriptor& socket);

  // A connection that lived for one measured request ends. The first 32 of each 50 ms are read.
  void end_of_short_one(MonoTime now, const Descriptor& socket);

 private:
  static constexpr Nanos kEach = std::chrono::milliseconds(50);
  static constexpr std::size_t kMostEach = 32;

  void sample(const Descriptor& socket);
  void advance() { turn_of_ = turn_of_ + 1 == begun_.size() ? 0 : turn_of_ + 1; }
  void plan_next(MonoTime now);

  Worker& worker_;
  std::vector<std::optional<TcpCounts>>
      begun_;            // by connection: counts of before the measure phase
  std::size_t at_once_;  // how many turns can be made up for at once
  Nanos period_;
  MonoTime next_{};
  std::size_t turn_of_ = 0;
  bool measures_ = false;
  std::size_t left_ = 0;  // of kMostEach, up to next_; of short connections
};

// Adds the figures to record.protocol_figures, and the congestion control to record.config.
// docs/report.md says what each is.
void add_tcp_quality(RunRecord& record, const RunPlan& plan,
                     const std::vector<std::unique_ptr<Worker>>& workers);

}  // namespace volley
