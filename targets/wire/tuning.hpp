// How a thread waits, how its datagrams go through the kernel, and which CPU it may use: what both
// ends of a measurement choose in the same words.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "targets/wire/socket.hpp"

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

// Some 50 to 200 ns of nothing, between two looks at something that another CPU writes.
inline void leave_a_gap() {
#if defined(__x86_64__) || defined(__i386__)
  for (int i = 0; i < 4; ++i) __builtin_ia32_pause();
#elif defined(__aarch64__)
  for (int i = 0; i < 4; ++i) asm volatile("isb");
#endif
}

// The CPUs that this thread may run on (sched_getaffinity), in ascending order; never empty.
[[nodiscard]] std::vector<unsigned> allowed_cpus();
// Ties this thread to one CPU. errno.
[[nodiscard]] int pin_this_thread(unsigned cpu);

// Gives this thread a table of descriptors of its own, a copy: while several threads share one,
// each call pays for saying that it uses a descriptor (some 140 cycles; between two sides that
// spin 2.5 % of the round trips over TCP). From then on descriptors that this thread opens are
// known to it alone, must be closed by it, and stand in /proc/PID/task/TID/fd (so ss -p does not
// name them); what the thread closes of those it had before stays open for the others. Where the
// kernel refuses, everything stays as it is.
void own_descriptor_table();

// The CPU on which the kernel took in what came last to this socket (SO_INCOMING_CPU): of a new TCP
// connection its handshake, or what its peer has sent since. None where it does not say.
[[nodiscard]] std::optional<unsigned> incoming_cpu(const Descriptor& socket);

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
