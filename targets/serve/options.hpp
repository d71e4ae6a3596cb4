// What the user may ask of a target: plain values with their defaults, and the parsers of the
// values that have a little language of their own. The defaults stand here only; help reads them
// from here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reports/measure/time.hpp"
#include "targets/wire/endpoint.hpp"
#include "targets/wire/tuning.hpp"

namespace volley {

enum class TargetKind : std::uint8_t {
  all,         // UDP and TCP on one port: echo, and sink or source for sessions that ask
  udp_echo,    // answers
  udp_sink,    // counts, never answers but to control frames
  tcp_accept,  // accepts, reads and discards until the peer closes
  tcp_echo,    // sends back what comes
  tcp_sink,    // reads and counts
  tcp_source,  // sends as fast as the peer takes it
};
[[nodiscard]] std::string_view to_string(TargetKind kind);
[[nodiscard]] bool serves(TargetKind kind, Protocol protocol);

// Which requests are consumed in silence, counted within a flow (a peer's address).
struct DropRule {
  enum class Kind : std::uint8_t {
    none,
    ratio,  // each with probability `ratio`
    every,  // number n, 2n, 3n …
    after,  // all after the first n
  };
  Kind kind = Kind::none;
  double ratio = 0;
  std::uint64_t n = 0;
};

// How long a request occupies its thread's one virtual server.
struct ServiceTime {
  enum class Kind : std::uint8_t { none, fixed, exponential };
  Kind kind = Kind::none;
  Nanos mean{0};
};

// Nothing is read or answered from `after` the first request on, for `length`.
struct Stall {
  Nanos length{0};
  Nanos after{0};
};

struct BehaviourOptions {
  DropRule drop;               // UDP only
  double duplicate_ratio = 0;  // UDP only: answers sent twice
  double reorder_ratio = 0;    // UDP only: answers held back until 3 later ones have left
  Nanos delay{0};              // every answer leaves so much later
  ServiceTime service;
  std::optional<Stall> stall;
  std::uint64_t seed = 1;
};

// Which thread serves a TCP connection: one that serves fewest (even), or the one tied to the CPU
// that the connection comes in on (cpu).
enum class Deal : std::uint8_t { even, cpu };
[[nodiscard]] std::string_view to_string(Deal deal);

struct ServeOptions {
  TargetKind kind = TargetKind::all;
  std::vector<HostPort> listen;  // empty: kDefaultHost:kDefaultPort
  unsigned threads = 1;
  int backlog = 4096;                 // of each TCP listener; the kernel caps it at somaxconn
  std::uint64_t max_connections = 0;  // over all threads; 0: as many as descriptors allow
  Nanos idle_timeout = std::chrono::minutes(10);  // of a TCP connection; 0: none
  std::optional<Nanos> max_duration;
  Wait wait = Wait::automatic;           // automatic is block
  bool pin = false;                      // thread i on the i-th allowed CPU, counted from the last
  Deal deal = Deal::even;                // cpu: with pin
  Offload offload = Offload::automatic;  // UDP: datagrams joined and divided by the kernel
  bool discard = false;  // TCP: payload that nobody looks at is dropped in the kernel, not copied
  bool frames_only = false;  // UDP: plain text is answered nowhere
  bool one_peer = false;     // udp-echo, tcp-echo: the first steady peer is the only one
  bool open = false;         // answer plain text, larger than its cause too, beyond loopback

  bool print = false;            // the data of plain datagrams and connections, on stdout
  std::string reply_prefix;      // in front of every plain UDP answer
  bool log_messages = false;     // "Token message[IP:PORT] - DATA"
  bool log_connections = false;  // "Connection established with IP:PORT"
  bool stop_on_empty = false;    // an empty datagram ends the target

  BehaviourOptions behaviour;
  std::string event_log;  // path of the event log; empty: none
  // False only in a test build that shows what the answering rules prevent. Not on the command
  // line.
  bool answer_guard = true;

  static constexpr const char* kDefaultHost = "127.0.0.1";
  static constexpr unsigned kMostThreads = 256;
  static constexpr std::size_t kMostPrefixBytes = 1024;
};

// "udp-echo" … Throws UsageError.
[[nodiscard]] TargetKind parse_target_kind(std::string_view subject, std::string_view text);
// "1%" "every:10" "after:100". Throws UsageError.
[[nodiscard]] DropRule parse_drop(std::string_view subject, std::string_view text);
// "fixed:1ms" "exp:200us". Throws UsageError.
[[nodiscard]] ServiceTime parse_service_time(std::string_view subject, std::string_view text);
// "1s@4s". Throws UsageError.
[[nodiscard]] Stall parse_stall(std::string_view subject, std::string_view text);

// What does not go together. Throws UsageError with the reason.
void check(const ServeOptions& options);
// What needs more CPUs than this process may use. Throws UsageError with the reason.
void check_cpus(const ServeOptions& options, unsigned cpus);

}  // namespace volley
