"""volley talk and the person at its terminal: prompts, escapes, signals."""

import contextlib
import os
import pty
import select
import signal
import subprocess
import time

import pytest

import harness
from harness import start_volley, wait_until
from talk_servers import tcp_server, udp_server


class Terminal:
    """volley talk on a terminal of its own."""

    def __init__(self, *args):
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen([harness.volley_path(), "talk", *args], stdin=slave,
                                        stdout=slave, stderr=slave, start_new_session=True)
        os.close(slave)
        self.text = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.master)

    def type(self, text):
        os.write(self.master, text)

    def read_until(self, text, deadline_s=10.0):
        end = time.monotonic() + deadline_s * harness.PATIENCE
        while text not in self.text:
            assert time.monotonic() < end, f"no {text!r} in {self.text!r}"
            if select.select([self.master], [], [], 0.1)[0]:
                try:
                    self.text += os.read(self.master, 4096)
                except OSError:
                    assert text in self.text, f"no {text!r} in {self.text!r}"

    def ends_with(self, code):
        assert self.process.wait(timeout=10 * harness.PATIENCE) == code


def test_a_terminal_is_asked_for_messages_until_its_input_ends():
    with udp_server(lambda d: [b"OK..." + d]) as (port, seen), \
            Terminal(f"udp://127.0.0.1:{port}") as terminal:
        terminal.read_until(b"Message: ")
        terminal.type(b"hello\n")
        terminal.read_until(b"Reply from the server is: OK...hello\r\nMessage: ")
        terminal.type(b"again\n")
        terminal.read_until(b"OK...again\r\nMessage: ")
        terminal.type(b"\x04")
        terminal.ends_with(0)
        assert seen == [b"hello", b"again"]


def test_a_hostile_answer_cannot_steer_the_terminal():
    answer = b"\x1b]0;owned\x07\x9b2J\xc2\x9b2J \rover \xc3\xbc ok\r\n"
    with udp_server(lambda d: [answer]) as (port, _), \
            Terminal(f"udp://127.0.0.1:{port}", "--send", "x") as terminal:
        terminal.read_until(b"ok\r\n")
        shown = terminal.text.split(b"is: ")[1]
        assert shown == rb"\x1B]0;owned\x07\x9B2J\xC2\x9B2J \x0Dover " + b"\xc3\xbc ok\r\n"
        terminal.ends_with(0)


def test_a_tcp_server_that_speaks_first_is_heard_and_its_close_ends_the_talk():
    def serve(connection):
        connection.sendall(b"220 welcome\r\n")
        connection.sendall(b"you said " + connection.recv(100))

    with tcp_server(serve) as port, Terminal(f"tcp://127.0.0.1:{port}") as terminal:
        terminal.read_until(b"220 welcome\r\n")
        terminal.type(b"helo\n")
        terminal.read_until(b"you said helo\r\n")
        terminal.read_until(b"the server closed the connection")
        terminal.ends_with(0)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("protocol", ["udp", "tcp"])
def test_a_signal_ends_the_talk_with_its_exit_code(protocol, number, code):
    with contextlib.ExitStack() as stack:
        if protocol == "udp":
            port, _ = stack.enter_context(udp_server(lambda d: [d]))
        else:
            def serve(connection):
                while data := connection.recv(100):
                    connection.sendall(b"echo:" + data)
            port = stack.enter_context(tcp_server(serve))
        terminal = stack.enter_context(Terminal(f"{protocol}://127.0.0.1:{port}"))
        terminal.read_until(b"Message: " if protocol == "udp" else b"connected to")
        terminal.type(b"here\n")
        terminal.read_until(b"is: here\r\nMessage: " if protocol == "udp" else b"echo:here")
        terminal.process.send_signal(number)
        terminal.ends_with(code)


def test_ctrl_c_while_waiting_for_an_answer_ends_at_once():
    with udp_server(lambda d: []) as (port, seen):
        process = start_volley("talk", f"udp://127.0.0.1:{port}", "--send", "x", "--timeout", "1m")
        wait_until(lambda: seen, "the message to arrive")
        process.send_signal(signal.SIGINT)
        result = harness.finish(process, process.argv, 10, process.started)
    assert result.code == 130, str(result)
