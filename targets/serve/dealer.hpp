// Deals TCP connections to the threads of a target, so that each serves as many as the others.
//
// The kernel chooses the listener by a hash of the addresses, which puts four connections on one
// thread of two every now and then. So the thread that accepts one asks here who shall serve it.
// That costs a lock for each connection, none for a request.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

namespace volley {

class Dealer {
 public:
  explicit Dealer(unsigned threads) : open_(threads, 0) {}

  // The thread that shall serve a connection that `self` has accepted: `self`, unless another one
  // serves fewer. It is counted there at once. Any thread.
  [[nodiscard]] unsigned deal(unsigned self) {
    if (open_.size() == 1) return 0;
    const std::lock_guard lock(mutex_);
    const auto fewest = std::min_element(open_.begin(), open_.end());
    const unsigned to =
        open_[self] == *fewest ? self : static_cast<unsigned>(fewest - open_.begin());
    ++open_[to];
    return to;
  }
  // Counts a connection that `thread` shall serve whatever the others have. Any thread.
  void give(unsigned thread) {
    if (open_.size() == 1) return;
    const std::lock_guard lock(mutex_);
    ++open_[thread];
  }
  // A connection of that thread is gone. Any thread.
  void closed(unsigned thread) {
    if (open_.size() == 1) return;
    const std::lock_guard lock(mutex_);
    --open_[thread];
  }

 private:
  std::mutex mutex_;
  std::vector<std::uint64_t> open_;  // connections of each thread
};

}  // namespace volley
