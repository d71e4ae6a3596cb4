// Reading a fast stream in large pieces.
//
// A reader that sleeps until something comes is woken for every segment or two, and the CPU of the
// sender pays for waking it: on loopback that is a third of what a stream can carry. So a stream
// that brings kGathered within kPatience gathers: the kernel is told to wake its reader only when
// that much is there (SO_RCVLOWAT). The end of a message, or a question behind it, may be shorter;
// a stream that brings less in kPatience therefore stops gathering. So nothing waits longer than
// twice that, and what comes at less than 2 Gbit/s is read as it comes.
//
// A stream whose bytes nobody looks at outruns its sender even so, and sleeps each time. Its reader
// is not woken at all: it looks every kLook, by a timer, which costs the CPU of the reader alone.
// One that copies is the slower of the two ends and gains nothing by it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "reports/measure/time.hpp"
#include "targets/wire/socket.hpp"

namespace volley {

class Gathering {
 public:
  static constexpr std::size_t kGathered = std::size_t{512} << 10U;
  static constexpr Nanos kPatience = std::chrono::milliseconds(2);
  // What one turn may read of a gathering stream before others get theirs.
  static constexpr std::size_t kMostAtOnce = 2 * kGathered;

  // How far apart, at most, the reader looks by itself; and how much has to be there to wake it
  // nevertheless, for one that is kept from looking.
  static constexpr Nanos kLook = std::chrono::microseconds(50);
  static constexpr std::size_t kUnlooked = 8 * kGathered;

  // What tells the reader that there is something to read.
  enum class Told : std::uint8_t { by_the_kernel, by_its_timer };

  [[nodiscard]] bool on() const { return on_; }
  // Whether the reader has to read when check() is due, whatever the poller says.
  [[nodiscard]] bool looks() const { return on_ && told_ == Told::by_its_timer; }
  // What was read. True: it is time to consider().
  [[nodiscard]] bool count(std::size_t bytes) {
    came_ += bytes;
    return !on_ && came_ >= kGathered;
  }
  // From now on the stream gathers, if it has been fast enough and the socket allows it.
  void consider(const Descriptor& socket, MonoTime now, Told told = Told::by_the_kernel);
  // While on: when check() has to be called. Readers that look do so in the same moments.
  [[nodiscard]] MonoTime check_at() const { return check_at_; }
  // Goes on, or lets the reader be woken by any byte again.
  void check(const Descriptor& socket, MonoTime now);
  // Lets it be woken by any byte again, at once.
  void stop(const Descriptor& socket);

 private:
  [[nodiscard]] MonoTime next_check(MonoTime now) const;

  bool on_ = false;
  Told told_ = Told::by_the_kernel;
  std::size_t came_ = 0;  // since `since_`
  MonoTime since_{};
  MonoTime check_at_{};
};

}  // namespace volley
