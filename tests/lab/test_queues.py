# ctest: serial
"""A queue in real time: Poisson arrivals through the relay's virtual M/M/1 server. volley's
response times are held against what the relay logged of each datagram, and against the formula.

Of X, the time in the server (the log's), and Y >= 0, the rest of the way (its distribution is that
of a run without a server), the sum is between: for any d,

    Qx(p) <= Q(p) <= Qx(p + d) + Qy(1 - d)

Part of Y is how late the generator was, which is this run's own, so it is taken from its send_lag
and added to the rest, with half of d for each.

M/M/1: X is exponential with rate mu - lambda, so Qx(p) = -ln(1 - p) / (mu - lambda)."""

import math
import os

import pytest

import relayed
import rig
from harness import run_volley
from judging import DecodedHistogram, check_report, invalid_numbers

SERVICE_S, RATE = 0.0002, 2_500  # a utilisation of 0.5
MEAN_NS = 1e9 / (1 / SERVICE_S - RATE)
SHARES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}
BUCKET = 1 / 1024  # of a value: how wide a counter of the histogram is
REST = 0.005  # d
MOST_ADDED_NS = MEAN_NS / 2  # to what the formula is held against: more would hold anything

pytestmark = pytest.mark.skipif(rig.SANITIZED, reason="a sanitizer's own delays are in the times")


def apart():
    """The CPUs of the relay and what keeps the generator off them: left to itself the kernel puts
    who was woken next to who woke, and both wait for one CPU a tenth of the time beside an idle
    one. The generator's one thread that sends is kept on the first CPU that it may use; its other
    one, which looks at an interval's end, stays off that."""
    cpus = sorted(os.sched_getaffinity(0))
    return (set(cpus[1:]), ["--pin"]) if len(cpus) > 1 else (None, [])


def one_run(programs, folder, seed, plan, seconds, *load):
    cpus, pinned = apart()
    relay = relayed.Relay(programs, folder, forward=plan, seed=seed, cpus=cpus)
    result = run_volley("run", relay.endpoint, "--rate", RATE, "--duration", f"{seconds}s",
                        "--warm-up", "0s", "--seed", seed, "--timeout", "1s", *pinned, *load,
                        "--report", "json")
    log = relay.finish()
    assert log.fault() is None and result.code == 0, f"{log.fault()} {result}"
    check_report(result.json)
    assert result.run["requests"]["lost"] == 0, result.run["requests"]
    return result.run, log


def response_of(run):
    return DecodedHistogram(run["latency_ns"]["response"]["histogram"])


def quantile(ordered, share):
    return ordered[min(len(ordered), math.ceil(share * len(ordered))) - 1]


@pytest.fixture(name="rest", scope="module")
def fixture_rest(module_programs, tmp_path_factory):
    """Response times of the way alone: of three looks the one that the machine disturbed least."""
    folder = tmp_path_factory.mktemp("rest")
    looks = [response_of(one_run(module_programs, folder, seed, "", 1)[0]) for seed in (7, 8, 9)]
    return min(looks, key=lambda look: look.at(1 - REST))


@pytest.mark.parametrize("seed", (1, 2, 3))
def test_times_in_an_mm1_queue(programs, tmp_path, rest, seed):
    """The log holds on a busy machine as well: it knows what the relay really did. The formula
    knows only a server that is never late."""
    unread = []

    def attempt():
        unread.append(one_run(programs, tmp_path, seed, f"service=exp:{SERVICE_S * 1e6:.0f}", 4))
        return unread[-1]
    relayed.judged(attempt, lambda run, log: check_against_the_log(run, log, rest), tries=3,
                   verdict_when_busy=pytest.fail)
    if rest.at(0.9) > MOST_ADDED_NS:
        pytest.skip(f"a busy machine: the way alone takes {rest.at(0.9) / 1e3:.0f} us")
    relayed.judged(lambda: unread.pop() if unread else attempt(),
                   lambda run, log: check_against_the_formula(run, log, rest), tries=2,
                   verdict_when_busy=pytest.skip)


def check_against_the_log(run, log, rest):
    response = response_of(run)
    lag = DecodedHistogram(run["latency_ns"]["send_lag"]["histogram"])
    in_server = sorted(record.sent - record.received for record in log.forward)
    assert len(in_server) == response.total()
    for key, share in SHARES.items():
        found = response.at(share)
        low = quantile(in_server, share)
        high = quantile(in_server, share + REST) + lag.at(1 - REST / 2) + rest.at(1 - REST / 2)
        print(f"{key}: {found / 1e3:.1f} us; log {low / 1e3:.1f} to {high / 1e3:.1f}")
        assert low * (1 - BUCKET) <= found <= high * (1 + BUCKET), (key, low, found, high)


def check_against_the_formula(run, log, rest):
    """What the report claims, less the rest of the way and what the relay was late by its own plan
    (nine in ten times no more than that), holds the formula."""
    late = sorted(record.sent - record.planned for record in log.forward)
    added = rest.at(0.9) + quantile(late, 0.9)
    if added > MOST_ADDED_NS:
        raise relayed.Busy(f"{added / 1e3:.0f} us to add: the relay was late")
    claims = run["latency_ns"]["response"]["ci95"]
    # What the report itself calls spoilt it does not claim; the generator was late, then.
    claimed = [key for key in SHARES if claims[key] and claims[key]["low"] is not None]
    spoilt = [number for number in invalid_numbers(run) if number.startswith("response.")]
    if len(claimed) < 2 and spoilt:
        raise relayed.Busy(f"spoilt by the generator: {spoilt}")
    assert len(claimed) >= 2, f"too little was claimed: {claims}"
    for key in claimed:
        formula = -math.log1p(-SHARES[key]) * MEAN_NS
        print(f"{key}: formula {formula / 1e3:.1f} us, {added / 1e3:.1f} added; 95 % {claims[key]}")
        low, high = claims[key]["low"] - added, claims[key]["high"]
        assert low <= formula <= high, (key, low, formula, high)


def test_arrivals_in_step_never_wait(programs, tmp_path, rest):
    """The negative control, D/D/1: the same load without randomness queues for nothing, so what the
    test above saw was the arrivals' and the services'."""
    ways = []

    def attempt():
        run = one_run(programs, tmp_path, 1, f"service=fixed:{SERVICE_S * 1e6:.0f}", 1,
                      "--arrival", "constant")
        # What the way takes now: a machine may be slower than it was a minute ago.
        ways.append(response_of(one_run(programs, tmp_path, 7, "", 1)[0]))
        return run

    def never_waited(run, _):
        service, way = SERVICE_S * 1e9, max(rest.at(0.9), ways[-1].at(0.9))
        assert service <= response_of(run).at(0.5) <= service + way, "it waited"
    relayed.judged(attempt, never_waited, tries=3, verdict_when_busy=pytest.skip)
