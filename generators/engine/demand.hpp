// When the next request of a thread is due, for closed and open loops alike.
//
// Closed loop: a request is due the moment its flow has room; a flow's share of --requests is fixed
// in advance, so the sum over all threads is exact. Open loop: the thread's slots of the schedule.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "generators/engine/due.hpp"
#include "generators/engine/worker.hpp"
#include "generators/plan/schedule.hpp"

namespace volley {

class Demand {
 public:
  explicit Demand(const Worker& worker) : plan_(worker.plan()), times_(worker.times()) {
    if (plan_.open_loop()) {
      schedule_.emplace(schedule_of(plan_), plan_.flows, plan_.threads, worker.index());
    } else if (plan_.requests) {
      for (std::uint32_t i = 0; i < worker.flow_count(); ++i) {
        const std::uint32_t flow = worker.flow_number(i);
        const std::uint64_t rest = *plan_.requests % plan_.flows;
        quota_.push_back(*plan_.requests / plan_.flows + (flow < rest ? 1 : 0));
        owed_ += quota_.back();
      }
    }
  }

  [[nodiscard]] bool open_loop() const { return schedule_.has_value(); }

  // Open loop: calls on_due(flow index within the thread, due) for every slot that is due by the
  // clock, at most kMostSlotsPerTurn, so that answers are read between the slots of a backlog.
  template <class OnDue>
  void for_each_due(MonoTime now, OnDue&& on_due) {
    for (int i = 0; i < kMostSlotsPerTurn; ++i) {
      const Slot* slot = schedule_->peek();
      if (slot == nullptr) return;
      const Due due{times_.start + slot->due, slot->measured, false};
      if (due.intended > now && due.intended > (now = mono_now())) return;
      const std::uint32_t flow = schedule_->flow_of(*slot) / plan_.threads;
      schedule_->pop();
      on_due(flow, due);
    }
  }
  // Open loop: when the next slot is due; none at the end of the schedule.
  [[nodiscard]] std::optional<MonoTime> next_due() const {
    if (!schedule_ || schedule_->peek() == nullptr) return std::nullopt;
    return times_.start + schedule_->peek()->due;
  }

  // Closed loop: the request that a flow with room owes at `now`; none: it has sent its share, or
  // the measure phase is over.
  [[nodiscard]] std::optional<Due> take(std::uint32_t flow, MonoTime now) {
    if (now >= times_.measure_end) return std::nullopt;
    const bool measured = now >= times_.measure_begin;
    if (measured && !quota_.empty()) {
      if (quota_[flow] == 0) return std::nullopt;
      --quota_[flow];
      --owed_;
    }
    return Due{now, measured, false};
  }
  // Closed loop: gives back a request that could not be sent after all.
  void put_back(std::uint32_t flow, bool measured) {
    if (measured && !quota_.empty()) {
      ++quota_[flow];
      ++owed_;
    }
  }
  // Closed loop: up to `n` requests at once; how many the flow still owed.
  [[nodiscard]] std::uint64_t take_many(std::uint32_t flow, MonoTime now, std::uint64_t n) {
    if (now >= times_.measure_end) return 0;
    if (quota_.empty()) return n;
    const std::uint64_t taken = std::min(n, quota_[flow]);
    quota_[flow] -= taken;
    owed_ -= taken;
    return taken;
  }
  // Closed loop: takes away what is left of a dead flow's share.
  [[nodiscard]] std::uint64_t give_up(std::uint32_t flow) {
    if (quota_.empty()) return 0;
    owed_ -= quota_[flow];
    return std::exchange(quota_[flow], 0);
  }

  // True when nothing more will become due.
  [[nodiscard]] bool over(MonoTime now) const {
    if (schedule_) return schedule_->peek() == nullptr;
    if (now >= times_.measure_end) return true;
    return !quota_.empty() && now >= times_.measure_begin && owed_ == 0;
  }
  // Open loop: measured slots of this thread, those still to come included. None: the run was cut
  // so early that counting them would take longer than a user who pressed Ctrl-C waits.
  [[nodiscard]] std::optional<std::uint64_t> planned() const {
    constexpr std::uint64_t kMostCounted = 5'000'000;  // about 0.1 s
    if (!schedule_) return 0;
    const auto left = schedule_->measured_left(kMostCounted);
    if (!left) return std::nullopt;
    return schedule_->measured_taken() + *left;
  }

 private:
  static constexpr int kMostSlotsPerTurn = 64;
  const RunPlan& plan_;
  const RunTimes& times_;
  std::optional<ThreadSchedule> schedule_;
  std::vector<std::uint64_t> quota_;  // closed loop with --requests: what each flow still owes
  std::uint64_t owed_ = 0;            // and all of them together
};

}  // namespace volley
