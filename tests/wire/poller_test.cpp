// The poller and the waker. Times are asserted only as bounds that hold on any machine.
#include "targets/wire/poller.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <thread>
#include <utility>
#include <vector>

#include "reports/measure/ensure.hpp"
#include "tests/wire/loopback_for_tests.hpp"

namespace volley {
namespace {

using namespace tests;
using namespace std::chrono_literals;

Descriptor opened(Protocol protocol) {
  Descriptor socket;
  EXPECT_EQ(open_socket(protocol, AF_INET, socket), 0);
  return socket;
}

TEST(Poller, ThatOnlyLooksFindsNothingWhereNothingIs) {
  Poller poller;
  EXPECT_TRUE(poller.wait(0ns).empty());
  EXPECT_TRUE(poller.wait(-5s).empty());  // a time already past is a look, too
}

TEST(Poller, WaitsNoShorterThanAskedWhenNothingHappens) {
  Poller poller;
  for (const Nanos timeout : {Nanos(1ns), Nanos(300us), Nanos(20ms)}) {
    const MonoTime start = mono_now();
    EXPECT_TRUE(poller.wait(timeout).empty());
    EXPECT_GE(mono_now() - start, timeout);
  }
}

TEST(Poller, TakesATimeoutFarFinerThanAMillisecond) {
  // Rounded up to milliseconds, not one of these waits could end below 1 ms; the quickest of many
  // shows it even on a busy machine.
  Poller poller;
  Nanos quickest = 1h;
  for (int i = 0; i < 200; ++i) {
    const MonoTime start = mono_now();
    EXPECT_TRUE(poller.wait(50us).empty());
    quickest = std::min(quickest, mono_now() - start);
  }
  EXPECT_LT(quickest, 900us);
}

TEST(Poller, ReportsTagAndReadinessAsAskedUntilItIsTakenAway) {
  const Descriptor socket = listener(Protocol::udp, loopback4());
  Poller poller;
  constexpr std::uint64_t kTag = 0xFEDCBA9876543210;
  ASSERT_EQ(poller.add(socket.get(), kTag, true, true), 0);
  auto ready = poller.wait(kPatience);
  ASSERT_EQ(ready.size(), 1U);
  EXPECT_EQ(ready[0].tag, kTag);
  EXPECT_TRUE(ready[0].writable);
  EXPECT_FALSE(ready[0].readable);
  EXPECT_FALSE(ready[0].failed);

  ASSERT_EQ(poller.change(socket.get(), 7, true, false), 0);
  EXPECT_TRUE(poller.wait(0ns).empty());
  const Address self = local_address(socket);
  ASSERT_EQ(sendto(socket.get(), "x", 1, 0, self.data(), self.size()), 1);
  for (int i = 0; i < 2; ++i) {  // level-triggered: as long as the datagram lies there
    ready = poller.wait(kPatience);
    ASSERT_EQ(ready.size(), 1U);
    EXPECT_EQ(ready[0].tag, 7U);
    EXPECT_TRUE(ready[0].readable);
    EXPECT_FALSE(ready[0].writable);
  }
  poller.remove(socket.get());
  EXPECT_TRUE(poller.wait(0ns).empty());
}

TEST(Poller, ReportsAFailureAsReadableSoThatItIsRead) {
  const Descriptor holder = opened(Protocol::tcp);
  const Address where = loopback4();
  ASSERT_EQ(bind(holder.get(), where.data(), where.size()), 0);
  const Descriptor client = opened(Protocol::tcp);
  (void)start_connect(client, local_address(holder));
  Poller poller;
  ASSERT_EQ(poller.add(client.get(), 1, false, false), 0);
  const auto ready = poller.wait(kPatience);
  ASSERT_EQ(ready.size(), 1U);
  EXPECT_TRUE(ready[0].failed);
  EXPECT_TRUE(ready[0].readable);
}

TEST(Poller, ReportsManyDescriptorsOverSeveralWaits) {
  constexpr std::size_t kCount = 300;  // more than one call hands out
  Poller poller;
  std::vector<Descriptor> sockets;
  for (std::size_t i = 0; i < kCount; ++i) {
    sockets.push_back(opened(Protocol::udp));
    ASSERT_EQ(poller.add(sockets[i].get(), i, false, true), 0);
  }
  std::vector<int> seen(kCount);
  std::size_t got = 0;
  while (got < kCount) {
    const auto ready = poller.wait(kPatience);
    ASSERT_FALSE(ready.empty());
    for (const Ready& one : ready) {
      ++seen[one.tag];
      ++got;
      ASSERT_EQ(poller.change(sockets[one.tag].get(), one.tag, false, false), 0);
    }
  }
  EXPECT_EQ(std::count(seen.begin(), seen.end(), 1), static_cast<std::ptrdiff_t>(kCount));
}

TEST(Poller, AnswersWrongDescriptorsWithTheirErrno) {
  const Descriptor socket = opened(Protocol::udp);
  Poller poller;
  EXPECT_EQ(poller.add(-1, 0, true, false), EBADF);
  EXPECT_EQ(poller.change(socket.get(), 0, true, false), ENOENT);
  EXPECT_EQ(poller.add(socket.get(), 0, true, false), 0);
  EXPECT_EQ(poller.add(socket.get(), 0, true, false), EEXIST);
}

TEST(Poller, EndsAWaitWithNothingReadyWhenASignalComes) {
  struct sigaction ignore {};
  ignore.sa_handler = [](int) {};
  struct sigaction before {};
  ASSERT_EQ(sigaction(SIGALRM, &ignore, &before), 0);
  // It repeats, so one that comes before the wait begins is no matter.
  const itimerval often{.it_interval = {.tv_sec = 0, .tv_usec = 5000},
                        .it_value = {.tv_sec = 0, .tv_usec = 5000}};
  const itimerval never{};
  ASSERT_EQ(setitimer(ITIMER_REAL, &often, nullptr), 0);
  Poller poller;
  EXPECT_TRUE(poller.wait(std::nullopt).empty());
  ASSERT_EQ(setitimer(ITIMER_REAL, &never, nullptr), 0);
  ASSERT_EQ(sigaction(SIGALRM, &before, nullptr), 0);
}

// No descriptor can be opened while this lives.
class NoDescriptors {
 public:
  NoDescriptors() {
    EXPECT_EQ(getrlimit(RLIMIT_NOFILE, &before_), 0);
    const rlimit none{.rlim_cur = 0, .rlim_max = before_.rlim_max};
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;
  ~NoDescriptors() { EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &before_), 0); }

