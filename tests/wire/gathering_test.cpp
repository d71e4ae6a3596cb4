// Gathering: when the kernel wakes the reader of a stream, and how the stream gets out of it again.
#include "targets/wire/gathering.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <vector>

#include "tests/wire/loopback_for_tests.hpp"

namespace volley {
namespace {

using namespace tests;

constexpr MonoTime kStart{std::chrono::hours(1)};

struct Stream {
  Descriptor sender;
  Descriptor reader;
};

Stream stream() {
  const Descriptor from = listener(Protocol::tcp, loopback4());
  Stream made;
  EXPECT_EQ(open_socket(Protocol::tcp, AF_INET, made.sender), 0);
  const int error = start_connect(made.sender, local_address(from));
  EXPECT_TRUE(error == 0 || error == EINPROGRESS);
  EXPECT_TRUE(wait_for(from));
  made.reader = Descriptor(accept4(from.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  EXPECT_TRUE(wait_for(made.sender, true));
  return made;
}

int wakes_at(const Descriptor& socket) {
  int value = -1;
  socklen_t size = sizeof value;
  EXPECT_EQ(getsockopt(socket.get(), SOL_SOCKET, SO_RCVLOWAT, &value, &size), 0);
  return value;
}

void send_all(const Descriptor& socket, std::size_t bytes) {
  const std::vector<std::byte> filler(bytes);
  ASSERT_EQ(send(socket.get(), filler.data(), filler.size(), MSG_DONTWAIT),
            static_cast<ssize_t>(bytes));
}

bool is_readable_now(const Descriptor& socket) {
  Poller poller;
  EXPECT_EQ(poller.add(socket.get(), 0, true, false), 0);
  return !poller.wait(Nanos{0}).empty();
}

// As fast as it has to be, and no faster.
Gathering gathering_on(const Descriptor& socket,
                       Gathering::Told told = Gathering::Told::by_the_kernel) {
  Gathering gathering;
  gathering.consider(socket, kStart - Gathering::kPatience);
  EXPECT_FALSE(gathering.count(Gathering::kGathered - 1));
  EXPECT_TRUE(gathering.count(1));
  gathering.consider(socket, kStart, told);
  return gathering;
}

TEST(Gathering, a_reader_is_woken_by_any_byte_until_it_gathers_and_again_after) {
  const Stream s = stream();
  EXPECT_FALSE(Gathering{}.on());
  EXPECT_EQ(wakes_at(s.reader), 1);
  send_all(s.sender, 100);
  ASSERT_TRUE(wait_for(s.reader));

  Gathering gathering = gathering_on(s.reader);
  EXPECT_TRUE(gathering.on());
  EXPECT_EQ(wakes_at(s.reader), static_cast<int>(Gathering::kGathered));
  EXPECT_FALSE(is_readable_now(s.reader));  // 100 bytes are not worth waking for
  EXPECT_EQ(gathering.check_at(), kStart + Gathering::kPatience);

  gathering.check(s.reader, gathering.check_at());
  EXPECT_FALSE(gathering.on());
  EXPECT_EQ(wakes_at(s.reader), 1);
  EXPECT_TRUE(is_readable_now(s.reader));  // the same 100 bytes
}

TEST(Gathering, a_slower_stream_does_not_gather) {
  const Stream s = stream();
  Gathering gathering;
  MonoTime now = kStart;
  for (int span = 0; span < 3; ++span) {
    EXPECT_TRUE(gathering.count(Gathering::kGathered));
    gathering.consider(s.reader, now);
    EXPECT_FALSE(gathering.on()) << span;
    EXPECT_FALSE(gathering.count(0));  // what came is not counted again
    now += Gathering::kPatience + Nanos{1};
  }
  EXPECT_EQ(wakes_at(s.reader), 1);
}

TEST(Gathering, goes_on_while_each_span_brings_what_it_waits_for) {
  const Stream s = stream();
  Gathering gathering = gathering_on(s.reader);
  for (int span = 0; span < 5; ++span) {
    EXPECT_FALSE(gathering.count(Gathering::kGathered - 1));
    EXPECT_FALSE(gathering.count(1));
    const MonoTime now = gathering.check_at();
    gathering.check(s.reader, now);
    ASSERT_TRUE(gathering.on()) << span;
    EXPECT_EQ(gathering.check_at(), now + Gathering::kPatience);
  }
  (void)gathering.count(Gathering::kGathered - 1);
  gathering.check(s.reader, gathering.check_at());
  EXPECT_FALSE(gathering.on());  // what earlier spans brought does not count
}

TEST(Gathering, a_reader_that_looks_does_so_on_a_grid_of_moments_and_is_woken_for_much_only) {
  const Stream s = stream();
  EXPECT_FALSE(gathering_on(s.reader).looks());
  Gathering gathering = gathering_on(s.reader, Gathering::Told::by_its_timer);
  EXPECT_TRUE(gathering.on());
  EXPECT_TRUE(gathering.looks());
  // As much as half of what a socket of this machine may hold, but not more.
  EXPECT_GE(wakes_at(s.reader), static_cast<int>(Gathering::kGathered));
  EXPECT_LE(wakes_at(s.reader), static_cast<int>(Gathering::kUnlooked));
  EXPECT_EQ(gathering.check_at(), kStart + Gathering::kLook);
  // Late, in between two moments: the next one is the same as for all other streams.
  gathering.check(s.reader, kStart + Gathering::kLook + Nanos{7});
  EXPECT_EQ(gathering.check_at(), kStart + 2 * Gathering::kLook);
}

TEST(Gathering, a_reader_that_looks_goes_on_by_what_a_whole_span_brought) {
  const Stream s = stream();
  Gathering gathering = gathering_on(s.reader, Gathering::Told::by_its_timer);
  const auto looks_until = [&](MonoTime end) {
    while (gathering.on() && gathering.check_at() <= end)
      gathering.check(s.reader, gathering.check_at());
  };
  looks_until(kStart + Gathering::kPatience - Nanos{1});
  EXPECT_TRUE(gathering.looks());  // nothing has come so far
  EXPECT_FALSE(gathering.count(Gathering::kGathered));
  looks_until(kStart + Gathering::kPatience);
  EXPECT_TRUE(gathering.looks());
  looks_until(kStart + 2 * Gathering::kPatience);
  EXPECT_FALSE(gathering.on());
  EXPECT_FALSE(gathering.looks());
  EXPECT_EQ(wakes_at(s.reader), 1);
}

TEST(Gathering, stops_when_it_is_told_to) {
  const Stream s = stream();
  Gathering gathering = gathering_on(s.reader);
  gathering.stop(s.reader);
  EXPECT_FALSE(gathering.on());
  EXPECT_EQ(wakes_at(s.reader), 1);
}

TEST(Gathering, a_check_before_its_time_changes_nothing) {
  const Stream s = stream();
  Gathering off;
  off.check(s.reader, kStart);
  EXPECT_FALSE(off.on());
  Gathering gathering = gathering_on(s.reader);
  gathering.check(s.reader, gathering.check_at() - Nanos{1});
  EXPECT_TRUE(gathering.on());
}

// Nobody is left who could send the rest.
TEST(Gathering, the_end_of_a_stream_wakes_a_reader_that_gathers) {
  Stream s = stream();
  ASSERT_TRUE(gathering_on(s.reader).on());
  send_all(s.sender, 10);
  s.sender.close();
  EXPECT_TRUE(wait_for(s.reader));
}

TEST(Gathering, what_is_no_socket_does_not_gather) {
  EXPECT_FALSE(gathering_on(Descriptor{}).on());
}

}  // namespace
}  // namespace volley
