// What on this machine spoils numbers, and the fix. Looking (examine_machine) and judging
// (judge_machine) are apart, so that every judgement can be tested on any machine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reports/measure/finding.hpp"
#include "reports/measure/time.hpp"

namespace volley {

// Facts as they were read; one that cannot be read is absent and gets no finding.
struct MachineFacts {
  std::optional<std::uint64_t> descriptors_soft, descriptors_hard;  // the largest value: unlimited
  std::optional<std::uint64_t> first_port, last_port;               // ephemeral, both included
  std::optional<std::uint64_t> rmem_max_bytes, wmem_max_bytes;      // most that SO_RCVBUF may ask
  std::optional<std::uint64_t> somaxconn;
  std::optional<unsigned> cpus_online, cpus_allowed;
  std::optional<std::string> clock_source;
  std::optional<std::string> tcp_congestion;
  std::optional<bool> udp_gso, udp_gro;
  std::optional<double> steal_ratio;  // of the CPU time in the last moments
  std::optional<std::string> governor;
  std::optional<std::string> hypervisor;
  std::optional<double> load_1m;
  std::optional<bool> ipv6_loopback;
  std::optional<std::string> build;
};

// Reads the facts, and watches the CPU time for `sample` to see the steal of this very moment.
[[nodiscard]] MachineFacts examine_machine(Nanos sample);

// Pure: the findings in a fixed order.
[[nodiscard]] std::vector<Finding> judge_machine(const MachineFacts& facts);

}  // namespace volley
