// The frame header and the control payloads: what is written is read back, all else is refused.
#include "targets/wire/frame.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

namespace volley {
namespace {

using Header = std::array<std::byte, kFrameBytes>;

constexpr std::array kKinds{FrameKind::request,
                            FrameKind::sized_request,
                            FrameKind::response,
                            FrameKind::data,
                            FrameKind::data_warm_up,
                            FrameKind::hello,
                            FrameKind::hello_ack,
                            FrameKind::statistics,
                            FrameKind::statistics_ack,
                            FrameKind::goodbye,
                            FrameKind::goodbye_ack,
                            FrameKind::socket_counters,
                            FrameKind::socket_counters_ack,
                            FrameKind::stream_quality,
                            FrameKind::stream_quality_ack,
                            FrameKind::stamped_request,
                            FrameKind::stamped_response};

Header written(const Frame& frame) {
  Header header{};
  write_frame(frame, header);
  return header;
}

Frame some_frame() {
  return {.kind = FrameKind::response,
          .session = 0x11223344,
          .slot = 0x55667788,
          .length = 0x00ABCDEF,
          .flow = 0x99AA,
          .sequence = 0xB1B2B3B4B5B6};
}

std::vector<std::byte> some_bytes(std::size_t size) {
  return *rc::gen::container<std::vector<std::byte>>(
      size, rc::gen::map(rc::gen::arbitrary<std::uint8_t>(),
                         [](std::uint8_t b) { return static_cast<std::byte>(b); }));
}

TEST(Frame, LiesOnTheWireAsDocumented) {
  constexpr std::array<unsigned, kFrameBytes> expected{0xF6, 0xD7, 1,    3,  // magic, version, kind
                                                       0x44, 0x33, 0x22, 0x11,  // session
                                                       0x88, 0x77, 0x66, 0x55,  // slot
                                                       0xEF, 0xCD, 0xAB, 0x00,  // length
                                                       0xAA, 0x99,              // flow
                                                       0xB6, 0xB5, 0xB4, 0xB3,
                                                       0xB2, 0xB1};  // sequence
  const Header header = written(some_frame());
  for (std::size_t i = 0; i < kFrameBytes; ++i) {
    EXPECT_EQ(std::to_integer<unsigned>(header[i]), expected[i]) << "at " << i;
  }
}

RC_GTEST_PROP(FrameProperty, AnyFrameIsReadBackAsWritten, ()) {
  const Frame frame{.kind = *rc::gen::elementOf(kKinds),
                    .session = *rc::gen::arbitrary<std::uint32_t>(),
                    .slot = *rc::gen::arbitrary<std::uint32_t>(),
                    .length = *rc::gen::inRange<std::uint32_t>(0, kMostPayload + 1),
                    .flow = *rc::gen::arbitrary<std::uint16_t>(),
                    .sequence = *rc::gen::inRange<std::uint64_t>(0, kLastSequence + 1)};
  RC_ASSERT(read_frame(written(frame)) == frame);
}

RC_GTEST_PROP(FrameProperty, AnyBytesTakenForAFrameWriteTheSameBytes, ()) {
  std::vector<std::byte> bytes = some_bytes(kFrameBytes);
  // Without a true beginning and a bounded length hardly any random bytes would be a frame.
  bytes[0] = std::byte{0xF6};
  bytes[1] = std::byte{0xD7};
  bytes[2] = std::byte{kFrameVersion};
  bytes[3] = static_cast<std::byte>(*rc::gen::elementOf(kKinds));
  bytes[15] &= std::byte{3};
  const std::optional<Frame> frame = read_frame(bytes);
  RC_ASSERT(frame.has_value());
  const Header again = written(*frame);
  RC_ASSERT(std::equal(again.begin(), again.end(), bytes.begin()));
}

TEST(Frame, IsRefusedAtEveryLengthShorterThanAHeader) {
  const Header header = written(some_frame());
  for (std::size_t size = 0; size < kFrameBytes; ++size) {
    EXPECT_FALSE(read_frame(std::span(header).first(size))) << size;
    EXPECT_FALSE(read_datagram(std::span(header).first(size))) << size;
  }
}

TEST(Frame, IsRefusedWithOneWrongByteOfMagicOrVersion) {
  for (std::size_t i = 0; i < 3; ++i) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      Header header = written(some_frame());
      header[i] ^= std::byte{1} << bit;
      EXPECT_FALSE(read_frame(header)) << "byte " << i << " bit " << bit;
    }
  }
}

