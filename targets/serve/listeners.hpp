// The sockets of a target, bound before any thread starts.
#pragma once

#include <string>
#include <vector>

#include "targets/serve/options.hpp"
#include "targets/wire/address.hpp"
#include "targets/wire/socket.hpp"

namespace volley {

// One thread's sockets: one for each address and protocol.
struct ThreadSockets {
  std::vector<Descriptor> udp;
  std::vector<Descriptor> tcp;
};

struct BoundTarget {
  std::vector<ThreadSockets> threads;
  std::vector<Address> addresses;      // each once, with its port
  std::vector<std::string> listening;  // "udp://127.0.0.1:2924", in the order of --listen
};

// Binds what the options ask for. With several threads they share each port (SO_REUSEPORT), but the
// first socket is bound without sharing, so that a port that anybody else has, another target of
// ours too, is seen to be in use. Throws UsageError (an answer that would be larger than its cause
// beyond loopback) and RunError: unresolvable, address_in_use, permission, address_not_available,
// too_many_files, bind.
[[nodiscard]] BoundTarget bind_target(const ServeOptions& options);

}  // namespace volley
