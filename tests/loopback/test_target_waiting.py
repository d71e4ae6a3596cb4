"""How the threads of a target wait, how datagrams come to them, and who gets which connection."""

import os
import signal
import socket
import struct
import threading
import time
from pathlib import Path

import pytest

from harness import run_json, run_volley, strict_json, wait_until
from target_frames import *

UDP_SEGMENT = 103
CPUS = len(os.sched_getaffinity(0))


@pytest.fixture
def serving(start_target, tmp_path):
    """serving("all", …) -> (target, what stops it and reads its statistics)."""
    def start(*args):
        path = tmp_path / "target.json"
        target = start_target(*args, "--report", f"json:{path}")

        def end():
            assert target.stop() == 0, target.said()
            return strict_json(path.read_text())
        return target, end
    return start


@pytest.mark.parametrize("connections", [2, 4, 5, 64])
def test_connections_are_dealt_evenly_to_the_threads(serving, connections):
    target, end = serving("tcp-echo", "--threads", "2")
    sockets = [tcp_to(target.tcp) for _ in range(connections)]
    for number, sock in enumerate(sockets):
        sock.sendall(b"%4d" % number)
    for number, sock in enumerate(sockets):
        assert read_exactly(sock, 4) == b"%4d" % number
    for sock in sockets:
        sock.close()
    shares = [share["connections"] for share in end()["by_thread"]]
    assert sorted(shares) == [connections // 2, (connections + 1) // 2]


def test_a_thread_that_loses_its_connections_gets_the_next_ones(serving):
    target, end = serving("tcp-echo", "--threads", "2")
    kept = []
    for _ in range(6):
        sock = tcp_to(target.tcp)
        sock.sendall(b"x")
        assert read_exactly(sock, 1) == b"x"
        kept.append(sock)
    for sock in kept[:2]:
        sock.shutdown(socket.SHUT_WR)
        assert sock.recv(1) == b""
        sock.close()
    late = [tcp_to(target.tcp) for _ in range(2)]
    for sock in late:
        sock.sendall(b"y")
        assert read_exactly(sock, 1) == b"y"
    for sock in kept[2:] + late:
        sock.close()
    statistics = end()
    assert statistics["tcp"]["accepted"] == 8
    assert sum(share["connections"] for share in statistics["by_thread"]) == 8


@pytest.mark.parametrize("kind", ["udp-echo", "tcp-echo", "all"])
def test_a_target_that_spins_answers_the_same(serving, kind):
    target, end = serving(kind, "--wait", "spin", "--pin")
    if kind != "tcp-echo":
        with udp_to(target.udp) as sock:
            for number in range(200):
                sock.send(b"datagram %d" % number)
                assert sock.recv(100) == b"datagram %d" % number
    if kind != "udp-echo":
        sockets = [tcp_to(target.tcp) for _ in range(12)]
        # Few enough to be read without the poller, then too many, then few again.
        for count in (1, 12, 3):
            for number in range(50):
                for sock in sockets[:count]:
                    sock.sendall(b"%4d" % number)
                for sock in sockets[:count]:
                    assert read_exactly(sock, 4) == b"%4d" % number
            for sock in sockets[3:] if count == 12 else []:
                sock.close()
        for sock in sockets[:3]:
            sock.close()
    statistics = end()
    assert statistics["wait"] == "spin" and statistics["pinned"] is True
    if kind != "tcp-echo":
        assert statistics["udp"]["datagrams"] == statistics["udp"]["answered"] == 200
    if kind != "udp-echo":
        assert statistics["tcp"]["accepted"] == 12


@pytest.mark.skipif(CPUS < 2, reason="two that spin want a CPU each")
@pytest.mark.parametrize("protocol", ["udp", "tcp"])
@pytest.mark.parametrize("options", ["", "--depth 16", "--flows 3", "--flows 6 --depth 2",
                                     "--rate 20k --flows 2"])
@pytest.mark.parametrize("wait", ["spin", "block"])
def test_every_request_is_answered_however_both_sides_wait(serving, protocol, options, wait):
    target, end = serving(f"{protocol}-echo", "--wait", wait)
    run = run_json(target.endpoint(protocol), *options.split(), "--requests", "3000", "--wait", wait,
                   "--warm-up", "0s")
    requests = run["requests"]
    assert requests["sent"] == requests["completed"] == 3000
    assert run["generator"]["wait"] == wait
    assert run["generator"]["receive_calls"] >= run["generator"]["send_calls"] / 64 > 0
    served = end()[protocol]
    assert served["requests"] == served["answered"] == 3000


@pytest.mark.parametrize("offload, joins", [("auto", True), ("on", True), ("off", False)])
def test_a_row_of_requests_is_answered_whole(serving, offload, joins):
    target, end = serving("udp-echo", "--offload", offload)
    frames = [frame(REQUEST, b"p" * 40, sequence=number) for number in range(64)]
    with udp_to(target.udp) as sock:
        sock.sendmsg([b"".join(frames)],
                     [(socket.IPPROTO_UDP, UDP_SEGMENT, struct.pack("H", 64))])
        answers = [sock.recv(1000) for _ in frames]
    assert [parse(answer)[4] for answer in answers] == list(range(64))
    assert {parse(answer)[0] for answer in answers} == {RESPONSE}
    udp = end()["udp"]
    assert udp["datagrams"] == udp["answered"] == udp["requests"] == 64
    assert udp["joined"] == udp["divided"] == (64 if joins else 0)
    if joins:
        assert udp["send_calls"] == 1


@pytest.mark.parametrize("arguments, says", [
    (["--wait", "spin", "--threads", str(CPUS + 1)],
     f"--wait spin, --threads {CPUS + 1}: threads that spin would take the CPU"),
    (["--pin", "--threads", str(CPUS + 1)],
     f"--pin, --threads {CPUS + 1}: each thread would need a CPU of its own"),
    (["--wait", "sleep"], "--wait: no such choice (sleep) [auto block spin]"),
    (["--offload", "yes"], "--offload: no such choice (yes) [auto on off]"),
    (["tcp-echo", "--offload", "on"], "--offload on: tcp-echo serves TCP only"),
])
def test_what_cannot_be_is_refused(arguments, says):
    result = run_volley("target", "--listen", "127.0.0.1:0", *arguments)
    assert result.code == 2, str(result)
    assert says in result.stderr, str(result)


def test_a_kind_may_stand_behind_the_address(serving):
    target, end = serving("--listen", "127.0.0.1:0", "--listen", "[::1]:0", "udp-sink")
    assert len(target.listening()) == 2
    assert end()["kind"] == "udp-sink"


def ask(sock, sequence):
    sock.send(frame(REQUEST, b"a request", sequence=sequence))
    assert parse(sock.recv(2000))[4] == sequence


@pytest.mark.parametrize("details", [["--frames-only", "--offload", "off"], []])
@pytest.mark.parametrize("wait", ["block", "spin"])
def test_one_peer_keeps_to_the_first_that_asks_steadily(serving, wait, details):
    target, end = serving("udp-echo", "--one-peer", "--wait", wait, *details)
    with udp_to(target.udp) as steady, udp_to(target.udp) as other:
        for turn in range(100):  # in turns none of them is steady
            ask(steady, turn)
            ask(other, turn)
        for turn in range(200):
            ask(steady, turn)
        with pytest.raises(ConnectionRefusedError):
            other.send(frame(REQUEST, b"too late"))
            other.recv(2000)
        for turn in range(200):
            ask(steady, turn)
        steady.send(frame(STATISTICS, PADDING))
        assert len(steady.recv(2000)) == 96
    udp = end()["udp"]
    assert udp["requests"] == udp["answered"] == 600
    assert udp["control_answered"] == 1


def test_one_peer_answers_what_others_asked_before_it_was_found(serving):
    """Held up by a stop signal, the target finds everything in its socket at once."""
    target, end = serving("udp-echo", "--one-peer", "--frames-only", "--offload", "off")
    with udp_to(target.udp) as steady, udp_to(target.udp) as other:
        for turn in range(63):
            ask(steady, turn)
        os.kill(target.proc.pid, signal.SIGSTOP)
        # A signal has stopped the process when all of its threads stand still.
        wait_until(lambda: all(stat.read_text().rsplit(")", 1)[1].split()[0] == "T" for stat in
                               Path(f"/proc/{target.proc.pid}/task").glob("*/stat")), "the stop")
        steady.send(frame(REQUEST, b"the 64th", sequence=63))
        other.send(frame(REQUEST, b"in between", sequence=7))
        steady.send(frame(REQUEST, b"the 65th", sequence=64))
        os.kill(target.proc.pid, signal.SIGCONT)
        assert parse(other.recv(2000))[4:] == (7, b"in between")
        assert [parse(steady.recv(2000))[4] for _ in range(2)] == [63, 64]
        for turn in range(65, 200):
            ask(steady, turn)
    assert end()["udp"]["answered"] == 201


def test_one_peer_cannot_be_had_at_every_address_of_the_host_and_says_so(serving):
    target, end = serving("udp-echo", "--one-peer", "--listen", "0.0.0.0:0")
    assert "0.0.0.0" in target.said() and "give --listen one address" in target.said()
    with udp_to(("127.0.0.1", target.udp[1])) as steady, \
            udp_to(("127.0.0.1", target.udp[1])) as other:
        for turn in range(200):
            ask(steady, turn)
        ask(other, 1)
    assert end()["udp"]["answered"] == 201


def ask_tcp(sock, sequence):
    sock.sendall(frame(REQUEST, b"a request", sequence=sequence))
    assert parse(read_exactly(sock, 24 + 9))[4] == sequence


@pytest.mark.parametrize("wait", ["block", "spin"])
def test_one_peer_over_tcp_lets_others_in_until_one_asks_steadily(serving, wait):
    target, end = serving("tcp-echo", "--one-peer", "--wait", wait, "--idle-timeout", "2s")
    with tcp_to(target.tcp) as steady:
        with tcp_to(target.tcp) as other:
            for turn in range(100):
                ask_tcp(steady, turn)
                ask_tcp(other, turn)
        for turn in range(300):
            ask_tcp(steady, turn)
        if wait == "block":  # a thread that spins waits nowhere, so it need not send anybody away
            with pytest.raises(ConnectionRefusedError):
                tcp_to(target.tcp)
        for turn in range(100):
            ask_tcp(steady, turn)
        # A request in pieces, and several at once.
        pieces = frame(REQUEST, b"p" * 5000, sequence=1)
        steady.sendall(pieces[:10])
        steady.sendall(pieces[10:])
        assert parse(read_exactly(steady, len(pieces)))[4:] == (1, b"p" * 5000)
        steady.sendall(frame(REQUEST, b"", sequence=2) + frame(STATISTICS, PADDING))
        assert len(read_exactly(steady, 24 + 96)) == 120
        assert steady.recv(1) == b""  # the idle timeout still holds
    tcp = end()["tcp"]
    assert tcp["requests"] == tcp["answered"] == 602
    assert tcp["closed_idle"] == 1 and tcp["closed_by_peer"] == 1


def test_one_peer_over_tcp_can_be_stopped_while_it_waits(serving):
    target, end = serving("tcp-echo", "--one-peer")
    with tcp_to(target.tcp) as steady:
        for turn in range(200):
            ask_tcp(steady, turn)
        tcp = end()["tcp"]
        assert tcp["requests"] == 200 and tcp["open_at_end"] == 1
        assert steady.recv(1) == b""


def test_one_peer_sits_out_a_stall_and_is_not_found_among_short_connections(serving):
    target, end = serving("tcp-echo", "--one-peer", "--stall", "300ms@100ms")
    with tcp_to(target.tcp) as sock:
        ask_tcp(sock, 0)
        begin, longest = time.monotonic(), 0.0
        while time.monotonic() < begin + 0.6:  # the stall is the subject
            before = time.monotonic()
            ask_tcp(sock, 1)
            longest = max(longest, time.monotonic() - before)
    assert longest > 0.25
    end()
    target, end = serving("tcp-echo", "--one-peer")
    for _ in range(100):
        with tcp_to(target.tcp) as sock:
            ask_tcp(sock, 1)
    assert end()["tcp"]["requests"] == 100


def connect_from(cpu, address, count):
    """Connections made, and asked a first time, while this thread runs on that CPU: the target may
    accept one long after it stands, and what comes last tells where it comes in."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cpu})
    try:
        sockets = [tcp_to(address) for _ in range(count)]
        for number, sock in enumerate(sockets):
            sock.sendall(b"%4d" % number)
            assert read_exactly(sock, 4) == b"%4d" % number
        return sockets
    finally:
        os.sched_setaffinity(0, before)


@pytest.mark.skipif(CPUS < 2, reason="one CPU")
def test_connections_can_be_served_where_they_come_in(serving):
    target, end = serving("tcp-echo", "--threads", "2", "--pin", "--deal", "cpu")
    cpus = sorted(os.sched_getaffinity(0))
    # Thread 0 is tied to the last CPU, thread 1 to the one before.
    sockets = connect_from(cpus[-1], target.tcp, 3) + connect_from(cpus[-2], target.tcp, 9)
    for number, sock in enumerate(sockets):
        sock.sendall(b"%4d" % number)
    for number, sock in enumerate(sockets):
        assert read_exactly(sock, 4) == b"%4d" % number
        sock.close()
    statistics = end()
    assert statistics["deal"] == "cpu"
    assert [share["connections"] for share in statistics["by_thread"]] == [3, 9]


@pytest.mark.skipif(CPUS < 3, reason="no CPU without a thread")
def test_a_connection_from_a_cpu_without_a_thread_goes_to_the_one_with_fewest(serving):
    target, end = serving("tcp-echo", "--threads", "2", "--pin", "--deal", "cpu")
    sockets = connect_from(min(os.sched_getaffinity(0)), target.tcp, 6)
    assert len(sockets) == 6
    assert [share["connections"] for share in end()["by_thread"]] == [3, 3]


@pytest.mark.skipif(CPUS != 2, reason="a thread on each of two CPUs")
def test_a_pinned_worker_s_connections_come_in_on_its_cpu(serving):
    """The only worker is tied to the first CPU, which is thread 1's: dealt evenly, or made by
    a worker that is not pinned yet, some would come to thread 0."""
    target, end = serving("tcp-echo", "--threads", "2", "--pin", "--deal", "cpu")
    for _ in range(5):
        run = run_json(f"tcp://127.0.0.1:{target.tcp[1]}", "--pin", "--flows", "10",
                       "--requests", "100", "--warm-up", "0s", "--duration", "20s")
        assert run["requests"]["completed"] == 100
    assert [share["connections"] for share in end()["by_thread"]] == [0, 50]


@pytest.mark.parametrize("last", ["an end", "an end at once", "a reset", "a large request",
                                  "requests in pieces", "a stream"])
def test_a_connection_that_asked_steadily_may_do_all_else_too(serving, last):
    """More connections than ppoll is asked for, each after so many requests that it is told once."""
    target, end = serving("tcp-echo" if last != "a stream" else "all")
    sockets = [tcp_to(target.tcp) for _ in range(10)]
    for turn in range(40):
        for sock in sockets:
            ask_tcp(sock, turn)
    for sock in sockets:
        if last == "an end":
            ask_tcp(sock, 40)
            sock.shutdown(socket.SHUT_WR)
        elif last == "an end at once":
            sock.sendall(frame(REQUEST, b"the last", sequence=40))
            sock.shutdown(socket.SHUT_WR)
            assert parse(read_exactly(sock, 24 + 8))[4:] == (40, b"the last")
        elif last == "a reset":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.close()
            continue
        elif last == "a large request":
            large = bytes(range(256)) * 4096  # a read of the target takes a 16th of it
            threading.Thread(target=sock.sendall, daemon=True,
                             args=(frame(REQUEST, large, sequence=40),)).start()
            assert parse(read_exactly(sock, 24 + len(large)))[4:] == (40, large)
            ask_tcp(sock, 41)
            sock.shutdown(socket.SHUT_WR)
        elif last == "requests in pieces":
            pieces = frame(REQUEST, b"p" * 5000, sequence=40) * 3
            for begin in range(0, len(pieces), 700):
                sock.sendall(pieces[begin:begin + 700])
            assert read_exactly(sock, len(pieces)).count(b"p") == 15_000
            ask_tcp(sock, 41)
            sock.shutdown(socket.SHUT_WR)
        else:
            for number in range(300):
                sock.sendall(frame(DATA, b"d" * 1000, sequence=41 + number))
            sock.sendall(frame(STATISTICS, PADDING))
            assert statistics_of(read_exactly(sock, 96)[24:])["messages"] == 300
            sock.shutdown(socket.SHUT_WR)
        assert sock.recv(1) == b""
    for sock in sockets:
        sock.close()
    tcp = end()["tcp"]
    assert tcp["accepted"] == 10 and tcp["requests"] == tcp["answered"]
    assert (tcp["reset"] if last == "a reset" else tcp["closed_by_peer"]) == 10


def test_what_came_before_a_stall_is_answered_after_it(serving):
    """Many connections, each with a request on its way whenever the stall begins."""
    target, end = serving("tcp-echo", "--stall", "200ms@200ms")
    run = run_json(f"tcp://127.0.0.1:{target.tcp[1]}", "--flows", "40", "--duration", "800ms",
                   "--warm-up", "0s", "--timeout", "20s")
    assert run["requests"]["lost"] == 0 and run["duration_s"] < 10
    assert run["latency_ns"]["response"]["max"] > 150e6  # it was there
    end()
