// Facts of this machine that change results, as ordered key-value text for the report's `host`.
// A fact that cannot be read is absent.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace volley {

// kernel, cpu_model, cpus_online, cpus_allowed, clock_source, tcp_congestion, default_qdisc,
// rmem_max_bytes, wmem_max_bytes, port_range, descriptors_soft, descriptors_hard, governor,
// hypervisor, load_1m, steal_ratio, build
[[nodiscard]] std::vector<std::pair<std::string, std::string>> host_facts();

// The trimmed content of a small file of /proc or /sys (its first 64 KiB); none when it cannot be
// read.
[[nodiscard]] std::optional<std::string> read_fact(const std::string& path);

// CPUs in ascending order, {0, 1, 2, 5} -> "0-2,5": the way the kernel writes lists of them.
[[nodiscard]] std::string cpu_list(std::span<const unsigned> cpus);

// CPU time since the machine started, in clock ticks.
struct CpuTimes {
  std::uint64_t total = 0;  // idle included
  std::uint64_t used = 0;   // by programs: user, nice and system, not interrupts
  std::uint64_t steal = 0;  // given to others by the hypervisor
};
// Of all CPUs.
[[nodiscard]] std::optional<CpuTimes> cpu_times();
// A line "cpu  user nice system idle iowait irq softirq steal …" of /proc/stat, or of one CPU.
[[nodiscard]] std::optional<CpuTimes> parse_cpu_times(std::string_view line);

}  // namespace volley
