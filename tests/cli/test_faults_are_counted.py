"""What a target did to the requests on purpose is what the report says. The target logs each
event; lost, duplicated and reordered are counted from that log here, by RFC 5560 and RFC 4737, in
code that shares nothing with volley."""

import csv
import math
from collections import defaultdict

import pytest

from harness import run_volley
from judging import check_nothing_negative, check_report, total_of

REQUESTS = 2_000
RATE = 4_000
FLOWS = 2
SEEDS = range(1, 11)


class Events:
    """What happened to each request of each flow, in the order of the log."""

    def __init__(self, path):
        self.received = defaultdict(list)  # flow -> sequence numbers, as they came in
        self.answered = defaultdict(list)  # flow -> sequence numbers, as their answers left
        self.dropped = 0
        with open(path, newline="", encoding="ascii") as file:
            rows = csv.DictReader(file)
            assert rows.fieldnames == ["time_ns", "peer", "session", "flow", "sequence", "event"]
            for row in rows:
                key, sequence = (row["session"], row["flow"], row["peer"]), int(row["sequence"])
                if row["event"] == "received":
                    self.received[key].append(sequence)
                elif row["event"] == "answered":
                    self.answered[key].append(sequence)
                elif row["event"] == "dropped":
                    self.dropped += 1
                else:
                    assert row["event"] in ("held", "released"), row

    def requests(self):
        return sum(len(set(numbers)) for numbers in self.received.values())

    def lost(self):
        """Requests none of whose answers left."""
        return sum(len(set(numbers) - set(self.answered[flow]))
                   for flow, numbers in self.received.items())

    def duplicates(self):
        """RFC 5560: every copy after the first."""
        return sum(len(numbers) - len(set(numbers)) for numbers in self.answered.values())

    def replicated(self):
        """RFC 5560 section 4.2: answers of which there was more than one copy."""
        return sum(numbers.count(number) > 1 for numbers in self.answered.values()
                   for number in set(numbers))

    def overtakers(self):
        """RFC 4737: of each first copy whose number is below an earlier one's, the arrivals before
        it, and of the earliest larger one the place among these."""
        for numbers in self.answered.values():
            before = []
            for number in dict.fromkeys(numbers):
                larger = [place for place, other in enumerate(before) if other > number]
                if larger:
                    yield number, before[:], larger[0]
                before.append(number)

    def neighbours(self):
        """Answers whose number is one above another's (RFC 5481 section 4.1: both arrived)."""
        return sum(number - 1 in numbers for numbers in map(set, self.answered.values())
                   for number in numbers)

    def reordered(self):
        return sum(1 for _ in self.overtakers())

    def extents(self):
        """Section 4.2."""
        return sorted(len(before) - place for _, before, place in self.overtakers())

    def kept(self):
        """Section 4.4, in answers of one size."""
        return sorted(sum(other > number for other in before)
                      for number, before, _ in self.overtakers())

    def n_reordered(self, n):
        """Section 5.3."""
        return sum(len(before) >= n and min(before[-n:]) > number
                   for number, before, _ in self.overtakers())

    def free_runs(self):
        """Section 4.6: arrivals in order before each reordered one."""
        runs = []
        for numbers in self.answered.values():
            run, highest = 0, -1
            for number in dict.fromkeys(numbers):
                if number > highest:
                    run, highest = run + 1, number
                else:
                    runs.append(run)
                    run = 0
        return runs


def percentile(ordered, p):
    """RFC 2330 section 11.3: the smallest value that a share p does not exceed."""
    return ordered[max(0, math.ceil(p * len(ordered)) - 1)]


