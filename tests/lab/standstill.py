"""Whether a CPU stood still while something was timed. What relay and generator say of themselves does
not see the CPU on which only a server ran."""

import os
import threading
import time


class Witness:
    """A thread on each CPU that only sleeps and wakes; .late_s: the most that any of them woke late."""

    STEP_S = 0.002

    def __enter__(self):
        self.late_s, self.over = 0.0, threading.Event()
        self.threads = [threading.Thread(target=self.look, args=(cpu,))
                        for cpu in os.sched_getaffinity(0)]
        for thread in self.threads:
            thread.start()
        return self

    def look(self, cpu):
        os.sched_setaffinity(0, {cpu})  # of this thread alone
        while not self.over.is_set():
            due = time.monotonic() + self.STEP_S
            time.sleep(self.STEP_S)
            self.late_s = max(self.late_s, time.monotonic() - due)

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()


def unless_it_stood_still(attempt, check, still_s, tries):
    """check(attempt()) has to pass. One that fails is repeated only where a CPU stood still for more
    than `still_s` meanwhile, and the last one counts whatever the CPUs did."""
    for left in reversed(range(tries)):
        with Witness() as witness:
            got = attempt()
        try:
            return check(got)
        except AssertionError as error:
            if left == 0 or witness.late_s <= still_s:
                raise
            print(f"again: {error} (a CPU stood still for {witness.late_s * 1e3:.1f} ms)")
