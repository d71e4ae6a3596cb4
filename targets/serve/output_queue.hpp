// What a TCP connection still has to send: bytes in order, of which the later ones may have to wait
// for their time. Empty most of the time, and then it owns no memory.
#pragma once

#include <cstddef>
#include <deque>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "targets/serve/event_log.hpp"

namespace volley {

class OutputQueue {
 public:
  [[nodiscard]] bool empty() const { return begin_ == bytes_.size(); }
  [[nodiscard]] std::size_t size() const { return bytes_.size() - begin_; }

  // Bytes that may leave at once (behind what is queued already).
  void append(std::span<const std::byte> bytes);
  // Bytes that may not leave before `due`, which never decreases. `ends`: the request whose answer
  // ends with them, for the event log.
  void append(std::span<const std::byte> bytes, MonoTime due, std::optional<RequestName> ends);

  // What may leave by now.
  [[nodiscard]] std::span<const std::byte> ready(MonoTime now) const;
  // When more may leave, when something waits for its time; otherwise none.
  [[nodiscard]] std::optional<MonoTime> next_due(MonoTime now) const;
  // `count` bytes have left; `on_end` is called with each request whose answer thereby left whole.
  template <typename OnEnd>
  void take(std::size_t count, OnEnd on_end) {
    begin_ += count;
    taken_ += count;
    while (marks_ && !marks_->empty() && marks_->front().end <= taken_) {
      if (marks_->front().request) on_end(*marks_->front().request);
      marks_->pop_front();
    }
    if (empty()) reset();
  }

 private:
  struct Mark {
    std::uint64_t end = 0;  // counted from the first byte ever queued
    MonoTime due;
    std::optional<RequestName> request;
  };
  void reset();

  std::vector<std::byte> bytes_;
  std::size_t begin_ = 0;
  std::uint64_t taken_ = 0;
  std::unique_ptr<std::deque<Mark>> marks_;  // only where answers wait or are logged
};

}  // namespace volley
