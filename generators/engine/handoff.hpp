// How a worker gives away a finished interval record and takes an empty one: two rings of pointers,
// each with one writer and one reader. At an interval's end there is one release store; nothing
// else is shared while a worker works.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>

#include "reports/measure/record.hpp"

namespace volley {

// What threads write lies on cache lines of its own, or one would slow the others down unseen.
inline constexpr std::size_t kCacheLine = 64;

// A count that one thread writes and another one reads.
struct alignas(kCacheLine) SharedCount {
  std::atomic<std::size_t> value{0};
};

// One writer thread, one reader thread, `kPlaces` values at most.
template <class T>
class Ring {
 public:
  // False when the ring is full.
  bool push(T&& value) {
    const std::size_t end = end_.value.load(std::memory_order_relaxed);
    if (end - begin_.value.load(std::memory_order_acquire) == kPlaces) return false;
    places_[end % kPlaces] = std::move(value);
    end_.value.store(end + 1, std::memory_order_release);
    return true;
  }
  // False when the ring is empty.
  bool pop(T& value) {
    const std::size_t begin = begin_.value.load(std::memory_order_relaxed);
    if (begin == end_.value.load(std::memory_order_acquire)) return false;
    value = std::move(places_[begin % kPlaces]);
    begin_.value.store(begin + 1, std::memory_order_release);
    return true;
  }
  // The reader: how many there are to pop.
  [[nodiscard]] std::size_t size() const {
    return end_.value.load(std::memory_order_acquire) -
           begin_.value.load(std::memory_order_relaxed);
  }

 private:
  static constexpr std::size_t kPlaces = 64;
  std::array<T, kPlaces> places_{};
  SharedCount begin_;
  SharedCount end_;
};

struct alignas(kCacheLine) HandedRecord {
  IntervalRecord record;      // an interval or, as slices of time end inside of it, a part of one
  bool ends_interval = true;  // false: more of this interval will come
  bool warm_up = false;       // for the progress line only; never part of the totals
};

class alignas(kCacheLine) Handoff {
 public:
  // With what a worker takes at its first ends of slices and intervals: to make a record then would
  // cost it the time of some hundred page faults, in the middle of its schedule.
  Handoff() {
    for (int i = 0; i < kInStock; ++i) recycled_.push(std::make_unique<HandedRecord>());
  }
  // Worker: gives a record away. Keeps it (false) when the collector is 64 records behind; the
  // worker then goes on with it, so no count is lost, only an interval boundary.
  bool give(std::unique_ptr<HandedRecord>& record) { return finished_.push(std::move(record)); }
  // Worker: an empty record, recycled when there is one.
  std::unique_ptr<HandedRecord> take_empty() {
    std::unique_ptr<HandedRecord> record;
    if (!recycled_.pop(record)) record = std::make_unique<HandedRecord>();
    return record;
  }
  // Worker: whether there is an empty one besides the two that the end of an interval takes.
  [[nodiscard]] bool can_spare_one() const { return recycled_.size() > 2; }
  // Collector: the next finished record; null when there is none.
  std::unique_ptr<HandedRecord> collect() {
    std::unique_ptr<HandedRecord> record;
    finished_.pop(record);
    return record;
  }
  // Collector: gives a record back for use; it is cleared here, not by the worker.
  void recycle(std::unique_ptr<HandedRecord> record) {
    record->record.clear();
    recycled_.push(std::move(record));
  }

 private:
  static constexpr int kInStock = 4;
  Ring<std::unique_ptr<HandedRecord>> finished_;
  Ring<std::unique_ptr<HandedRecord>> recycled_;
};

}  // namespace volley
