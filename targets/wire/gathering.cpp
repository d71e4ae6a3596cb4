#include "targets/wire/gathering.hpp"

#include <sys/socket.h>

namespace volley {
namespace {

// The kernel takes no more than half of what the socket may hold, and makes room for it.
bool wake_at(const Descriptor& socket, std::size_t bytes) {
  const int value = static_cast<int>(bytes);
  return setsockopt(socket.get(), SOL_SOCKET, SO_RCVLOWAT, &value, sizeof value) == 0;
}

}  // namespace

void Gathering::consider(const Descriptor& socket, MonoTime now, Told told) {
  if (on_) return;
  const std::size_t enough = told == Told::by_its_timer ? kUnlooked : kGathered;
  on_ = came_ >= kGathered && now - since_ <= kPatience && wake_at(socket, enough);
  told_ = told;
  came_ = 0;
  since_ = now;
  check_at_ = next_check(now);
}

void Gathering::check(const Descriptor& socket, MonoTime now) {
  if (!on_ || now < check_at_) return;
  if (now >= since_ + kPatience) {
    on_ = came_ >= kGathered || !wake_at(socket, 1);
    came_ = 0;
    since_ = now;
  }
  check_at_ = next_check(now);
}

MonoTime Gathering::next_check(MonoTime now) const {
  if (!looks()) return since_ + kPatience;
  // Of many streams one wake-up reads all.
  return now - now.time_since_epoch() % kLook + kLook;
}

void Gathering::stop(const Descriptor& socket) {
  if (on_) on_ = !wake_at(socket, 1);
}

}  // namespace volley
