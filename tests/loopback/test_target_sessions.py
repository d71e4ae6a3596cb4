"""What the targets answer to frames: echo, sized answers, sinks and sources, over UDP and TCP."""

import socket
import struct

import pytest

from harness import strict_json, wait_until
from target_frames import *


def statistics(target, path):
    assert target.stop() == 0
    return strict_json(path.read_text())


@pytest.fixture
def serving(start_target, tmp_path):
    """serving("all", …) -> (target, what reads its statistics after stopping it)."""
    def start(*args, **kwargs):
        path = tmp_path / "target.json"
        target = start_target(*args, "--report", f"json:{path}", **kwargs)
        return target, lambda: statistics(target, path)
    return start


def test_udp_answers_frames_in_kind_and_counts_them(serving):
    target, end = serving("all")
    with udp_to(target.udp) as sock:
        sock.send(frame(REQUEST, b"x" * 40, session=9, slot=5, flow=2, sequence=77))
        assert parse(sock.recv(2000)) == (RESPONSE, 9, 5, 2, 77, b"x" * 40)
        sock.send(sized(1000, session=9, sequence=78))
        kind, _, _, _, sequence, payload = parse(sock.recv(2000))
        assert (kind, sequence, len(payload)) == (RESPONSE, 78, 1000)
        sock.send(sized(0, filler=b"y" * 500))
        assert len(sock.recv(2000)) == 24
        sock.send(b"plain")
        assert sock.recv(2000) == b"plain"
    udp = end()["udp"]
    assert (udp["datagrams"], udp["requests"], udp["plain"], udp["answered"]) == (4, 3, 1, 4)
    assert udp["bytes_sent"] == 64 + 1024 + 24 + 5


def test_with_frames_only_plain_text_stays_without_an_answer(serving):
    target, end = serving("udp-echo", "--frames-only", "--offload", "off")
    with udp_to(target.udp) as sock:
        sock.send(b"plain")
        for sequence in range(3):  # answers come in order: one to that would come first
            sock.send(frame(REQUEST, b"x" * 40, session=9, slot=5, flow=2, sequence=sequence))
            assert parse(sock.recv(2000)) == (RESPONSE, 9, 5, 2, sequence, b"x" * 40)
    udp = end()["udp"]
    assert (udp["datagrams"], udp["requests"], udp["answered"]) == (4, 3, 3)
    assert udp["ignored"]["not_frames"] == 1


def test_a_larger_answer_shows_nothing_of_earlier_datagrams(serving):
    target, _ = serving("udp-echo")
    with udp_to(target.udp) as first, udp_to(target.udp) as second:
        for _ in range(40):  # every slot of a batch has held it
            first.send(b"secret" * 1000)
            first.recv(65_535)
        second.send(sized(5000))
        assert b"secret" not in second.recv(65_535)


def test_udp_counts_stream_messages_of_a_session(serving):
    target, _ = serving("udp-sink")
    with udp_to(target.udp) as sock:
        sock.send(frame(DATA_WARM_UP, b"w" * 10, sequence=0))
        for sequence in (1, 2, 4, 3, 3):
            sock.send(frame(DATA, b"d" * 10, sequence=sequence))
        sock.send(frame(STATISTICS, PADDING))
        answer = sock.recv(2000)
        assert len(answer) == 96
        kind, session, *_, payload = parse(answer)
        assert (kind, session) == (STATISTICS_ACK, 7)
        assert statistics_of(payload) == {
            "messages": 4, "bytes": 4 * 34, "duplicates": 1, "reordered": 1, "warm_up_messages": 1,
            "sent_messages": 0, "sent_bytes": 0, "malformed": 0}
        sock.send(frame(GOODBYE, PADDING))
        assert parse(sock.recv(2000))[0] == GOODBYE_ACK


@pytest.mark.parametrize("kind,accepted", [("all", {ECHO, SINK}), ("udp-echo", {ECHO}),
                                           ("udp-sink", {SINK})])
