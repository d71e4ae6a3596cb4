#include "generators/engine/recorder.hpp"

#include <algorithm>

namespace volley {

Recorder::Recorder(Handoff& handoff, Nanos interval)
    : handoff_(handoff),
      interval_(interval),
      measured_(std::make_unique<HandedRecord>()),
      warm_up_(std::make_unique<HandedRecord>()) {
  warm_up_->warm_up = true;
}

void Recorder::start(MonoTime measure_begin) {
  measure_begin_ = measure_begin;
  // Intervals of the warm-up lie on the same grid, so that the first measured one is whole.
  const Nanos lead = std::max(Nanos(0), measure_begin - mono_now());
  interval_end_ = measure_begin - (lead / interval_) * interval_;
  if (lead < interval_) interval_end_ = measure_begin + (lead > Nanos(0) ? Nanos(0) : interval_);
}

void Recorder::end_interval(MonoTime now) {
  if (interval_end_ > measure_begin_) {
    IntervalRecord& r = measured_->record;
    r.end = interval_end_ - measure_begin_;
    r.begin = r.end - interval_;
    r.index = static_cast<std::uint32_t>(r.begin / interval_);
    if (handoff_.give(measured_)) measured_ = handoff_.take_empty();
    measured_->warm_up = false;
  }
  if (handoff_.give(warm_up_)) warm_up_ = handoff_.take_empty();
  warm_up_->warm_up = true;
  interval_end_ += ((now - interval_end_) / interval_ + 1) * interval_;
}

void Recorder::finish(MonoTime now) {
  IntervalRecord& r = measured_->record;
  // Given up before it began: there is no time axis, and an interval without length.
  if (measure_begin_ == MonoTime{}) measure_begin_ = now;
  r.begin = std::max(Nanos(0), interval_end_ - interval_ - measure_begin_);
  r.end = std::max(r.begin, now - measure_begin_);
  r.index = static_cast<std::uint32_t>(r.begin / interval_);
  // The collector empties the ring while it waits for the workers, so this ends.
  while (!handoff_.give(measured_)) {
  }
}

}  // namespace volley
