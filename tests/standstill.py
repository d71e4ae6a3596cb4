"""Whether a CPU stood still while something was timed. What a relay or a generator says of itself does
not see the CPU on which only a server ran, and is no witness of its own."""

import json
import os
import subprocess
import sys

# Sleeps a millisecond again and again, and counts from one wake-up to the next, so that no moment is
# left out, the last one before its end included. What kept its CPU away lasted a millisecond longer
# than it woke late at most: a bound from above. A process of its own: a thread would wait for the
# test's interpreter as well.
SLEEPER = """
import json, os, signal, sys, time
os.sched_setaffinity(0, {int(sys.argv[1])})
over = []
signal.signal(signal.SIGTERM, lambda *_: over.append(True))
away, worst, ends = 0.0, 0.0, False
began = woken = time.monotonic()
print("awake", flush=True)
while not ends:
    ends = bool(over)
    time.sleep(0.001)
    last, woken = woken, time.monotonic()
    late = woken - last - 0.001
    away, worst = away + (late + 0.001 if late > 0.005 else 0.0), max(worst, late)
print(json.dumps({"away": away / (woken - began), "late_s": worst}), flush=True)
"""


class Witness:
    """Watches CPUs, all unless some are named, between `with` and its end. Then, of the worst of
    them: .late_s is the most that its sleeper woke late, .away the share of time in which it was kept
    from its CPU for more than 5 ms at once."""

    def __init__(self, cpus=None):
        self.cpus = cpus or os.sched_getaffinity(0)

    def __enter__(self):
        self.sleepers = [subprocess.Popen([sys.executable, "-c", SLEEPER, str(cpu)], text=True,
                                          stdout=subprocess.PIPE) for cpu in self.cpus]
        for sleeper in self.sleepers:
            assert sleeper.stdout.readline() == "awake\n"
        return self

    def __exit__(self, *_):
        for sleeper in self.sleepers:
            sleeper.terminate()
        said = [json.loads(sleeper.communicate(timeout=10)[0]) for sleeper in self.sleepers]
        self.late_s = max(one["late_s"] for one in said)
        self.away = max(one["away"] for one in said)


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