def test_udp_accepts_the_sessions_it_can_serve(serving, kind, accepted):
    target, _ = serving(kind)
    with udp_to(target.udp) as sock:
        for wanted in (ECHO, SINK, SOURCE, BOTH):
            sock.send(hello(wanted))
            answer = sock.recv(2000)
            assert len(answer) == 96 and parse(answer)[0] == HELLO_ACK
            cookie, most, said = struct.unpack_from("<QII", answer, 24)
            assert (said == 1) == (wanted in accepted)
            assert cookie != 0 and most == 65_507 - 24


def test_a_cookie_stays_the_same_for_one_address_and_differs_for_another(serving):
    target, _ = serving("all")
    def cookie(sock):
        sock.send(hello(ECHO))
        return struct.unpack_from("<Q", sock.recv(2000), 24)[0]
    with udp_to(target.udp) as a, udp_to(target.udp) as b:
        assert cookie(a) == cookie(a) != cookie(b)


def test_tcp_answers_pipelined_frames_in_order(serving):
    target, end = serving("tcp-echo")
    with tcp_to(target.tcp) as sock:
        asked = b"".join(frame(REQUEST, bytes([65 + n % 26]) * (n % 50), sequence=n)
                         for n in range(1000))
        sock.sendall(asked)
        answers = parse_all(read_exactly(sock, len(asked)))
    assert [a[3] for a in answers] == list(range(1000))
    assert all(a[0] == RESPONSE and a[4] == bytes([65 + n % 26]) * (n % 50)
               for n, a in enumerate(answers))
    assert end()["tcp"]["requests"] == 1000


def test_tcp_takes_frames_cut_anywhere(serving):
    target, _ = serving("all")
    asked = (frame(REQUEST, b"abc", sequence=1) + sized(30, filler=b"zz", sequence=2)
             + frame(STATISTICS, PADDING) + frame(REQUEST, b"", sequence=3))
    with tcp_to(target.tcp) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for n in range(len(asked)):
            sock.sendall(asked[n:n + 1])
        answers = parse_all(read_exactly(sock, 27 + 54 + 96 + 24))
    assert [(a[0], a[3]) for a in answers] == [(RESPONSE, 1), (RESPONSE, 2), (STATISTICS_ACK, 0),
                                               (RESPONSE, 3)]
    assert answers[0][4] == b"abc" and len(answers[1][4]) == 30


def test_tcp_answers_larger_than_any_buffer_keep_their_order(serving):
    target, _ = serving("tcp-echo")
    sizes = [20_000_000, 0, 1, 300_000, 16_384, 16_385]
    with tcp_to(target.tcp) as sock:
        sock.sendall(b"".join(sized(size, sequence=n) for n, size in enumerate(sizes)))
        for n, size in enumerate(sizes):
            header = read_exactly(sock, 24)
            assert parse(header)[4] == n
            assert struct.unpack_from("<I", header, 12)[0] == size
            read_exactly(sock, size)


def test_plain_text_that_looks_like_a_frame_at_first_is_echoed(serving):
    target, _ = serving("tcp-echo")
    with tcp_to(target.tcp) as sock:
        sock.sendall(b"\xf6")
        sock.sendall(b"\x01 text")
        assert read_exactly(sock, 7) == b"\xf6\x01 text"
    with tcp_to(target.tcp) as sock:
        sock.sendall(b"\xf6")
        sock.shutdown(socket.SHUT_WR)
        assert read_to_end(sock) == b"\xf6"


