"""A target is safe to leave running: limits, hostile peers, peers that go away, descriptors."""

import os
import random
import resource
import signal
import socket
import subprocess
import time

import pytest

from harness import run_volley, start_volley, strict_json, wait_until
from target_frames import *


@pytest.fixture
def serving(start_target, tmp_path):
    """serving("all", …) -> (target, what stops it and reads its statistics)."""
    def start(*args, **kwargs):
        path = tmp_path / "target.json"
        target = start_target(*args, "--report", f"json:{path}", **kwargs)

        def end():
            assert target.stop() == 0, target.said()
            return strict_json(path.read_text())
        return target, end
    return start


def still_serves(target):
    with udp_to(target.udp) as sock:
        sock.send(b"still there?")
        assert sock.recv(100) == b"still there?"
    with tcp_to(target.tcp) as sock:
        sock.sendall(b"still there?")
        assert read_exactly(sock, 12) == b"still there?"


def closed(sock):
    """Waits for the peer to close, in good order or not."""
    try:
        return sock.recv(1000) == b""
    except ConnectionResetError:
        return True


def test_running_out_of_descriptors_pauses_accepting_and_neither_ends_nor_spins(serving):
    def few_files():
        resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24))
    target, end = serving("tcp-echo", preexec_fn=few_files)
    socks = [tcp_to(target.tcp) for _ in range(40)]  # the kernel queues what is not accepted
    for n, sock in enumerate(socks):
        sock.sendall(b"%02d" % n)
    wait_until(lambda: "accepting pauses" in target.said(), "the note about descriptors")
    served = [n for n, sock in enumerate(socks[:8]) if read_exactly(sock, 2) == b"%02d" % n]
    assert served == list(range(8))
    for sock in socks[:30]:
        sock.close()
    for n, sock in enumerate(socks[30:], start=30):  # now there is room for those that waited
        assert read_exactly(sock, 2) == b"%02d" % n
    tcp = end()["tcp"]
    assert tcp["accepted"] == 40
    assert 1 <= tcp["accept_errors"] < 200  # ten tries a second, not thousands


def test_too_few_descriptors_to_start_is_said_and_fails():
    def no_files():
        resource.setrlimit(resource.RLIMIT_NOFILE, (12, 12))
    result = run_volley("target", "all", "--threads", "16", "--listen", "127.0.0.1:0", "--report",
                        "json", preexec_fn=no_files)
    assert result.code == 1 and "ulimit -n" in result.stderr, str(result)
    assert result.json["status"] == "failed"
    assert result.json["error"]["code"] == "too_many_files"


def test_a_silent_connection_is_closed_after_the_idle_timeout(serving):
    target, end = serving("all", "--idle-timeout", "200ms")
    with tcp_to(target.tcp) as silent, tcp_to(target.tcp) as half_a_frame:
        half_a_frame.sendall(frame(REQUEST, b"x" * 100)[:20])
        assert closed(silent) and closed(half_a_frame)
    still_serves(target)
    assert end()["tcp"]["closed_idle"] >= 2


@pytest.mark.parametrize("wait", ["block", pytest.param("spin", marks=pytest.mark.skipif(
    len(os.sched_getaffinity(0)) < 2, reason="a thread that spins wants a CPU of its own"))])
def test_a_connection_that_speaks_outlives_the_idle_timeout(serving, wait):
    target, end = serving("tcp-echo", "--idle-timeout", "600ms", "--wait", wait)
    with tcp_to(target.tcp) as busy, tcp_to(target.tcp) as silent:
        # The timeout itself is the subject: three of them go by in steps of a sixth.
        for number in range(18):
            busy.sendall(b"%2d" % number)
            assert read_exactly(busy, 2) == b"%2d" % number
            time.sleep(0.1)
        assert closed(silent)
        busy.sendall(b"still")
        assert read_exactly(busy, 5) == b"still"
    assert end()["tcp"]["closed_idle"] == 1


def test_connections_beyond_the_limit_are_closed_at_once(serving):
    target, end = serving("tcp-echo", "--max-connections", "2", "--threads", "2")
    first, second = tcp_to(target.tcp), tcp_to(target.tcp)
    for sock in (first, second):
        sock.sendall(b"in")
        assert read_exactly(sock, 2) == b"in"
    with tcp_to(target.tcp) as third:
        assert closed(third)
    first.close()

    def accepted():
        with tcp_to(target.tcp) as sock:
            try:
                sock.sendall(b"in")
                return sock.recv(2) == b"in"
            except (ConnectionResetError, BrokenPipeError):
                return False
    wait_until(accepted, "room after a connection closed")
    tcp = end()["tcp"]
    assert tcp["refused"] >= 1 and tcp["accepted"] >= 3


def resident_bytes(pid):
    return int(open(f"/proc/{pid}/statm").read().split()[1]) * resource.getpagesize()


def test_a_peer_that_never_reads_costs_little_and_holds_up_nobody(serving):
    target, _ = serving("all")
    still_serves(target)
    # Growth, not size: a sanitizer's own memory is there from the beginning.
    before = resident_bytes(target.proc.pid)
    with tcp_to(target.tcp) as stubborn:
        stubborn.setblocking(False)
        sent = 0
        stuck = 0
        while stuck < 50:  # until it takes no more
            try:
                sent += stubborn.send(b"x" * 65_536)
                stuck = 0
            except BlockingIOError:
                still_serves(target)
                stuck += 1
        grown = resident_bytes(target.proc.pid) - before
        assert grown < 8 << 20, f"{grown} bytes for {sent} that nobody read"
        assert sent > 0


