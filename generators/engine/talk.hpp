// The seed's clients as one program: send text, print the answer. UDP or TCP, from a terminal, a
// pipe or --send.
#pragma once

#include <iosfwd>
#include <optional>
#include <string>

#include "reports/measure/time.hpp"
#include "targets/wire/endpoint.hpp"
#include "targets/wire/socket.hpp"

namespace volley {

struct TalkOptions {
  Endpoint endpoint;
  Family family = Family::any;
  std::optional<std::string> send;  // the bytes to send once; none: one message per input line
  Nanos timeout = std::chrono::seconds(2);  // for connecting, and for silence after a message
  bool quiet = false;               // answers only, no commentary
};

// Talks until the input ends, the peer closes or (with `send`) the answer is over. Commentary goes
// to `notes`, answers to `out`. Throws RunError: unresolvable, refused, timed_out, unreachable,
// send_failed, peer_closed, no_answer.
void talk(const TalkOptions& options, std::istream& in, std::ostream& out, std::ostream& notes);

}  // namespace volley