def test_a_tcp_sink_counts_until_goodbye_and_closes(serving):
    target, end = serving("tcp-sink")
    with tcp_to(target.tcp) as sock:
        sock.sendall(hello(SINK))
        assert struct.unpack_from("<I", read_exactly(sock, 96), 36)[0] == 1
        sock.sendall(frame(DATA_WARM_UP, b"w" * 100) * 3 + frame(DATA, b"d" * 1000) * 500)
        sock.sendall(frame(STATISTICS, PADDING))
        counted = statistics_of(parse(read_exactly(sock, 96))[5])
        assert counted["messages"] == 500 and counted["bytes"] == 500 * 1024
        assert counted["warm_up_messages"] == 3
        sock.sendall(frame(GOODBYE, PADDING))
        assert parse(read_exactly(sock, 96))[0] == GOODBYE_ACK
        assert read_to_end(sock) == b""
    tcp = end()["tcp"]
    assert (tcp["data"], tcp["control"], tcp["closed_by_peer"]) == (503, 3, 1)


@pytest.mark.parametrize("ending", ["goodbye", "half-close"])
def test_a_tcp_source_streams_whole_frames_until_it_is_told_to_stop(serving, ending):
    target, _ = serving("tcp-source")
    with tcp_to(target.tcp) as sock:
        sock.sendall(hello(SOURCE, message_bytes=1000))
        got = bytearray(read_exactly(sock, 3_000_000))
        if ending == "goodbye":
            sock.sendall(frame(GOODBYE, PADDING))
        else:
            sock.shutdown(socket.SHUT_WR)
        got += read_to_end(sock)
    frames = parse_all(bytes(got))
    assert frames[0][0] == HELLO_ACK and frames[-1][0] == GOODBYE_ACK
    data = frames[1:-1]
    assert all(f[0] == DATA and len(f[4]) == 1000 for f in data)
    assert [f[3] for f in data] == list(range(len(data)))
    counted = statistics_of(frames[-1][4])
    assert counted["sent_messages"] == len(data)
    assert counted["sent_bytes"] == len(data) * 1024


def test_statistics_come_between_the_frames_of_a_source(serving):
    target, _ = serving("all")
    with tcp_to(target.tcp) as sock:
        sock.sendall(hello(BOTH, message_bytes=50_000) + frame(DATA, b"u" * 10) * 4)
        got = bytearray(read_exactly(sock, 1_000_000))
        sock.sendall(frame(STATISTICS, PADDING) + frame(DATA, b"u" * 10))
        got += read_exactly(sock, 1_000_000)
        sock.sendall(frame(GOODBYE, PADDING))
        got += read_to_end(sock)
    frames = parse_all(bytes(got))
    kinds = [f[0] for f in frames]
    assert kinds.count(STATISTICS_ACK) == 1 and kinds[-1] == GOODBYE_ACK
    assert statistics_of(frames[kinds.index(STATISTICS_ACK)][4])["messages"] == 4
    assert statistics_of(frames[-1][4])["messages"] == 5


def test_a_tcp_source_streams_to_a_peer_that_says_nothing(serving):
    target, _ = serving("tcp-source")
    with tcp_to(target.tcp) as sock:
        frames = parse_all(read_exactly(sock, 1400 * 100))
    assert [f[3] for f in frames] == list(range(100))
    wait_until(lambda: target.proc.poll() is None and target.descriptors(), "it goes on serving")


@pytest.mark.parametrize("kind", ["tcp-sink", "tcp-accept"])
def test_a_sink_says_nothing_to_plain_text(serving, kind):
    target, end = serving(kind)
    with tcp_to(target.tcp) as sock:
        sock.sendall(b"x" * 500_000)
        sock.shutdown(socket.SHUT_WR)
        assert read_to_end(sock) == b""
    assert end()["tcp"]["bytes_received"] == 500_000


def test_threads_share_the_load_and_add_up(serving):
    target, end = serving("all", "--threads", "2")
    socks = [udp_to(target.udp) for _ in range(32)]
    for n in range(20):
        for sock in socks:
            sock.send(frame(REQUEST, b"x" * 8, sequence=n))
    for sock in socks:
        assert [parse(sock.recv(100))[4] for _ in range(20)] == list(range(20))
        sock.close()
    for _ in range(32):
        with tcp_to(target.tcp) as sock:
            sock.sendall(b"ping")
            assert read_exactly(sock, 4) == b"ping"
    report = end()
    assert report["udp"]["answered"] == 640 and report["tcp"]["accepted"] == 32