@pytest.mark.parametrize("attack", [
    frame(REQUEST, length=0xFFFFFFFF),
    frame(DATA, length=(64 << 20) + 1),
    frame(SIZED, length=4) + b"abcd",
    sized(0xFFFFFFFF),
    frame(HELLO, length=3) + b"abc",
    frame(HELLO, b"\xff" * 72),
    b"\xf6\xd7\x02" + frame(REQUEST)[3:],
    b"\xf6\xd7\x01\xff" + frame(REQUEST)[4:],
], ids=["length", "above-limit", "no-size", "huge-answer", "short-hello", "bad-hello", "version",
        "kind"])
def test_a_frame_that_cannot_be_closes_its_connection_and_is_counted(serving, attack):
    target, end = serving("all")
    with tcp_to(target.tcp) as sock:
        sock.sendall(attack)
        assert closed(sock)
    still_serves(target)
    assert end()["tcp"]["hostile"] == 1


def test_garbage_over_udp_and_tcp_is_survived(serving):
    target, end = serving("all", "--threads", "2")
    chance = random.Random(2924)
    with udp_to(target.udp) as sock:
        for _ in range(2000):
            data = bytearray(chance.randbytes(chance.choice([0, 1, 23, 24, 36, 96, 1400])))
            if chance.random() < 0.7:
                data[:4] = b"\xf6\xd7\x01" + bytes([chance.choice([1, 2, 3, 4, 5, 16, 18, 20, 99])])
            if chance.random() < 0.5 and len(data) >= 24:
                data[12:16] = struct.pack("<I", len(data) - 24)
            sock.send(data)
    for _ in range(200):
        with tcp_to(target.tcp) as sock:
            data = b"\xf6\xd7\x01" + bytes([chance.choice([1, 2, 3, 4, 5, 16, 18, 20, 99])])
            data += chance.randbytes(chance.randrange(200))
            sock.sendall(data)
            if chance.random() < 0.5:  # an abrupt end
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    still_serves(target)
    udp = end()["udp"]
    ignored = sum(udp["ignored"].values())
    parts = udp["requests"] + udp["plain"] + udp["data"] + udp["control"] + udp["malformed"]
    assert udp["datagrams"] == parts + ignored


def test_50_clients_killed_at_random_moments_leave_the_target_as_it_was(serving):
    target, end = serving("all", "--threads", "2")
    baseline = target.descriptors()  # before anybody has spoken to it
    still_serves(target)
    chance = random.Random(50)
    for n in range(50):
        endpoint = target.endpoint("tcp" if n % 2 else "udp")
        workload = chance.choice([("rr", "--depth", "8"), ("crr",), ("stream",)])
        client = start_volley("run", endpoint, "--workload", *workload, "--flows", "16",
                              "--duration", "10s", "--warm-up", "0s", "--report", "json")
        try:
            client.wait(timeout=chance.uniform(0.0, 0.15))
        except subprocess.TimeoutExpired:
            pass
        os.killpg(client.pid, signal.SIGKILL)
        client.communicate(timeout=10)
    still_serves(target)
    wait_until(lambda: target.descriptors() == baseline,
               f"{baseline} descriptors again (has {target.descriptors()})")
    report = end()
    assert report["tcp"]["accepted"] > 25 and report["udp"]["datagrams"] > 25, report


def test_max_duration_ends_it_in_good_order():
    result = run_volley("target", "all", "--listen", "127.0.0.1:0", "--max-duration", "300ms")
    assert result.code == 0, str(result)
    assert "listening tcp://127.0.0.1:" in result.stdout, str(result)
    assert "ended by max_duration" in result.stdout, str(result)


def test_json_on_stdout_stands_there_alone():
    result = run_volley("target", "all", "--listen", "127.0.0.1:0", "--max-duration", "100ms",
                        "--report", "json")
    assert result.code == 0, str(result)
    assert result.json["status"] == "ok" and result.json["ended_by"] == "max_duration"
    assert "listening udp://127.0.0.1:" in result.stderr


def test_an_unwritable_report_or_event_log_fails_before_anything_listens(tmp_path):
    for option in (("--report", f"json:{tmp_path}"), ("--event-log", str(tmp_path))):
        result = run_volley("target", "--listen", "127.0.0.1:0", *option)
        assert result.code == 1 and "listening" not in result.stdout, str(result)
        assert str(tmp_path) in result.stderr


@pytest.mark.parametrize("args,words", [
    (("tcp-echo", "--drop", "1%"), "TCP itself repeats"),
    (("tcp-sink", "--duplicate", "1%"), "TCP only"),
    (("udp-echo", "--log-connections"), "no connections"),
    (("udp-sink", "--delay", "1ms"), "no answers"),
    (("udp-echo", "--listen", "0.0.0.0:0", "--duplicate", "2%"), "--open"),
    (("udp-echo", "--listen", "0.0.0.0:0", "--reply-prefix", "OK"), "--open"),
    (("echo",), "udp-echo"),
    (("--threads", "0"), "--threads"),
    (("--drop", "every:0"), "--drop"),
    (("--stall", "1s"), "--stall"),
    (("--service-time", "fast"), "--service-time"),
    (("--listen", "::1:2924"), "--listen"),
    (("--print", "--report", "json"), "stdout"),
])
def test_wrong_use_is_2_and_says_why(args, words):
    result = run_volley("target", *args)
    assert result.code == 2 and words in result.stderr, str(result)
