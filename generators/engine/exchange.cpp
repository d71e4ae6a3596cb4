#include "generators/engine/exchange.hpp"

#include "generators/engine/sent_batches.hpp"

namespace volley {
namespace {

std::uint32_t largest_of(const RunPlan& plan) {
  std::uint32_t largest = 0;
  for (const SizeShare& share : plan.sizes) largest = std::max(largest, share.bytes);
  return largest;
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool contains(std::string_view text, const std::string& part) {
  return text.find(part) != std::string_view::npos;
}

// A plain echo server returns what it was sent.
bool answers(FrameKind kind) {
  return kind == FrameKind::response || kind == FrameKind::stamped_response ||
         kind == FrameKind::request || kind == FrameKind::sized_request ||
         kind == FrameKind::stamped_request;
}

}  // namespace

FrameExchange::FrameExchange(const RunPlan& plan, std::uint32_t session)
    : buffer_(std::max<std::size_t>(largest_of(plan), kFrameBytes)),
      session_(session),
      expect_(plan.expect) {
  if (plan.response_size) response_size_ = *plan.response_size;
  fill_payload(buffer_, plan.seed);
}

std::span<const std::byte> FrameExchange::encode(const Outgoing& request) {
  const auto message = std::span(buffer_).first(request.bytes);
  encode(request, 1, message);
  return message;
}

void FrameExchange::encode(const Outgoing& first, std::uint32_t n, std::span<std::byte> to) const {
  Frame frame;
  frame.kind = response_size_ ? FrameKind::sized_request : FrameKind::request;
  frame.session = session_;
  frame.slot = first.slot;
  frame.length = first.bytes - static_cast<std::uint32_t>(kFrameBytes);
  frame.flow = static_cast<std::uint16_t>(first.flow);
  frame.sequence = first.sequence;
  write_frames(frame, n, first.bytes, to);
  if (!response_size_) return;
  const auto payload = static_cast<std::uint32_t>(*response_size_ - kFrameBytes);
  for (std::uint32_t i = 0; i < n; ++i)
    write_payload(SizedRequest{payload, first.cookie},
                  to.subspan(std::size_t{first.bytes} * i + kFrameBytes));
}

Answer FrameExchange::answer_of(const Frame& frame) const {
  Answer answer;
  // A frame of another kind answers no request: a second answer to our greeting, say.
  if (!answers(frame.kind) || frame.session != session_) {
    answer.verdict = Answer::Verdict::foreign;
    return answer;
  }
  answer.named = true;
  answer.slot = frame.slot;
  answer.sequence = frame.sequence;
  answer.bytes = kFrameBytes + frame.length;
  return answer;
}

Answer FrameExchange::recognise(std::span<const std::byte> datagram,
                                const std::optional<Expected>& /*expected*/) const {
  const std::optional<Frame> frame = read_datagram(datagram);
  if (!frame) {
    Answer answer;
    answer.verdict = Answer::Verdict::malformed;
    return answer;
  }
  Answer answer = answer_of(*frame);
  check_expectation(answer, text_of(datagram.subspan(kFrameBytes)));
  return answer;
}

// Once a datagram where they come one by one: in one piece, and no row is looked for in one.
[[gnu::flatten]] Answer FrameExchange::recognise_joined(
    std::span<const std::byte> joined, std::size_t size,
    const std::optional<Expected>& expected) const {
  Answer answer = recognise(joined.first(size), expected);
  if (answer.named && !expect_ && joined.size() > size)
    answer.count = static_cast<std::uint32_t>(
        std::min<std::size_t>(count_consecutive(joined, size), kMostInBatch));
  return answer;
}

bool FrameExchange::begin_answer(StreamState& state, std::span<const std::byte> header) const {
  const std::optional<Frame> frame = read_frame(header);
  if (!frame) return false;
  state.current = answer_of(*frame);
  // Another run's answers cannot come over our own connection.
  if (state.current.verdict != Answer::Verdict::valid) return false;
  if (expect_ && frame->length > kMostAnswerBytes) return false;
  state.skip = frame->length;
  state.stamped = frame->kind == FrameKind::stamped_response && frame->length >= kTargetStampsBytes;
  return true;
}

void FrameExchange::keep_payload(StreamState& state, std::span<const std::byte> bytes) const {
  std::size_t n = expect_ ? bytes.size() : 0;
  if (state.stamped && !expect_) n = std::min(bytes.size(), kTargetStampsBytes - state.text.size());
  state.text.append(reinterpret_cast<const char*>(bytes.data()), n);
}

void FrameExchange::finish_answer(StreamState& state) const {
  state.stamps =
      state.stamped ? read_target_stamps(std::as_bytes(std::span(state.text))) : std::nullopt;
  check_expectation(state.current, state.text);
  state.text.clear();
}

void FrameExchange::check_expectation(Answer& answer, std::string_view payload) const {
  if (expect_ && answer.verdict == Answer::Verdict::valid && !contains(payload, *expect_))
    answer.verdict = Answer::Verdict::unexpected;
}

EchoExchange::EchoExchange(const RunPlan& plan, std::uint32_t /*session*/)
    : buffer_(std::max<std::size_t>(largest_of(plan), 1)), expect_(plan.expect) {
  fill_payload(buffer_, plan.seed);
}

std::span<const std::byte> EchoExchange::encode(const Outgoing& request) {
  const auto message = std::span(buffer_).first(request.bytes);
  encode(request, 1, message);
  return message;
}

void EchoExchange::encode(const Outgoing& first, std::uint32_t n, std::span<std::byte> to) const {
  const std::size_t marked = std::min<std::size_t>(8, first.bytes);
  for (std::uint32_t message = 0; message < n; ++message)
    for (std::size_t i = 0; i < marked; ++i)
      to[std::size_t{first.bytes} * message + i] =
          static_cast<std::byte>((first.sequence + message) >> (8 * i));
}

Answer EchoExchange::recognise(std::span<const std::byte> datagram,
                               const std::optional<Expected>& expected) const {
  Answer answer;
  answer.bytes = datagram.size();
  if (!expected) return answer;
  const std::size_t marked = std::min<std::size_t>(8, expected->bytes);
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < std::min(marked, datagram.size()); ++i)
    number |= static_cast<std::uint64_t>(datagram[i]) << (8 * i);
  const std::uint64_t seen_of =
      marked >= 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << (8 * marked)) - 1;
  const bool same_filler =
      datagram.size() == expected->bytes &&
      std::equal(datagram.begin() + static_cast<std::ptrdiff_t>(marked), datagram.end(),
                 buffer_.begin() + static_cast<std::ptrdiff_t>(marked));
  if (!same_filler) {
    answer.verdict = Answer::Verdict::malformed;
  } else if (((expected->sequence ^ number) & seen_of) != 0) {
    // The answer to an earlier request: the closest number below that ends in the same bytes.
    const std::uint64_t behind = (expected->sequence - number) & seen_of;
    answer.named = true;
    answer.sequence = expected->sequence - behind;
    if (behind > expected->sequence) answer.verdict = Answer::Verdict::malformed;
  } else if (expect_ && !contains(text_of(datagram), *expect_)) {
    answer.verdict = Answer::Verdict::unexpected;
  }
  return answer;
}

