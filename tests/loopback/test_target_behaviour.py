"""Programmed trouble, seen from outside: what leaves a target is what its event log says, and what
the same seed gave before."""

# ctest: serial
import csv
import socket
import time

import pytest

from target_frames import *


def ask(target, count, flows=1, plain=False):
    """Sends `count` requests on each flow, one every now and then, and collects what comes until
    every answer that is still due has had its time: a list of sequences per flow."""
    socks = [udp_to(target.udp) for _ in range(flows)]
    got = [[] for _ in socks]

    def drain(timeout):
        for flow, sock in enumerate(socks):
            sock.settimeout(timeout)
            try:
                while True:
                    data = sock.recv(2000)
                    got[flow].append(int(data) if plain else parse(data)[4])
            except (TimeoutError, BlockingIOError):
                pass
    for n in range(count):
        for flow, sock in enumerate(socks):
            sock.send(b"%d" % n if plain else frame(REQUEST, b"x" * 8, flow=flow, sequence=n))
        if n % 50 == 49:
            drain(0)
    drain(0.5)  # longer than any answer is held
    names = [sock.getsockname() for sock in socks]
    for sock in socks:
        sock.close()
    return got, [f"{host}:{port}" for host, port in names]


def events(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def answered(log, peer):
    return [int(e["sequence"]) for e in log if e["peer"] == peer and e["event"] == "answered"]


@pytest.mark.parametrize("plain", [False, True], ids=["frames", "plain"])
def test_what_arrives_is_what_the_event_log_says_in_the_same_order(start_target, tmp_path, plain):
    log = tmp_path / "events.csv"
    target = start_target("udp-echo", "--drop", "every:10", "--duplicate", "5%", "--reorder", "5%",
                          "--seed", "11", "--event-log", log)
    got, peers = ask(target, 400, flows=2, plain=plain)
    assert target.stop() == 0
    told = events(log)
    for flow, peer in enumerate(peers):
        mine = [e for e in told if e["peer"] == peer]
        assert [int(e["sequence"]) for e in mine if e["event"] == "received"] == list(range(400))
        assert [int(e["sequence"]) for e in mine if e["event"] == "dropped"] == \
            list(range(9, 400, 10))
        assert got[flow] == answered(told, peer)
        assert len(got[flow]) > 360 and got[flow] != sorted(got[flow])  # both kinds happened
        assert set(got[flow]) == {n for n in range(400) if n % 10 != 9}
        held = [e["sequence"] for e in mine if e["event"] == "held"]
        assert sorted(held) == sorted(e["sequence"] for e in mine if e["event"] == "released")
        assert all((e["flow"] == "") == plain for e in mine)


def test_answers_that_are_all_held_leave_in_order_when_their_time_is_up(start_target):
    target = start_target("udp-echo", "--reorder", "100%")
    got, _ = ask(target, 20)
    assert got == [list(range(20))]


def test_the_same_seed_gives_the_same_trouble(start_target):
    options = ("--drop", "20%", "--duplicate", "10%")
    first, _ = ask(start_target("udp-echo", *options, "--seed", "5"), 200, flows=2)
    second, _ = ask(start_target("udp-echo", *options, "--seed", "5", "--threads", "2"), 200, 2)
    other, _ = ask(start_target("udp-echo", *options, "--seed", "6"), 200, flows=2)
    assert first == second
    assert first != other
    assert first[0] != first[1]


def test_after_n_the_rest_of_each_flow_is_lost(start_target):
    got, _ = ask(start_target("all", "--drop", "after:30"), 50, flows=3)
    assert got == [list(range(30))] * 3


def test_answers_leave_no_earlier_than_their_delay(start_target):
    target = start_target("all", "--delay", "100ms")
    with udp_to(target.udp) as sock:
        begin = time.monotonic()
        sock.send(frame(REQUEST, b"x"))
        sock.recv(100)
        assert time.monotonic() - begin >= 0.1
    with tcp_to(target.tcp) as sock:
        begin = time.monotonic()
        sock.sendall(frame(REQUEST, b"x", sequence=1) + frame(REQUEST, b"y", sequence=2))
        answers = parse_all(read_exactly(sock, 50))
        assert time.monotonic() - begin >= 0.1
        assert [a[3] for a in answers] == [1, 2]
        begin = time.monotonic()
        sock.sendall(sized(100_000))
        read_exactly(sock, 100_024)
        assert time.monotonic() - begin >= 0.1


def test_a_virtual_server_serves_one_request_after_the_other(start_target):
    target = start_target("all", "--service-time", "fixed:10ms")
    with udp_to(target.udp) as sock:
        begin = time.monotonic()
        for n in range(10):
            sock.send(frame(REQUEST, sequence=n))
        assert [parse(sock.recv(100))[4] for n in range(10)] == list(range(10))
        assert time.monotonic() - begin >= 0.1
    with tcp_to(target.tcp) as sock:
        begin = time.monotonic()
        sock.sendall(b"".join(frame(REQUEST, sequence=n) for n in range(10)))
        assert [a[3] for a in parse_all(read_exactly(sock, 240))] == list(range(10))
        assert time.monotonic() - begin >= 0.1


def test_a_stall_stops_both_protocols_and_ends(start_target, tmp_path):
    log = tmp_path / "events.csv"
    target = start_target("all", "--stall", "400ms@100ms", "--event-log", log, "--threads", "2")
    with udp_to(target.udp) as udp, tcp_to(target.tcp) as tcp:
        udp.send(frame(REQUEST))
        udp.recv(100)
        first = time.monotonic()
        longest = 0.0
        sequence = 0
        while time.monotonic() - first < 0.8:
            sequence += 1
            begin = time.monotonic()
            tcp.sendall(frame(REQUEST, sequence=sequence))
            read_exactly(tcp, 24)
            longest = max(longest, time.monotonic() - begin)
    assert longest >= 0.35
    assert target.stop() == 0
    told = events(log)
    begin = [int(e["time_ns"]) for e in told if e["event"] == "stall_begin"]
    end = [int(e["time_ns"]) for e in told if e["event"] == "stall_end"]
    assert len(begin) == len(end) == 1
    assert end[0] - begin[0] >= 350_000_000
    inside = [e for e in told if begin[0] < int(e["time_ns"]) < end[0]
              and e["event"] in ("received", "answered")]
    assert inside == []
    assert len([e for e in told if e["event"] == "answered"]) == sequence + 1


def test_a_signal_ends_a_target_in_the_middle_of_its_stall(start_target):
    target = start_target("all", "--stall", "1m@0")
    with udp_to(target.udp, timeout=0.3) as sock:
        sock.send(b"x")
        sock.recv(100)
        sock.send(b"y")
        with pytest.raises(TimeoutError):
            sock.recv(100)
    assert target.stop() == 0


def test_plain_text_over_tcp_is_delayed_too(start_target):
    target = start_target("tcp-echo", "--service-time", "exp:1ms", "--delay", "20ms")
    with socket.create_connection(target.tcp, timeout=10) as sock:
        for n in range(10):
            begin = time.monotonic()
            sock.sendall(b"%d" % n)
            assert sock.recv(10) == b"%d" % n
            assert time.monotonic() - begin >= 0.02
