// Programmable trouble: which requests are dropped, which answers are doubled, delayed or
// overtaken.
//
// Pure: what happens to a request is a function of the seed, its flow and its number, so a run can
// be repeated, whatever the threads and the clock do. No sockets, no clock reads.
#pragma once

#include <cstdint>
#include <optional>

#include "reports/measure/time.hpp"
#include "targets/serve/options.hpp"

namespace volley {

// Which request it is. For a frame: its flow number and its sequence. For a plain payload: the
// order in which its peer appeared, and its place among this peer's requests (from 0).
struct RequestNumber {
  std::uint64_t flow = 0;
  std::uint64_t n = 0;
};

class Behaviour {
 public:
  explicit Behaviour(const BehaviourOptions& options) : options_(options) {}

  // `count`: how many requests of this peer came so far, this one included. A ratio looks at the
  // request's number; every:N and after:N look at the count.
  [[nodiscard]] bool drops(RequestNumber request, std::uint64_t count) const;
  [[nodiscard]] bool duplicates(RequestNumber request) const;
  [[nodiscard]] bool reorders(RequestNumber request) const;
  // Time in the virtual server.
  [[nodiscard]] Nanos service_time(RequestNumber request) const;

  // True when UDP answers are not simply sent at once, in order.
  [[nodiscard]] bool shapes_udp() const;
  // True when answers of either protocol leave later than they could.
  [[nodiscard]] bool defers() const;
  [[nodiscard]] Nanos delay() const { return options_.delay; }

  // An answer that is overtaken leaves after so many later answers of its flow, or after so long.
  static constexpr unsigned kOvertakenBy = 3;
  static constexpr Nanos kLongestHold = std::chrono::milliseconds(50);

 private:
  BehaviourOptions options_;
};

// One server with a queue: a request leaves `service` after it came, or after its predecessor left.
class VirtualServer {
 public:
  MonoTime leave(MonoTime arrival, Nanos service) {
    free_at_ = (arrival > free_at_ ? arrival : free_at_) + service;
    return free_at_;
  }

 private:
  MonoTime free_at_{};
};

// When a stall begins and ends, once the first request's time is known.
class StallWindow {
 public:
  StallWindow(Stall stall, MonoTime first_request)
      : begin_(first_request + stall.after), end_(begin_ + stall.length) {}
  [[nodiscard]] MonoTime begin() const { return begin_; }
  [[nodiscard]] MonoTime end() const { return end_; }
  [[nodiscard]] bool contains(MonoTime t) const { return t >= begin_ && t < end_; }

 private:
  MonoTime begin_;
  MonoTime end_;
};

}  // namespace volley
