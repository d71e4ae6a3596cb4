// What both ways of talking (talk_udp, talk_tcp) share: one wait for the input, the socket and the
// signals, so that neither a slow peer nor a slow person keeps the other from being heard; and the
// addresses of the server's name, tried in turn.
#pragma once

#include <csignal>
#include <cstddef>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "generators/engine/talk.hpp"
#include "reports/measure/ensure.hpp"
#include "reports/measure/time.hpp"
#include "targets/wire/address.hpp"
#include "targets/wire/socket.hpp"

namespace volley {

// SIGINT or SIGTERM came: carries the number to talk().
struct Interrupted {
  int signal;
};

// SIGINT and SIGTERM as a descriptor, as long as it lives. Throws RunError{"too_many_files"}.
class SignalDescriptor {
 public:
  SignalDescriptor();
  SignalDescriptor(const SignalDescriptor&) = delete;
  SignalDescriptor& operator=(const SignalDescriptor&) = delete;
  ~SignalDescriptor();

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] int take() const;  // the number of the signal that came; 0: none

 private:
  sigset_t before_{};
  Descriptor fd_;
};

// What a wait ended with; nothing set: the time was up.
struct Awake {
  bool input = false;
  bool readable = false;  // data, end of stream or an error to be read
  bool writable = false;
  [[nodiscard]] bool timed_out() const { return !input && !readable && !writable; }
};

class TalkLine {
 public:
  TalkLine(const TalkOptions& options, std::vector<Address> addresses, std::ostream& out,
           std::ostream& notes);

  const TalkOptions& options;

  // Commentary: a line to `notes`, unless the talk is quiet.
  void note(const std::string& text);
  // An answer. `whole_line`: followed by a line end, unless it brings one. Throws
  // RunError{"output"}.
  void print(std::string_view bytes, bool whole_line);
  // Commentary that the answer or the typed message follows on the same line.
  void ask(std::string_view text);

  // Waits for input (unless kNoInput), the socket, and a signal, which is thrown as Interrupted.
  static constexpr int kNoInput = -1;
  [[nodiscard]] Awake wait(int input, const Descriptor& socket, bool write,
                           std::optional<MonoTime> deadline);
  // Appends what the input has to say (at most 4 KiB); false at its end.
  [[nodiscard]] bool read_input(std::string& pending) const;

  [[nodiscard]] const Address& peer() const { return addresses_[at_]; }
  // Moves on to the name's next address, when there is one, and says so.
  [[nodiscard]] bool try_next_address(int errno_value);

  // "connection refused (127.0.0.1:9, error 111)"
  [[nodiscard]] std::string reason(int errno_value) const;
  // The endpoint and what happened to it.
  [[nodiscard]] RunError error(const std::string& code, const char* phase,
                               const std::string& what) const;
  // The socket could not be made or connected, or a datagram came back as undeliverable.
  [[nodiscard]] RunError connect_error(int errno_value) const;

 private:
  std::vector<Address> addresses_;
  std::size_t at_ = 0;
  std::ostream& out_;
  std::ostream& notes_;
  SignalDescriptor signals_;
};

void talk_udp(TalkLine& line);
void talk_tcp(TalkLine& line);

}  // namespace volley
