// Under which conditions a run ran: beside what was asked, what there was in fact.
#pragma once

#include <array>
#include <optional>
#include <string>

namespace volley {

struct Condition {
  std::string name;                      // of kConditionNames
  std::optional<std::string> asked;      // none: nothing was asked, the system chose
  std::optional<std::string> effective;  // none: not known, or the protocol has no such thing
  friend bool operator==(const Condition&, const Condition&) = default;
};

// Every run has all of them, in this order. docs/report.md says what each is.
inline constexpr std::array<const char*, 13> kConditionNames{
    "device",          "qdisc", "mtu_bytes",  "source",      "rcvbuf_bytes",
    "sndbuf_bytes",    "dscp",  "congestion", "pacing_rate", "offload_send",
    "offload_receive", "wait",  "cpus"};

}  // namespace volley