def troubled_run(start_target, folder, seed, *behaviour):
    log = folder / "events.csv"
    target = start_target("udp-echo", *behaviour, "--seed", seed, "--event-log", log)
    result = run_volley("run", target.endpoint("udp"), "--rate", RATE, "--requests", REQUESTS,
                        "--flows", FLOWS, "--warm-up", "0s", "--timeout", "500ms",
                        "--seed", seed, "--report", "json", timeout=20)
    assert result.code == 0, str(result)
    assert target.stop() == 0, target.said()
    check_report(result.json)
    check_nothing_negative(result.json)
    figures = result.run["requests"]
    assert figures["planned"] == figures["sent"] == REQUESTS, figures
    assert total_of(figures["errors"]) == figures["in_flight"] == figures["late"] == 0, figures
    events = Events(log)
    assert events.requests() == REQUESTS, "loopback itself lost a request"
    return result.run, events


@pytest.mark.parametrize("seed", SEEDS)
def test_drops_duplicates_and_reordering_are_counted_exactly(start_target, tmp_path, seed):
    run, events = troubled_run(start_target, tmp_path, seed, "--drop", "every:10",
                               "--duplicate", "2%", "--reorder", "5%")
    figures = run["requests"]
    counted = {key: figures[key] for key in ("lost", "duplicates", "reordered")}
    assert counted == {"lost": events.lost(), "duplicates": events.duplicates(),
                       "reordered": events.reordered()}
    assert figures["completed"] == REQUESTS - events.lost()
    assert figures["lost"] == events.dropped == REQUESTS // 10
    assert figures["duplicates"] > 0 and figures["reordered"] > 0, "a run without trouble"
    check_quality(run["udp"], events, figures["completed"])


def check_quality(udp, events, received):
    """How bad it was, beside how much of it there was."""
    assert udp["duplicated_ratio"] == pytest.approx(events.duplicates() / received)
    assert udp["replicated_ratio"] == pytest.approx(events.replicated() / received)
    assert udp["reordered_ratio"] == pytest.approx(events.reordered() / received)
    assert udp["n_reordered_3_ratio"] == pytest.approx(events.n_reordered(3) / received)
    for name, values in (("extent", events.extents()), ("kept", events.kept())):
        for which, value in (("p50", percentile(values, 0.5)), ("p99", percentile(values, 0.99)),
                             ("max", values[-1])):
            assert udp[f"reordering_{name}_{which}"] == value, (name, which, values)
    assert 0 <= udp["reordering_late_p50_ns"] <= udp["reordering_late_max_ns"]
    assert udp["reordering_forgotten"] == 0
    runs = events.free_runs()
    assert udp["reordering_free_run_mean"] == pytest.approx(sum(runs) / len(runs))
    spread = sum(run * run for run in runs) / sum(runs) / (sum(runs) / len(runs))
    assert udp["reordering_free_run_spread"] == pytest.approx(spread)
    assert udp["ipdv_pairs"] + udp["ipdv_together"] == events.neighbours()
    assert 0 < udp["ipdv_abs_p50_ns"] <= udp["ipdv_abs_p99_ns"]
    assert min(udp["ipdv_shorter_max_ns"], udp["ipdv_longer_max_ns"], udp["jitter_ns"]) > 0
    assert 0 <= udp["pdv_p50_ns"] <= udp["pdv_p99_ns"] <= udp["pdv_p99_9_ns"]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_tail_that_was_never_answered_is_lost(start_target, tmp_path, seed):
    answered_per_flow = 400 + 50 * seed
    run, events = troubled_run(start_target, tmp_path, seed, "--drop",
                               f"after:{answered_per_flow}")
    figures = run["requests"]
    assert figures["lost"] == events.lost() == events.dropped
    assert figures["lost"] == REQUESTS - FLOWS * answered_per_flow
    assert figures["duplicates"] == figures["reordered"] == 0, figures
    assert events.duplicates() == events.reordered() == 0
    assert run["udp"]["reordered_ratio"] == run["udp"]["replicated_ratio"] == 0
    assert run["udp"]["reordering_extent_max"] is run["udp"]["reordering_late_max_ns"] is None
