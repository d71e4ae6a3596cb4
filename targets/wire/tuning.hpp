// How a thread waits, how its datagrams go through the kernel, and which CPU it may use: what both
// ends of a measurement choose in the same words.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace volley {

// What a thread with nothing to do does. `block` sleeps in the kernel, `spin` looks again and
// again: it saves the wake-up (some microseconds, in a virtual machine tens of them) and takes a
// whole CPU. `hybrid` spins as long as something is likely to come soon, and then blocks.
// `automatic` is decided before the run: hybrid where a thread has a CPU of its own, else block.
enum class Wait : std::uint8_t { automatic, block, spin, hybrid };
[[nodiscard]] std::string_view to_string(Wait wait);

// Whether the kernel divides and joins datagrams of one size (UDP_SEGMENT, UDP_GRO). `automatic`:
// where it can.
enum class Offload : std::uint8_t { automatic, on, off };
[[nodiscard]] std::string_view to_string(Offload offload);

// The CPUs that this thread may run on (sched_getaffinity), in ascending order; never empty.
[[nodiscard]] std::vector<unsigned> allowed_cpus();
// Ties this thread to one CPU. errno.
[[nodiscard]] int pin_this_thread(unsigned cpu);

// Keeps the thread that makes it off some CPUs as long as it lives. Where none would be left to the
// thread, or the kernel refuses, everything stays as it is.
class StayOff {
 public:
  explicit StayOff(std::span<const unsigned> cpus);
  StayOff(const StayOff&) = delete;
  StayOff& operator=(const StayOff&) = delete;
  ~StayOff();

 private:
  std::vector<unsigned> before_;  // empty: nothing has been changed
};

}  // namespace volley
