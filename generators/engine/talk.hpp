// The seed's clients as one program: send text, print the answer. UDP or TCP, from a terminal, a
// pipe or --send.
#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>

#include "reports/measure/time.hpp"
#include "targets/wire/endpoint.hpp"
#include "targets/wire/socket.hpp"

namespace volley {

struct TalkOptions {
  Endpoint endpoint;
  Family family = Family::any;
  std::optional<std::string> send;          // the bytes to send once; none: read from `input`
  Nanos timeout = std::chrono::seconds(2);  // for connecting, and for silence after a message
  bool quiet = false;                       // answers only, no commentary
  int input = 0;                            // descriptor that messages are read from
  bool prompt = false;                      // a person types them: ask for each message
  bool terminal = false;                    // `out` is a terminal: control characters are escaped
};

// Talks until the input ends, the peer closes or (with `send`) the answer is over. Over UDP every
// input line is a datagram without its line end, over TCP input is sent as it comes. Commentary
// goes to `notes`, answers to `out`: with `send` into a pipe exactly the bytes that came, line by
// line every UDP answer on a line of its own.
//
// Returns 0, or the number of the signal (SIGINT, SIGTERM) that ended the talk. Throws RunError:
// unresolvable, refused, timed_out, unreachable, send_failed, peer_closed, no_answer, or another
// word of ErrorKind where the socket cannot be made; `output` when `out` takes nothing more.
[[nodiscard]] int talk(const TalkOptions& options, std::ostream& out, std::ostream& notes);

// Bytes of a stranger for a terminal: printable text, line ends and tabs stay, everything else is
// written as \xHH (\r\n becomes a line end), so that no answer can steer the terminal.
[[nodiscard]] std::string escape_for_terminal(std::string_view bytes);

}  // namespace volley
