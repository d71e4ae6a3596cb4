// What the machine gave the generator while it measured: looked at before and after, the difference
// is of the time between. Reading and arithmetic are apart, so that hostile or missing files can be
// tested. What cannot be read is missing.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "generators/engine/host.hpp"
#include "reports/measure/conduct.hpp"
#include "reports/measure/time.hpp"

namespace volley {

// The kernel's clocks at one moment, ns.
struct Clocks {
  std::int64_t monotonic = 0, raw = 0, real = 0;
};

struct SurroundingsSample {
  Clocks clocks;
  std::optional<CpuTimes> cpus;            // that this process may use
  std::optional<std::uint64_t> throttled;  // periods, of all control groups above
  std::optional<double> own_cpu_s;         // of this process
  std::optional<double> target_cpu_s;      // of our own target; none: there is none
  // Of each thread: how long it was ready and had no CPU, ns.
  std::vector<std::optional<std::uint64_t>> run_queue_wait_ns;
};

[[nodiscard]] SurroundingsSample sample_surroundings(std::optional<pid_t> target,
                                                     std::span<const pid_t> threads);

// The differences of the two, into the members of `conduct` that they are of.
void compare_surroundings(const SurroundingsSample& before, const SurroundingsSample& after,
                          Conduct& conduct);

// The kernel's number of this thread.
[[nodiscard]] pid_t this_thread_id();
// Of a thread of this process: see SurroundingsSample.
[[nodiscard]] std::optional<std::uint64_t> run_queue_wait_of(pid_t thread);
// The step of the clock that times are taken by: what the steps between a few readings, however
// long a reading takes, are whole multiples of. None: it has not moved meanwhile.
[[nodiscard]] std::optional<double> clock_resolution_ns();
// The kernel's word for what it takes the time from; empty: unknown.
[[nodiscard]] std::string clock_source();

// The lines "cpuN user nice system idle …" of /proc/stat of these CPUs, added up; none: one of them
// is missing or no such line.
[[nodiscard]] std::optional<CpuTimes> parse_cpu_use(std::string_view stat,
                                                    std::span<const unsigned> cpus);
// The second number of /proc/PID/task/TID/schedstat.
[[nodiscard]] std::optional<std::uint64_t> parse_run_queue_wait(std::string_view schedstat);
// "nr_throttled N" of a cpu.stat; none: no such line.
[[nodiscard]] std::optional<std::uint64_t> parse_throttled(std::string_view cpu_stat);
// The path of the control group in a line of /proc/self/cgroup that limits CPU time: of the
// controller "cpu" (version 1), else of the one hierarchy (version 2). `version`: which it was.
struct CpuGroup {
  int version = 0;
  std::string_view path;
};
[[nodiscard]] std::optional<CpuGroup> parse_cpu_group(std::string_view cgroup);
// user and system time in /proc/PID/stat, in clock ticks. The name in it is hostile.
[[nodiscard]] std::optional<std::uint64_t> parse_process_ticks(std::string_view stat);

}  // namespace volley
