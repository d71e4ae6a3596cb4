# ctest: serial
"""Ctrl-C: what was measured so far is a report; twice, and the program is gone. And a target does
not mind generators that vanish."""

import fcntl
import random
import signal
import struct
import termios
import time

import pytest

import harness
from harness import finish, run_json, start_volley, udp_ask, wait_until
from judging import check_report


@pytest.fixture
def target(start_target):
    return start_target("all", "--threads", "2")


@pytest.mark.parametrize("load", [(), ("--rate", "2000")], ids=["closed", "open"])
@pytest.mark.parametrize("protocol", ["udp", "tcp"])
def test_an_interrupt_at_3_s_of_60_s_leaves_a_report_over_3_s(target, protocol, load):
    process = start_volley("run", target.endpoint(protocol), "--duration", "60s", "--warm-up",
                           "0s", "--flows", "4", *load, "--report", "json")
    time.sleep(3)
    process.send_signal(signal.SIGINT)
    sent = time.monotonic()
    result = finish(process, process.argv, 10, process.started)
    assert time.monotonic() - sent < 1 * harness.PATIENCE, str(result)
    assert result.code == 130, str(result)
    report, run = result.json, result.run
    assert report["status"] == run["status"] == "interrupted", str(result)
    assert report.get("error") is None
    assert 2.0 <= run["duration_s"] <= 3.5, run["duration_s"]
    check_report(report)
    assert run["requests"]["completed"] > 0
    assert len(run["intervals"]) in (2, 3, 4, 5), run["intervals"]
    if load:
        assert 4_000 <= run["requests"]["sent"] <= 7_000, run["requests"]
        assert run["requests"]["planned"] == 60 * 2_000 or run["requests"]["skipped"] > 0
    else:
        assert run["requests"]["planned"] is None and run["requests"]["skipped"] is None


def test_an_interrupt_in_the_warm_up_is_no_failure(target):
    process = start_volley("run", target.endpoint("tcp"), "--duration", "60s", "--warm-up", "60s",
                           "--report", "json")
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    result = finish(process, process.argv, 5, process.started)
    assert result.code == 130 and result.json["status"] == "interrupted", str(result)
    check_report(result.json)


def waiting_in_pipe(pipe):
    return struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"\0\0\0\0"))[0]


def test_a_second_interrupt_ends_it_at_once(target):
    """Nobody reads the report, so after the first interrupt it cannot be written to its end."""
    process = start_volley("run", target.endpoint("udp"), "--duration", "60s", "--warm-up", "0s",
                           "--interval", "10ms", "--report", "json")
    fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, 4096)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    wait_until(lambda: waiting_in_pipe(process.stdout) > 0, "the report's beginning")
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    second = time.monotonic()
    assert process.wait(timeout=5 * harness.PATIENCE) in (130, -signal.SIGINT)
    assert time.monotonic() - second < 0.5 * harness.PATIENCE
    process.stdout.close()
    process.stderr.close()


def test_fifty_generators_killed_at_random_moments_leave_the_target_serving(target):
    choose = random.Random(20_260_101)
    assert udp_ask(target.udp[1], b"hello") == b"hello"
    baseline = target.descriptors()
    for number in range(50):
        protocol = ("udp", "tcp")[number % 2]
        workload = choose.choice(("rr", "crr", "stream"))
        process = start_volley("run", target.endpoint(protocol), "--workload", workload, "--flows",
                               choose.randint(1, 16), "--warm-up", "0s", "--report", "json")
        time.sleep(choose.random() * 0.25)
        process.kill()
        process.communicate(timeout=10)
    assert target.proc.poll() is None, target.said()
    wait_until(lambda: target.descriptors() <= baseline,
               f"the target's descriptors to be back at {baseline}")
    assert udp_ask(target.udp[1], b"hello") == b"hello"
    for protocol in ("udp", "tcp"):
        run = run_json(target.endpoint(protocol), "--requests", "200", "--warm-up", "0s")
        assert run["requests"]["completed"] == 200
