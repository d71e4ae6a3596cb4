// Facts of this machine that change results, as ordered key-value text for the report's `host`.
// A fact that cannot be read is absent.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace volley {

// kernel, cpu_model, cpus_online, cpus_allowed, clock_source, tcp_congestion, default_qdisc,
// rmem_max_bytes, wmem_max_bytes, port_range, descriptors_soft, descriptors_hard, governor,
// hypervisor, load_1m, steal_ratio, build
[[nodiscard]] std::vector<std::pair<std::string, std::string>> host_facts();

// CPUs this process may run on (sched_getaffinity), in order; never empty.
[[nodiscard]] std::vector<unsigned> allowed_cpus();

// The trimmed content of a small file of /proc or /sys; none when it cannot be read.
[[nodiscard]] std::optional<std::string> read_fact(const std::string& path);

}  // namespace volley
