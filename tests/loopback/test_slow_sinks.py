# ctest: serial
"""A sink that is long at its answer is waited for while bytes move, and not without end.

What is tested is how long somebody is waited for, so these sinks take their time on purpose, in
shares of the one timeout that all are given."""

import signal
import socket
import struct
import threading
import time

import pytest

import harness
from harness import finish, run_volley, start_volley
from judging import check_report
from target_frames import *

TIMEOUT = 0.4 * harness.PATIENCE
RUN_S = 0.2
HELLO_ACCEPTED = frame(HELLO_ACK, struct.pack("<QII", 0, 0, 1) + bytes(56))


class SlowSink:
    """Our sink for one connection, but slow to answer what it has counted."""

    def __init__(self, message_bytes, answers=True):
        self.listener = socket.create_server(("127.0.0.1", 0))
        # what is sent waits at the generator then, and its queue is seen to shrink
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        self.listener.settimeout(10 * harness.PATIENCE)
        self.port = self.listener.getsockname()[1]
        self.message_bytes, self.answers = message_bytes, answers
        self.counted, self.slow_for = 0, 0.0
        self.was_asked = threading.Event()
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def serve(self):
        connection, _ = self.listener.accept()
        with connection, self.listener:
            connection.settimeout(10 * harness.PATIENCE)
            try:
                assert parse(read_exactly(connection, 96))[0] == HELLO
                connection.sendall(HELLO_ACCEPTED)
                begun = time.monotonic()
                self.be_slow(connection)
                self.slow_for = time.monotonic() - begun
                statistics = struct.pack("<8Q", self.counted, self.message_bytes * self.counted,
                                         *[0] * 6)
                connection.sendall(frame(STATISTICS_ACK, statistics + bytes(8)))
                connection.recv(1)
            except (BrokenPipeError, ConnectionResetError):
                pass  # it was not waited for

    def take(self, connection, rest_s):
        """Counts messages until it is asked how many there were."""
        data = b""
        while True:
            while len(data) >= self.message_bytes or len(data) >= 96 and parse(data)[0] != DATA:
                if parse(data)[0] == STATISTICS:
                    self.was_asked.set()
                    return
                assert parse(data)[0] == DATA
                self.counted += 1
                data = data[self.message_bytes:]
            time.sleep(rest_s)
            piece = connection.recv(65_536)
            assert piece, "the generator left without a question"
            data += piece


class SippingSink(SlowSink):
    """Reads nothing until the generator has given up to drain, with a message sent in part, and then
    a stream of megabytes in small sips."""

    def be_slow(self, connection):
        time.sleep(RUN_S + 1.5 * TIMEOUT)
        self.take(connection, 0.02 * harness.PATIENCE)


class SendingSink(SlowSink):
    """Takes all there is, but sends for long before it answers, if it ever does."""

    def be_slow(self, connection):
        self.take(connection, 0)
        begun = time.monotonic()
        while not self.answers or time.monotonic() < begun + 4 * TIMEOUT:
            time.sleep(TIMEOUT / 5)  # a sign of life, well within the patience
            connection.sendall(frame(DATA, bytes(self.message_bytes - 24)))


def words_for(sink, direction, timeout_s):
    sink.thread.start()
    return ("run", f"tcp://127.0.0.1:{sink.port}", "--workload", "stream", "--direction", direction,
            "--size", sink.message_bytes, "--duration", f"{RUN_S}s", "--warm-up", "0s",
            "--timeout", f"{timeout_s:.3f}s", "--report", "json")


@pytest.mark.parametrize("direction", ["up", "both"])
def test_a_sink_on_whose_connection_bytes_move_is_waited_for(direction):
    sink = SippingSink(100_000) if direction == "up" else SendingSink(1_400)
    result = run_volley(*words_for(sink, direction, TIMEOUT))
    sink.thread.join(10 * harness.PATIENCE)
    assert result.code == 0, str(result)
    check_report(result.json)
    assert sink.slow_for > RUN_S + result.run["drain_s"] + 1.5 * TIMEOUT, "the sink was not slow"
    assert result.run["target_side"]["received_messages"] == sink.counted > 0
    assert result.run["requests"]["lost"] == 0


def test_a_sink_that_sends_for_ever_and_never_answers_is_given_up():
    sink = SendingSink(1_400, answers=False)
    result = run_volley(*words_for(sink, "both", TIMEOUT))
    assert result.code == 0, str(result)
    check_report(result.json)
    assert 5 * TIMEOUT < result.seconds < 20 * TIMEOUT
    assert result.run["target_side"] is None and result.run["requests"]["lost"] is None
    assert any("gave no count" in w for w in result.run["generator"]["warnings"]), str(result)
    sink.thread.join(10 * harness.PATIENCE)


def test_an_interrupt_ends_the_wait_for_a_sink():
    sink = SendingSink(1_400, answers=False)
    words = words_for(sink, "both", 60)
    process = start_volley(*words)
    assert sink.was_asked.wait(10 * harness.PATIENCE)
    process.send_signal(signal.SIGINT)
    sent = time.monotonic()
    result = finish(process, words, 30, process.started)
    assert result.code == 130, str(result)
    assert time.monotonic() - sent < 10 * harness.PATIENCE, "it waited for its timeout"
    check_report(result.json)