TEST(Frame, HasExactlyTheDocumentedKinds) {
  for (unsigned kind = 0; kind < 256; ++kind) {
    Header header = written(some_frame());
    header[3] = static_cast<std::byte>(kind);
    const bool known =
        std::find(kKinds.begin(), kKinds.end(), static_cast<FrameKind>(kind)) != kKinds.end();
    EXPECT_EQ(read_frame(header).has_value(), known) << kind;
  }
}

TEST(Frame, WithAHostileLengthIsRefusedAtOnce) {
  for (const std::uint32_t length : {kMostPayload + 1, 0x7FFFFFFFU, 0x80000000U, 0xFFFFFFFFU}) {
    Frame frame = some_frame();
    frame.length = length;
    EXPECT_FALSE(read_frame(written(frame))) << length;
  }
  Frame frame = some_frame();
  frame.length = kMostPayload;
  EXPECT_TRUE(read_frame(written(frame)));
}

TEST(Datagram, IsAFrameOnlyWhenItsLengthIsTheRest) {
  Frame frame = some_frame();
  frame.length = 10;
  for (std::size_t size = kFrameBytes; size < kFrameBytes + 20; ++size) {
    std::vector<std::byte> datagram(size);
    write_frame(frame, datagram);
    EXPECT_EQ(read_datagram(datagram).has_value(), size == kFrameBytes + 10) << size;
  }
}

TEST(Beginning, MayBeAFrameAsFarAsTheMagicGoes) {
  const std::array magic{std::byte{0xF6}, std::byte{0xD7}, std::byte{0x00}};
  EXPECT_TRUE(may_be_frame(std::span(magic).first(1)));
  EXPECT_TRUE(may_be_frame(std::span(magic).first(2)));
  EXPECT_TRUE(may_be_frame(magic));
  const std::array half{std::byte{0xF6}, std::byte{0xD6}};
  EXPECT_TRUE(may_be_frame(std::span(half).first(1)));
  EXPECT_FALSE(may_be_frame(half));
  EXPECT_FALSE(may_be_frame({}));
}

TEST(Beginning, OfNoUtf8TextIsOurMagic) {
  // 0xF6 begins no character of UTF-8, whose lead bytes end at 0xF4.
  for (unsigned byte = 0; byte <= 0xF4; ++byte) {
    const std::array first{static_cast<std::byte>(byte)};
    EXPECT_FALSE(may_be_frame(first)) << byte;
  }
}

RC_GTEST_PROP(PayloadProperty, ControlPayloadsAreReadBackAsWritten, ()) {
  const auto any64 = rc::gen::arbitrary<std::uint64_t>();
  const auto size = rc::gen::inRange<std::uint32_t>(0, kMostPayload + 1);
  std::array<std::byte, kControlBytes> bytes{};

  const SizedRequest sized{.response_bytes = *size, .cookie = *any64};
  write_payload(sized, bytes);
  const auto sized_again = read_sized_request(bytes);
  RC_ASSERT(sized_again && sized_again->response_bytes == sized.response_bytes);
  RC_ASSERT(sized_again->cookie == sized.cookie);

  const Hello hello{.session_kind = static_cast<SessionKind>(*rc::gen::inRange(0, 4)),
                    .message_bytes = *size,
                    .cookie = *any64};
  write_payload(hello, bytes);
  const auto hello_again = read_hello(bytes);
  RC_ASSERT(hello_again && hello_again->session_kind == hello.session_kind);
  RC_ASSERT(hello_again->message_bytes == hello.message_bytes);
  RC_ASSERT(hello_again->cookie == hello.cookie);

  const HelloAck ack{
      .cookie = *any64, .most_response_bytes = *size, .accepted = *rc::gen::arbitrary<bool>()};
  write_payload(ack, bytes);
  const auto ack_again = read_hello_ack(bytes);
  RC_ASSERT(ack_again && ack_again->cookie == ack.cookie);
  RC_ASSERT(ack_again->most_response_bytes == ack.most_response_bytes);
  RC_ASSERT(ack_again->accepted == ack.accepted);
}

