// What few held connections have at a time, kept apart from them while they have it: half an
// answer, half a probe, probes that wait.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <unordered_map>
#include <utility>
#include <vector>

#include "generators/engine/demand.hpp"
#include "generators/engine/exchange.hpp"
#include "generators/engine/held.hpp"

namespace volley {

struct Strain {
  StreamState stream;             // tcp: half an answer
  std::vector<std::byte> unsent;  // tcp: the rest of a probe that the socket took in part
  std::deque<Due> waiting;        // open loop: due, not sent yet
};

[[nodiscard]] inline bool is_at_rest(const StreamState& stream) {
  return stream.text.empty() && stream.skip == 0 && stream.total == 0;
}

class Strains {
 public:
  // That of a connection, which from now on has one.
  [[nodiscard]] Strain& of(HeldFlow& flow, std::uint32_t index) {
    flow.strained = true;
    return strains_[index];
  }
  [[nodiscard]] bool waits(const HeldFlow& flow, std::uint32_t index) const {
    return flow.strained && !strains_.at(index).waiting.empty();
  }
  // The stream where the connection left it; of most it is at rest.
  [[nodiscard]] StreamState take_stream(const HeldFlow& flow, std::uint32_t index) {
    return flow.strained ? std::exchange(strains_.at(index).stream, {}) : StreamState{};
  }

  void wait(HeldFlow& flow, std::uint32_t index, const Due& due, bool in_front) {
    std::deque<Due>& waiting = of(flow, index).waiting;
    if (in_front)
      waiting.push_front(due);
    else
      waiting.push_back(due);
    ++waiting_;
  }
  // The next that waits; only where waits().
  [[nodiscard]] Due take_waiting(std::uint32_t index) {
    std::deque<Due>& waiting = strains_.at(index).waiting;
    const Due due = waiting.front();
    waiting.pop_front();
    --waiting_;
    return due;
  }
  [[nodiscard]] std::uint64_t waiting() const { return waiting_; }  // on all connections

  // Forgets what is kept of a connection once there is nothing in it.
  void relax(HeldFlow& flow, std::uint32_t index) {
    if (!flow.strained) return;
    const Strain& strain = strains_.at(index);
    if (is_at_rest(strain.stream) && strain.unsent.empty() && strain.waiting.empty())
      forget(flow, index);
  }
  void forget(HeldFlow& flow, std::uint32_t index) {
    if (!flow.strained) return;
    waiting_ -= strains_.at(index).waiting.size();
    strains_.erase(index);
    flow.strained = false;
  }

  // Calls on_dropped(due) for whatever waits, which then waits no more.
  template <class OnDropped>
  void drop_waiting(OnDropped&& on_dropped) {
    for (auto& [index, strain] : strains_) {
      for (const Due& due : strain.waiting) on_dropped(due);
      strain.waiting.clear();
    }
    waiting_ = 0;
  }
  template <class OnDropped>
  void drop_waiting_of(const HeldFlow& flow, std::uint32_t index, OnDropped&& on_dropped) {
    while (waits(flow, index)) on_dropped(take_waiting(index));
  }

 private:
  std::unordered_map<std::uint32_t, Strain> strains_;
  std::uint64_t waiting_ = 0;
};

}  // namespace volley
