// Facts of this machine that change results, as ordered key-value text for the report's `host`.
// A fact that cannot be read is absent.
#pragma once

#include <cstdint>
#include <optional>
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

// CPU time of all CPUs since the machine started, in clock ticks: all of it, and what the
// hypervisor gave to others meanwhile.
struct CpuTimes {
  std::uint64_t total = 0;
  std::uint64_t steal = 0;
};
[[nodiscard]] std::optional<CpuTimes> cpu_times();
// The line "cpu  user nice system idle iowait irq softirq steal …" of /proc/stat.
[[nodiscard]] std::optional<CpuTimes> parse_cpu_times(std::string_view line);

}  // namespace volley
