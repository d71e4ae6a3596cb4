// Where the datagrams of a run of requests over UDP were lost: from counts of both ends and of the
// kernel to an account in which every request without an answer stands once.
//
// The arithmetic of sequences says how many were lost on each way (sent - taken by the target,
// answered by it - received); the kernel's counters say at which place of that way. What no
// counter of a way explains was lost in the network; what nobody can even tell the way of is
// `unattributed`. Pure: numbers in, numbers out.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace volley {

// In the order of a round trip.
enum class LossSite : std::uint8_t {
  qdisc,               // of this host, on the way out
  device,              // of this host, on the way out
  backlog,             // of this host, where the target is on it too
  no_port,             // nobody listened
  target_socket,       // no room in the target's receive buffer
  forward_network,     // anywhere else on the way there
  target_application,  // read, and not answered
  target_kernel,       // the target's kernel refused to send the answer
  backward_network,    // anywhere else on the way back
  own_backlog,         // of this host, on the way in
  unreadable,          // came back damaged
  own_socket,          // no room in our own receive buffer
};
inline constexpr std::size_t kLossSites = static_cast<std::size_t>(LossSite::own_socket) + 1;
inline constexpr std::size_t kForwardSites =
    static_cast<std::size_t>(LossSite::forward_network) + 1;

// How a place is called: as a key of the report, within "forward" or "backward", and for a person.
struct LossSiteName {
  const char* key;
  const char* words;
};
[[nodiscard]] const LossSiteName& name_of(LossSite site);

// Why a target gave no answer to what it had read.
struct Unanswered {
  std::uint64_t dropped = 0;    // on purpose (--drop)
  std::uint64_t discarded = 0;  // no room where the answer was to wait
  std::uint64_t ignored = 0;    // by rule, or malformed
  friend bool operator==(const Unanswered&, const Unanswered&) = default;
};

// What the target's sockets counted in between; everybody's requests, so what this run did not send
// is among it.
struct TargetAccount {
  std::uint64_t taken = 0;        // requests read, those left unanswered by rule included
  std::uint64_t answered = 0;     // copies included
  std::uint64_t duplicated = 0;   // answers sent twice
  std::uint64_t send_errors = 0;  // answers that its kernel refused
  std::uint64_t socket_drops = 0;
  bool socket_joins = false;  // what the kernel joins there is dropped, and counted, as one
  Unanswered unanswered = {};
};

// What the kernel of this host counted in between; none: it cannot be read.
struct HostDrops {
  std::optional<std::uint64_t> qdisc;     // on the way out, all interfaces
  std::optional<std::uint64_t> device;    // on the way out, all interfaces
  std::optional<std::uint64_t> backlog;   // on the way in: queues of the CPUs, and interfaces
  std::optional<std::uint64_t> no_ports;  // datagrams that came where nobody listens
};

// What is known of a run, from before its warm-up to after its drain.
struct LossFacts {
  std::uint64_t sent = 0;
  std::uint64_t answered = 0;    // first copies that came in time
  std::uint64_t late = 0;        // first copies that came later
  std::uint64_t duplicates = 0;  // further copies
  std::uint64_t unreadable = 0;  // what came and was nobody's answer
  std::uint64_t refused = 0;     // how often a socket was told that nobody listens
  std::uint64_t own_socket = 0;
  bool divided = false;    // the kernel divided what was sent: it may drop many as one
  bool joined = false;     // the kernel joined what was received: likewise
  bool same_host = false;  // the target is in this network namespace
  HostDrops host;
  std::optional<TargetAccount> target = {};  // none: it did not say, or not whole
};

// sent = answered + lost, and lost = late + the sites together + unattributed.
struct LossPlaces {
  std::uint64_t sent = 0;
  std::uint64_t unsent = 0;  // could not be sent, in the measure phase: never lost
  std::uint64_t answered = 0;
  std::uint64_t lost = 0;
  std::uint64_t late = 0;  // of the lost: answered after the timeout, so lost nowhere
  std::array<std::optional<std::uint64_t>, kLossSites> sites{};  // none: cannot be seen
  std::uint64_t unattributed = 0;
  bool target_heard = false;              // its counters are part of the account
  bool other_traffic = false;             // it took more than was sent, so its counters say nothing
  bool bounded = false;                   // copies came: one may have made up for a loss
  bool in_super_packets = false;          // a kernel's counter counts joined datagrams as one
  std::uint32_t target_heard_places = 0;  // sockets of the target that answered …
  std::uint32_t target_places = 0;        // … of so many; 0: it did not say
  std::optional<Unanswered> unanswered = {};  // none: the target is not heard
  friend bool operator==(const LossPlaces&, const LossPlaces&) = default;

  [[nodiscard]] std::optional<std::uint64_t>& at(LossSite site) {
    return sites[static_cast<std::size_t>(site)];
  }
  [[nodiscard]] const std::optional<std::uint64_t>& at(LossSite site) const {
    return sites[static_cast<std::size_t>(site)];
  }
};

// The account; unsent and the numbers of places are the caller's.
[[nodiscard]] LossPlaces find_loss_places(const LossFacts& facts);

}  // namespace volley
