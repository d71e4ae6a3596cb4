# ctest: serial
"""A server that stops once for S in a run of D answers by arithmetic. What is due t after the stop
waits S - t (1 - rho), where rho is the rate times the time that each of the backlog takes, so

    P(response > x) = (S - x) / ((1 - rho) D)        Q(p) = S - (1 - p) (1 - rho) D

An open loop has to show this within 1 % and 1 ms; a closed loop cannot, since it stops asking."""

import signal
import threading
import time

import pytest

import relayed
import rig
import standstill
from harness import run_volley, start_volley, finish
from judging import DecodedHistogram, check_report

MILLISECOND = 1_000_000
SHARES = (0.9, 0.95, 0.99, 0.999)
SERVICE_S = 0.0002  # of the relay's virtual server

pytestmark = pytest.mark.skipif(rig.SANITIZED, reason="a sanitizer's own delays are in the times")


def expected(share, stall_s, run_s, rho):
    """In ns; None where the stall does not reach down to."""
    value = stall_s - (1 - share) * (1 - rho) * run_s
    return value * 1e9 if value > 0.05 * stall_s else None


def response_of(run):
    return DecodedHistogram(run["latency_ns"]["response"]["histogram"])


def check_open_loop(run, stall_s, run_s, rho):
    assert run["requests"]["lost"] == 0, run["requests"]
    checked = 0
    for share in SHARES:
        wanted = expected(share, stall_s, run_s, rho)
        if wanted is None:
            continue
        found = response_of(run).at(share)
        print(f"S {stall_s:.3f} s, D {run_s} s, rho {rho:.3f}: Q({share}) {found / 1e6:.2f} ms, "
              f"formula {wanted / 1e6:.2f} ms")
        assert abs(found - wanted) <= 0.01 * wanted + MILLISECOND, (share, found, wanted)
        checked += 1
    assert checked >= 2


def relay_run(programs, folder, stall_s, at_s, *load):
    """Through a virtual server that stops: its service time, and so rho, is exact."""
    relay = relayed.Relay(programs, folder, forward=f"service=fixed:{SERVICE_S * 1e6:.0f},"
                                                    f"stall={at_s * 1e6:.0f}:{stall_s * 1e6:.0f}")
    result = run_volley("run", relay.endpoint, "--warm-up", "0s", "--timeout", "5s", *load,
                        "--report", "json", timeout=30)
    log = relay.finish()
    assert log.fault() is None and result.code == 0, f"{log.fault()} {result}"
    check_report(result.json)
    return result.run, log


@pytest.mark.parametrize("stall_s, run_s, rate", ((0.3, 3, 1_000), (0.5, 4, 2_000)))
def test_an_open_loop_shows_the_stall(programs, tmp_path, stall_s, run_s, rate):
    relayed.judged(
        lambda: relay_run(programs, tmp_path, stall_s, run_s / 3, "--rate", rate, "--arrival",
                          "constant", "--duration", f"{run_s}s"),
        lambda run, _: check_open_loop(run, stall_s, run_s, rate * SERVICE_S),
        tries=4, verdict_when_busy=pytest.fail)


def test_a_closed_loop_does_not(programs, tmp_path):
    """The negative control: one request waits, and p99.9 knows nothing of it."""
    stall_s, run_s = 0.3, 3
    run, log = relay_run(programs, tmp_path, stall_s, run_s / 3, "--duration", f"{run_s}s")
    # It came when the stall had begun: a busy machine lets some of it pass first.
    longest = max(record.sent - record.received for record in log.forward)
    assert longest >= 0.5 * stall_s * 1e9
    assert run["latency_ns"]["response"]["max"] >= 0.999 * longest
    for share in SHARES[:-1]:
        assert response_of(run).at(share) < 0.05 * stall_s * 1e9, share


class Stopper(threading.Thread):
    """Stops a process once something holds, and lets it go on; .stall_s is how long that was."""

    def __init__(self, process, begin, stall_s):
        super().__init__()
        self.process, self.begin, self.wanted_s, self.stall_s = process, begin, stall_s, None

    def run(self):
        end = time.monotonic() + 10
        while not self.begin() and time.monotonic() < end:
            time.sleep(0.005)
        self.process.send_signal(signal.SIGSTOP)
        stopped = time.monotonic()
        time.sleep(self.wanted_s)  # this is the stall itself
        self.process.send_signal(signal.SIGCONT)
        self.stall_s = time.monotonic() - stopped


def stopped_run(target, run_s):
    """What a run left, and how long the target stood still in it."""
    volley = start_volley("run", target.endpoint("tcp"), "--rate", "1k", "--arrival", "constant",
                          "--duration", f"{run_s}s", "--warm-up", "0s", "--timeout", "5s",
                          "--report", "json")
    began = time.monotonic()
    stopper = Stopper(target.proc, lambda: time.monotonic() - began > 1, 0.8)
    stopper.start()
    result = finish(volley, volley.argv, 30, volley.started)
    stopper.join()
    return result, stopper.stall_s


def test_a_stopped_process_over_tcp(start_target):
    """SIGSTOP and SIGCONT: nobody in the server knows of the stall, and TCP keeps the backlog. It is
    answered in one reading, so next to nothing comes while it drains (rho is 0); what a CPU that
    stands still at SIGCONT adds to all of the backlog is no stall of the server's."""
    target = start_target("tcp-echo")

    def check(seen):
        result, stall_s = seen
        assert result.code == 0, str(result)
        check_report(result.json)
        check_open_loop(result.run, stall_s, 4, 0)

    standstill.unless_it_stood_still(lambda: stopped_run(target, 4), check, still_s=0.003, tries=4)
