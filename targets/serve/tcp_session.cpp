// What the bytes of a TCP connection mean: plain text, or frames of ours.
#include <algorithm>
#include <array>

#include "targets/serve/tcp_service.hpp"

namespace volley {
namespace {

constexpr std::size_t kHelloBytes = 16;
constexpr std::size_t kMostScratch = std::size_t{256} << 10U;

bool wants_stamps(const Frame& frame) {
  return frame.kind == FrameKind::stamped_request && frame.length >= kTargetStampsBytes;
}

// How much of a frame must be there before it can be judged; none: its length cannot be.
std::optional<std::size_t> head_bytes(const Frame& frame) {
  std::size_t needed = 0;
  if (frame.kind == FrameKind::sized_request) needed = kSizedRequestBytes;
  if (frame.kind == FrameKind::hello) needed = kHelloBytes;
  if (wants_stamps(frame)) needed = kTargetStampsBytes;
  if (frame.length < needed) return std::nullopt;
  return kFrameBytes + needed;
}

}  // namespace

bool TcpService::echoes() const {
  return context_.options.kind == TargetKind::all || context_.options.kind == TargetKind::tcp_echo;
}

bool TcpService::accepts(SessionKind kind) const {
  switch (context_.options.kind) {
    case TargetKind::all:
      return true;
    case TargetKind::tcp_echo:
      return kind == SessionKind::echo;
    case TargetKind::tcp_sink:
      return kind == SessionKind::sink;
    case TargetKind::tcp_source:
      return kind == SessionKind::source;
    default:
      return false;
  }
}

bool TcpService::is_full(const Connection& c) const {
  if (c.filler_left != 0 || c.control) return true;
  if (shaped_) return c.out.size() >= kMostQueued;
  return !c.out.empty() || scratch_.size() >= kMostScratch;
}

std::size_t TcpService::answer_in_place(Connection& c, std::span<std::byte> input, MonoTime now) {
  const bool between_frames = c.speech == Connection::Speech::frames && c.payload_left == 0;
  if (!between_frames || shaped_ || c.streams || c.ending || is_full(c) || !echoes()) return 0;
  if (c.stream.left_of_frame() != 0) return 0;
  std::size_t done = 0;
  while (input.size() - done >= kFrameBytes) {
    const auto frame = read_frame(input.subspan(done));
    if (!frame || frame->kind != FrameKind::request) break;
    const std::size_t bytes = kFrameBytes + frame->length;
    if (bytes > input.size() - done) break;
    turn_into_responses(input.subspan(done, bytes), bytes);
    c.current = *frame;
    ++context_.tcp.requests;
    ++context_.tcp.answered;
    done += bytes;
  }
  if (done != 0) context_.on_request(now);
  return done;
}

bool TcpService::take(Connection& c, std::span<const std::byte> input, MonoTime now) {
  while (!input.empty() && !c.ending) {
    if (c.speech == Connection::Speech::unknown) choose_speech(c, input);
    if (is_full(c) || c.speech == Connection::Speech::unknown) break;
    if (c.speech != Connection::Speech::frames) {
      take_plain(c, input, now);
      return true;
    }
    const auto taken = take_frame(c, input, now);
    if (!taken) return false;
    if (*taken == 0) break;
    input = input.subspan(*taken);
  }
  if (!c.ending) c.unread.assign(input.begin(), input.end());
  return true;
}

void TcpService::choose_speech(Connection& c, std::span<const std::byte> input) {
  const TargetKind kind = context_.options.kind;
  if (kind == TargetKind::tcp_accept) {
    c.speech = Connection::Speech::discard;
    return;
  }
  if (may_be_frame(input.first(std::min<std::size_t>(input.size(), 2)))) {
    if (input.size() < 2 && !c.peer_done) return;  // one byte can still become either
    if (input.size() >= 2) {
      c.speech = Connection::Speech::frames;
      ++context_.tcp.sessions;
      return;
    }
  }
  c.speech = echoes() ? Connection::Speech::plain : Connection::Speech::discard;
  if (kind == TargetKind::tcp_source && !c.streams) start_stream(c, 0, 0, kSourceMessage);
}

void TcpService::take_plain(Connection& c, std::span<const std::byte> input, MonoTime now) {
  context_.on_request(now);
  if (context_.options.print) context_.shared.console->data(input);
  if (c.speech == Connection::Speech::discard) return;
  if (!shaped_) {
    answer(c, input, true);
    return;
  }
  const RequestNumber number{.flow = c.ordinal, .n = c.requests};
  const RequestName name{.peer = c.peer, .sequence = c.requests++};
  context_.events.write(now, name, Event::received);
  const Behaviour& behaviour = context_.shared.behaviour;
  c.due = context_.server.leave(now, behaviour.service_time(number)) + behaviour.delay();
  c.out.append(input, c.due, name);
}

void TcpService::take_end(Connection& c, MonoTime now) {
  const std::vector<std::byte> rest = std::exchange(c.unread, {});
  if (c.speech == Connection::Speech::unknown && !rest.empty()) {
    choose_speech(c, rest);
    take_plain(c, rest, now);
  }
  if (c.streams && c.named) {
    // A closed side is a goodbye too.
    take_control(
        c, {.kind = FrameKind::goodbye, .session = c.current.session, .flow = c.current.flow});
    return;
  }
  // A source that nobody has spoken to streams until its peer has gone; it closes by a reset.
  const bool silent_source =
      context_.options.kind == TargetKind::tcp_source && c.speech != Connection::Speech::frames;
  c.ending = !silent_source;
}

std::optional<std::size_t> TcpService::take_frame(Connection& c, std::span<const std::byte> input,
                                                  MonoTime now) {
  if (c.payload_left != 0) return take_payload(c, input);
  if (input.size() < kFrameBytes) return 0;
  const auto frame = read_frame(input);
  if (!frame) return std::nullopt;
  const auto head = head_bytes(*frame);
  if (!head) return std::nullopt;
  if (input.size() < *head) return 0;
  c.current = *frame;
  c.payload_echoed = false;
  c.payload_left = frame->length - static_cast<std::uint32_t>(*head - kFrameBytes);
  if (!take_head(c, input.subspan(kFrameBytes, *head - kFrameBytes), now)) return std::nullopt;
  return *head;
}

std::size_t TcpService::take_payload(Connection& c, std::span<const std::byte> input) {
  const std::size_t n = std::min<std::size_t>(input.size(), c.payload_left);
  c.payload_left -= static_cast<std::uint32_t>(n);
  if (c.payload_echoed) answer(c, input.first(n), c.payload_left == 0);
  return n;
}

bool TcpService::take_head(Connection& c, std::span<const std::byte> payload, MonoTime now) {
  switch (c.current.kind) {
    case FrameKind::request:
    case FrameKind::stamped_request:
      if (!echoes()) break;
      start_answer(c, c.current.length, now);
      if (wants_stamps(c.current)) answer_stamps(c, now);
      c.payload_echoed = true;
      return true;
    case FrameKind::sized_request: {
      const auto sized = read_sized_request(payload);
      if (!sized || sized->response_bytes > kMostPayload) return false;
      if (!echoes()) break;
      answer_sized(c, sized->response_bytes, now);
      return true;
    }
    case FrameKind::data:
    case FrameKind::data_warm_up:
      count_data(c, now);
      return true;
    case FrameKind::hello: {
      const auto hello = read_hello(payload);
      if (!hello) return false;
      c.hello = *hello;
      take_control(c, c.current);
      return true;
    }
    case FrameKind::statistics:
    case FrameKind::goodbye:
      take_control(c, c.current);
      return true;
    case FrameKind::response:
    case FrameKind::stamped_response:
    case FrameKind::hello_ack:
    case FrameKind::statistics_ack:
    case FrameKind::goodbye_ack:
    case FrameKind::socket_counters:  // about datagrams
    case FrameKind::socket_counters_ack:
    case FrameKind::stream_quality:
    case FrameKind::stream_quality_ack:
      break;
  }
  ++c.counted.malformed;  // passed over: nothing this target could do with it
  return true;
}

// Fixes when the answer to the current request may leave, and queues its header.
void TcpService::start_answer(Connection& c, std::uint32_t payload_bytes, MonoTime now) {
  context_.on_request(now);
  ++context_.tcp.requests;
  ++context_.tcp.answered;
  if (shaped_) {
    const RequestNumber number{.flow = c.current.flow, .n = c.current.sequence};
    const Behaviour& behaviour = context_.shared.behaviour;
    c.due = context_.server.leave(now, behaviour.service_time(number)) + behaviour.delay();
    const RequestName name{.peer = c.peer,
                           .framed = true,
                           .session = c.current.session,
                           .flow = c.current.flow,
                           .sequence = c.current.sequence};
    context_.events.write(now, name, Event::received);
  }
  Frame response = c.current;
  response.kind = wants_stamps(c.current) ? FrameKind::stamped_response : FrameKind::response;
  response.length = payload_bytes;
  std::array<std::byte, kFrameBytes> header{};
  write_frame(response, header);
  answer(c, header, payload_bytes == 0);
}

// The beginning of the payload of an answer that says when its request was here. The kernel's part
// of that is unknown: it stamps what a stream brings where a read ends, not where a request does.
void TcpService::answer_stamps(Connection& c, MonoTime arrived) {
  const MonoTime now = context_.times_arrivals ? arrived : mono_now();
  const MonoTime leaves = shaped_ ? std::max(now, c.due) : now;
  std::array<std::byte, kTargetStampsBytes> bytes{};
  write_payload(TargetStamps{.received_ns = now.time_since_epoch().count(),
                             .sent_ns = leaves.time_since_epoch().count()},
                bytes);
  answer(c, bytes, c.current.length == kTargetStampsBytes);
}

void TcpService::answer_sized(Connection& c, std::uint32_t response_bytes, MonoTime now) {
  start_answer(c, response_bytes, now);
  if (response_bytes != 0 && response_bytes <= kSmallAnswer) {
    answer(c, std::span(filler_).first(response_bytes), true);
  } else {
    c.filler_left = response_bytes;
  }
}

// Counted when its head has come: over TCP the rest follows, or the connection ends.
void TcpService::count_data(Connection& c, MonoTime now) {
  context_.on_request(now);
  ++context_.tcp.data;
  if (c.current.kind == FrameKind::data_warm_up) {
    ++c.counted.warm_up_messages;
    return;
  }
  ++c.counted.messages;
  c.counted.bytes += kFrameBytes + c.current.length;
}

void TcpService::take_control(Connection& c, const Frame& frame) {
  ++context_.tcp.control;
  c.control = frame;
  if (c.stream.left_of_frame() == 0) answer_control(c);
}

// Between two streamed frames: queues the acknowledgement of the control frame.
void TcpService::answer_control(Connection& c) {
  const Frame asked = *c.control;
  c.control.reset();
  std::array<std::byte, kControlBytes> bytes{};
  const auto payload = std::span(bytes).subspan(kFrameBytes);
  Frame ack = asked;
  ack.length = static_cast<std::uint32_t>(payload.size());
  if (asked.kind == FrameKind::hello) {
    ack.kind = FrameKind::hello_ack;
    const bool accepted = accepts(c.hello.session_kind);
    write_payload(HelloAck{.cookie = cookie_of(context_.shared.key, c.peer),
                           .most_response_bytes = kMostPayload,
                           .accepted = accepted},
                  payload);
    const bool source =
        c.hello.session_kind == SessionKind::source || c.hello.session_kind == SessionKind::both;
    if (accepted && source) {
      start_stream(c, asked.session, asked.flow, c.hello.message_bytes);
      c.named = true;
    }
  } else {
    ack.kind =
        asked.kind == FrameKind::statistics ? FrameKind::statistics_ack : FrameKind::goodbye_ack;
    write_payload(c.counted, payload);
  }
  if (asked.kind == FrameKind::goodbye) {
    c.streams = false;
    c.ending = true;
  }
  write_frame(ack, bytes);
  // Answers to the same read may still lie in the scratch, and come first.
  if (scratch_.empty()) {
    c.out.append(bytes);
  } else {
    scratch_.insert(scratch_.end(), bytes.begin(), bytes.end());
  }
}

void TcpService::start_stream(Connection& c, std::uint32_t session, std::uint16_t flow,
                              std::uint32_t message_bytes) {
  c.stream = FrameStream(session, flow, message_bytes);
  c.streams = true;
}

void TcpService::refill(Connection& c) {
  while (c.filler_left != 0 && c.out.size() < (shaped_ ? kMostQueued : kChunkBytes)) {
    const auto n = std::min<std::size_t>(c.filler_left, filler_.size());
    c.filler_left -= static_cast<std::uint32_t>(n);
    const auto piece = std::span(filler_).first(n);
    if (shaped_) {
      answer(c, piece, c.filler_left == 0);
    } else {
      c.out.append(piece);
    }
  }
}

void TcpService::answer(Connection& c, std::span<const std::byte> bytes, bool ends) {
  if (shaped_) {
    std::optional<RequestName> name;
    if (ends) {
      name = RequestName{.peer = c.peer,
                         .framed = true,
                         .session = c.current.session,
                         .flow = c.current.flow,
                         .sequence = c.current.sequence};
    }
    c.out.append(bytes, c.due, name);
  } else if (c.out.empty() && c.stream.left_of_frame() == 0) {
    scratch_.insert(scratch_.end(), bytes.begin(), bytes.end());
  } else {
    c.out.append(bytes);
  }
}

}  // namespace volley