TEST(Payload, OfSessionStatisticsKeepsEveryFieldApart) {
  const SessionStatistics value{.messages = 1,
                                .bytes = 2,
                                .duplicates = 3,
                                .reordered = 4,
                                .warm_up_messages = 5,
                                .sent_messages = 6,
                                .sent_bytes = 7,
                                .malformed = 0xFFFFFFFFFFFFFFFF};
  std::array<std::byte, 64> bytes{};
  write_payload(value, bytes);
  const auto again = read_session_statistics(bytes);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->messages, 1U);
  EXPECT_EQ(again->bytes, 2U);
  EXPECT_EQ(again->duplicates, 3U);
  EXPECT_EQ(again->reordered, 4U);
  EXPECT_EQ(again->warm_up_messages, 5U);
  EXPECT_EQ(again->sent_messages, 6U);
  EXPECT_EQ(again->sent_bytes, 7U);
  EXPECT_EQ(again->malformed, 0xFFFFFFFFFFFFFFFFU);
}

TEST(Payload, OfSocketCountersKeepsEveryFieldApart) {
  const SocketCounters value{.place = 3,
                             .places = 4,
                             .joins = true,
                             .taken = 5,
                             .answered = 6,
                             .duplicated = 7,
                             .dropped = 8,
                             .discarded = 9,
                             .send_errors = 10,
                             .ignored = 11,
                             .kernel_drops = 0xFFFFFFFFFFFFFFFF};
  std::array<std::byte, 72> bytes{};
  write_payload(value, bytes);
  EXPECT_EQ(read_socket_counters(bytes), value);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(read_socket_counters(std::span(bytes).first(size))) << size;
}

TEST(Payload, OfSocketCountersNamesAPlaceThatThereIs) {
  std::array<std::byte, 72> bytes{};
  write_payload(SocketCounters{.place = 4, .places = 4}, bytes);
  EXPECT_FALSE(read_socket_counters(bytes));
  write_payload(SocketCounters{.place = 0, .places = 0}, bytes);
  EXPECT_FALSE(read_socket_counters(bytes));
  write_payload(SocketCounters{}, bytes);
  bytes[4] = std::byte{2};
  EXPECT_FALSE(read_socket_counters(bytes));
}

TEST(Payload, IsRefusedAtEveryLengthShorterThanItself) {
  const std::array<std::byte, 64> zeros{};
  for (std::size_t size = 0; size <= zeros.size(); ++size) {
    const auto payload = std::span(zeros).first(size);
    EXPECT_EQ(read_sized_request(payload).has_value(), size >= 12) << size;
    EXPECT_EQ(read_hello(payload).has_value(), size >= 16) << size;
    EXPECT_EQ(read_hello_ack(payload).has_value(), size >= 16) << size;
    EXPECT_EQ(read_session_statistics(payload).has_value(), size >= 64) << size;
  }
}

TEST(Payload, WithAFieldOutOfRangeIsRefused) {
  std::array<std::byte, 16> bytes{};
  write_payload(SizedRequest{.response_bytes = kMostPayload + 1, .cookie = 0}, bytes);
  EXPECT_FALSE(read_sized_request(bytes));
  write_payload(Hello{.session_kind = SessionKind::source, .message_bytes = kMostPayload + 1},
                bytes);
  EXPECT_FALSE(read_hello(bytes));
  write_payload(Hello{.session_kind = static_cast<SessionKind>(4)}, bytes);
  EXPECT_FALSE(read_hello(bytes));
  write_payload(HelloAck{.cookie = 1, .most_response_bytes = kMostPayload + 1}, bytes);
  EXPECT_FALSE(read_hello_ack(bytes));
  write_payload(HelloAck{.cookie = 1, .most_response_bytes = 1, .accepted = true}, bytes);
  bytes[12] = std::byte{2};
  EXPECT_FALSE(read_hello_ack(bytes));
}

TEST(Payload, OfEveryControlFrameFitsItsPaddedSize) {
  // An answer is never larger than its cause because all of them are padded to this size.
  EXPECT_LE(kFrameBytes + 72, kControlBytes);
}

}  // namespace
}  // namespace volley
