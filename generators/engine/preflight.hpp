// Whether a run can have its sockets, asked before anything is sent: descriptors, local ports, and
// the options that not every machine knows. Looking (socket_room) and judging (refusal) are apart,
// so that every judgement can be tested on any machine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "generators/plan/plan.hpp"
#include "reports/measure/ensure.hpp"

namespace volley {

// What a run has open at the same time.
struct SocketNeed {
  std::uint64_t flows = 0;    // sockets to the one peer; crr and connect: conversations at a time
  std::uint64_t threads = 1;  // each has a poller and a waker
  std::uint64_t sources = 1;  // local addresses that the flows are spread over
};

// What there is; a fact that cannot be read is absent and refuses nothing.
struct SocketRoom {
  std::optional<std::uint64_t> descriptors;       // this process may have open, in all
  std::uint64_t descriptors_open = 0;             // it has open already
  std::optional<std::uint64_t> ports_per_source;  // local ports the kernel chooses from
};

[[nodiscard]] SocketNeed socket_need(const RunPlan& plan);

// Raises this process's soft limit of descriptors to the hard one, and looks.
[[nodiscard]] SocketRoom socket_room();

// Pure: why the run cannot have its sockets (too_many_files or no_ports, phase setup), with the
// numbers; none: it can.
[[nodiscard]] std::optional<RunError> refusal(const SocketNeed& need, const SocketRoom& room);

// Why sockets with the plan's options cannot be had at all, found by trying: a congestion control
// that the kernel does not have (congestion), a source address that is not this machine's (source);
// none: they can.
[[nodiscard]] std::optional<RunError> option_refusal(const RunPlan& plan);

// A sentence for the report when `unsent` requests found no local port: that it was the generator's
// limit, the numbers, and the ways out.
[[nodiscard]] std::string port_warning(const RunPlan& plan, std::uint64_t unsent);

// How many ports "32768 60999" (net.ipv4.ip_local_port_range) leaves when those of
// "8080,40000-40009" (net.ipv4.ip_local_reserved_ports) are taken out; none: not in this form.
[[nodiscard]] std::optional<std::uint64_t> count_ports(std::string_view range,
                                                       std::string_view reserved);

// The same for this machine (its network namespace).
[[nodiscard]] std::optional<std::uint64_t> local_ports();

}  // namespace volley
