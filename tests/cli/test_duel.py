"""volley duel: rounds of UDP and TCP in turns, one report."""

import os
import signal
import time
from pathlib import Path

import pytest

import harness
from harness import finish, run_volley, start_volley, wait_until
from judging import check_report

QUICK = ("--duration", "200ms", "--warm-up", "50ms", "--report", "json")
ABBA = ["udp", "tcp", "tcp", "udp", "udp", "tcp", "tcp", "udp"]


def children_of(pid):
    return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def protocols(report):
    return [run["protocol"] for run in report["runs"]]


def test_rounds_alternate_against_one_own_target_and_end_in_one_report():
    result = run_volley("duel", "--rounds", "3", *QUICK)
    assert result.code == 0, str(result)
    report = result.json
    check_report(report)
    assert report["status"] == "ok"
    assert protocols(report) == ABBA[:6]
    assert len({run["endpoint"].split("://")[1] for run in report["runs"]}) == 1
    for run in report["runs"]:
        assert run["requests"]["completed"] > 0
        # What the target used in this round, not since its start.
        assert 0 < run["target_side"]["cpu_s"] < 2
    sides = {side["protocol"]: side for side in report["comparison"]["sides"]}
    assert set(sides) == {"udp", "tcp"}
    assert sides["udp"]["rounds"] == sides["tcp"]["rounds"] == 3
    assert report["comparison"]["significance_tested"] is False


def test_both_rounds_of_a_pair_have_one_seed_and_the_next_pair_another():
    report = run_volley("duel", "--rounds", "2", "--seed", "7", *QUICK).json
    seeds = [str(run["config"]["seed"]) for run in report["runs"]]
    assert seeds == ["7", "7", "8", "8"]


def test_the_same_plan_is_due_over_both_protocols():
    """Open loop by count: the same schedule is drawn for both rounds of a pair."""
    report = run_volley("duel", "--rounds", "1", "--rate", "2k", "--requests", "300", "--warm-up",
                        "0s", "--report", "json").json
    udp, tcp = report["runs"]
    for run in (udp, tcp):
        assert run["requests"]["planned"] == run["requests"]["completed"] == 300
    assert udp["load"]["intended_per_s"] == tcp["load"]["intended_per_s"]


def test_the_text_ends_in_a_sentence_that_says_significance_was_not_tested():
    result = run_volley("duel", "--rounds", "1", "--duration", "200ms", "--warm-up", "0s",
                        "--progress", "none")
    assert result.code == 0, str(result)
    text = " ".join(result.stdout.split())
    assert "UDP" in text and "TCP" in text
    assert text.endswith("whether the difference is more than chance has not been tested."), text


def test_a_target_of_ones_own_choice_is_used(start_target):
    target = start_target("all")
    port = target.udp[1]
    assert port == target.tcp[1]
    result = run_volley("duel", f"127.0.0.1:{port}", "--rounds", "1", *QUICK)
    assert result.code == 0, str(result)
    assert [run["endpoint"] for run in result.json["runs"]] == [
        f"udp://127.0.0.1:{port}", f"tcp://127.0.0.1:{port}"]


def test_an_interrupted_duel_keeps_the_rounds_so_far():
    process = start_volley("duel", "--rounds", "100", "--duration", "300ms", "--warm-up", "0s",
                           "--report", "json", "--progress", "plain")
    os.set_blocking(process.stderr.fileno(), False)
    said = b""

    def third_round_has_begun():
        nonlocal said
        said += process.stderr.read() or b""
        return b"round 3 of 200" in said

    wait_until(third_round_has_begun, "the third round", deadline_s=20)
    target = children_of(process.pid)
    process.send_signal(signal.SIGINT)
    result = finish(process, process.argv, 10, process.started)
    assert result.code == 130, str(result)
    report = result.json
    check_report(report)
    assert report["status"] == "interrupted"
    assert len(report["runs"]) >= 2
    assert protocols(report) == ABBA[:len(report["runs"])]
    assert [run["status"] for run in report["runs"][:2]] == ["ok", "ok"]
    assert report["runs"][-1]["status"] == "interrupted"
    assert len(target) == 1
    wait_until(lambda: not Path(f"/proc/{target[0]}").exists(), "the end of its target")


# ctest: timeout 240
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_at_any_moment_ends_a_duel_with_a_report(number):
    """Also in the short time between two rounds, when no run waits for signals. The rounds are short
    by a count: in a time as short a busy machine may send nothing, which fails a round."""
    for attempt in range(12):
        process = start_volley("duel", "--rounds", "1000", "--requests", "200", "--warm-up", "0s",
                               "--report", "json", "--progress", "plain")
        os.set_blocking(process.stderr.fileno(), False)
        said = b""

        def begun():
            nonlocal said
            said += process.stderr.read() or b""
            return b"round 2 of 2000" in said

        wait_until(begun, "the second round")
        time.sleep(0.003 * attempt)  # another moment each time
        process.send_signal(number)
        result = finish(process, process.argv, 10, process.started)
        assert result.code == 128 + number, str(result)
        assert result.json["status"] == "interrupted", str(result)
        assert result.json["runs"], str(result)
        check_report(result.json)


def test_wrong_use_of_either_protocol_is_refused_before_anything_starts():
    result = run_volley("duel", "--workload", "connect", "--rounds", "1", *QUICK)
    assert result.code == 2, str(result)
    assert result.json["error"]["phase"] == "usage"
    result = run_volley("duel", "--rounds", "0", "--report", "text")
    assert result.code == 2, str(result)
    assert "--rounds" in result.stderr


def test_nothing_listens_there():
    port = harness.free_port()
    result = run_volley("duel", f"127.0.0.1:{port}", "--rounds", "2", "--duration", "200ms",
                        "--warm-up", "0s", "--timeout", "200ms", "--report", "json")
    assert result.code == 1, str(result)
    assert result.json["status"] == "failed"
    assert result.json["error"]["code"]
