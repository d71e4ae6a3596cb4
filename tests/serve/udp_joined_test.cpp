// Datagrams that the kernel delivers together are served as if they had come one by one.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "targets/serve/udp_service.hpp"
#include "tests/wire/loopback_for_tests.hpp"

namespace volley {
namespace {

using Bytes = std::vector<std::byte>;
using Random = std::mt19937;

// A service on a socket of its own, and a client of it that receives one datagram at a time.
class Pair {
 public:
  Pair(const ServeOptions& options, bool joins, bool refuses_division = false)
      : options_(options), shared_(options_), context_(shared_, poller_) {
    Descriptor socket = tests::listener(Protocol::udp, tests::loopback4());
    EXPECT_EQ(apply(SocketOptions{}, Protocol::udp, socket), 0);
    EXPECT_EQ(tell_local_address(socket, AF_INET), 0);
    EXPECT_EQ(tell_ttl(socket, AF_INET), 0);
    if (joins) {
      EXPECT_EQ(join_datagrams(socket), 0);
    }
    if (refuses_division) {
      // The kernel divides only what it computes checksums for.
      const int on = 1;
      EXPECT_EQ(setsockopt(socket.get(), SOL_SOCKET, SO_NO_CHECK, &on, sizeof on), 0);
    }
    shared_.note = [this](const std::string& sentence) { notes_.push_back(sentence); };
    const Address where = local_address(socket);
    service_.emplace(std::move(socket), context_, 0);
    EXPECT_EQ(open_socket(Protocol::udp, AF_INET, client_), 0);
    EXPECT_EQ(apply(SocketOptions{}, Protocol::udp, client_), 0);
    EXPECT_EQ(start_connect(client_, where), 0);
  }

  // Sends a row of datagrams, lets the service serve them, and gives what came back.
  std::vector<Bytes> exchange(const Bytes& row, std::size_t each, bool together) {
    for (std::size_t at = 0; at < row.size(); at += each) {
      SendBatch batch(1);
      const auto one = std::span(row).subspan(at, std::min(each, row.size() - at));
      batch.add(together ? std::span(row) : one, nullptr, nullptr, -1, together ? each : 0);
      EXPECT_EQ(batch.send(client_), 1);
      service_->on_ready({.tag = 0, .readable = true}, mono_now());
      if (together) break;
    }
    std::vector<Bytes> answers;
    ReceiveBatch received(64, 65'536, Details::segments);
    for (int n = 0; (n = received.receive(client_)) > 0;) {
      for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
        const auto bytes = received.at(i).bytes;
        answers.emplace_back(bytes.begin(), bytes.end());
      }
    }
    return answers;
  }

  TargetUdpCounters& counted() { return context_.udp; }
  [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }

