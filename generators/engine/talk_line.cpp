// The shared half of talking by hand: waiting, printing, and words for errors.
#include "generators/engine/talk_line.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ostream>
#include <utility>

#include "reports/measure/counters.hpp"
#include "reports/measure/units.hpp"

namespace volley {

SignalDescriptor::SignalDescriptor() {
  sigset_t mine;
  sigemptyset(&mine);
  sigaddset(&mine, SIGINT);
  sigaddset(&mine, SIGTERM);
  fd_ = Descriptor(signalfd(-1, &mine, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!fd_.is_open()) {
    throw RunError(std::string(to_string(error_kind_of(errno))), "setup",
                   "signals: " + error_text(errno));
  }
  pthread_sigmask(SIG_BLOCK, &mine, &before_);
}

SignalDescriptor::~SignalDescriptor() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

int SignalDescriptor::take() const {
  signalfd_siginfo info{};
  const ssize_t n = read(fd_.get(), &info, sizeof info);
  return n == static_cast<ssize_t>(sizeof info) ? static_cast<int>(info.ssi_signo) : 0;
}

TalkLine::TalkLine(const TalkOptions& talk_options, std::vector<Address> addresses,
                   std::ostream& out, std::ostream& notes)
    : options(talk_options), addresses_(std::move(addresses)), out_(out), notes_(notes) {}

void TalkLine::note(const std::string& text) {
  if (!options.quiet) notes_ << text << std::endl;
}

void TalkLine::ask(std::string_view text) {
  if (!options.quiet) notes_ << text << std::flush;
}

void TalkLine::print(std::string_view bytes, bool whole_line) {
  if (options.terminal) {
    out_ << escape_for_terminal(bytes);
  } else {
    out_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  if (whole_line && !bytes.ends_with('\n')) out_ << '\n';
  out_.flush();
  if (!out_) throw RunError("output", "report", "stdout: takes no more output; was it closed?");
}

Awake TalkLine::wait(int input, const Descriptor& socket, bool write,
                     std::optional<MonoTime> deadline) {
  const auto socket_events = static_cast<short>(write ? POLLIN | POLLOUT : POLLIN);
  std::array<pollfd, 3> set{pollfd{signals_.fd(), POLLIN, 0},
                            pollfd{socket.get(), socket_events, 0}, pollfd{input, POLLIN, 0}};
  for (;;) {
    int timeout_ms = -1;
    if (deadline) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - mono_now());
      timeout_ms = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000));
    }
    const int ready = poll(set.data(), set.size(), timeout_ms);
    if (ready < 0 && errno == EINTR) continue;
    if (set[0].revents != 0) {
      if (const int number = signals_.take(); number != 0) throw Interrupted{number};
    }
    Awake awake;
    awake.readable = (set[1].revents & (POLLIN | POLLERR | POLLHUP)) != 0;
    awake.writable = (set[1].revents & POLLOUT) != 0;
    awake.input = set[2].revents != 0;
    if (!awake.timed_out() || (deadline && mono_now() >= *deadline)) return awake;
  }
}

bool TalkLine::read_input(std::string& pending) const {
  std::array<char, 4096> buffer{};
  const ssize_t n = read(options.input, buffer.data(), buffer.size());
  if (n < 0 && (errno == EINTR || errno == EAGAIN)) return true;
  if (n <= 0) return false;  // a terminal that has gone reads as an error: the input is over too
  pending.append(buffer.data(), static_cast<std::size_t>(n));
  return true;
}

bool TalkLine::try_next_address(int errno_value) {
  if (at_ + 1 == addresses_.size()) return false;
  note(reason(errno_value) + "; trying the next address");
  ++at_;
  return true;
}

std::string TalkLine::reason(int errno_value) const {
  return fmt::format("{} ({}, error {})", error_text(errno_value), peer().text(), errno_value);
}

RunError TalkLine::error(const std::string& code, const char* phase,
                         const std::string& what) const {
  return {code, phase, to_string(options.endpoint) + ": " + what};
}

RunError TalkLine::connect_error(int errno_value) const {
  const ErrorKind kind = error_kind_of(errno_value);
  std::string advice;
  if (kind == ErrorKind::refused) advice = "; does a server listen there?";
  if (kind == ErrorKind::timed_out) {
    advice = fmt::format("; waited {}, see --timeout", format_duration_exact(options.timeout));
  }
  return error(std::string(to_string(kind)), "setup", reason(errno_value) + advice);
}

}  // namespace volley
