#include "generators/engine/worker.hpp"

#include "generators/engine/surroundings.hpp"

#include <algorithm>

namespace volley {

Worker::Worker(const RunPlan& plan, std::uint32_t index, const Address& peer, std::uint32_t session,
               RunSignals& signals, Handoff& handoff)
    : plan_(plan),
      peer_(peer),
      index_(index),
      session_(session),
      signals_(signals),
      recorder_(handoff, plan.interval, late_beyond(plan)),
      lateness_(plan.wait == Wait::hybrid ? kForHybrid : kForBlocking) {
  result_.flows_wanted = flow_count();
  const bool is_poisson = plan.arrival.kind == Arrival::Kind::poisson && plan.rate;
  if (is_poisson && plan.flows % plan.threads == 0) recorder_.sample_sends();
}

std::uint32_t Worker::flow_count() const {
  return plan_.flows / plan_.threads + (index_ < plan_.flows % plan_.threads ? 1U : 0U);
}

void Worker::run(const std::function<void()>& on_ready, const std::function<void()>& on_meeting) {
  thread_id_ = this_thread_id();
  wait_without_slack();
  on_ready_ = &on_ready;
  on_meeting_ = &on_meeting;
  const int error = poller_.add(waker_.fd(), kWakerTag, true, false);
  if (error != 0) note_set_up_failure(error, "cannot watch a descriptor");
  find_workload(plan_)(*this);
  if (result_.ended == MonoTime{}) result_.ended = mono_now();
  if (result_.sending_ended == MonoTime{}) result_.sending_ended = result_.ended;
  if (watched()) result_.watched_until = result_.ended;
  result_.run_queue_wait_ns = run_queue_wait_of(thread_id_);
  result_.send_calls -= send_calls_before_;
  result_.receive_calls -= receive_calls_before_;
  result_.offload -= offload_before_;
  result_.send_times = recorder_.take_send_times();
  recorder_.finish(result_.ended);
}

void Worker::begin_measure(MonoTime now) {
  measures_ = true;
  // Without a warm-up this is the thread's first turn: if it got its CPU late, it was away while
  // requests were due.
  const bool is_first = plan_.open_loop() && plan_.warm_up == Nanos(0);
  result_.presence.begin(is_first ? std::min(now, signals_.times.measure_begin) : now);
  send_calls_before_ = result_.send_calls;
  receive_calls_before_ = result_.receive_calls;
  offload_before_ = result_.offload;
}

bool Worker::ready_and_wait() {
  (*on_ready_)();
  while (!signals_.released.load(std::memory_order_acquire)) {
    if (stopped()) return false;
    (void)poller_.wait(std::chrono::seconds(1));
    waker_.drain();
  }
  for (MonoTime now = mono_now(); now < signals_.times.start && !stopped(); now = mono_now())
    (void)poller_.wait(signals_.times.start - now);
  recorder_.start(signals_.times.measure_begin);
  return !stopped();
}

void Worker::meet() {
  const unsigned mine = met_++;
  (*on_meeting_)();
  while (signals_.meetings.load(std::memory_order_acquire) <= mine && !stopped()) {
    (void)poller_.wait(std::chrono::seconds(1));
    waker_.drain();
  }
}

Nanos Worker::time_to_sleep(MonoTime now, MonoTime until) {
  if (spins(now, until)) return Nanos(0);
  if (plan_.wait == Wait::hybrid) return until - now - lateness_.usual(now);
  const Nanos left = until - now;
  if (left <= Nanos(0)) return Nanos(0);
  // Where every sleep would end too late one is slept all the same now and then: that may change.
  if (left > lateness_.usual(now) || ++not_slept_ % kSleepAnyway == 0)
    return std::max(left - lateness_.usual(now), Nanos(1));
  return Nanos(0);
}

std::span<const Ready> Worker::wait_until(MonoTime now, MonoTime until) {
  until = std::min(until, recorder_.interval_end());
  const bool may_sleep = until > now && !spins(now, until);
  if (may_sleep) now = mono_now();  // the turn's own work is no part of a wake-up
  const Nanos timeout = time_to_sleep(now, until);
  std::span<const Ready> ready = poller_.wait(timeout);
  const bool slept = timeout > Nanos(0);
  if (!slept && ready.empty()) return ready;
  const MonoTime woken = mono_now();
  // Whatever has come meanwhile, it should have woken by then.
  if (slept && watched()) result_.presence.waited(now, until, woken);
  if (slept && ready.empty()) lateness_.note(now + timeout, woken);
  for (const Ready& event : ready)
    if (event.tag == kWakerTag) waker_.drain();
  if (!ready.empty()) note_activity(woken);
  return ready;
}

void Worker::note_event(ErrorKind kind, MonoTime now) {
  const bool set_up = signals_.times.start == MonoTime{};
  const Nanos at = set_up ? Nanos(0) : now - signals_.times.start;
  for (SocketEvent& event : result_.socket_events) {
    if (event.kind != kind) continue;
    ++event.count;
    event.last = at;
    return;
  }
  result_.socket_events.push_back(SocketEvent{kind, 1, at, at});
}

void Worker::note_set_up_failure(int error, const std::string& text) {
  if (!result_.set_up_failure) result_.set_up_failure = SetUpFailure{error, text};
}

WorkloadBody find_workload(const RunPlan& plan) {
  switch (plan.workload) {
    case Workload::rr:
      return rr_workload(plan.protocol, plan.exchange);
    case Workload::crr:
      return crr_workload(plan.protocol, plan.exchange, false);
    case Workload::connect:
      return crr_workload(plan.protocol, plan.exchange, true);
    case Workload::hold:
      return hold_workload(plan.protocol, plan.exchange);
    case Workload::stream:
      break;
  }
  return stream_workload(plan.protocol, plan.direction, plan.exchange);
}

}  // namespace volley
