// Reading a fast stream in large pieces.
//
// A reader that sleeps until something comes is woken for every segment or two, and the CPU of the
// sender pays for waking it: on loopback that is a third of what a stream can carry. So a stream
// that brings kGathered within kPatience gathers: the kernel is told to wake its reader only when
// that much is there (SO_RCVLOWAT). The end of a message, or a question behind it, may be shorter;
// a stream that brings less in kPatience therefore stops gathering. So nothing waits longer than
// twice that, and what comes at less than 2 Gbit/s is read as it comes.
#pragma once

#include <chrono>
#include <cstddef>

#include "reports/measure/time.hpp"
#include "targets/wire/socket.hpp"

namespace volley {

class Gathering {
 public:
  static constexpr std::size_t kGathered = std::size_t{512} << 10U;
  static constexpr Nanos kPatience = std::chrono::milliseconds(2);
  // What one turn may read of a gathering stream before others get theirs.
  static constexpr std::size_t kMostAtOnce = 2 * kGathered;

  [[nodiscard]] bool on() const { return on_; }
  // What was read. True: it is time to consider().
  [[nodiscard]] bool count(std::size_t bytes) {
    came_ += bytes;
    return !on_ && came_ >= kGathered;
  }
  // From now on the stream gathers, if it has been fast enough and the socket allows it.
  void consider(const Descriptor& socket, MonoTime now);
  // While on: when check() has to be called.
  [[nodiscard]] MonoTime check_at() const { return since_ + kPatience; }
  // Goes on, or lets the reader be woken by any byte again.
  void check(const Descriptor& socket, MonoTime now);
  // Lets it be woken by any byte again, at once.
  void stop(const Descriptor& socket);

 private:
  bool on_ = false;
  std::size_t came_ = 0;  // since `since_`
  MonoTime since_{};
};

}  // namespace volley
