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

void Gathering::consider(const Descriptor& socket, MonoTime now) {
  if (on_) return;
  on_ = came_ >= kGathered && now - since_ <= kPatience && wake_at(socket, kGathered);
  came_ = 0;
  since_ = now;
}

void Gathering::check(const Descriptor& socket, MonoTime now) {
  if (!on_ || now < check_at()) return;
  on_ = came_ >= kGathered || !wake_at(socket, 1);
  came_ = 0;
  since_ = now;
}

void Gathering::stop(const Descriptor& socket) {
  if (on_) on_ = !wake_at(socket, 1);
}

}  // namespace volley
