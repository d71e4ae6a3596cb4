// A UDP service tells who asks what has become of the requests so far.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "targets/serve/udp_service.hpp"
#include "tests/wire/loopback_for_tests.hpp"

namespace volley {
namespace {

using Bytes = std::vector<std::byte>;

Bytes frame_of(FrameKind kind, std::uint64_t sequence, std::size_t size = kControlBytes) {
  Bytes bytes(size);
  write_frame({.kind = kind,
               .session = 7,
               .length = static_cast<std::uint32_t>(size - kFrameBytes),
               .sequence = sequence},
              bytes);
  return bytes;
}

// A service, the second of three threads, and a client of it.
class Served {
 public:
  explicit Served(ServeOptions options)
      : options_(std::move(options)), shared_(options_), context_(shared_, poller_, 1) {
    Descriptor socket = tests::listener(Protocol::udp, tests::loopback4());
    const Address where = local_address(socket);
    service_.emplace(std::move(socket), context_, 0);
    EXPECT_EQ(open_socket(Protocol::udp, AF_INET, client_), 0);
    EXPECT_EQ(start_connect(client_, where), 0);
  }

  void send(const Bytes& datagram) { EXPECT_EQ(send_datagram(client_, datagram, nullptr), 0); }
  void serve() { service_->on_ready({.tag = 0, .readable = true}, mono_now()); }
  // What came back, in its order.
  std::vector<Bytes> answers() {
    std::vector<Bytes> found;
    ReceiveBatch received(64, 65'536, Details::none);
    for (int n = 0; (n = received.receive(client_)) > 0;)
      for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
        const auto bytes = received.at(i).bytes;
        found.emplace_back(bytes.begin(), bytes.end());
      }
    return found;
  }

 private:
  ServeOptions options_;
  TargetShared shared_;
  Poller poller_;
  ThreadContext context_;
  std::optional<UdpService> service_;
  Descriptor client_;
};

ServeOptions three_threads() {
  ServeOptions options;
  options.kind = TargetKind::udp_echo;
  options.threads = 3;
  options.offload = Offload::off;
  return options;
}

std::optional<SocketCounters> counters_in(const Bytes& datagram) {
  const auto frame = read_datagram(datagram);
  if (!frame || frame->kind != FrameKind::socket_counters_ack || frame->session != 7)
    return std::nullopt;
  return read_socket_counters(std::span(datagram).subspan(kFrameBytes));
}

TEST(SocketCounters, name_the_place_and_count_what_was_answered_before_the_question) {
  Served target(three_threads());
  for (std::uint64_t i = 0; i < 5; ++i) target.send(frame_of(FrameKind::request, i));
  target.send(frame_of(FrameKind::socket_counters, 0));
  target.serve();  // all of them in one batch
  const auto answers = target.answers();
  ASSERT_EQ(answers.size(), 6U);
  EXPECT_EQ(counters_in(answers.back()),
            (SocketCounters{.place = 1, .places = 3, .taken = 5, .answered = 5}));
}

TEST(SocketCounters, say_what_the_target_dropped_on_purpose) {
  ServeOptions options = three_threads();
  options.behaviour.drop = parse_drop("--drop", "every:2");
  Served target(options);
  for (std::uint64_t i = 0; i < 6; ++i) target.send(frame_of(FrameKind::request, i));
  target.send(frame_of(FrameKind::socket_counters, 0));
  target.serve();
  const auto answers = target.answers();
  ASSERT_EQ(answers.size(), 4U);
  EXPECT_EQ(counters_in(answers.back()),
            (SocketCounters{.place = 1, .places = 3, .taken = 6, .answered = 3, .dropped = 3}));
}

TEST(SocketCounters, count_what_found_the_sockets_buffer_full) {
  Served target(three_threads());
  constexpr std::uint64_t kMany = 3000;  // more than any default buffer holds
  for (std::uint64_t i = 0; i < kMany; ++i) target.send(frame_of(FrameKind::request, i, 1400));
  std::size_t answered = 0;
  for (int i = 0; i < 200; ++i) {
    target.serve();
    answered += target.answers().size();
  }
  target.send(frame_of(FrameKind::socket_counters, 0));
  target.serve();
  const auto answers = target.answers();
  ASSERT_EQ(answers.size(), 1U);
  const auto counters = counters_in(answers.back());
  ASSERT_TRUE(counters);
  EXPECT_GT(counters->kernel_drops, 0U);
  EXPECT_EQ(counters->taken + counters->kernel_drops, kMany);
  EXPECT_EQ(counters->taken, counters->answered);
  EXPECT_LE(answered, counters->answered);
}

}  // namespace
}  // namespace volley
