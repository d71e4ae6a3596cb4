"""Whether a CPU stood still while something was timed. What relay and generator say of themselves does
not see the CPU on which only a server ran."""

import os
import subprocess
import sys

# Sleeps 2 ms again and again; at its end it says how late it woke at most. A process of its own: a
# thread would wait for the test's interpreter as well.
SLEEPER = """
import os, signal, sys, time
os.sched_setaffinity(0, {int(sys.argv[1])})
late, over = 0.0, []
signal.signal(signal.SIGTERM, lambda *_: over.append(True))
print("awake", flush=True)
while not over:
    due = time.monotonic() + 0.002
    time.sleep(0.002)
    late = max(late, time.monotonic() - due)
print(late, flush=True)
"""


class Witness:
    """Watches every CPU between `with` and its end; .late_s: the most that a sleeper on any of them
    woke late."""

    def __enter__(self):
        self.sleepers = [subprocess.Popen([sys.executable, "-c", SLEEPER, str(cpu)], text=True,
                                          stdout=subprocess.PIPE)
                         for cpu in os.sched_getaffinity(0)]
        for sleeper in self.sleepers:
            assert sleeper.stdout.readline() == "awake\n"
        return self

    def __exit__(self, *_):
        for sleeper in self.sleepers:
            sleeper.terminate()
        self.late_s = max(float(sleeper.communicate(timeout=10)[0]) for sleeper in self.sleepers)


def unless_it_stood_still(attempt, check, still_s, tries):
    """check(attempt()) has to pass. One that fails is repeated only where a CPU stood still for more
    than `still_s` during the attempt, and the last one counts whatever the CPUs did."""
    for left in reversed(range(tries)):
        with Witness() as witness:
            got = attempt()
        try:
            return check(got)
        except AssertionError as error:
            if left == 0 or witness.late_s <= still_s:
                raise
            print(f"again: {error} (a CPU stood still for {witness.late_s * 1e3:.1f} ms)")
