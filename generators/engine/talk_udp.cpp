// Talking over UDP: a message is a datagram, and so is an answer.
#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <utility>

#include "generators/engine/talk_line.hpp"
#include "reports/measure/units.hpp"

namespace volley {
namespace {

constexpr std::size_t kMostDatagram = 65'507;
constexpr std::size_t kDatagramBuffer = 65'536;

class UdpTalk {
 public:
  explicit UdpTalk(TalkLine& line) : line_(line) {}
  void talk();

 private:
  void connect();
  [[nodiscard]] std::optional<std::string> next_message();
  [[nodiscard]] std::optional<std::string> next_line();
  [[nodiscard]] int receive();
  [[nodiscard]] int ask(const std::string& message);
  void ask_any_address(const std::string& message);

  TalkLine& line_;
  Descriptor socket_;
  bool input_open_ = true;
  std::string pending_;  // input that is not a whole line yet
  std::uint64_t sent_ = 0;
  std::uint64_t unanswered_ = 0;
  bool answered_ = false;  // the last message
};

void UdpTalk::connect() {
  for (;;) {
    int failed = open_socket(Protocol::udp, line_.peer().family(), socket_);
    if (failed == 0) failed = start_connect(socket_, line_.peer());
    if (failed == 0) return;
    if (!line_.try_next_address(failed)) throw line_.connect_error(failed);
  }
}

// The bytes of --send, once; else the next input line. None at the end.
std::optional<std::string> UdpTalk::next_message() {
  if (!line_.options.send) return next_line();
  if (!std::exchange(input_open_, false)) return std::nullopt;
  return line_.options.send;
}

std::optional<std::string> UdpTalk::next_line() {
  if (line_.options.prompt) line_.ask("Message: ");
  for (;;) {
    const auto end = pending_.find('\n');
    if (end != std::string::npos || (!input_open_ && !pending_.empty())) {
      std::string text = pending_.substr(0, end);
      pending_.erase(0, end == std::string::npos ? end : end + 1);
      return text;
    }
    if (!input_open_) return std::nullopt;
    if (pending_.size() > kMostDatagram) {
      throw line_.error("send_failed", "measure",
                        fmt::format("a line is too long for a datagram (more than {0} bytes) [at "
                                    "most {0}]; send it in parts",
                                    kMostDatagram));
    }
    const Awake awake = line_.wait(line_.options.input, socket_, false, std::nullopt);
    if (awake.readable) {
      // An answer that is late, or one more than asked for: shown all the same.
      const int failed = receive();
      if (failed != 0 && failed != EAGAIN) throw line_.connect_error(failed);
    }
    if (awake.input) input_open_ = line_.read_input(pending_);
  }
}

// Prints one datagram. 0, EAGAIN when none is waiting, or another errno value.
int UdpTalk::receive() {
  std::array<char, kDatagramBuffer> buffer{};
  const ssize_t n = recv(socket_.get(), buffer.data(), buffer.size(), 0);
  if (n < 0) return errno == EINTR ? EAGAIN : errno;
  const bool terminal = line_.options.terminal;
  line_.ask(terminal ? "Reply from the server is: " : "Reply from the server is:\n");
  line_.print({buffer.data(), static_cast<std::size_t>(n)}, terminal || !line_.options.send);
  return 0;
}

// Sends one message and waits for one answer. 0 (answered or not) or an errno value.
int UdpTalk::ask(const std::string& message) {
  answered_ = false;
  const MonoTime deadline = mono_now() + line_.options.timeout;
  while (send(socket_.get(), message.data(), message.size(), MSG_NOSIGNAL) < 0) {
    if (errno != EAGAIN && errno != EINTR) return errno;
    if (!line_.wait(TalkLine::kNoInput, socket_, true, deadline).writable) return ETIMEDOUT;
  }
  for (;;) {
    if (line_.wait(TalkLine::kNoInput, socket_, false, deadline).timed_out()) return 0;
    const int failed = receive();
    answered_ = failed == 0;
    if (failed != EAGAIN) return failed;
  }
}

// Over UDP a closed port shows only after the first message: then it goes to the next address.
void UdpTalk::ask_any_address(const std::string& message) {
  for (int failed = ask(message); failed != 0; failed = ask(message)) {
    if (failed == EMSGSIZE) {
      throw line_.error("send_failed", "measure",
                        fmt::format("{} for {} bytes [at most {}]", line_.reason(failed),
                                    message.size(), kMostDatagram));
    }
    if (sent_ != 0 || !line_.try_next_address(failed)) throw line_.connect_error(failed);
    connect();
  }
  ++sent_;
}

void UdpTalk::talk() {
  connect();
  const std::string waited = format_duration_exact(line_.options.timeout);
  while (const auto message = next_message()) {
    ask_any_address(*message);
    if (answered_) continue;
    ++unanswered_;
    line_.note("no answer within " + waited);
  }
  if (unanswered_ == 0) return;
  throw line_.error("no_answer", "measure",
                    fmt::format("no answer to {} of {} messages within {}; does a server that "
                                "answers listen there?",
                                unanswered_, sent_, waited));
}

}  // namespace

void talk_udp(TalkLine& line) { UdpTalk(line).talk(); }

}  // namespace volley
