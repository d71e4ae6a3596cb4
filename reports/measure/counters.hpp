// What became of the requests of a run, counted so that nothing is counted twice or lost:
//
//   planned = sent + unsent + skipped          (report; planned is unknown in a closed loop by
//   time) sent    = completed + lost + errors + in_flight,   exactly late   <= lost
//
// A request is judged once. Counters of a running record hold `sent`, `completed`, `lost` and
// `errors`; what is left of `sent` is in flight.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace volley {

// Why a request could not be sent (unsent), or failed after it was sent (errors), or what a socket
// reported on its own (socket events: an ICMP error, say).
enum class ErrorKind : std::uint8_t {
  refused,         // ECONNREFUSED: nothing listens there
  reset,           // ECONNRESET, EPIPE: the peer closed hard
  closed,          // the peer closed in good order before the answer was whole
  timed_out,       // ETIMEDOUT, or no connection within the timeout
  unreachable,     // ENETUNREACH, EHOSTUNREACH, ENETDOWN
  malformed,       // an answer that breaks the exchange's rules
  unexpected,      // an answer without the text that --expect asks for
  no_buffers,      // ENOBUFS, ENOMEM
  no_ports,        // EADDRNOTAVAIL: local ports used up
  too_many_files,  // EMFILE, ENFILE
  message_size,    // EMSGSIZE
  permission,      // EPERM, EACCES
  flow_dead,       // due on a flow that had already failed
  other,
};
inline constexpr std::size_t kErrorKinds = static_cast<std::size_t>(ErrorKind::other) + 1;

// The word for a kind in reports: "refused", "no_ports" …
[[nodiscard]] std::string_view to_string(ErrorKind kind);
[[nodiscard]] std::optional<ErrorKind> error_kind_from(std::string_view word);
// The kind an errno value belongs to.
[[nodiscard]] ErrorKind error_kind_of(int errno_value);

using ErrorCounts = std::array<std::uint64_t, kErrorKinds>;
[[nodiscard]] std::uint64_t total(const ErrorCounts& counts);

struct RequestCounters {
  std::uint64_t sent = 0;        // handed to the kernel
  std::uint64_t completed = 0;   // a valid answer within the timeout
  std::uint64_t lost = 0;        // no answer within the timeout
  std::uint64_t late = 0;        // of the lost: answered after the timeout
  ErrorCounts errors{};          // sent, then failed
  ErrorCounts unsent{};          // due, but could not be sent
  std::uint64_t duplicates = 0;  // further copies of an answer (RFC 5560)
  std::uint64_t reordered = 0;   // answers overtaken by a later one (RFC 4737 section 3)
  std::uint64_t held_back = 0;   // sent later than due because of a cap or an unwritable socket
  // Sent later than due by more than Conduct::late_beyond, and held back by nothing but ourselves.
  std::uint64_t sent_late = 0;
  std::uint64_t bytes_sent = 0;      // payload of sent requests
  std::uint64_t bytes_received = 0;  // payload of completed answers
  ErrorCounts socket_events{};       // reported by a socket for no particular request

  RequestCounters& operator+=(const RequestCounters& other);
  friend bool operator==(const RequestCounters&, const RequestCounters&) = default;
};

}  // namespace volley
