// One idea: asio hands a signal to every signal set there is when it looks, not to those there were
// when it came. A set that only exists keeps the handler installed; the next run's set is told.
#include "generators/engine/signal_hold.hpp"

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <csignal>

namespace volley {

struct SignalHold::Set {
  asio::io_context io{1};
  asio::signal_set signals{io, SIGINT, SIGTERM};
};

SignalHold::SignalHold() : set_(std::make_unique<Set>()) {}
SignalHold::~SignalHold() = default;

}  // namespace volley
