// Takes down what happens to the requests of one thread. One writer; the record changes hands at an
// interval's end and, while there are enough empty ones, at that of a slice of time.
//
// Counters and samples belong to the phase of the intended time: what happens to a warm-up request
// goes to a record that only the progress line sees.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "generators/engine/due.hpp"
#include "generators/engine/handoff.hpp"
#include "reports/measure/record.hpp"
#include "reports/measure/send_times.hpp"
#include "reports/measure/time.hpp"

namespace volley {

// Requests that were answered, and when. rr has them taken down once the next ones are on their
// way: after a wait the histograms lie cold, and the peer need not wait for them.
struct Completion {
  MonoTime intended, sent, received;
  std::uint64_t bytes = 0;  // of each answer
  bool measured = false;    // false: of the warm-up
  std::uint32_t times = 1;  // requests that all this is true of
};

class Recorder {
 public:
  // `late_beyond`: how late a request may leave before it counts as late (Conduct).
  Recorder(Handoff& handoff, Nanos interval, Nanos late_beyond);

  // Fixes the time axis; before the first event.
  void start(MonoTime measure_begin);

  void on_sent(const Due& due, MonoTime sent, std::uint32_t bytes) {
    on_sent(std::span(&due, 1), sent, bytes);
  }
  // The requests of one call, at most kMostInBatch in one phase, of `bytes` altogether; what waited
  // longest, and so what was held back, stands in front.
  void on_sent(std::span<const Due> requests, MonoTime sent, std::uint64_t bytes) {
    IntervalRecord& r = of(requests.front().measured);
    r.counters.sent += requests.size();
    r.counters.bytes_sent += bytes;
    if (sent - requests.front().intended > late_beyond_ || requests.front().held_back)
      note_late(r, requests, sent);
    if (sends_.wants_sent()) note_times(requests, sent);
    if (are_alike(requests)) {
      r.latencies.send_lag.record((sent - requests.front().intended).count(), requests.size());
      return;
    }
    std::array<std::int64_t, kMostInBatch> lags;
    for (std::size_t i = 0; i < requests.size(); ++i)
      lags[i] = (sent - requests[i].intended).count();
    r.latencies.send_lag.record_each(std::span(lags).first(requests.size()));
  }
  // Open loop: the next request of the schedule, before it is sent.
  void on_due(const Due& due) {
    if (sends_.wants_due() && due.measured) sends_.add_due(due.intended);
  }
  void on_completed(const Completion& done) {
    IntervalRecord& r = of(done.measured);
    r.counters.completed += done.times;
    r.counters.bytes_received += done.bytes * done.times;
    r.latencies.response.record((done.received - done.intended).count(), done.times);
    r.latencies.service.record((done.received - done.sent).count(), done.times);
  }
  // The same for requests that differ in their intended times: the response time of each, in ns.
  void on_completed(const Completion& done, std::span<const std::int64_t> responses) {
    IntervalRecord& r = of(done.measured);
    r.counters.completed += responses.size();
    r.counters.bytes_received += done.bytes * responses.size();
    r.latencies.response.record_each(responses);
    r.latencies.service.record((done.received - done.sent).count(), responses.size());
  }
  void on_connected(bool measured, MonoTime intended, MonoTime established) {
    of(measured).latencies.connect.record(established - intended);
  }
  void on_lost(bool measured, std::uint64_t n = 1) { of(measured).counters.lost += n; }
  void on_late(bool measured) { ++of(measured).counters.late; }
  void on_error(bool measured, ErrorKind kind, std::uint64_t n = 1) {
    of(measured).counters.errors[static_cast<std::size_t>(kind)] += n;
  }
  void on_unsent(bool measured, ErrorKind kind, std::uint64_t n = 1) {
    of(measured).counters.unsent[static_cast<std::size_t>(kind)] += n;
  }
  void on_duplicate(bool measured) { ++of(measured).counters.duplicates; }
  void on_reordered(bool measured, std::uint64_t n = 1) { of(measured).counters.reordered += n; }
  void on_held_back(bool measured) { ++of(measured).counters.held_back; }
  // Direct access, for workloads that count in bulk (stream).
  [[nodiscard]] IntervalRecord& of(bool measured) {
    return measured ? measured_->record : warm_up_->record;
  }

  // From the measure phase on, takes down stretches of the times of requests (open loop, Poisson).
  void sample_sends() { samples_sends_ = true; }
  [[nodiscard]] std::vector<SendTimes> take_send_times() { return std::move(sends_).take(); }

  // When the current interval ends: a worker must call tick() soon after.
  [[nodiscard]] MonoTime interval_end() const { return interval_end_; }
  // Whether the current interval belongs to the measure phase.
  [[nodiscard]] bool measures() const { return interval_end_ > measure_begin_; }
  void tick(MonoTime now) {
    if (now >= next_cut_) cut(now);
  }
  // The last interval, cut short at `now`.
  void finish(MonoTime now);

 private:
  // Whose fault it is that some of them leave late.
  void note_late(IntervalRecord& r, std::span<const Due> requests, MonoTime sent) const;
  void note_times(std::span<const Due> requests, MonoTime sent);
  void cut(MonoTime now);
  void end_interval(MonoTime now);
  // What was recorded since part_begin_, up to `end`, is given away if the collector can take it.
  void give_measured(MonoTime end, bool ends_interval);
  void plan_next_cut(MonoTime now);

  Handoff& handoff_;
  Nanos interval_;
  Nanos late_beyond_;
  MonoTime measure_begin_;
  MonoTime part_begin_;  // of what is in measured_
  MonoTime interval_end_;
  MonoTime next_cut_;  // at that, or at a slice's end, for which no worker wakes up
  std::unique_ptr<HandedRecord> measured_;
  std::unique_ptr<HandedRecord> warm_up_;
  SendSample sends_;
  bool samples_sends_ = false;
};

}  // namespace volley
