// The sockets of workloads that take a new flow for every request.
//
// To end a flow by RST need not end its socket: a connect() to AF_UNSPEC resets the connection,
// gives its local port back and leaves a socket as good as new. The peer sees what it sees after
// close() with SO_LINGER 0, and the next flow comes from another port; this side saves making,
// preparing, watching and closing a socket for every request (docs/performance.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "generators/engine/worker.hpp"
#include "targets/wire/socket.hpp"

namespace volley {

// One socket, and what the poller knows of it.
struct ChurnSocket {
  Descriptor descriptor;
  bool watched = false;
  bool watched_for_room = false;  // beside input
  bool left_over = false;         // known to the workload as such
  std::vector<std::byte> unsent;  // the rest of a message that the kernel took in part
};

class ChurnSockets {
 public:
  explicit ChurnSockets(Worker& worker)
      : worker_(worker), plan_(worker.plan()), next_source_(worker.index()) {}

  // Makes the socket, unless a former flow left it, and begins the next flow. 0: it stands;
  // EINPROGRESS: call go_on(); anything else: it failed, and the socket is closed.
  [[nodiscard]] int begin(ChurnSocket& socket);
  // tcp: 0 once the connection stands; EINPROGRESS; anything else: why it failed.
  [[nodiscard]] int go_on(const ChurnSocket& socket);
  // Hands the kernel a message, or the beginning of it and leaves the rest in `unsent`. EAGAIN: it
  // took nothing yet, because the connection does not stand; anything else but 0: it failed.
  [[nodiscard]] int send(ChurnSocket& socket, std::span<const std::byte> message);
  // Goes on with `unsent`. errno; 0 also when some of it is left.
  [[nodiscard]] int send_rest(ChurnSocket& socket);
  // Has the poller tell of input, with this tag, and of room to write as well if `for_room`. Calls
  // the kernel only where that changes something. errno.
  [[nodiscard]] int watch(ChurnSocket& socket, std::uint64_t tag, bool for_room);
  // Ends a flow in the way the plan says. A tcp socket that is still open is left over for the next
  // begin(); drop() it before the next wait on the poller, which would report it again and again.
  void end(ChurnSocket& socket);
  void drop(ChurnSocket& socket);
  // Ends a flow that failed.
  void close(ChurnSocket& socket);

 private:
  [[nodiscard]] int make(ChurnSocket& socket);
  [[nodiscard]] Address take_source();

  Worker& worker_;
  const RunPlan& plan_;
  std::uint64_t next_source_;  // of --source, every thread its own share of them
};

}  // namespace volley
