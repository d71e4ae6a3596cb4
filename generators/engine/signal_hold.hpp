// Between the runs of a campaign nobody waits for SIGINT and SIGTERM, and their default would end
// the process without a report. As long as a SignalHold lives they are kept for the next run(),
// which then ends at once as interrupted.
#pragma once

#include <memory>

namespace volley {

class SignalHold {
 public:
  SignalHold();
  SignalHold(const SignalHold&) = delete;
  SignalHold& operator=(const SignalHold&) = delete;
  ~SignalHold();

  // To be called before each run: raises a signal again that came since the last call, for one that
  // came in the last moments of a run may have been taken by nobody. Only where no run has ended
  // for it.
  void hand_on();

 private:
  struct Set;
  std::unique_ptr<Set> set_;
};

}  // namespace volley
