"""The relay as the tests use it: started, ended, and its log read. What it did, in the order in
which it did it, judged by RFC 5560 and RFC 4737 in code that volley has no part in."""

import bisect
import json
import os
import struct
from collections import namedtuple
from math import ceil
from pathlib import Path

import pytest

import harness
from judging import ROOT, DecodedHistogram

DROPPED, COPY, HELD, CORRUPTED, NO_ROOM, NOT_SENT = 1, 2, 4, 8, 16, 32
Record = namedtuple("Record", "number arrival backward action flow received planned sent")
LAYOUT = struct.Struct("<QIBBHqqq")


def relay_path():
    """The relay: $VOLLEY_RELAY, else that of the release build."""
    path = Path(os.environ.get("VOLLEY_RELAY", ROOT / "build/release/tests/lab/lab_relay"))
    assert path.is_file(), f"{path}: no such program (built by: cmake --build --preset release)"
    return path


class Relay:
    """A running relay; without `to` it answers itself. `cpus`: where it may run; None: anywhere.
    .finish() ends it and reads its log."""

    def __init__(self, programs, folder, to=None, forward="", backward="", seed=1, cpus=None):
        self.path = folder / "relay.log"
        argv = [relay_path(), "--log", self.path, "--forward", forward, "--backward", backward,
                "--seed", seed, "--max-seconds", 60 * harness.PATIENCE]
        if to:
            argv += ["--to", f"{to[0]}:{to[1]}"]
        self.process = programs.start(argv)
        if cpus:
            os.sched_setaffinity(self.process.pid, cpus)
        harness.wait_until(lambda: "\n" in self.said() or self.process.poll() is not None,
                           "the relay's port")
        assert self.process.poll() is None, self.said() + self.process.err.read_text()
        self.port = int(self.said().split()[1])

    def said(self):
        return self.process.out.read_text()

    @property
    def endpoint(self):
        return f"udp://127.0.0.1:{self.port}"

    def finish(self):
        self.process.terminate()
        assert self.process.wait(timeout=10 * harness.PATIENCE) == 0, self.said()
        return Log(json.loads(self.said().splitlines()[1]), self.path.read_bytes())


class Log:
    """What was done to the datagrams each way."""

    def __init__(self, summary, data):
        self.summary = summary
        records = [Record(*fields) for fields in LAYOUT.iter_unpack(data)]
        self.forward = [record for record in records if not record.backward]
        self.backward = [record for record in records if record.backward]

    def fault(self):
        """What the relay itself did wrong; None: it is a witness."""
        wrong = {key: self.summary[key] for key in ("kernel_drops", "no_room", "not_sent",
                                                    "log_full") if self.summary[key]}
        return wrong or None

    def answers(self):
        """Numbers of the answers that can be understood, in the order in which they left."""
        return [record.number for record in self.backward if record.sent
                and not record.action & CORRUPTED]


def duplicates(numbers):
    """RFC 5560 section 4.1: copies after the first."""
    return len(numbers) - len(set(numbers))


def reordered(numbers):
    """RFC 4737 section 3.3: of the first copies, those whose number is below the next expected."""
    expected, count = 0, 0
    for number in dict.fromkeys(numbers):
        if number >= expected:
            expected = number + 1
        else:
            count += 1
    return count


def extents(numbers):
    """Section 4.2.1: for each reordered one, the arrivals since the earliest with a larger number.
    The record highs are the only candidates, and they ascend."""
    highs, places, found = [], [], []
    for place, number in enumerate(dict.fromkeys(numbers)):
        earliest = bisect.bisect_right(highs, number)
        if earliest < len(highs):
            found.append(place - places[earliest])
        else:
            highs.append(number)
            places.append(place)
    return found


Late = namedtuple("Late", "extent n kept")


def reordered_in(arrivals):
    """Of each arrival that is reordered by RFC 4737 section 3.3: its extent (4.2.1), the largest n
    for which it is n-reordered (5.3), and how many larger ones a receiver had to keep (4.4)."""
    found, next_expected = [], 0
    for i, number in enumerate(arrivals):
        if number >= next_expected:
            next_expected = number + 1
            continue
        earliest = min(j for j in range(i) if arrivals[j] > number)
        n = 0
        while n < i and arrivals[i - n - 1] > number:
            n += 1
        found.append(Late(i - earliest, n, sum(s > number for s in arrivals[earliest:i])))
    return found


def at(share, values):
    """The value of rank ceil(share n)."""
    return sorted(values)[ceil(share * len(values)) - 1]


LATE_NS = 1_000_000


def lateness(run, log):
    """How late at p99.9 the relay was by its own plan, and the generator by its own schedule: what
    a busy machine does to both, and what volley's response times are not taken from. In ns."""
    left = sorted(record.sent - record.planned for record in log.forward + log.backward
                  if record.sent)
    lag = DecodedHistogram(run["latency_ns"]["send_lag"]["histogram"])
    return left[-len(left) // 1000 - 1], lag.at(0.999)


class Busy(AssertionError):
    """A check could not be made: the machine was too busy, by the report itself or by what has to
    be added to its times."""


def judged(attempt, check, tries, verdict_when_busy):
    """attempt() -> (run, log), which has to pass check(run, log). One that fails is repeated only
    where the machine was too busy for its times to mean much (or check() raises Busy). When it was
    so each time, the verdict is pytest.fail, or pytest.skip of what cannot be told on a busy
    machine."""
    found = []
    for _ in range(tries):
        run, log = attempt()
        try:
            check(run, log)
            return
        except AssertionError as error:
            relay, generator = lateness(run, log)
            if max(relay, generator) <= LATE_NS and not isinstance(error, Busy):
                raise
            found.append(f"{str(error).splitlines()[0]} (relay and generator late at p99.9 by "
                         f"{relay / 1e6:.1f} and {generator / 1e6:.1f} ms)")
    verdict_when_busy("each time on a busy machine: " + "; ".join(found))
