"""hold: a thousand connections are opened, kept and probed in turn; what fails, what dies and what
one costs is told apart."""

import csv
import json
import os
import signal
import socket
import time

import pytest

from harness import PATIENCE, run_json, run_volley, start_volley, wait_until
from judging import check_report

FLOWS = 1000
# A sanitizer pads every allocation and shadows what is touched, so what a connection costs is judged
# of the program alone.
MOST_BYTES = 1024 if PATIENCE == 1 else 64 * 1024


def hold(*args, **kwargs):
    return run_json(*args, "--workload", "hold", **kwargs)


def of(events, what):
    return {row["peer"] for row in events if row["event"] == what}


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
@pytest.mark.parametrize("threads", [1, 2])
def test_all_are_opened_kept_and_probed_for_less_than_a_kibibyte(protocol, threads):
    run = hold(protocol, "--flows", FLOWS, "--threads", threads, "--requests", 2 * FLOWS,
               "--warm-up", "0s")
    held = run["hold"]
    assert held["connections_wanted"] == held["opened"] == held["held_at_end"] == FLOWS, held
    assert held["failed"] == held["died"] == {}, held
    assert held["probed"] == FLOWS, "two rounds of probes reach every connection"
    assert run["requests"]["completed"] == run["requests"]["planned"] == 2 * FLOWS
    assert 40 <= held["generator_bytes_per_connection"] <= MOST_BYTES, held
    assert held["target_bytes_per_connection"] <= MOST_BYTES, held
    if protocol == "tcp":
        assert held["target_bytes_per_connection"] >= 100, "a connection is something to a target"
        assert run["latency_ns"]["connect"]["count"] == FLOWS
    else:
        most = 100 if PATIENCE == 1 else MOST_BYTES
        assert held["target_bytes_per_connection"] <= most, "a UDP server holds no connection"
    if os.access("/proc/slabinfo", os.R_OK):
        assert held["kernel_bytes_per_connection"] >= 1000, held
    else:
        assert held["kernel_bytes_per_connection"] is None, held


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
def test_the_target_sees_a_probe_of_every_connection(protocol, start_target, tmp_path):
    log = tmp_path / "events.csv"
    target = start_target(f"{protocol}-echo", "--event-log", log)
    run = hold(target.endpoint(protocol), "--flows", FLOWS, "--requests", FLOWS, "--warm-up", "0s",
               "--probe-share", "5%")
    assert run["hold"]["probed"] == FLOWS
    assert run["config"]["probes"] == "50"
    assert run["hold"]["target_bytes_per_connection"] is None, "not our child: nothing is known"
    assert target.stop() == 0
    with open(log, newline="") as lines:
        events = list(csv.DictReader(lines))
    assert len(of(events, "received")) == len(of(events, "answered")) == FLOWS
    assert sum(row["event"] == "received" for row in events) == FLOWS


def test_an_open_loop_goes_round_all_connections():
    run = hold("tcp", "--flows", 200, "--rate", "2k", "--arrival", "constant", "--requests", 400,
               "--warm-up", "0s")
    assert run["requests"]["planned"] == run["requests"]["completed"] == 400
    assert run["hold"]["probed"] == 200
    assert run["config"]["probes"] == "-"


def test_connections_can_be_held_without_a_probe():
    run = hold("tcp", "--flows", 300, "--probe-share", "0%", "--duration", "200ms", "--warm-up",
               "0s")
    assert run["hold"]["held_at_end"] == 300 and run["hold"]["probed"] == 0
    assert run["requests"]["sent"] == 0


def test_what_the_target_closes_has_died(start_target):
    target = start_target("tcp-echo", "--max-connections", 100)
    run = hold(target.endpoint("tcp"), "--flows", 250, "--requests", 500, "--warm-up", "0s")
    held = run["hold"]
    assert held["opened"] == 250 and held["held_at_end"] == 100, held
    assert sum(held["died"].values()) == 150 and set(held["died"]) <= {"closed", "reset"}, held
    requests = run["requests"]
    assert requests["planned"] == 500 and requests["completed"] >= 2 * 100, requests
    assert requests["sent"] + sum(requests["unsent"].values()) == 500, requests


