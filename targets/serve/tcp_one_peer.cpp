// --one-peer over TCP: when the steady peer is found, and the wait in its connection's receive
// call.
#include <algorithm>

#include "targets/serve/tcp_service.hpp"

namespace volley {

// A stall is sat out by who looks at the poller.
void TcpService::count_in_a_row(bool whole_requests) {
  if (!context_.options.one_peer || context_.options.behaviour.stall) return;
  in_a_row_ = whole_requests && open() == 1 ? in_a_row_ + 1 : 0;
}

bool TcpService::waits_in_receive() {
  if (in_a_row_ < kInARow || open() != 1) return false;
  Connection& c = *connections_[newest_];
  // A stream that gathers must be looked at before the call returns.
  if (!is_at_rest(c) || c.gathering.on()) return false;
  return kept_ == c.index || keep_to(c);
}

// Nobody else is let in any more, and the connection's own receive call is the place to wait: the
// poller's call and its wake-up are saved. Those that still stand in the backlog are reset.
bool TcpService::keep_to(Connection& c) {
  const Nanos idle = context_.options.idle_timeout;
  const Nanos patience = idle == Nanos{0} ? kPatience : std::min(kPatience, idle);
  if (let_receive_wait(c.socket, patience) != 0) {
    in_a_row_ = 0;
    return false;
  }
  for (const Descriptor& listener : listeners_) context_.poller.forget(listener.get());
  listeners_.clear();
  accept_again_at_.reset();
  kept_ = c.index;
  return true;
}

void TcpService::receive_next() {
  Connection& c = *connections_[newest_];
  const ssize_t n = receive(c, 0);
  const bool stands = n != kNothing && take_received(c, n, context_.arrival_time());
  const MonoTime after = mono_now();
  if (stands) settle(c, after);
  on_time(after);
}

}  // namespace volley