 private:
  rlimit before_{};
};

// The limit is lifted before the error is looked at: UBSan opens a pipe to check an object's type.
template <typename T>
std::string refusal_without_descriptors() {
  try {
    const NoDescriptors none;
    const T made;
    return "(made)";
  } catch (const RunError& e) {
    EXPECT_EQ(e.code(), "too_many_files");
    EXPECT_EQ(e.phase(), "setup");
    return e.what();
  }
}

TEST(Poller, SaysSoWhenNoDescriptorIsLeft) {
  EXPECT_EQ(refusal_without_descriptors<Poller>(),
            "epoll set: cannot be created (too many open files); "
            "raise the limit of open files (ulimit -n)");
  EXPECT_EQ(refusal_without_descriptors<Waker>(),
            "eventfd: cannot be created (too many open files); "
            "raise the limit of open files (ulimit -n)");
}

TEST(Waker, EndsAWaitOfAnotherThread) {
  Poller poller;
  const Waker waker;
  ASSERT_EQ(poller.add(waker.fd(), 99, true, false), 0);
  std::thread other([&] { waker.wake(); });
  const auto ready = poller.wait(kPatience);
  other.join();
  ASSERT_EQ(ready.size(), 1U);
  EXPECT_EQ(ready[0].tag, 99U);
}

TEST(Waker, IsOneEventHoweverOftenItWasWokenAndNoneAfterDraining) {
  Poller poller;
  const Waker waker;
  ASSERT_EQ(poller.add(waker.fd(), 1, true, false), 0);
  for (int i = 0; i < 1000; ++i) waker.wake();
  EXPECT_EQ(poller.wait(0ns).size(), 1U);
  waker.drain();
  EXPECT_TRUE(poller.wait(0ns).empty());
  waker.drain();  // with nothing to drain it must not wait
  waker.wake();
  EXPECT_EQ(poller.wait(0ns).size(), 1U);
}

TEST(Waker, LeavesErrnoAlone) {
  const Waker waker;
  errno = 1234;
  waker.wake();
  EXPECT_EQ(errno, 1234);
}

// As many sockets as asked for, each with a datagram to read, in the poller under its index.
std::vector<Descriptor> readable(Poller& poller, std::size_t count) {
  std::vector<Descriptor> sockets;
  for (std::size_t i = 0; i < count; ++i) {
    sockets.push_back(listener(Protocol::udp, loopback4()));
    const Address self = local_address(sockets[i]);
    EXPECT_EQ(sendto(sockets[i].get(), "x", 1, 0, self.data(), self.size()), 1);
    EXPECT_EQ(poller.add(sockets[i].get(), i, true, false), 0);
  }
  return sockets;
}

std::vector<std::uint64_t> tags_of(Poller& poller) {
  std::vector<std::uint64_t> tags;
  for (const Ready& ready : poller.wait(kPatience)) tags.push_back(ready.tag);
  std::sort(tags.begin(), tags.end());
  return tags;
}

TEST(Poller, KeepsItsDescriptorsAcrossBothWaysOfWaiting) {
  Poller poller;
  constexpr std::size_t kMany = Poller::kMostPolled + 3;
  std::vector<Descriptor> sockets = readable(poller, kMany);
  std::vector<std::uint64_t> expected(kMany);
  for (std::size_t i = 0; i < kMany; ++i) expected[i] = i;
  EXPECT_EQ(tags_of(poller), expected);
  // Down to a few and up again, twice: by closing, and by taking away.
  for (const bool closes : {true, false}) {
    while (expected.size() > Poller::kFewPolled - 1) {
      const std::size_t last = expected.back();
      if (closes) {
        poller.forget(sockets[last].get());
        sockets[last].close();
      } else {
        poller.remove(sockets[last].get());
      }
      expected.pop_back();
      EXPECT_EQ(tags_of(poller), expected);
    }
    EXPECT_EQ(poller.change(sockets[0].get(), 0, false, false), 0);
    EXPECT_EQ(tags_of(poller), std::vector<std::uint64_t>(expected.begin() + 1, expected.end()));
    EXPECT_EQ(poller.change(sockets[0].get(), 0, true, false), 0);
    for (std::size_t i = expected.size(); i < kMany; ++i) {
      if (closes) {
        sockets[i] = listener(Protocol::udp, loopback4());
        const Address self = local_address(sockets[i]);
        EXPECT_EQ(sendto(sockets[i].get(), "x", 1, 0, self.data(), self.size()), 1);
      }
      EXPECT_EQ(poller.add(sockets[i].get(), i, true, false), 0);
      expected.push_back(i);
      EXPECT_EQ(tags_of(poller), expected);
    }
  }
}

TEST(Poller, KnowsNothingOfADescriptorThatWasForgottenAndClosed) {
  for (const std::size_t count : {std::size_t{2}, Poller::kMostPolled + 2}) {
    Poller poller;
    std::vector<Descriptor> sockets = readable(poller, count);
    const int number = sockets.back().get();
    poller.forget(number);
    sockets.back().close();
    // The next descriptor gets the number, and has something to read.
    sockets.back() = listener(Protocol::udp, loopback4());
    ASSERT_EQ(sockets.back().get(), number);
    const Address self = local_address(sockets.back());
    EXPECT_EQ(sendto(number, "x", 1, 0, self.data(), self.size()), 1);
    EXPECT_EQ(tags_of(poller).size(), count - 1);
    EXPECT_EQ(poller.change(number, 1, true, false), ENOENT);
    poller.forget(number);
    EXPECT_EQ(poller.add(number, 77, true, false), 0);
    EXPECT_EQ(tags_of(poller).size(), count);
    EXPECT_EQ(tags_of(poller).back(), 77U);
  }
}

// The connecting and the accepted end of a connection.
std::pair<Descriptor, Descriptor> connection() {
  const Descriptor listening = listener(Protocol::tcp, loopback4());
  Descriptor client = opened(Protocol::tcp);
  EXPECT_EQ(start_connect(client, local_address(listening)), EINPROGRESS);
  EXPECT_TRUE(wait_for(listening));
  Descriptor server(accept4(listening.get(), nullptr, nullptr, SOCK_NONBLOCK));
  EXPECT_TRUE(server.is_open());
  return {std::move(client), std::move(server)};
}

// The same; the poller tells once, by the tag 7, what comes to the accepted end.
std::pair<Descriptor, Descriptor> told_once(Poller& poller) {
  auto ends = connection();
  EXPECT_EQ(poller.add(ends.second.get(), 7, true, false), 0);
  EXPECT_EQ(poller.tell_once(ends.second.get(), 7), 0);
  return ends;
}

// A poller of so many descriptors that it keeps them in an epoll set; nothing comes to these.
std::vector<Descriptor> silent(Poller& poller) {
  std::vector<Descriptor> sockets;
  for (std::size_t i = 0; i < Poller::kMostPolled; ++i) {
    sockets.push_back(listener(Protocol::udp, loopback4()));
    EXPECT_EQ(poller.add(sockets.back().get(), 1000 + i, true, false), 0);
  }
  return sockets;
}

TEST(Poller, TellsOnceWhatHasComeAndAgainWhatComesLater) {
  Poller poller;
  const auto others = silent(poller);
  const auto [client, server] = connection();
  EXPECT_EQ(poller.tell_once(server.get(), 7), ENOENT);
  ASSERT_EQ(poller.add(server.get(), 7, true, false), 0);
  ASSERT_EQ(poller.tell_once(server.get(), 7), 0);
  EXPECT_TRUE(poller.wait(0ns).empty());
  std::array<char, 8> buffer{};
  for (int turn = 0; turn < 3; ++turn) {
    ASSERT_EQ(send(client.get(), "xy", 2, 0), 2);
    EXPECT_EQ(tags_of(poller), std::vector<std::uint64_t>{7});
    EXPECT_TRUE(poller.wait(0ns).empty());  // level-triggered it would be told again
    ASSERT_EQ(recv(server.get(), buffer.data(), 1, 0), 1);
    EXPECT_TRUE(poller.wait(0ns).empty());
    ASSERT_EQ(poller.change(server.get(), 7, true, false), 0);  // one byte is left
    EXPECT_EQ(tags_of(poller), std::vector<std::uint64_t>{7});
    EXPECT_EQ(tags_of(poller), std::vector<std::uint64_t>{7});
    ASSERT_EQ(recv(server.get(), buffer.data(), buffer.size(), 0), 1);
    ASSERT_EQ(poller.tell_once(server.get(), 7), 0);
  }
}

TEST(Poller, TellsOfAnEndBehindWhatHasNotBeenRead) {
  Poller poller;
  const auto others = silent(poller);
  const auto [client, server] = told_once(poller);
  ASSERT_EQ(send(client.get(), "xy", 2, 0), 2);
  ASSERT_EQ(shutdown(client.get(), SHUT_WR), 0);
  const auto ready = poller.wait(kPatience);
  ASSERT_EQ(ready.size(), 1U);
  EXPECT_TRUE(ready[0].readable && ready[0].more && !ready[0].failed);
}

TEST(Poller, TellsOfAnUrgentByteAtWhichReadsStop) {
  Poller poller;
  const auto others = silent(poller);
  const auto [client, server] = told_once(poller);
  ASSERT_EQ(send(client.get(), "one", 3, 0), 3);
  ASSERT_EQ(send(client.get(), "!", 1, MSG_OOB), 1);
  ASSERT_EQ(send(client.get(), "two", 3, 0), 3);
  const auto ready = poller.wait(kPatience);
  ASSERT_EQ(ready.size(), 1U);
  EXPECT_TRUE(ready[0].readable && ready[0].more);
  std::array<char, 8> buffer{};
  EXPECT_EQ(recv(server.get(), buffer.data(), buffer.size(), 0), 3);  // though there is more
}

TEST(Poller, WhatWasToldOnceIsToldAgainAfterAMoveFromSetToSet) {
  Poller poller;
  auto others = silent(poller);
  const auto [client, server] = told_once(poller);
  ASSERT_EQ(send(client.get(), "xy", 2, 0), 2);
  EXPECT_EQ(tags_of(poller), std::vector<std::uint64_t>{7});
  while (others.size() > 1) {
    poller.remove(others.back().get());
    others.pop_back();
  }
  EXPECT_EQ(tags_of(poller), std::vector<std::uint64_t>{7});  // ppoll
  const auto many = silent(poller);
  EXPECT_EQ(tags_of(poller), std::vector<std::uint64_t>{7});  // epoll again: put in anew
  EXPECT_TRUE(poller.wait(0ns).empty());
}

TEST(Poller, WhereItAsksThePollCallAllIsToldAgain) {
  Poller poller;
  const auto [client, server] = told_once(poller);
  ASSERT_EQ(send(client.get(), "xy", 2, 0), 2);
  EXPECT_EQ(tags_of(poller), std::vector<std::uint64_t>{7});
  EXPECT_EQ(tags_of(poller), std::vector<std::uint64_t>{7});
}

}  // namespace
}  // namespace volley
