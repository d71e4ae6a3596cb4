// How answers are recognised, in whatever pieces they come and whoever wrote them.
#include "generators/engine/exchange.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace volley {
namespace {

constexpr std::uint32_t kSession = 77;

RunPlan plan_of(std::uint32_t bytes) {
  RunPlan plan;
  plan.sizes = {SizeShare{bytes, 1}};
  return plan;
}

RunPlan scripted(ReplyRule::Kind kind, std::string text, std::uint64_t length = 0) {
  RunPlan plan = plan_of(4);
  plan.exchange = ExchangeKind::scripted;
  plan.request = "PING";
  plan.reply = ReplyRule{kind, length, std::move(text)};
  return plan;
}

std::vector<std::byte> bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

std::vector<std::byte> copy(std::span<const std::byte> bytes) {
  return {bytes.begin(), bytes.end()};
}

// Feeds a stream in pieces and collects the answers; false in `sane` when the stream was refused.
template <class Exchange>
std::vector<Answer> feed(const Exchange& exchange, std::span<const std::byte> stream,
                         std::size_t piece, std::optional<Expected> expected, bool& sane) {
  std::vector<Answer> answers;
  StreamState state;
  sane = true;
  while (!stream.empty() && sane) {
    const std::size_t n = std::min(piece, stream.size());
    sane = exchange.consume(
        state, stream.first(n), [&] { return expected; },
        [&](const Answer& answer) {
          answers.push_back(answer);
          return true;
        });
    stream = stream.subspan(n);
  }
  return answers;
}

TEST(FrameExchange, a_plain_echo_of_a_frame_names_the_request) {
  FrameExchange exchange(plan_of(64), kSession);
  const auto message = copy(exchange.encode(Outgoing{3, 12, 345, 64}));
  ASSERT_EQ(message.size(), 64U);
  const Answer answer = exchange.recognise(message, std::nullopt);
  EXPECT_EQ(answer.verdict, Answer::Verdict::valid);
  EXPECT_TRUE(answer.named);
  EXPECT_EQ(answer.slot, 12U);
  EXPECT_EQ(answer.sequence, 345U);
  EXPECT_EQ(answer.bytes, 64U);
}

TEST(FrameExchange, another_runs_answer_is_foreign_and_noise_is_malformed) {
  FrameExchange ours(plan_of(64), kSession);
  FrameExchange theirs(plan_of(64), kSession + 1);
  const auto foreign = copy(theirs.encode(Outgoing{0, 0, 0, 64}));
  EXPECT_EQ(ours.recognise(foreign, std::nullopt).verdict, Answer::Verdict::foreign);
  EXPECT_EQ(ours.recognise(bytes_of("hello"), std::nullopt).verdict, Answer::Verdict::malformed);
  EXPECT_EQ(ours.recognise({}, std::nullopt).verdict, Answer::Verdict::malformed);
  const auto ours_cut = copy(ours.encode(Outgoing{0, 0, 0, 64}));
  EXPECT_EQ(ours.recognise(std::span(ours_cut).first(63), std::nullopt).verdict,
            Answer::Verdict::malformed);
}

RC_GTEST_PROP(FrameExchange, a_stream_gives_the_same_answers_in_whatever_pieces_it_comes,
              (const std::vector<std::uint8_t>& extra)) {
  const auto piece = *rc::gen::inRange<std::size_t>(1, 200);
  RunPlan plan = plan_of(300);
  FrameExchange exchange(plan, kSession);
  std::vector<std::byte> stream;
  for (std::size_t i = 0; i < extra.size(); ++i) {
    const auto message = exchange.encode(
        Outgoing{0, static_cast<std::uint32_t>(i), i, static_cast<std::uint32_t>(24 + extra[i])});
    stream.insert(stream.end(), message.begin(), message.end());
  }
  bool sane = true;
  const auto answers = feed(exchange, stream, piece, std::nullopt, sane);
  RC_ASSERT(sane);
  RC_ASSERT(answers.size() == extra.size());
  for (std::size_t i = 0; i < extra.size(); ++i) {
    RC_ASSERT(answers[i].slot == i);
    RC_ASSERT(answers[i].bytes == 24U + extra[i]);
  }
}

TEST(FrameExchange, a_stream_that_is_not_frames_is_refused) {
  const FrameExchange exchange(plan_of(64), kSession);
  bool sane = true;
  feed(exchange, bytes_of("HTTP/1.1 400 Bad Request\r\n\r\n"), 5, std::nullopt, sane);
  EXPECT_FALSE(sane);
}

TEST(FrameExchange, an_answer_without_the_expected_text_is_unexpected) {
  RunPlan plan = plan_of(64);
  plan.expect = "no filler holds this text";
  FrameExchange exchange(plan, kSession);
  const auto message = copy(exchange.encode(Outgoing{0, 0, 0, 64}));
  EXPECT_EQ(exchange.recognise(message, std::nullopt).verdict, Answer::Verdict::unexpected);
}

TEST(EchoExchange, an_answer_to_an_earlier_request_is_named_by_its_number) {
  EchoExchange exchange(plan_of(2), kSession);
  const auto old = copy(exchange.encode(Outgoing{0, 0, 70'000, 2}));
  const auto now = copy(exchange.encode(Outgoing{0, 0, 70'003, 2}));
  const Expected expected{70'003, 2};
  EXPECT_FALSE(exchange.recognise(now, expected).named);
  const Answer stale = exchange.recognise(old, expected);
  EXPECT_TRUE(stale.named);
  EXPECT_EQ(stale.sequence, 70'000U);
  EXPECT_EQ(exchange.recognise(bytes_of("abc"), expected).verdict, Answer::Verdict::malformed);
}

TEST(EchoExchange, empty_messages_come_back_empty) {
  EchoExchange exchange(plan_of(0), kSession);
  EXPECT_EQ(exchange.encode(Outgoing{0, 0, 5, 0}).size(), 0U);
  EXPECT_EQ(exchange.recognise({}, Expected{5, 0}).verdict, Answer::Verdict::valid);
}

TEST(ScriptedExchange, any_takes_every_datagram_as_the_answer) {
  const ScriptedExchange exchange(scripted(ReplyRule::Kind::any, ""), kSession);
  EXPECT_EQ(exchange.recognise({}, Expected{}).verdict, Answer::Verdict::valid);
  const std::vector<std::byte> large(65'507);
  EXPECT_EQ(exchange.recognise(large, Expected{}).bytes, 65'507U);
}

RC_GTEST_PROP(ScriptedExchange, until_finds_every_answer_in_whatever_pieces_they_come, ()) {
  const auto piece = *rc::gen::inRange<std::size_t>(1, 12);
  const auto count = *rc::gen::inRange<std::size_t>(1, 20);
  const ScriptedExchange exchange(scripted(ReplyRule::Kind::until, "\r\n"), kSession);
  std::string stream;
  std::vector<std::uint64_t> sizes;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string line =
        *rc::gen::container<std::string>(rc::gen::element('a', '\r', ' ')) + "\r\n";
    // "\r" before "\r\n" is part of the text; a line cannot hold the end itself.
    stream += line;
    sizes.push_back(line.size());
  }
  bool sane = true;
  const auto answers = feed(exchange, bytes_of(stream), piece, Expected{}, sane);
  RC_ASSERT(sane);
  RC_ASSERT(answers.size() == count);
  for (std::size_t i = 0; i < count; ++i) RC_ASSERT(answers[i].bytes == sizes[i]);
}

TEST(ScriptedExchange, length_cuts_a_stream_into_equal_answers) {
  const ScriptedExchange exchange(scripted(ReplyRule::Kind::length, "", 3), kSession);
  for (const std::size_t piece : {1U, 2U, 3U, 4U, 9U}) {
    bool sane = true;
    const auto answers = feed(exchange, bytes_of("abcdefgh"), piece, Expected{}, sane);
    EXPECT_TRUE(sane);
    ASSERT_EQ(answers.size(), 2U);
    EXPECT_EQ(answers[1].bytes, 3U);
  }
}

TEST(ScriptedExchange, bytes_that_nobody_asked_for_end_the_connection) {
  const ScriptedExchange exchange(scripted(ReplyRule::Kind::until, "\n"), kSession);
  bool sane = true;
  feed(exchange, bytes_of("hello\n"), 6, std::nullopt, sane);
  EXPECT_FALSE(sane);
}

TEST(ScriptedExchange, an_endless_answer_is_refused_before_it_fills_the_memory) {
  RunPlan plan = scripted(ReplyRule::Kind::until, "\n");
  plan.expect = "x";
  const ScriptedExchange exchange(plan, kSession);
  const std::vector<std::byte> much(kMostAnswerBytes + 1, std::byte{'y'});
  bool sane = true;
  feed(exchange, much, 1U << 20U, Expected{}, sane);
  EXPECT_FALSE(sane);
}

TEST(ScriptedExchange, close_takes_all_that_came_as_one_answer) {
  RunPlan plan = scripted(ReplyRule::Kind::close, "");
  plan.expect = "200 OK";
  const ScriptedExchange exchange(plan, kSession);
  StreamState state;
  const auto never = [](const Answer&) { return true; };
  const auto expected = [] { return std::optional(Expected{}); };
  ASSERT_TRUE(exchange.consume(state, bytes_of("HTTP/1.0 20"), expected, never));
  ASSERT_TRUE(exchange.consume(state, bytes_of("0 OK\r\n\r\n"), expected, never));
  const auto answer = exchange.at_close(state);
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->verdict, Answer::Verdict::valid);
  EXPECT_EQ(answer->bytes, 19U);
}

}  // namespace
}  // namespace volley