 private:
  std::vector<std::string> notes_;
  ServeOptions options_;
  TargetShared shared_;
  Poller poller_;
  ThreadContext context_;
  std::optional<UdpService> service_;
  Descriptor client_;
};

std::uint32_t below(Random& random, std::uint32_t n) {
  return static_cast<std::uint32_t>(random() % n);
}

// One datagram of `each` bytes: like the one before it, mostly.
void put_datagram(Random& random, Frame& frame, bool& plain, std::span<std::byte> to) {
  constexpr FrameKind kKinds[] = {
      FrameKind::request,  FrameKind::data,       FrameKind::data_warm_up, FrameKind::sized_request,
      FrameKind::response, FrameKind::statistics, FrameKind::goodbye};
  if (below(random, 12) == 0) {
    frame.kind = kKinds[below(random, std::size(kKinds))];
    frame.session = 1 + below(random, 3);
    plain = below(random, 6) == 0;
  }
  frame.sequence = below(random, 9) == 0 ? below(random, 2000) : frame.sequence + 1;
  frame.slot = below(random, 1000);
  for (std::byte& byte : to) byte = static_cast<std::byte>(below(random, 256));
  if (plain || to.size() < kFrameBytes) {
    if (!to.empty()) to[0] = std::byte{'p'};
    return;
  }
  frame.length = static_cast<std::uint32_t>(to.size() - kFrameBytes);
  if (below(random, 40) == 0) ++frame.length;
  write_frame(frame, to);
  const auto payload = to.subspan(kFrameBytes);
  if (frame.kind == FrameKind::sized_request && payload.size() >= kSizedRequestBytes) {
    const bool other = below(random, 10) == 0;
    write_payload(SizedRequest{.response_bytes = other ? below(random, 70'000) : 100}, payload);
  }
}

Bytes random_row(Random& random, std::size_t each) {
  const std::size_t count = 1 + below(random, kMostSegments);
  Bytes row(count * each - below(random, static_cast<std::uint32_t>(each)));
  Frame frame{.kind = FrameKind::request, .session = 1};
  bool plain = false;
  for (std::size_t at = 0; at < row.size(); at += each) {
    put_datagram(random, frame, plain, std::span(row).subspan(at, std::min(each, row.size() - at)));
  }
  return row;
}

void expect_same(const TargetUdpCounters& a, const TargetUdpCounters& b) {
  EXPECT_EQ(a.datagrams, b.datagrams);
  EXPECT_EQ(a.bytes_received, b.bytes_received);
  EXPECT_EQ(a.requests, b.requests);
  EXPECT_EQ(a.plain, b.plain);
  EXPECT_EQ(a.data, b.data);
  EXPECT_EQ(a.control, b.control);
  EXPECT_EQ(a.malformed, b.malformed);
  EXPECT_EQ(a.ignored.answers, b.ignored.answers);
  EXPECT_EQ(a.ignored.unproven, b.ignored.unproven);
  EXPECT_EQ(a.answered, b.answered);
  EXPECT_EQ(a.control_answered, b.control_answered);
  EXPECT_EQ(a.bytes_sent, b.bytes_sent);
  EXPECT_EQ(a.dropped, b.dropped);
  EXPECT_EQ(a.send_errors, 0U);
  EXPECT_EQ(b.send_errors, 0U);
}

ServeOptions of_kind(TargetKind kind) {
  ServeOptions options;
  options.kind = kind;
  return options;
}

class JoinedDatagrams : public testing::TestWithParam<int> {};

TEST_P(JoinedDatagrams, are_answered_and_counted_as_if_each_had_come_alone) {
  ServeOptions options = of_kind(GetParam() == 1 ? TargetKind::udp_sink : TargetKind::udp_echo);
  if (GetParam() == 2) options.reply_prefix = "OK...";
  if (GetParam() == 3) options.behaviour.drop = {.kind = DropRule::Kind::every, .n = 3};
  ServeOptions alone_options = options;
  alone_options.offload = Offload::off;
  Pair joined(options, true);
  Pair alone(alone_options, false);
  Random random(static_cast<unsigned>(GetParam()) + 1);
  for (int i = 0; i < 300; ++i) {
    const std::size_t each = 20 + below(random, i % 7 == 0 ? 600 : 100);
    const Bytes row = random_row(random, each);
    auto expected = alone.exchange(row, each, false);
    auto answers = joined.exchange(row, each, true);
    // What is programmed leaves behind the acknowledgements of the same batch.
    if (GetParam() == 3) std::sort(expected.begin(), expected.end());
    if (GetParam() == 3) std::sort(answers.begin(), answers.end());
    ASSERT_TRUE(answers == expected) << "row " << i << " of " << each;
  }
  expect_same(joined.counted(), alone.counted());
  EXPECT_GT(joined.counted().joined, 1000U);
  EXPECT_EQ(alone.counted().joined, 0U);
}
INSTANTIATE_TEST_SUITE_P(EchoSinkPrefixShaped, JoinedDatagrams, testing::Range(0, 4));

TEST(UdpService, answers_a_slot_of_64_requests_with_one_call) {
  Pair pair(of_kind(TargetKind::udp_echo), true);
  Bytes row(64 * kMostSegments);
  for (std::size_t i = 0; i < kMostSegments; ++i) {
    write_frame({.kind = FrameKind::request, .session = 5, .length = 40, .sequence = i},
                std::span(row).subspan(64 * i, 64));
  }
  const auto answers = pair.exchange(row, 64, true);
  ASSERT_EQ(answers.size(), kMostSegments);
  for (std::size_t i = 0; i < kMostSegments; ++i) {
    const Frame expected{.kind = FrameKind::response, .session = 5, .length = 40, .sequence = i};
    EXPECT_EQ(read_datagram(answers[i]), expected);
  }
  EXPECT_EQ(pair.counted().send_calls, 1U);
  EXPECT_EQ(pair.counted().receive_calls, 1U);
  EXPECT_EQ(pair.counted().divided, kMostSegments);
  EXPECT_EQ(pair.counted().answered, kMostSegments);
}

TEST(UdpService, answers_one_by_one_where_the_kernel_refuses_to_divide) {
  Pair pair(of_kind(TargetKind::udp_echo), true, true);
  for (unsigned i = 1; i <= 3; ++i) {
    const Bytes row(10 * 11 - 4, std::byte{'x'});
    auto expected = std::vector<Bytes>(11, Bytes(10, std::byte{'x'}));
    expected.back().resize(6);
    EXPECT_EQ(pair.exchange(row, 10, true), expected);
    EXPECT_EQ(pair.counted().answered, 11U * i);
    EXPECT_EQ(pair.counted().bytes_sent, row.size() * i);
  }
  EXPECT_EQ(pair.notes().size(), 1U);
  EXPECT_EQ(pair.counted().send_errors, 0U);
  EXPECT_EQ(pair.counted().divided, 0U);
  EXPECT_EQ(pair.counted().joined, 33U);
}

TEST(UdpService, answers_a_slot_of_plain_text_with_one_call_too) {
  Pair pair(of_kind(TargetKind::udp_echo), true);
  const Bytes row(64 * 10, std::byte{'x'});
  EXPECT_EQ(pair.exchange(row, 10, true), std::vector<Bytes>(64, Bytes(10, std::byte{'x'})));
  EXPECT_EQ(pair.counted().send_calls, 1U);
  EXPECT_EQ(pair.counted().plain, 64U);
}

}  // namespace
}  // namespace volley
