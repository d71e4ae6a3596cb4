"""A sink that is long at its answer is waited for while bytes move, and not without end."""

import socket
import struct
import threading
import time

import pytest

import harness
from harness import run_volley
from judging import check_report
from target_frames import *

TIMEOUT = 0.3
HELLO_ACCEPTED = frame(HELLO_ACK, struct.pack("<QII", 0, 0, 1) + bytes(56))
MESSAGE = frame(DATA, bytes(1376))


class SlowSink:
    """Our sink for one connection, but slow to answer what it has counted. `down`: it sends all the
    while too. `answers`: it does so in the end; else it never does."""

    def __init__(self, down, answers):
        self.listener = socket.create_server(("127.0.0.1", 0))
        # what is sent waits at the generator then, and its queue is seen to shrink
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        self.listener.settimeout(10 * harness.PATIENCE)
        self.port = self.listener.getsockname()[1]
        self.down, self.answers = down, answers
        self.counted, self.slow_for = 0, 0.0
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        connection, _ = self.listener.accept()
        with connection, self.listener:
            connection.settimeout(10 * harness.PATIENCE)
            try:
                self.talk(connection)
            except (BrokenPipeError, ConnectionResetError):
                return  # it was not waited for

    def talk(self, connection):
        assert parse(read_exactly(connection, 96))[0] == HELLO
        connection.sendall(HELLO_ACCEPTED)
        begun = time.monotonic()
        if not self.down:  # takes a stream of megabytes in small sips
            self.take(connection, 65_536, 0.015)
        else:
            self.take(connection, 1 << 20, 0)
            while not self.answers or time.monotonic() < begun + 5 * TIMEOUT:
                time.sleep(TIMEOUT / 5)  # a sign of life, well within the patience
                connection.sendall(MESSAGE)
        self.slow_for = time.monotonic() - begun
        statistics = struct.pack("<8Q", self.counted, 1400 * self.counted, *[0] * 6)
        connection.sendall(frame(STATISTICS_ACK, statistics + bytes(8)))
        connection.recv(1)

    def take(self, connection, sip, rest_s):
        """Counts messages until it is asked how many there were."""
        data = b""
        while True:
            while len(data) >= 96 and (kind := parse(data)[0]) != DATA or len(data) >= 1400:
                if kind == STATISTICS:
                    return
                assert kind == DATA
                self.counted += 1
                data = data[1400:]
            time.sleep(rest_s)
            piece = connection.recv(sip)
            assert piece, "the generator left without a question"
            data += piece


def stream_to(sink, direction):
    result = run_volley("run", f"tcp://127.0.0.1:{sink.port}", "--workload", "stream",
                        "--direction", direction, "--size", "1400", "--duration", "200ms",
                        "--warm-up", "0s", "--timeout", f"{TIMEOUT}s", "--report", "json")
    sink.thread.join(10 * harness.PATIENCE)
    return result


@pytest.mark.parametrize("direction", ["up", "both"])
def test_a_sink_on_whose_connection_bytes_move_is_waited_for(direction):
    sink = SlowSink(down=direction == "both", answers=True)
    result = stream_to(sink, direction)
    assert result.code == 0, str(result)
    check_report(result.json)
    assert sink.slow_for > 0.2 + 1.5 * TIMEOUT, "the sink was not slow"
    assert result.run["target_side"]["received_messages"] == sink.counted > 0
    assert result.run["requests"]["lost"] == 0


def test_a_sink_that_sends_for_ever_and_never_answers_is_given_up():
    sink = SlowSink(down=True, answers=False)
    result = stream_to(sink, "both")
    assert not sink.thread.is_alive(), "it was waited for without end"
    assert result.code == 0, str(result)
    assert result.run["target_side"] is None and result.run["requests"]["lost"] is None
    assert any("did not say in time" in w for w in result.run["generator"]["warnings"]), str(result)