def test_ipv6_and_ipv4_are_served_side_by_side(serving):
    target, _ = serving("all", "--listen", "127.0.0.1:0", "--listen", "[::1]:0")
    spoken = {(kind, host) for kind, host, _ in target.listening()}
    assert spoken == {("udp", "127.0.0.1"), ("tcp", "127.0.0.1"), ("udp", "::1"), ("tcp", "::1")}
    for kind, host, port in target.listening():
        if kind == "udp":
            with udp_to((host, port)) as sock:
                sock.send(b"hi")
                assert sock.recv(10) == b"hi"
        else:
            with tcp_to((host, port)) as sock:
                sock.sendall(b"hi")
                assert read_exactly(sock, 2) == b"hi"


def test_what_a_sink_discards_in_the_kernel_is_counted_as_if_it_had_been_read(serving):
    sizes = [100, 20_000, 300_000, 16_384, 50, 70_000, 70_000, 10]
    answers = []
    for discard in ([], ["--discard"]):
        target, end = serving("tcp-sink", *discard)
        with tcp_to(target.tcp) as sock:
            for sequence, size in enumerate(sizes):
                sock.sendall(frame(DATA, b"d" * size, sequence=sequence))
            sock.sendall(frame(STATISTICS, PADDING))
            answer = read_exactly(sock, 96)
        answers.append(statistics_of(parse(answer)[-1]))
        tcp = end()["tcp"]
        assert tcp["data"] == len(sizes)
        assert tcp["bytes_received"] == sum(sizes) + 24 * len(sizes) + 96
        assert (tcp["bytes_discarded"] > 0) == bool(discard)
    assert answers[0] == answers[1]


@pytest.mark.parametrize("discard", [[], ["--discard"]])
def test_a_fast_stream_is_gathered_and_its_end_does_not_wait_for_more(serving, discard):
    target, end = serving("tcp-sink", *discard)
    large, message = 64_000, frame(DATA, b"d" * 64_000)
    # Nothing more comes after each question: it is far less than a gathering socket waits for.
    rounds, together = 3, 400
    with tcp_to(target.tcp) as sock:
        for done in range(1, rounds + 1):
            for _ in range(together):
                sock.sendall(message)
            sock.sendall(frame(DATA, b"e") + frame(STATISTICS, PADDING))
            counted = statistics_of(parse(read_exactly(sock, 96))[-1])
            assert counted["messages"] == done * (together + 1)
            assert counted["bytes"] == done * (together * (large + 24) + 25)
    assert end()["tcp"]["gathered"] >= 1


@pytest.mark.parametrize("discard", [[], ["--discard"]])
def test_a_fast_stream_that_breaks_off_is_ended(serving, discard):
    target, end = serving("tcp-sink", *discard)
    message = frame(DATA, b"d" * 64_000)
    with tcp_to(target.tcp) as sock:
        for _ in range(400):
            sock.sendall(message)
        sock.sendall(message[:40_000])
        sock.shutdown(socket.SHUT_WR)
        assert sock.recv(1) == b""
    tcp = end()["tcp"]
    assert tcp["bytes_received"] == 400 * len(message) + 40_000
    assert tcp["data"] == 401 and tcp["gathered"] >= 1  # one has only begun


def test_requests_and_what_comes_slowly_are_not_gathered(serving):
    target, end = serving("all")
    with tcp_to(target.tcp) as sock:
        for _ in range(20):
            sock.sendall(frame(REQUEST, b"r" * 200_000))
            read_exactly(sock, 200_024)
    assert end()["tcp"]["gathered"] == 0
