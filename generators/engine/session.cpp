#include "generators/engine/session.hpp"

#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>

#include <algorithm>

namespace volley {
namespace {

// Takes the first whole control frame of the wanted kind out of what was received so far. Over TCP
// other frames before it are passed over; anything that is not a frame ends the search.
struct ControlAnswer {
  Frame frame;
  std::vector<std::byte> payload;
  std::vector<std::byte> rest;  // what came behind it (tcp)
};

enum class Search : std::uint8_t { more, found, hopeless };

Search search_stream(std::vector<std::byte>& received, FrameKind wanted, ControlAnswer& answer) {
  std::span<const std::byte> rest = received;
  while (rest.size() >= kFrameBytes) {
    const std::optional<Frame> frame = read_frame(rest);
    if (!frame) return Search::hopeless;
    if (rest.size() < kFrameBytes + frame->length) break;
    const auto payload = rest.subspan(kFrameBytes, frame->length);
    if (frame->kind == wanted) {
      const auto behind = rest.subspan(kFrameBytes + frame->length);
      answer =
          ControlAnswer{*frame, {payload.begin(), payload.end()}, {behind.begin(), behind.end()}};
      return Search::found;
    }
    rest = rest.subspan(kFrameBytes + frame->length);
  }
  if (!rest.empty() && !may_be_frame(rest)) return Search::hopeless;
  received.erase(received.begin(), received.end() - static_cast<std::ptrdiff_t>(rest.size()));
  return Search::more;
}

bool is_answer(FrameKind kind) {
  switch (kind) {
    case FrameKind::hello_ack:
    case FrameKind::statistics_ack:
    case FrameKind::goodbye_ack:
    case FrameKind::socket_counters_ack:
    case FrameKind::stream_quality_ack:
      return true;
    default:
      return false;
  }
}

Search search_datagram(std::span<const std::byte> datagram, std::uint32_t session, FrameKind wanted,
                       ControlAnswer& answer) {
  const std::optional<Frame> frame = read_datagram(datagram);
  if (!frame || frame->session != session) return Search::more;
  // A question that was asked twice is answered twice, and the second answer comes after the next
  // question. An echo server returns what it got: it is not ours, and there is no use in waiting.
  if (frame->kind != wanted) return is_answer(frame->kind) ? Search::more : Search::hopeless;
  const auto payload = datagram.subspan(kFrameBytes);
  answer = ControlAnswer{*frame, {payload.begin(), payload.end()}, {}};
  return Search::found;
}

std::vector<std::byte> control_frame(FrameKind kind, std::uint32_t session,
                                     std::span<const std::byte> payload) {
  std::vector<std::byte> bytes(control_bytes(kind));
  Frame frame;
  frame.kind = kind;
  frame.session = session;
  frame.length = static_cast<std::uint32_t>(bytes.size() - kFrameBytes);
  write_frame(frame, bytes);
  std::copy(payload.begin(), payload.end(), bytes.begin() + kFrameBytes);
  return bytes;
}

// How long an answer is waited for: `patience`, and that anew whenever bytes move, until `at_most`.
// After a stop nobody waits for long.
class Waiting {
 public:
  Waiting(const Worker& worker, Nanos patience, MonoTime at_most)
      : worker_(worker),
        patience_(patience),
        deadline_(mono_now() + (worker.stopped() ? std::min(patience, kAfterStop) : patience)),
        at_most_(at_most) {}
  [[nodiscard]] MonoTime deadline() const { return deadline_; }
  // Between two looks at the connection.
  [[nodiscard]] Nanos slice() const { return std::min(kSlice, patience_ / 4); }

  // Bytes have come, or have been acknowledged.
  void on_movement(MonoTime now) {
    if (!worker_.stopped()) deadline_ = std::max(deadline_, std::min(at_most_, now + patience_));
  }
  // Has the peer's kernel acknowledged more? What lies there to be read is not seen from here.
  void look(const Descriptor& socket, MonoTime now) {
    if (worker_.stopped()) deadline_ = std::min(deadline_, now + kAfterStop);
    int unsent = 0;
    if (now > at_most_ || ::ioctl(socket.get(), SIOCOUTQ, &unsent) != 0) return;
    if (unsent < unsent_) on_movement(now);
    unsent_ = unsent;
  }

 private:
  static constexpr Nanos kAfterStop = std::chrono::milliseconds(300);
  static constexpr Nanos kSlice = std::chrono::milliseconds(100);

