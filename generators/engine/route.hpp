// Which way the kernel sends what goes to a peer, asked of rtnetlink once a run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "targets/wire/address.hpp"

namespace volley {

// None: the kernel does not say, or may not be asked.
struct Route {
  std::optional<std::string> device;  // the interface's name: "lo", "eth0"
  std::optional<std::string> qdisc;   // the kind of its root qdisc: "noqueue", "fq_codel", "mq"
};
// From `source`, where there is one; else from the address that the kernel chooses.
[[nodiscard]] Route route_to(const Address& peer, const std::optional<Address>& source);

// The interface's number in the answer to RTM_GETROUTE; none: it is no such answer.
[[nodiscard]] std::optional<std::uint32_t> parse_route_device(std::span<const std::byte> answer);
// One buffer of the answer to a question for all qdiscs (RTM_GETQDISC).
struct RootQdisc {
  std::optional<std::string> kind;  // of the interface's root; none: it was not in this buffer
  bool done = false;                // it was the last one
};
// None: it is no such answer.
[[nodiscard]] std::optional<RootQdisc> parse_root_qdisc(std::span<const std::byte> answer,
                                                        std::uint32_t device);

}  // namespace volley
