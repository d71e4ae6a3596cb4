"""volley talk, the seed's clients, against servers that share no code with us."""

import contextlib
import fcntl
import os
import socket
import subprocess
import threading

import pytest

import harness
from harness import need, run_volley, start_volley, wait_until
from talk_servers import ask_with_input, socat, tcp_server, udp_server


# --- The seed's clients, against socat


def test_udp_message_is_sent_and_the_reply_printed(programs):
    """S3"""
    port = socat(programs, "udp")
    result = run_volley("talk", f"udp://127.0.0.1:{port}", "--send", "hello there")
    assert result.code == 0, str(result)
    assert result.stdout_bytes == b"hello there"
    assert result.stderr == "Reply from the server is:\n"


def test_udp_messages_from_a_pipe_are_answered_line_by_line(programs):
    """S3: it loops"""
    port = socat(programs, "udp")
    result = ask_with_input(b"one\ntwo\nthree", f"udp://127.0.0.1:{port}")
    assert result.code == 0, str(result)
    assert result.stdout_bytes == b"one\ntwo\nthree\n"
    assert result.stderr.count("Reply from the server is:") == 3
    assert "Message:" not in result.stderr


def test_tcp_connects_and_says_so(programs):
    """S4"""
    port = socat(programs, "tcp")
    result = run_volley("talk", f"tcp://localhost:{port}", "-4")  # stdin is /dev/null
    assert result.code == 0, str(result)
    assert result.stdout == ""
    assert result.stderr.splitlines() == ["The server's address is 127.0.0.1",
                                          f"connected to 127.0.0.1:{port}"]


def test_tcp_request_is_sent_whole_and_the_answer_printed(programs):
    """S5, S6: a server that answers and closes, as a web server does"""
    script = programs.folder / "answer.sh"
    script.write_text("read -r line; printf 'you said %s' \"$line\"")
    port = socat(programs, "tcp", what=f"EXEC:sh {script}")
    result = run_volley("talk", f"tcp://127.0.0.1:{port}", "--send", r"GET / HTTP/1.1\n\r\n")
    assert result.code == 0, str(result)
    assert result.stdout == "you said GET / HTTP/1.1"
    assert result.stderr.splitlines()[-1] == "the server closed the connection"


def test_tcp_echo_ends_after_a_silence(programs):
    port = socat(programs, "tcp")
    result = run_volley("talk", f"tcp://127.0.0.1:{port}", "--send", "hello", "--timeout", "300ms",
                        "--quiet")
    assert result.code == 0, str(result)
    assert result.stdout == "hello"
    assert result.stderr == ""


def test_tcp_input_from_a_pipe_is_sent_as_it_comes(programs):
    port = socat(programs, "tcp")
    result = ask_with_input(b"first\nsecond\nlast", f"tcp://127.0.0.1:{port}", "--timeout", "300ms")
    assert result.code == 0, str(result)
    assert result.stdout_bytes == b"first\nsecond\nlast"


# --- A server that speaks HTTP


