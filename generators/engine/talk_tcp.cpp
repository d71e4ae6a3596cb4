// Talking over TCP: a connection, bytes that leave as they come, bytes that are printed as they
// come.
#include <fmt/format.h>

#include <array>
#include <cerrno>

#include "generators/engine/talk_line.hpp"
#include "reports/measure/units.hpp"

namespace volley {
namespace {

constexpr std::size_t kMostReceive = 4096;    // at once
constexpr std::size_t kMostPending = 65'536;  // input read ahead of a peer that does not read

class TcpTalk {
 public:
  explicit TcpTalk(TalkLine& line) : line_(line) {}
  void talk();

 private:
  void connect();
  [[nodiscard]] int connect_once();
  void exchange();
  void send_pending();
  void receive();
  void check_end() const;

  TalkLine& line_;
  Descriptor socket_;
  bool input_open_ = true;
  std::string pending_;     // to be sent
  std::uint64_t sent_ = 0;  // bytes
  std::uint64_t received_ = 0;
  bool peer_closed_ = false;
};

int TcpTalk::connect_once() {
  const Address& peer = line_.peer();
  line_.note("The server's address is " + peer.ip());
  int failed = open_socket(Protocol::tcp, peer.family(), socket_);
  if (failed == 0) failed = start_connect(socket_, peer);
  if (failed != EINPROGRESS) return failed;
  const Awake awake =
      line_.wait(TalkLine::kNoInput, socket_, true, mono_now() + line_.options.timeout);
  return awake.timed_out() ? ETIMEDOUT : socket_error(socket_);
}

void TcpTalk::connect() {
  for (int failed = connect_once(); failed != 0; failed = connect_once()) {
    if (!line_.try_next_address(failed)) throw line_.connect_error(failed);
  }
  line_.note("connected to " + line_.peer().text());
}

void TcpTalk::send_pending() {
  const ssize_t n = send(socket_.get(), pending_.data(), pending_.size(), MSG_NOSIGNAL);
  if (n < 0) {
    if (errno == EAGAIN || errno == EINTR) return;
    throw line_.error("send_failed", "measure",
                      fmt::format("{}; {} bytes were sent, {} were not", line_.reason(errno), sent_,
                                  pending_.size()));
  }
  sent_ += static_cast<std::uint64_t>(n);
  pending_.erase(0, static_cast<std::size_t>(n));
}

void TcpTalk::receive() {
  std::array<char, kMostReceive> buffer{};
  const ssize_t n = recv(socket_.get(), buffer.data(), buffer.size(), 0);
  if (n < 0) {
    if (errno == EAGAIN || errno == EINTR) return;
    throw line_.error("peer_closed", "measure",
                      fmt::format("{}; {} bytes had come", line_.reason(errno), received_));
  }
  peer_closed_ = n == 0;
  received_ += static_cast<std::uint64_t>(n);
  if (n > 0) line_.print({buffer.data(), static_cast<std::size_t>(n)}, false);
}

void TcpTalk::exchange() {
  const TalkOptions& options = line_.options;
  MonoTime progress = mono_now();
  // Input that ends before it said anything asks for no answer: that was only a connection.
  while (!peer_closed_ && (input_open_ || options.send || sent_ + pending_.size() > 0)) {
    const int input =
        input_open_ && pending_.size() < kMostPending ? options.input : TalkLine::kNoInput;
    std::optional<MonoTime> deadline;  // a person may think as long as they like
    if (!input_open_ || !pending_.empty()) deadline = progress + options.timeout;
    const Awake awake = line_.wait(input, socket_, !pending_.empty(), deadline);
    if (awake.timed_out()) return;
    if (awake.input) input_open_ = line_.read_input(pending_);
    // Reading too while sending: two ends that both only send would wait for each other for ever.
    if (awake.readable) receive();
    if (awake.writable && !peer_closed_) send_pending();
    progress = mono_now();
  }
}

void TcpTalk::check_end() const {
  const std::string waited = format_duration_exact(line_.options.timeout);
  if (!pending_.empty()) {
    const std::string why =
        peer_closed_ ? "the server closed the connection" : "the server took nothing for " + waited;
    throw line_.error(
        peer_closed_ ? "peer_closed" : "send_failed", "measure",
        fmt::format("{}; {} bytes were sent, {} were not", why, sent_, pending_.size()));
  }
  if (received_ != 0 || (sent_ == 0 && !line_.options.send)) return;
  if (peer_closed_) {
    throw line_.error("peer_closed", "measure",
                      "the server closed the connection without an answer");
  }
  throw line_.error("no_answer", "measure",
                    "no answer within " + waited + "; a longer --timeout waits longer");
}

void TcpTalk::talk() {
  connect();
  if (line_.options.send) {
    pending_ = *line_.options.send;
    input_open_ = false;
  }
  exchange();
  check_end();
  if (peer_closed_) line_.note("the server closed the connection");
}

}  // namespace

void talk_tcp(TalkLine& line) { TcpTalk(line).talk(); }

}  // namespace volley