  const Worker& worker_;
  Nanos patience_;
  MonoTime deadline_;
  MonoTime at_most_;
  int unsent_ = 0;
};

struct Question {
  std::vector<std::byte> bytes;  // tcp: behind the rest of a message that was cut
  FrameKind answer_kind = FrameKind::hello_ack;
};

// Sends a question on a flow and waits for the answer; over UDP it is sent again every 100 ms.
// Bytes that come before the answer are passed over.
std::optional<ControlAnswer> ask(Worker& worker, Protocol protocol, const Descriptor& socket,
                                 const Question& question, Waiting wait,
                                 const FramePosition& position) {
  constexpr Nanos kAgain = std::chrono::milliseconds(100);
  const auto begun = std::as_bytes(std::span(position.header));
  std::vector<std::byte> received(begun.begin(), begun.end());
  std::uint64_t skip = position.to_skip;
  std::vector<std::byte> buffer(std::size_t{64} << 10U);
  ControlAnswer answer;
  MonoTime send_at = mono_now();
  std::size_t sent = 0;
  wait.look(socket, send_at);
  for (MonoTime now = send_at; now < wait.deadline(); now = mono_now()) {
    const bool unfinished = protocol == Protocol::tcp && sent < question.bytes.size();
    if (unfinished || (protocol == Protocol::udp && now >= send_at)) {
      const auto rest = std::span(question.bytes).subspan(protocol == Protocol::tcp ? sent : 0);
      const ssize_t n = ::send(socket.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
      if (n > 0) sent += static_cast<std::size_t>(n);
      if (n < 0 && errno != EAGAIN && protocol == Protocol::tcp) return std::nullopt;
      send_at = now + kAgain;
    }
    pollfd waiting{socket.get(), POLLIN, 0};
    if (protocol == Protocol::tcp && sent < question.bytes.size()) waiting.events |= POLLOUT;
    const MonoTime deadline = wait.deadline();
    const auto left = std::min(deadline, protocol == Protocol::udp ? send_at : deadline) - now;
    const auto slice = std::min(left, wait.slice());
    (void)::poll(&waiting, 1, static_cast<int>(slice / std::chrono::milliseconds(1)) + 1);
    const MonoTime woken = mono_now();
    wait.look(socket, woken);
    if ((waiting.revents & ~POLLOUT) == 0) continue;
    const ssize_t n = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
    if (n == 0 && protocol == Protocol::tcp) return std::nullopt;
    if (n < 0) {
      if (errno == EAGAIN || errno == EINTR) continue;
      if (protocol == Protocol::udp) {
        worker.note_event(error_kind_of(errno), mono_now());
        continue;
      }
      return std::nullopt;
    }
    wait.on_movement(woken);
    const auto bytes = std::span<const std::byte>(buffer).first(static_cast<std::size_t>(n));
    Search found = Search::more;
    if (protocol == Protocol::udp) {
      found = search_datagram(bytes, worker.session(), question.answer_kind, answer);
    } else {
      const auto passed = static_cast<std::size_t>(std::min<std::uint64_t>(skip, bytes.size()));
      skip -= passed;
      received.insert(received.end(), bytes.begin() + static_cast<std::ptrdiff_t>(passed),
                      bytes.end());
      found = search_stream(received, question.answer_kind, answer);
    }
    if (found == Search::found) return answer;
    if (found == Search::hopeless) return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

bool IncomingMessages::take_header(std::span<const std::byte>& bytes) {
  const std::size_t n = std::min(kFrameBytes - at_.header.size(), bytes.size());
  at_.header.append(reinterpret_cast<const char*>(bytes.data()), n);
  bytes = bytes.subspan(n);
  if (at_.header.size() < kFrameBytes) return true;
  const std::optional<Frame> frame = read_frame(std::as_bytes(std::span(at_.header)));
  at_.header.clear();
  if (!frame || frame->kind != FrameKind::data) return false;
  length_ = at_.to_skip = frame->length;
  in_payload_ = true;
  return true;
}

HelloResult say_hello(Worker& worker, Protocol protocol, const Descriptor& socket,
                      const Hello& hello, Nanos patience) {
  std::vector<std::byte> payload(kControlBytes - kFrameBytes);
  write_payload(hello, payload);
  const Question question{control_frame(FrameKind::hello, worker.session(), payload),
                          FrameKind::hello_ack};
  // Nothing stands in front of a greeting, so movement is no reason to wait for longer.
  auto answer =
      ask(worker, protocol, socket, question, Waiting(worker, patience, MonoTime::min()), {});
  const auto ack = answer ? read_hello_ack(answer->payload) : std::nullopt;
  if (!ack || !ack->accepted) return {};
  return {true, ack->cookie, std::move(answer->rest)};
}

std::optional<SessionStatistics> ask_statistics(Worker& worker, Protocol protocol, const Flow& flow,
                                                MonoTime at_most, const FramePosition& position) {
  Question question{flow.unsent, FrameKind::statistics_ack};
  const auto frame = control_frame(FrameKind::statistics, worker.session(), {});
  question.bytes.insert(question.bytes.end(), frame.begin(), frame.end());
  const Waiting wait(worker, worker.plan().timeout,
                     protocol == Protocol::tcp ? at_most : MonoTime::min());
  const auto answer = ask(worker, protocol, flow.socket, question, wait, position);
  return answer ? read_session_statistics(answer->payload) : std::nullopt;
}

std::optional<StreamQuality> ask_quality(Worker& worker, const Flow& flow) {
  constexpr Nanos kPatience = std::chrono::milliseconds(500);
  const Question question{control_frame(FrameKind::stream_quality, worker.session(), {}),
                          FrameKind::stream_quality_ack};
  const auto answer = ask(worker, Protocol::udp, flow.socket, question,
                          Waiting(worker, kPatience, MonoTime::min()), {});
  return answer ? read_stream_quality(answer->payload) : std::nullopt;
}

}  // namespace volley