def test_http_request_with_escapes_arrives_byte_for_byte():
    request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    seen = []

    def serve(connection):
        data = b""
        while b"\r\n\r\n" not in data:
            data += connection.recv(4096)
        seen.append(data)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")

    with tcp_server(serve) as port:
        result = run_volley("talk", f"tcp://127.0.0.1:{port}", "--send",
                            r"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert result.code == 0, str(result)
    assert seen == [request]
    assert result.stdout_bytes == b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


def test_a_large_message_is_sent_whole_to_a_slow_reader_and_its_echo_read():
    """The message is larger than both sockets' buffers: sending alone would never end."""
    size = 100_000
    message = "0123456789" * (size // 10)
    total = []

    def serve(connection):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        received = b""
        while len(received) < size:
            block = connection.recv(3000)
            received += block
            connection.sendall(block)
        total.append(received)

    with tcp_server(serve) as port:
        result = run_volley("talk", f"tcp://127.0.0.1:{port}", "--send", message)
    assert result.code == 0, str(result)
    assert total == [message.encode()]
    assert result.stdout_bytes == message.encode()


@pytest.mark.parametrize(("escape", "data"), [
    (r"\x00\xff\177", b"\x00\xff\x7f"), (r"a\tb\\c\"", b'a\tb\\c"'), (r"\0", b"\0"),
    ("ü", "ü".encode())])
def test_send_understands_c_escapes(escape, data):
    with udp_server(lambda d: [d]) as (port, seen):
        result = run_volley("talk", f"udp://127.0.0.1:{port}", "--send", escape, "--quiet")
    assert result.code == 0, str(result)
    assert seen == [data]
    assert result.stdout_bytes == data


def test_an_empty_datagram_can_be_sent_and_an_empty_answer_is_an_answer():
    with udp_server(lambda d: [d]) as (port, seen):
        result = run_volley("talk", f"udp://127.0.0.1:{port}", "--send", "")
        lines = ask_with_input(b"\n", f"udp://127.0.0.1:{port}", "--quiet")
    assert result.code == 0, str(result)
    assert result.stdout == ""
    assert "Reply from the server is:" in result.stderr
    assert (lines.code, lines.stdout) == (0, "\n"), str(lines)
    assert seen == [b"", b""]


def test_an_answer_of_the_largest_size_is_whole():
    with udp_server(lambda d: [b"x" * 65_507]) as (port, _):
        result = run_volley("talk", f"udp://127.0.0.1:{port}", "--send", "big", "--quiet")
    assert result.code == 0, str(result)
    assert result.stdout_bytes == b"x" * 65_507


# --- Failures: code, message, non-zero exit


def test_a_name_that_does_not_resolve_is_an_improper_host_name():
    for protocol in ("udp", "tcp"):
        result = run_volley("talk", f"{protocol}://no-such-host.invalid", "--send", "x")
        assert result.code == 1, str(result)
        assert "improper host name" in result.stderr
        assert "no-such-host.invalid" in result.stderr
        assert result.stdout == ""


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
def test_a_closed_port_is_refused_with_code_and_message(protocol):
    port = harness.free_port()
    result = run_volley("talk", f"{protocol}://127.0.0.1:{port}", "--send", "x")
    assert result.code == 1, str(result)
    assert f"{protocol}://127.0.0.1:{port}: connection refused" in result.stderr
    assert "error 111" in result.stderr


def test_silence_is_no_answer():
    with udp_server(lambda d: []) as (port, _):
        udp = run_volley("talk", f"udp://127.0.0.1:{port}", "--send", "x", "--timeout", "200ms")
    with tcp_server(lambda connection: connection.recv(10) and connection.recv(10)) as port:
        tcp = run_volley("talk", f"tcp://127.0.0.1:{port}", "--send", "x", "--timeout", "200ms")
    for result in (udp, tcp):
        assert result.code == 1, str(result)
        assert "no answer" in result.stderr
        assert "200ms" in result.stderr
        assert result.stdout == ""


def test_unanswered_lines_do_not_keep_the_others_from_being_sent():
    with udp_server(lambda d: [] if d == b"two" else [d.upper()]) as (port, seen):
        result = ask_with_input(b"one\ntwo\nthree\n", f"udp://127.0.0.1:{port}", "--timeout",
                                "200ms")
    assert result.code == 1, str(result)
    assert seen == [b"one", b"two", b"three"]
    assert result.stdout == "ONE\nTHREE\n"
    assert "no answer to 1 of 3 messages" in result.stderr


def test_a_peer_that_closes_without_an_answer_is_an_error():
    with tcp_server(lambda connection: connection.recv(100)) as port:
        result = run_volley("talk", f"tcp://127.0.0.1:{port}", "--send", "x")
    assert result.code == 1, str(result)
    assert "closed the connection without an answer" in result.stderr


def test_a_reset_in_the_middle_of_an_answer_shows_what_came_and_is_an_error():
    def serve(connection):
        connection.recv(100)
        connection.sendall(b"half")
        # The reset would overtake bytes that are still in the sender's buffers.
        wait_until(lambda: unsent(connection) == 0, "the answer to leave")
        go.wait(10)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    go = threading.Event()
    with tcp_server(serve) as port:
        process = start_volley("talk", f"tcp://127.0.0.1:{port}", "--send", "x")
        assert os.read(process.stdout.fileno(), 100) == b"half"
        go.set()
        result = harness.finish(process, process.argv, 20, process.started)
    assert result.code == 1, str(result)
    assert "connection reset" in result.stderr
    assert "4 bytes had come" in result.stderr


def unsent(connection):
    """Bytes in the socket's send queue that the peer has not acknowledged (SIOCOUTQ)."""
    return int.from_bytes(fcntl.ioctl(connection, 0x5411, b"\0\0\0\0"), "little")


def test_a_peer_that_stops_reading_is_a_failed_send():
    end = threading.Event()

    def serve(connection):
        end.wait(20)

    with tcp_server(serve) as port:
        process = start_volley("talk", f"tcp://127.0.0.1:{port}", "--timeout", "300ms",
                               stdin=subprocess.PIPE)
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(b"x" * 20_000_000)
            process.stdin.close()
        process.stdin = None
        result = harness.finish(process, process.argv, 20, process.started)
        end.set()
    assert result.code == 1, str(result)
    assert "took nothing for 300ms" in result.stderr


def test_a_connection_that_nobody_accepts_times_out():
    """A full accept queue: the kernel drops further handshakes."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        for _ in range(3):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", port))
        result = run_volley("talk", f"tcp://127.0.0.1:{port}", "--send", "x", "--timeout", "300ms")
    assert result.code == 1, str(result)
    assert "timed out" in result.stderr
    assert "300ms" in result.stderr


def test_no_route_is_unreachable():
    # A broadcast-only block of documentation addresses has no route without a network; where there
    # is one, an IPv6 address of the discard prefix has none.
    result = run_volley("talk", "tcp://[100::1]:9", "--send", "x", "--timeout", "300ms")
    assert result.code == 1, str(result)
    assert "tcp://[100::1]:9: " in result.stderr
    assert "unreachable" in result.stderr or "timed out" in result.stderr


def test_a_message_too_large_for_a_datagram_is_a_failed_send():
    with udp_server(lambda d: [d]) as (port, seen):
        sent = run_volley("talk", f"udp://127.0.0.1:{port}", "--send", "x" * 65_508)
        typed = ask_with_input(b"x" * 70_000, f"udp://127.0.0.1:{port}")
    for result in (sent, typed):
        assert result.code == 1, str(result)
        assert "65507" in result.stderr
    assert seen == []


@pytest.mark.parametrize(("args", "says"), [
    (["udp://127.0.0.1:1", "--send", r"\q"], "--send"),
    (["udp://127.0.0.1:1", "--timeout", "0s"], "--timeout"),
    (["udp://127.0.0.1:1", "--timeout", "10"], "--timeout"),
    (["127.0.0.1:1"], "ENDPOINT"),
    (["udp://::1"], "ENDPOINT"),
    (["udp://127.0.0.1:1", "-4", "-6"], "-6"),
    ([], "ENDPOINT")])
def test_wrong_use_is_refused_by_name(args, says):
    result = run_volley("talk", *args)
    assert result.code == 2, str(result)
    assert says in result.stderr
    assert result.stdout == ""


# --- Names with several addresses


@pytest.fixture
def two_addresses(tmp_path):
    """A prefix under which two.test is ::1 and 127.0.0.1: a hosts file in a mount namespace."""
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1 two.test localhost\n::1 two.test localhost\n")
    script = f'mount --bind {hosts} /etc/hosts && exec "$@"'
    return [need("unshare"), "-rm", "sh", "-c", script, "sh"]


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_every_address_of_a_name_is_tried(protocol, host, two_addresses):
    """One of the two refuses, whichever comes first."""
    with contextlib.ExitStack() as stack:
        if protocol == "udp":
            port, _ = stack.enter_context(udp_server(lambda d: [d], host))
        else:
            port = stack.enter_context(tcp_server(lambda c: c.sendall(c.recv(100)), host))
        result = run_volley("talk", f"{protocol}://two.test:{port}", "--send", "x",
                            prefix=two_addresses)
    assert result.code == 0, str(result)
    assert result.stdout == "x"
    # The resolver puts ::1 first (RFC 6724), so it is the one that is passed over.
    assert ("trying the next address" in result.stderr) == (host == "127.0.0.1"), str(result)


def test_a_chosen_family_fails_rather_than_switches(two_addresses):
    with udp_server(lambda d: [d], "127.0.0.1") as (port, seen):
        result = run_volley("talk", f"udp://two.test:{port}", "-6", "--send", "x",
                            prefix=two_addresses)
        literal = run_volley("talk", f"udp://127.0.0.1:{port}", "-6", "--send", "x")
    assert result.code == 1, str(result)
    assert literal.code == 1, str(literal)
    assert seen == []


# --- Our own targets (S1, S2 are tested with others' clients)


def test_our_echo_target_answers_as_the_seeds_server_did(start_target):
    target = start_target("udp-echo", "--reply-prefix", "OK...")
    result = run_volley("talk", target.endpoint("udp"), "--send", "hello", "--quiet")
    assert result.code == 0, str(result)
    assert result.stdout == "OK...hello"