def test_when_all_have_died_the_run_has_failed(start_target):
    target = start_target("tcp-echo", "--idle-timeout", "300ms")
    result = run_volley("run", target.endpoint("tcp"), "--workload", "hold", "--flows", 50,
                        "--rate", "5", "--duration", "20s", "--report", "json", timeout=15)
    assert result.code == 1, str(result)
    assert result.json["error"]["code"] == "all_flows_dead"
    held = result.run["hold"]
    assert held["died"] == {"closed": 50} and held["held_at_end"] == 0, held


def test_nobody_there_is_told_by_kind():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        result = run_volley("run", f"tcp://127.0.0.1:{unused.getsockname()[1]}", "--workload",
                            "hold", "--flows", 500, "--report", "json", timeout=10)
    assert result.code == 1, str(result)
    assert result.json["error"]["code"] == "refused", str(result)


def test_a_queue_that_is_full_times_out_and_the_rest_is_held():
    """A listener that accepts nobody keeps a few connections and leaves the others waiting."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(4)
        run = hold(f"tcp://127.0.0.1:{listener.getsockname()[1]}", "--flows", 50, "--timeout",
                   "300ms", "--probe-share", "0%", "--duration", "100ms", "--warm-up", "0s")
    held = run["hold"]
    assert held["opened"] + held["failed"]["timed_out"] == 50 and 1 <= held["opened"] <= 10, held
    assert held["held_at_end"] == held["opened"]


def test_more_than_there_are_descriptors_is_refused_with_the_numbers():
    result = run_volley("run", "tcp", "--workload", "hold", "--flows", FLOWS, "--report", "json",
                        prefix=("prlimit", "--nofile=256:256"), timeout=10)
    assert result.code == 1, str(result)
    assert result.json["error"]["code"] == "too_many_files"
    for number in ("1000", "256"):
        assert number in result.json["error"]["message"], str(result)


def test_an_interrupt_while_it_opens_ends_soon_with_what_was_opened():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(4)  # and never accepts: the opening hangs at once
        process = start_volley("run", f"tcp://127.0.0.1:{listener.getsockname()[1]}", "--workload",
                               "hold", "--flows", 100, "--timeout", "30s", "--report", "json")
        wait_until(lambda: len(os.listdir(f"/proc/{process.pid}/fd")) > 100, "sockets being opened")
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        out, err = process.communicate(timeout=10)
        assert time.monotonic() - began < 5
    assert process.returncode == 130, err
    report = json.loads(out)
    check_report(report)
    held = report["runs"][0]["hold"]
    assert held["connections_wanted"] == 100 and held["opened"] <= 10, held
    assert held["held_at_end"] == held["opened"], held
    assert held["generator_bytes_per_connection"] is None, "not all of them were opened"
    assert report["runs"][0]["intervals"][0]["end_s"] == 0, "it never began"


def test_a_duel_shows_what_a_connection_costs_side_by_side():
    result = run_volley("duel", "--workload", "hold", "--flows", 300, "--rounds", 2, "--requests",
                        600, "--warm-up", "0s", "--report", "text", "--report", "json:/dev/stderr",
                        "--progress", "none", timeout=30)
    assert result.code == 0, str(result)
    lines = {line.split("  ")[0]: line.split() for line in result.stdout.splitlines()}
    assert lines["opened"][1:] == ["600", "600"], result.stdout
    assert lines["held at the end"][-2:] == ["600", "600"], result.stdout
    for who in ("generator, each", "target, each"):
        assert lines[who][-1] == "B" and float(lines[who][-2]) <= MOST_BYTES, result.stdout
    runs = json.loads(result.stderr)["runs"]
    # The second round pays as much as the first: no memory of the one before hides it.
    costs = [run["hold"]["target_bytes_per_connection"] for run in runs if run["protocol"] == "tcp"]
    assert len(costs) == 2 and min(costs) > 100, costs


def test_other_workloads_hold_nothing():
    assert run_json("tcp", "--requests", 10, "--warm-up", "0s")["hold"] is None
