#include "generators/engine/recorder.hpp"

#include <algorithm>

namespace volley {

Recorder::Recorder(Handoff& handoff, Nanos interval, Nanos late_beyond)
    : handoff_(handoff),
      interval_(interval),
      late_beyond_(late_beyond),
      measured_(std::make_unique<HandedRecord>()),
      warm_up_(std::make_unique<HandedRecord>()) {
  warm_up_->warm_up = true;
}

void Recorder::start(MonoTime measure_begin) {
  measure_begin_ = measure_begin;
  part_begin_ = measure_begin;
  // Intervals of the warm-up lie on the same grid, so that the first measured one is whole.
  const Nanos lead = std::max(Nanos(0), measure_begin - mono_now());
  interval_end_ = measure_begin - (lead / interval_) * interval_;
  if (lead < interval_) interval_end_ = measure_begin + (lead > Nanos(0) ? Nanos(0) : interval_);
  plan_next_cut(measure_begin);
}

void Recorder::note_late(IntervalRecord& r, std::span<const Due> requests, MonoTime sent) const {
  for (const Due& due : requests) {
    const Nanos lag = sent - due.intended;
    if (!due.held_back) {
      if (lag > late_beyond_) ++r.counters.sent_late;
      continue;
    }
    std::optional<Histogram>& held = r.latencies.held_lag;
    if (!held) held.emplace();
    held->record(lag);
  }
}

void Recorder::note_times(std::span<const Due> requests, MonoTime sent) {
  for (const Due& due : requests)
    if (due.measured && sends_.wants_sent()) sends_.add_sent(sent);
}

void Recorder::plan_next_cut(MonoTime now) {
  next_cut_ = interval_end_;
  if (!measures()) return;
  const Nanos into = std::max(Nanos(0), now - measure_begin_);
  next_cut_ = std::min(next_cut_, measure_begin_ + slice_end(into));
}

void Recorder::cut(MonoTime now) {
  if (now >= interval_end_)
    end_interval(now);
  else if (handoff_.can_spare_one())  // else this slice and the next go together
    give_measured(now, false);
  plan_next_cut(now);
  if (samples_sends_ && measures()) sends_.begin();
}

void Recorder::give_measured(MonoTime end, bool ends_interval) {
  const Nanos interval_begin = interval_end_ - interval_ - measure_begin_;
  IntervalRecord& r = measured_->record;
  r.begin = part_begin_ - measure_begin_;
  r.end = end - measure_begin_;
  r.index = static_cast<std::uint32_t>(interval_begin / interval_);
  measured_->ends_interval = ends_interval;
  if (!handoff_.give(measured_)) return;
  measured_ = handoff_.take_empty();
  measured_->warm_up = false;
  part_begin_ = end;
}

void Recorder::end_interval(MonoTime now) {
  if (measures()) give_measured(interval_end_, true);
  if (handoff_.give(warm_up_)) warm_up_ = handoff_.take_empty();
  warm_up_->warm_up = true;
  interval_end_ += ((now - interval_end_) / interval_ + 1) * interval_;
  part_begin_ = std::max(measure_begin_, interval_end_ - interval_);
}

void Recorder::finish(MonoTime now) {
  IntervalRecord& r = measured_->record;
  // Given up before it began: there is no time axis, and an interval without length.
  if (measure_begin_ == MonoTime{}) part_begin_ = measure_begin_ = now;
  r.begin = part_begin_ - measure_begin_;
  r.end = std::max(r.begin, now - measure_begin_);
  r.index = static_cast<std::uint32_t>(
      std::max(Nanos(0), interval_end_ - interval_ - measure_begin_) / interval_);
  measured_->ends_interval = true;
  // The collector empties the ring while it waits for the workers, so this ends.
  while (!handoff_.give(measured_)) {
  }
}

}  // namespace volley
