// Handshakes that waited for another SYN, and whether a full accept queue of this machine was why:
// the kernel's own counters (/proc/net/netstat) of before and after a run.
//
// They are those of a whole network namespace, so what others do there at the time is counted too;
// and the counters of listeners say something of a run only where its target is in it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "generators/plan/plan.hpp"
#include "reports/measure/record.hpp"
#include "targets/wire/address.hpp"

namespace volley {

// Counts since the namespace was made; none: the kernel does not tell.
struct TcpNetstat {
  std::optional<std::uint64_t> listen_overflows;  // SYNs, and ends of handshakes: queue full
  std::optional<std::uint64_t> listen_drops;      // the same for any reason
  std::optional<std::uint64_t> syn_retransmits;

  friend bool operator==(const TcpNetstat&, const TcpNetstat&) = default;
};

// The text of /proc/net/netstat: of each group a line of names and one of values.
[[nodiscard]] TcpNetstat parse_netstat(std::string_view text);
[[nodiscard]] TcpNetstat read_netstat();
// What came to pass in between; none where one of the two is not known, or it ran backwards.
[[nodiscard]] TcpNetstat since(const TcpNetstat& earlier, const TcpNetstat& later);

// Whether the address is one of this network namespace.
[[nodiscard]] bool is_here(const Address& address);

// Adds the figures to those of tcp, after the run's handshakes were collected. `before`: of before
// the run. docs/report.md says what each is.
void add_handshakes(RunRecord& record, const Address& peer, const TcpNetstat& before);

}  // namespace volley
