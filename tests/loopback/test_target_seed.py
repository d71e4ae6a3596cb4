"""The seed's servers live on (rows S1, S2, S7, S8): what they print and answer, asked by nc and by
plain Python sockets that share no code with volley."""

import socket
import subprocess

from harness import need, run_volley, wait_until


def printed(target, text):
    wait_until(lambda: text in target.proc.out.read_text(), f"{text!r} on stdout")


def nc_udp(address, text):
    """Sends one datagram and returns what came back, read until the answer is there."""
    host, port = address
    process = subprocess.Popen([need("nc"), "-u", host, str(port)], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE)
    try:
        process.stdin.write(text)
        process.stdin.flush()
        return process.stdout.read1(65_536)
    finally:
        process.kill()
        process.wait()


def test_s1_a_udp_sink_says_it_waits_and_prints_what_comes(start_target):
    target = start_target("udp-sink", "--print", "--listen", "0.0.0.0:0")
    port = target.udp[1]
    assert f"waiting on port {port}" in target.said()
    subprocess.run([need("nc"), "-u", "-q", "0", "127.0.0.1", str(port)], input=b"hello there\n",
                   timeout=10, check=True)
    printed(target, "hello there\n")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(b"second", ("127.0.0.1", port))
    printed(target, "second\n")


def test_s2_a_udp_echo_answers_ok_and_the_data_to_nc(start_target):
    target = start_target("udp-echo", "--reply-prefix", "OK...", "--log-messages")
    assert "initialized" in target.said() and "binding completed" in target.said()
    assert nc_udp(target.udp, b"hello\n") == b"OK...hello\n"
    printed(target, "] - hello\n")


def test_s2_the_token_message_names_the_sender_and_strips_the_data(start_target):
    target = start_target("udp-echo", "--reply-prefix", "OK...", "--log-messages")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        client.sendto(b"  two words \r\n", target.udp)
        assert client.recv(100) == b"OK...  two words \r\n"
        port = client.getsockname()[1]
    printed(target, f"Token message[127.0.0.1:{port}] - two words\n")


def test_s2_an_empty_datagram_does_not_end_it_but_does_with_stop_on_empty(start_target):
    target = start_target("udp-echo", "--reply-prefix", "OK...")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        client.sendto(b"", target.udp)
        assert client.recv(100) == b"OK..."
        client.sendto(b"still there", target.udp)
        assert client.recv(100) == b"OK...still there"

        stops = start_target("udp-echo", "--stop-on-empty")
        client.sendto(b"not yet", stops.udp)
        assert client.recv(100) == b"not yet"
        client.sendto(b"", stops.udp)
        assert stops.proc.wait(timeout=10) == 0
    assert "ended by empty_datagram" in stops.said()


def test_s7_a_tcp_server_listens_with_the_backlog_it_was_given(start_target):
    target = start_target("tcp-accept", "--backlog", "10", "--listen", "0.0.0.0:0")
    port = target.tcp[1]
    assert "backlog 10" in target.said() and f"waiting on port {port}" in target.said()
    line = subprocess.run([need("ss"), "-Hltn", f"sport = :{port}"], capture_output=True,
                          text=True, check=True, timeout=10).stdout.split()
    assert line[2] == "10", line  # Send-Q of a listener is its backlog


def test_s7_a_failed_bind_is_reported_with_code_and_message():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        result = run_volley("target", "tcp-accept", "--listen", f"127.0.0.1:{port}")
    assert result.code == 1
    assert "errno 98" in result.stderr and "address already in use" in result.stderr


def test_s8_an_accepted_connection_is_printed_and_read_until_it_ends(start_target):
    target = start_target("tcp-accept", "--log-connections")
    with socket.create_connection(target.tcp, timeout=5) as client:
        host, port = client.getsockname()
        printed(target, f"Connection established with {host}:{port}\n")
        client.sendall(b"x" * 1_000_000)
        client.shutdown(socket.SHUT_WR)
        assert client.recv(100) == b""  # nothing is ever answered
    nc = subprocess.run([need("nc"), "-N", *map(str, target.tcp)], input=b"hello\n", timeout=10,
                        capture_output=True, check=True)
    assert nc.stdout == b""
    wait_until(lambda: target.proc.out.read_text().count("Connection established") == 2,
               "the second connection")


def test_tcp_echo_gives_nc_its_text_back(start_target):
    target = start_target("all")
    nc = subprocess.run([need("nc"), "-N", *map(str, target.tcp)], input=b"line\n" * 1000,
                        timeout=10, capture_output=True, check=True)
    assert nc.stdout == b"line\n" * 1000
    assert nc_udp(target.udp, b"ping\n") == b"ping\n"


def test_strangers_cannot_steer_the_terminal(start_target):
    target = start_target("udp-echo", "--log-messages", "--print")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        client.sendto(b"\x1b[2Jgone\r\nToken message[1.2.3.4:5] - forged", target.udp)
        client.recv(100)
    printed(target, r"- \x1b[2Jgone\r\nToken message[1.2.3.4:5] - forged")
    assert "\x1b" not in target.proc.out.read_text()
