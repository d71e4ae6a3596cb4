// What the kernel of this host has dropped, of everybody's datagrams: read before and after a run
// to find where requests were lost. Only this network namespace is seen, but the backlogs of the
// CPUs, which are the machine's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "reports/measure/loss_places.hpp"

namespace volley {

// Counts since the namespace (the machine) was made; none: it cannot be read.
struct HostCounts {
  std::optional<std::uint64_t> qdisc;     // roots of all interfaces
  std::optional<std::uint64_t> sent;      // dropped by interfaces on the way out …
  std::optional<std::uint64_t> received;  // … and on the way in
  std::optional<std::uint64_t> softnet;   // found a CPU's backlog full; some are in `received` too
  std::optional<std::uint64_t> no_ports;
};
[[nodiscard]] HostCounts read_host_counts();
// What was dropped in between; none where one of the two is not known, or it ran backwards.
[[nodiscard]] HostDrops since(const HostCounts& earlier, const HostCounts& later);

// The text of /proc/net/snmp: of each group a line of names and one of values. group: "Udp:".
[[nodiscard]] std::optional<std::uint64_t> parse_snmp(std::string_view text, std::string_view group,
                                                      std::string_view name);
// The text of /proc/net/snmp6: a line for each name.
[[nodiscard]] std::optional<std::uint64_t> parse_snmp6(std::string_view text,
                                                       std::string_view name);
// The text of /proc/net/softnet_stat: packets that found a CPU's backlog full, of all CPUs.
[[nodiscard]] std::optional<std::uint64_t> parse_softnet_drops(std::string_view text);
// The text of /proc/net/dev: what interfaces dropped, all together.
struct DeviceDrops {
  std::uint64_t received = 0;
  std::uint64_t sent = 0;
  friend bool operator==(const DeviceDrops&, const DeviceDrops&) = default;
};
[[nodiscard]] std::optional<DeviceDrops> parse_device_drops(std::string_view text);

// One buffer of the kernel's answer to a question for all qdiscs (rtnetlink, RTM_GETQDISC). Only
// the root of each interface counts: what is lost below it is in its counter too.
struct QdiscDrops {
  std::uint64_t drops = 0;
  bool done = false;  // it was the last buffer
};
// None: it is no such answer.
[[nodiscard]] std::optional<QdiscDrops> parse_qdiscs(std::span<const std::byte> bytes);

}  // namespace volley
