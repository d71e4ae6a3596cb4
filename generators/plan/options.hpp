// What the user may ask of a run: plain values with their defaults. The defaults stand here only;
// help texts read them from here. Parsing is the business of cli/, cross-checks of plan.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reports/measure/time.hpp"
#include "reports/measure/units.hpp"
#include "targets/wire/endpoint.hpp"
#include "targets/wire/socket.hpp"
#include "targets/wire/source.hpp"
#include "targets/wire/tuning.hpp"

namespace volley {

enum class Workload : std::uint8_t {
  rr,       // request and response on a standing flow
  crr,      // a new flow per request: connect, request, response, close
  connect,  // a handshake per request, no data (tcp)
  stream,   // messages one way, as fast as the flow takes them or at a rate
  hold,     // many connections (udp: sockets) kept open, with probes (rr) on a share of them
};
[[nodiscard]] std::string_view to_string(Workload workload);

enum class Direction : std::uint8_t { up, down, both };  // of a stream, seen from the generator
[[nodiscard]] std::string_view to_string(Direction direction);

// How crr and connect end a connection over tcp. `rst`: at once, nothing is left behind; `fin`: in
// good order, and the side that closes first keeps the port for a minute (TIME_WAIT).
enum class Close : std::uint8_t { rst, fin };
[[nodiscard]] std::string_view to_string(Close close);

// When requests are due. `closed`: a request is due when its flow has room (its predecessor was
// answered or lost). The others are open loops: due by a schedule, whatever the answers do.
struct Arrival {
  enum class Kind : std::uint8_t { closed, poisson, constant, burst, trace };
  Kind kind = Kind::closed;
  std::uint64_t burst = 1;  // burst:N sends N requests at once, N/rate apart
  std::string trace_file;   // trace:FILE, one due time a line
};

// Sizes with their weights; one entry for a fixed size. Sizes are bytes of the whole message.
struct SizeShare {
  std::uint32_t bytes = 64;
  std::uint32_t weight = 1;
};

// How the end of an answer is recognised when the request is the user's own text.
struct ReplyRule {
  enum class Kind : std::uint8_t {
    length,  // so many bytes
    until,   // ends with a text
    close,   // ends when the peer closes (tcp, crr)
    any,     // one datagram, whatever is in it (udp), to the one request in flight
  };
  Kind kind = Kind::any;
  std::uint64_t length = 0;
  std::string text;
};

struct RunOptions {
  Protocol protocol = Protocol::udp;
  std::optional<HostPort> where;  // none: start our own target on loopback for the run
  Family family = Family::any;

  Workload workload = Workload::rr;
  Direction direction = Direction::up;
  std::vector<SizeShare> sizes;                // empty: 64 bytes, a stream 1400
  std::optional<std::uint32_t> response_size;  // none: as large as the request
  std::optional<std::string> request;          // the bytes of a foreign request
  std::optional<ReplyRule> reply;              // belongs to `request`
  std::optional<std::string> expect;           // an answer must contain this
  std::optional<Close> close;                  // crr and connect over tcp; none: rst

  std::optional<Rate> rate;        // open loop, total over all threads and flows
  std::optional<Arrival> arrival;  // none: poisson with a rate, closed without
  std::uint32_t flows = 1;
  std::optional<std::uint32_t> depth;  // requests in flight per flow; none: 1 in a closed loop
  std::uint32_t threads = 1;
  bool pin = false;
  bool stamps = false;   // rr: sampled requests are stamped on their way
  bool discard = false;  // stream, tcp: our own target drops the payload in the kernel
  Wait wait = Wait::automatic;
  Offload offload = Offload::automatic;  // udp
  std::uint32_t batch = kDefaultBatch;   // requests of a flow that one system call may carry
  // hold, closed loop: the share of the connections that have a probe in flight at any time, 0..1;
  // none: kDefaultProbeShare.
  std::optional<double> probe_share;

  std::optional<Nanos> duration;          // none: kDefaultDuration, or the end of --requests
  std::optional<std::uint64_t> requests;  // of the measure phase
  Nanos warm_up = std::chrono::seconds(1);
  Nanos timeout = std::chrono::seconds(2);
  std::uint64_t seed = 1;
  Nanos interval = std::chrono::seconds(1);

  SocketOptions socket;
  std::optional<std::uint64_t> bottleneck_bits_per_s;  // what the path lets through, for RFC 6349
  std::optional<SourceRange> source;  // local addresses of the flows, in turn; none: the kernel's
  std::vector<std::pair<std::string, std::string>> labels;

  static constexpr Nanos kDefaultDuration = std::chrono::seconds(10);
  static constexpr std::uint32_t kDefaultBytes = 64;
  static constexpr std::uint32_t kDefaultStreamBytes = 1400;
  static constexpr std::uint32_t kDefaultBatch = 64;
  static constexpr double kDefaultProbeShare = 0.01;
};

}  // namespace volley
