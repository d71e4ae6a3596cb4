// One idea: asio hands a signal to every signal set there is when it looks, not to those there were
// when it came. A set that only exists keeps the handler installed; the next run's set is told.
// A run that is about to end still looks, but no longer listens: what it took the hold took too.
#include "generators/engine/signal_hold.hpp"

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <csignal>
#include <utility>

namespace volley {

struct SignalHold::Set {
  asio::io_context io{1};
  asio::signal_set signals{io, SIGINT, SIGTERM};
  int caught = 0;

  void listen() {
    signals.async_wait([this](const asio::error_code& error, int number) {
      if (!error) caught = number;
    });
  }
};

SignalHold::SignalHold() : set_(std::make_unique<Set>()) { set_->listen(); }
SignalHold::~SignalHold() = default;

void SignalHold::hand_on() {
  set_->io.restart();
  set_->io.poll();
  if (set_->caught == 0) return;
  const int number = std::exchange(set_->caught, 0);
  set_->listen();
  std::raise(number);
}

}  // namespace volley
