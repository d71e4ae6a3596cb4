# ctest: serial
# ctest: timeout 180
"""A report judges itself: each fault that can be provoked from outside is found by its check, by
name, and nothing that has gone right is blamed."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

import harness
from harness import finish, run_volley, start_volley, wait_until
from judging import ROOT, check_report

# What a busy machine cannot cause: these must pass in every run without a fault.
NOT_OF_THE_HOST = {"C5", "C6a", "C6b", "C6c", "C6d", "C7a", "C7b", "C7c", "C9a", "C9b", "C9c", "C10",
                   "C11", "C14"}
ORDER = ["not_applicable", "pass", "unknown", "warn", "fail"]  # from good to bad


def judged(*args, timeout=30, **kwargs):
    """The run of `volley run … --report json`, checked, whatever its verdict."""
    result = run_volley("run", *args, "--report", "json", timeout=timeout, **kwargs)
    assert result.code == 0, str(result)
    check_report(result.json)
    return result.run


def status_of(run, check_id):
    """The worst of the checks with this id."""
    found = [check["status"] for check in run["checks"] if check["id"] == check_id]
    assert found, f"no check {check_id}"
    return max(found, key=ORDER.index)


def check_of(run, check_id):
    return next(check for check in run["checks"] if check["id"] == check_id)


def verdict_of(run, number):
    return run["verdict"]["numbers"][number]


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
@pytest.mark.parametrize("load", [(), ("--rate", "500")], ids=["closed", "open"])
def test_clean_runs_are_blamed_for_nothing_that_the_machine_cannot_cause(protocol, load):
    for _ in range(3):
        run = judged(protocol, *load, "--duration", "600ms", "--warm-up", "100ms")
        doubts = [check for check in run["checks"]
                  if check["id"] in NOT_OF_THE_HOST
                  and check["status"] not in ("pass", "not_applicable")]
        assert not doubts, doubts


@contextlib.contextmanager
def cpu_quota(share):
    """A control group whose programs get this share of a CPU; yields the file for their numbers."""
    name = f"volley-test-{os.getpid()}"
    first, second = Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup")
    if (first / "cpu.cfs_quota_us").exists():
        group = first / name
        group.mkdir()
        (group / "cpu.cfs_quota_us").write_text(str(int(share * 100_000)))
    elif "cpu" in (second / "cgroup.subtree_control").read_text().split():
        group = second / name
        group.mkdir()
        (group / "cpu.max").write_text(f"{int(share * 100_000)} 100000")
    else:
        pytest.skip("no control group of this machine limits CPU time")
    try:
        yield group / "cgroup.procs"
    finally:
        wait_until(lambda: not (group / "cgroup.procs").read_text(), "an empty control group")
        group.rmdir()


def test_a_quota_on_cpu_time_makes_every_percentile_invalid(start_target):
    target = start_target("tcp-echo")
    with cpu_quota(0.2) as members:
        args = ("run", target.endpoint("tcp"), "--rate", "20k", "--duration", "1s", "--warm-up", "0s",
                "--wait", "spin", "--strict", "--report", "json")
        result = run_volley(*args, timeout=60,
                            preexec_fn=lambda: members.write_text(str(os.getpid())))
    assert result.code == 3, str(result)
    check_report(result.json)
    run = result.run
    assert status_of(run, "C8b") == "fail" and check_of(run, "C8b")["value"] >= 5, run["checks"]
    assert status_of(run, "C8d") == "fail" and status_of(run, "C1b") == "fail", run["checks"]
    assert run["verdict"]["overall"] == "INVALID"
    response = run["latency_ns"]["response"]
    assert all(response[key] is None for key in ("p50", "p90", "p99", "p99_9")), response
    assert response["max"] > 50_000_000 and response["histogram"], "what happened stays"
    assert "quota" in result.stderr or "left more than" in result.stderr, result.stderr


def test_a_rival_on_the_generators_cpu_is_seen(start_target, programs):
    for _ in range(2):
        programs.start(["taskset", "-c", "0", "timeout", "20", "bash", "-c", "while :; do :; done"])
    target = start_target("tcp-echo")
    run = judged(target.endpoint("tcp"), "--rate", "5k", "--duration", "1s", "--warm-up", "0s",
                 "--wait", "spin", prefix=("taskset", "-c", "0"))
    assert status_of(run, "C8c") == "fail" and check_of(run, "C8c")["value"] > 0.1, run["checks"]
    assert status_of(run, "C8d") == "fail", run["checks"]
    assert status_of(run, "C16") == "warn", run["checks"]
    assert run["latency_ns"]["response"]["p99"] is None


def test_a_generator_that_was_stopped_for_a_while_says_it_was_away(start_target):
    target = start_target("tcp-echo")
    process = start_volley("run", target.endpoint("tcp"), "--rate", "2k", "--duration", "1s",
                           "--warm-up", "0s", "--report", "json")

    def requests_sent():
        said = subprocess.run(["ss", "-Htni", "state", "established", "dport", "=",
                               f":{target.tcp[1]}"], capture_output=True, check=True).stdout
        return max(map(int, re.findall(rb"data_segs_out:(\d+)", said)), default=0)

    wait_until(lambda: requests_sent() > 5, "a run that has begun")
    process.send_signal(signal.SIGSTOP)
    time.sleep(0.3)  # this is what the test is about: it must be away for that long
    process.send_signal(signal.SIGCONT)
    result = finish(process, process.argv, 30, process.started)
    check_report(result.json)
    run = result.run
    assert status_of(run, "C8d") == "fail", run["checks"]
    assert status_of(run, "C1b") == "fail", run["checks"]
    assert verdict_of(run, "response.p90")["verdict"] == "INVALID"


def test_a_cap_on_requests_in_flight_is_named(start_target):
    target = start_target("tcp-echo", "--service-time", "fixed:5ms")
    run = judged(target.endpoint("tcp"), "--rate", "150", "--depth", "1", "--duration", "1s",
                 "--warm-up", "0s")
    assert run["requests"]["held_back"] > 0
    assert status_of(run, "C9b") == "warn" and check_of(run, "C9b")["value"] > 0.1, run["checks"]
    assert status_of(run, "C9d") == "warn" and "waited for room" in check_of(run, "C9d")["text"]
    # the time from when it was due stands: that it waited was not the generator's doing
    assert verdict_of(run, "response.p50")["decided_by"].count("C1b") == 0, run["verdict"]


def test_answers_between_half_the_timeout_and_all_of_it_make_the_loss_invalid(start_target):
    target = start_target("udp-echo", "--delay", "150ms")
    run = judged(target.endpoint("udp"), "--rate", "100", "--duration", "1s", "--warm-up", "0s",
                 "--timeout", "250ms")
    assert run["requests"]["lost"] == 0
    assert status_of(run, "C6d") == "fail" and check_of(run, "C6d")["value"] == 1, run["checks"]
    assert run["requests"]["loss_ratio"] is None
    assert verdict_of(run, "loss_ratio")["verdict"] == "INVALID"


def test_late_answers_are_named(start_target):
    target = start_target("udp-echo", "--delay", "150ms")
    result = run_volley("run", target.endpoint("udp"), "--rate", "200", "--duration", "1s",
                        "--warm-up", "0s", "--timeout", "100ms", "--report", "json", timeout=20)
    check_report(result.json)
    run = result.run
    assert run["requests"]["late"] > 0
    assert status_of(run, "C10") == "warn"
    assert check_of(run, "C10")["value"] == run["requests"]["late"]


def test_losses_nobody_saw_are_a_doubt_and_those_that_a_target_owns_up_to_are_none(start_target):
    load = ("--rate", "1k", "--duration", "500ms", "--warm-up", "0s", "--timeout", "200ms")
    dropping = start_target("udp-echo", "--drop", "10%")
    run = judged(dropping.endpoint("udp"), *load)
    lost = run["requests"]["lost"]
    assert lost == run["loss_by_place"]["backward"]["target_application"] > 0
    assert status_of(run, "C6b") == "pass" and check_of(run, "C6b")["value"] == 0
    assert status_of(run, "C6c") == "pass", run["checks"]
    with Echo(lambda data, _, n: [] if n % 10 == 5 else [data]) as endpoint:
        run = judged(endpoint, *load)
    assert run["requests"]["lost"] == run["loss_by_place"]["unattributed"] > 0
    assert not run["loss_by_place"]["target"]["heard"]
    assert status_of(run, "C6b") == "warn" and check_of(run, "C6b")["value"] == 1


def test_what_our_own_sockets_dropped_is_no_loss_of_the_target(start_target):
    plain = start_target("udp-echo")
    run = judged(plain.endpoint("udp"), "--rcvbuf", "4096", "--depth", "64", "--size", "1000",
                 "--offload", "off", "--duration", "500ms", "--warm-up", "0s", "--timeout", "100ms")
    assert run["udp"]["socket_drops"] > 0 and run["requests"]["lost"] > 0
    assert status_of(run, "C6c") == "fail", run["checks"]
    assert run["requests"]["loss_ratio"] is None
    assert "own sockets" in check_of(run, "C6c")["text"]


class Echo:
    """A UDP echo server of a few lines; `reply(data, peer, n)` gives the answers to request n."""

    def __init__(self, reply):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.sock.settimeout(0.1)
        self.reply, self.over = reply, threading.Event()
        self.thread = threading.Thread(target=self.serve)

    def serve(self):
        n = 0
        while not self.over.is_set():
            with contextlib.suppress(TimeoutError):
                data, peer = self.sock.recvfrom(65_535)
                for answer in self.reply(data, peer, n):
                    self.sock.sendto(answer, peer)
                n += 1

    def __enter__(self):
        self.thread.start()
        return f"udp://127.0.0.1:{self.sock.getsockname()[1]}"

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        self.sock.close()


def test_messages_that_are_no_answers_are_found():
    with Echo(lambda data, _, n: [data] + ([b"something else"] if n % 10 == 0 else [])) as endpoint:
        run = judged(endpoint, "--rate", "200", "--duration", "1s", "--warm-up", "0s")
    assert status_of(run, "C14") == "fail" and check_of(run, "C14")["value"] > 0.05, run["checks"]
    assert run["verdict"]["overall"] == "INVALID"


def test_a_target_that_becomes_slower_shows_no_steady_state():
    began = time.monotonic()

    def slower(data, _, __):
        # 1 ms at first, 3 ms at the end
        time.sleep(0.001 + 0.002 * min(1.0, time.monotonic() - began))
        return [data]
    with Echo(slower) as endpoint:
        began = time.monotonic()
        run = judged(endpoint, "--duration", "1s", "--warm-up", "0s")
    assert status_of(run, "C3") == "warn" and check_of(run, "C3")["value"] > 0.3, run["checks"]
    assert "grew" in check_of(run, "C3")["text"]


def test_a_thread_with_all_the_slow_answers_is_found():
    ports = []

    def one_is_slow(data, peer, _):
        if peer[1] not in ports:
            ports.append(peer[1])
        if peer[1] != ports[0]:
            return [data]
        # For longer than the machine stops, and nobody else waits behind it.
        threading.Timer(0.06, server.sock.sendto, (data, peer)).start()
        return []
    server = Echo(one_is_slow)
    with server as endpoint:
        run = judged(endpoint, "--flows", "8", "--threads", "8", "--rate", "50", "--duration", "8s",
                     "--warm-up", "0s", "--arrival", "constant")
    # One thread of eight has a slow server, and so all of the slowest: eight times its share. By
    # chance one has three or four times.
    assert check_of(run, "C12")["value"] > 5, run["checks"]
    assert status_of(run, "C12") == "fail"


def test_few_samples_withhold_the_tail_and_say_so(start_target):
    target = start_target("tcp-echo")
    run = judged(target.endpoint("tcp"), "--rate", "2k", "--duration", "1s", "--warm-up", "0s")
    tail = verdict_of(run, "response.p99_9")
    # A busy machine spoils it besides, which weighs more.
    assert tail["verdict"] == "INVALID" or tail == {"verdict": "NOT_CLAIMABLE", "decided_by": ["C4"]}
    assert run["latency_ns"]["response"]["p99_9"] is None
    assert run["latency_ns"]["response"]["evidence"]["p99_9"]["samples_needed"] > 2_000


def test_what_cannot_be_read_is_unknown_and_never_passes(start_target):
    target = start_target("tcp-echo")
    hidden = ("unshare", "-m", "bash", "-c",
              "mount -t tmpfs none /sys/fs/cgroup && exec \"$@\"", "hidden")
    run = judged(target.endpoint("tcp"), "--duration", "300ms", "--warm-up", "0s", prefix=hidden)
    assert status_of(run, "C8b") == "unknown" and check_of(run, "C8b")["value"] is None
    assert verdict_of(run, "achieved_per_s")["verdict"] == "DEGRADED"


def test_a_flow_that_dies_leaves_the_offered_load_short():
    with socket.create_server(("127.0.0.1", 0)) as server:
        def serve():
            connections = [server.accept()[0] for _ in range(2)]
            connections[0].close()
            with connections[1] as living, contextlib.suppress(OSError):
                while data := living.recv(65_536):
                    living.sendall(data)
        thread = threading.Thread(target=serve)
        thread.start()
        run = judged(f"tcp://127.0.0.1:{server.getsockname()[1]}", "--flows", "2", "--rate", "200",
                     "--duration", "500ms", "--warm-up", "0s")
        thread.join()
    assert status_of(run, "C1a") == "fail" and check_of(run, "C1a")["value"] > 0.3, run["checks"]


def test_every_check_stands_in_the_documentation_and_every_documented_one_is_made(start_target):
    listed = re.findall(r"^\| (C[0-9]+[a-z]?) \|", (ROOT / "docs" / "method.md").read_text(), re.M)
    run = judged(start_target("tcp-echo").endpoint("tcp"), "--duration", "100ms", "--warm-up", "0s")
    made = list(dict.fromkeys(check["id"] for check in run["checks"]))
    # C4 is what the claims do: its verdict is NOT_CLAIMABLE, and its evidence stands at each number
    assert made == [name for name in listed if name != "C4"]


def test_text_names_the_verdict_and_each_doubt():
    with Echo(lambda data, _, n: [] if n % 10 == 5 else [data]) as endpoint:
        result = run_volley("run", endpoint, "--rate", "1k", "--duration", "500ms", "--warm-up",
                            "0s", "--timeout", "200ms", timeout=20)
    assert result.code == 0, str(result)
    lines = result.stdout.splitlines()
    assert any(line.startswith("verdict   DEGRADED") or line.startswith("verdict   INVALID")
               for line in lines), result.stdout
    assert any(line.startswith("  C6b     warn:") for line in lines), result.stdout
    assert "nobody knows where" in result.stdout, result.stdout
    assert max(map(len, lines)) <= 100, result.stdout


def test_strict_of_a_duel_goes_by_its_worst_run():
    result = run_volley("duel", "--rounds", "1", "--duration", "200ms", "--warm-up", "0s", "--strict",
                        "--report", "json", timeout=30)
    check_report(result.json)
    trusted = result.json["verdict"]["overall"] == "TRUSTED"
    assert result.code == (0 if trusted else 3), str(result)
    assert trusted or "--strict" in result.stderr, result.stderr
