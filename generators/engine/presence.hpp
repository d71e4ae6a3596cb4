// Whether a sending thread was there when it was needed: the times at which its loop read the clock
// anyway say how long it was away in between, and how much of its time it only waited.
//
// Away is what lies between two such readings of one turn, or between the time a wait should have
// ended and the time it did, when that is more than kShortestGap: a loop that has the CPU reads the
// clock far more often. Away are those whose CPU was taken, and those whose turn took so long.
#pragma once

#include "reports/measure/away_gaps.hpp"
#include "reports/measure/time.hpp"

namespace volley {

class Presence {
 public:
  // The measure phase begins, within a turn.
  void begin(MonoTime now) { *this = Presence(now); }
  // A turn of the loop begins.
  void turn(MonoTime now) {
    at(now);
    idle_ += worked_ ? waited_ : now - turn_;
    turn_ = now;
    waited_ = Nanos(0);
    worked_ = false;
  }
  // Something was sent, or had come, at `now`.
  void work(MonoTime now) {
    at(now);
    worked_ = true;
  }
  // A wait that began at `from` and should have ended by `until` ended at `woken`. What ended it
  // before may have been there for a while: that is not seen.
  void waited(MonoTime from, MonoTime until, MonoTime woken) {
    if (from > last_) at(from);
    if (woken - until > kShortestGap) gaps_.note(woken - until);
    waited_ += woken - last_;
    last_ = woken;
  }
  // The loop goes into a call that waits; the next reading of the clock is after it.
  void waits_from(MonoTime now) {
    at(now);
    in_call_ = true;
  }

  [[nodiscard]] const AwayGaps& gaps() const { return gaps_; }
  [[nodiscard]] Nanos idle() const { return idle_; }  // up to the last turn()

  Presence() = default;

 private:
  explicit Presence(MonoTime now) : last_(now), turn_(now) {}

  void at(MonoTime now) {
    const Nanos since = now - last_;
    if (in_call_) {
      in_call_ = false;
      waited_ += since;
    } else if (since > kShortestGap) {
      gaps_.note(since);
    }
    last_ = now;
  }

  MonoTime last_;
  MonoTime turn_;
  AwayGaps gaps_;
  Nanos idle_{0};
  Nanos waited_{0};  // in this turn
  bool worked_ = false;
  bool in_call_ = false;
};

}  // namespace volley
