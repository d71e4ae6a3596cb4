#include "generators/engine/signal_hold.hpp"

#include <gtest/gtest.h>

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <csignal>

namespace volley {
namespace {

// What a run does of signals: it listens, or in its last moments only looks.
struct Listener {
  asio::io_context io{1};
  asio::signal_set signals{io, SIGINT, SIGTERM};
  int heard = 0;

  void listen() {
    signals.async_wait([this](const asio::error_code& error, int number) {
      if (!error) heard = number;
    });
  }
  void look() {
    io.restart();
    io.poll();
  }
};

TEST(SignalHold, ASignalThatOnlyAnEndingRunSawIsTheNextRunsToHear) {
  SignalHold hold;
  {
    Listener ending;
    std::raise(SIGINT);
    ending.listen();
    ending.signals.cancel();
    ending.look();
    ASSERT_EQ(ending.heard, 0);
  }
  hold.hand_on();
  Listener next;
  next.listen();
  next.look();
  EXPECT_EQ(next.heard, SIGINT);
}

TEST(SignalHold, ASignalBetweenTwoRunsIsTheNextRunsToHear) {
  SignalHold hold;
  std::raise(SIGTERM);
  hold.hand_on();
  Listener next;
  next.listen();
  next.look();
  EXPECT_EQ(next.heard, SIGTERM);
}

TEST(SignalHold, WithoutASignalNobodyHearsOne) {
  SignalHold hold;
  hold.hand_on();
  Listener next;
  next.listen();
  next.look();
  EXPECT_EQ(next.heard, 0);
}

}  // namespace
}  // namespace volley