ScriptedExchange::ScriptedExchange(const RunPlan& plan, std::uint32_t /*session*/)
    : request_(plan.request), reply_(plan.reply), expect_(plan.expect) {}

std::span<const std::byte> ScriptedExchange::encode(const Outgoing& /*request*/) const {
  return std::as_bytes(std::span(request_));
}

Answer ScriptedExchange::recognise(std::span<const std::byte> datagram,
                                   const std::optional<Expected>& /*expected*/) const {
  Answer answer;
  answer.bytes = datagram.size();
  const std::string_view text = text_of(datagram);
  const bool whole = reply_.kind == ReplyRule::Kind::any ||
                     (reply_.kind == ReplyRule::Kind::length && datagram.size() == reply_.length) ||
                     (reply_.kind == ReplyRule::Kind::until && text.ends_with(reply_.text));
  if (!whole)
    answer.verdict = Answer::Verdict::malformed;
  else if (expect_ && !contains(text, *expect_))
    answer.verdict = Answer::Verdict::unexpected;
  return answer;
}

std::optional<std::size_t> ScriptedExchange::end_of_answer(const StreamState& state,
                                                           std::span<const std::byte> bytes) const {
  switch (reply_.kind) {
    case ReplyRule::Kind::length: {
      const std::uint64_t missing = reply_.length - state.total;
      if (bytes.size() < missing) return std::nullopt;
      return static_cast<std::size_t>(missing);
    }
    case ReplyRule::Kind::until: {
      // The text may have begun in what was kept of earlier reads.
      const std::size_t tail = std::min(state.text.size(), reply_.text.size() - 1);
      std::string window = state.text.substr(state.text.size() - tail);
      window.append(text_of(bytes));
      const std::size_t at = window.find(reply_.text);
      if (at == std::string::npos) return std::nullopt;
      return at + reply_.text.size() - tail;
    }
    case ReplyRule::Kind::close:
    case ReplyRule::Kind::any:
      break;
  }
  return std::nullopt;
}

void ScriptedExchange::keep(StreamState& state, std::span<const std::byte> bytes) const {
  state.total += bytes.size();
  if (expect_) {
    state.text.append(text_of(bytes));
  } else if (reply_.kind == ReplyRule::Kind::until) {
    state.text.append(text_of(bytes));
    if (state.text.size() > reply_.text.size())
      state.text.erase(0, state.text.size() - reply_.text.size());
  }
}

Answer ScriptedExchange::judge(const StreamState& state) const {
  Answer answer;
  answer.bytes = state.total;
  if (expect_ && !contains(state.text, *expect_)) answer.verdict = Answer::Verdict::unexpected;
  return answer;
}

std::optional<Answer> ScriptedExchange::at_close(const StreamState& state) const {
  if (reply_.kind != ReplyRule::Kind::close) return std::nullopt;
  return judge(state);
}

}  // namespace volley
