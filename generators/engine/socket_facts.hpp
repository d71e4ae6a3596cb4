// What a socket came to be, by the kernel's own word: it changes some of what it is asked for in
// silence, and chooses what nobody asked for.
#pragma once

#include <cstdint>
#include <optional>

#include "targets/wire/address.hpp"
#include "targets/wire/socket.hpp"

namespace volley {

// None: the kernel does not say, or the protocol has no such thing.
struct SocketFacts {
  Address local;
  std::optional<std::uint64_t> mtu_bytes;  // of the path, as far as this host knows it
  std::optional<unsigned> dscp;
  std::optional<std::uint64_t> pacing_bytes_per_s;  // the most it may send; all ones: no limit
};

// Of a socket that has its peer, or is on the way to it.
[[nodiscard]] SocketFacts socket_facts(const Descriptor& socket);

}  // namespace volley
