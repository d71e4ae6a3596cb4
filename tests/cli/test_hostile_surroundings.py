"""Closed and full standard streams, peers that break the rules, loads beyond what can be sent: the
exit code and the report stay what they should be."""

import json
import os
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest

import harness
from harness import finish, run_volley, start_volley, volley_path
from judging import check_report

FEW = ("--requests", "3", "--warm-up", "0s")


def in_shell(command, timeout=30):
    """Runs a shell line in which $V is the program."""
    return subprocess.run(["bash", "-c", command], env={**os.environ, "V": str(volley_path())},
                          capture_output=True, text=True, timeout=timeout * harness.PATIENCE)


@pytest.mark.parametrize("stderr", ["2>&-", "2>/dev/full"])
def test_a_stderr_that_takes_nothing_changes_neither_exit_code_nor_report(stderr):
    assert in_shell(f'"$V" run tcp --rate abc {stderr}').returncode == 2
    assert in_shell(f'"$V" report /nonexistent.json {stderr}').returncode in (1, 2)
    met = in_shell(f'"$V" run tcp {" ".join(FEW)} --fail-if "p99>1ns" --report json {stderr}')
    assert met.returncode == 99, met
    check_report(json.loads(met.stdout))
    told = in_shell(f'"$V" run tcp --duration 200ms --warm-up 0s --interval 50ms --progress plain '
                    f'{stderr} >/dev/null')
    assert told.returncode == 0, told


def test_a_reader_of_stderr_that_leaves_costs_no_report(tmp_path):
    path = tmp_path / "report.json"
    done = in_shell(f'"$V" run tcp --duration 400ms --warm-up 0s --progress plain --interval 50ms '
                    f'--report json:{path} 2>&1 >/dev/null | head -n 1; exit ${{PIPESTATUS[0]}}')
    assert done.returncode == 0, done
    check_report(json.loads(path.read_text()))
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.json"]


def test_no_socket_takes_the_place_of_a_closed_standard_stream(start_target):
    target = start_target("tcp-echo")
    done = in_shell(f'"$V" talk {target.endpoint("tcp")} --send hi --timeout 300ms <&- >&-')
    assert done.returncode == 1, done


def test_a_generator_behind_its_schedule_says_so_and_divides_by_the_time_it_took():
    result = run_volley("run", "tcp", "--rate", "3M", "--batch", "1", "--duration", "100ms", "--warm-up", "0s",
                      "--timeout", "60s", "--report", "json", timeout=60)
    check_report(result.json)
    run = result.run
    assert run["duration_s"] > 0.101, run["duration_s"]
    assert run["load"]["achieved_per_s"] == pytest.approx(
        run["requests"]["completed"] / run["duration_s"], rel=1e-6)
    assert any("fell behind its schedule" in w for w in run["generator"]["warnings"]), str(result)


def test_bytes_beside_an_answer_are_no_answer_to_the_next_request(start_target):
    result = run_volley("run", start_target("tcp-echo").endpoint("tcp"), "--request", "a;b;", "--reply",
                      "until:;", "--duration", "300ms", "--warm-up", "0s", "--report", "json")
    assert result.code == 1, str(result)
    check_report(result.json)
    assert result.run["requests"]["completed"] == 1, result.run["requests"]
    assert "--reply" in result.json["error"]["message"]


class ResettingSink:
    """Accepts connections and resets each after 64 KiB; from the second on it reads for ever."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.accepted = 0
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.accepted += 1
            threading.Thread(target=self.read, args=(connection, self.accepted == 1),
                             daemon=True).start()

    @staticmethod
    def read(connection, resets):
        taken = 0
        with connection:
            while chunk := connection.recv(65_536):
                taken += len(chunk)
                if resets and taken >= 65_536:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                          struct.pack("ii", 1, 0))
                    return


@pytest.mark.parametrize("load", [(), ("--rate", "20k", "--arrival", "constant")],
                         ids=["closed", "open"])
def test_a_stream_that_loses_a_flow_ends_and_reconciles(load):
    sink = ResettingSink()
    result = run_volley("run", f"tcp://127.0.0.1:{sink.port}", "--workload", "stream", "--flows", "2",
                      "--size", "1400", "--requests", "20000", "--warm-up", "0s", *load,
                        "--report", "json", timeout=30)
    sink.listener.close()
    check_report(result.json)
    requests = result.run["requests"]
    assert requests["planned"] == 20_000
    assert requests["sent"] + sum(requests["unsent"].values()) + requests["skipped"] == 20_000
    assert requests["unsent"].get("flow_dead", 0) > 0, requests


def test_an_interrupt_does_not_count_the_rest_of_an_hour():
    process = start_volley("run", "tcp", "--rate", "1M", "--duration", "1h", "--warm-up", "0s",
                           "--report", "json")
    time.sleep(1)  # some of the run
    process.send_signal(signal.SIGINT)
    sent = time.monotonic()
    result = finish(process, process.argv, 10, process.started)
    assert time.monotonic() - sent < 2 * harness.PATIENCE, str(result)
    assert result.code == 130, str(result)
    check_report(result.json)
    assert result.run["requests"]["planned"] is None
    assert result.run["requests"]["skipped"] is None
    assert result.run["duration_s"] < 3 * harness.PATIENCE
