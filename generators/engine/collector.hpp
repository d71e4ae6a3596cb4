// Puts the interval records of all workers together: an interval is added to the run's record when
// every worker has handed over its part. Runs on the calling thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "generators/engine/handoff.hpp"
#include "reports/measure/record.hpp"

namespace volley {

class Collector {
 public:
  // One handoff per worker; the record receives the intervals in order.
  Collector(std::vector<std::unique_ptr<Handoff>>& handoffs, RunRecord& record);

  // Takes what is there, but at most `most_each` records of a worker: on a machine that is slower
  // at this than the workers at handing over, the caller must still get to its signals. on_interval
  // gets what was put together, for the progress line: a warm-up interval, or a measured one that
  // is now part of the record.
  void collect(const std::function<void(const IntervalRecord&, bool warm_up)>& on_interval,
               std::size_t most_each = kMostEach);
  // The workers have ended: everything that is left becomes part of the record.
  void finish(const std::function<void(const IntervalRecord&, bool warm_up)>& on_interval);

 private:
  static constexpr std::size_t kMostEach = 4;
  struct Pending {
    IntervalRecord merged;
    bool used = false;
  };
  void add_part(std::size_t worker, const IntervalRecord& part, bool ends_interval);
  void publish_below(std::uint32_t index,
                     const std::function<void(const IntervalRecord&, bool)>& on_interval);

  std::vector<std::unique_ptr<Handoff>>& handoffs_;
  RunRecord& record_;
  std::vector<std::uint32_t> next_index_;         // per worker: lower ones will not come any more
  std::deque<std::unique_ptr<Pending>> pending_;  // from first_pending_ on
  std::unique_ptr<Pending> spare_;                // the last one published, cleared for the next
  std::uint32_t first_pending_ = 0;
  IntervalRecord warm_up_;  // what the workers handed over since the last time; only shown
};

}  // namespace volley
