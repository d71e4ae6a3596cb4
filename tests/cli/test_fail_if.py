"""--fail-if in every spelling, on runs and on saved reports, and which exit code wins."""

import copy
import json
import subprocess

import jsonschema
import pytest

import harness
from harness import finish, run_volley, start_volley, volley_path
from judging import SCHEMA

SHORT = ("--requests", "200", "--warm-up", "0s", "--quiet")


VALIDATOR = jsonschema.Draft7Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


@pytest.fixture(scope="module", name="saved")
def fixture_saved(tmp_path_factory):
    """A report of one TCP run whose figures are known, whatever machine this is: 400 s, 396,000
    requests, TRUSTED, p99.99 withheld. The tests change copies of it."""
    folder = tmp_path_factory.mktemp("samples")
    subprocess.run([volley_path().parent / "tests/samples/write_samples", folder], check=True,
                   timeout=60)
    report = json.loads((folder / "long_duel.json").read_text(encoding="utf-8"))
    run, = (run for run in report["runs"] if run["protocol"] == "tcp")
    run.update(checks=[], verdict={"overall": "TRUSTED", "headline": "as it should", "numbers": {}})
    response = run["latency_ns"]["response"]
    response["p99_99"] = response["ci95"]["p99_99"] = None
    response["evidence"]["p99_99"]["samples_needed"] = 1_000_000
    report.update(runs=[run], comparison=None, thresholds=[], verdict=dict(run["verdict"]))
    del report["verdict"]["numbers"]
    return report


def judged(report, tmp_path, *options):
    """`volley report` of this report with these options."""
    file = tmp_path / "report.json"
    file.write_text(json.dumps(report), encoding="utf-8")
    return run_volley("report", file, "--report", "json", *options)


def with_verdict(report, word):
    changed = copy.deepcopy(report)
    for run in changed["runs"]:
        run["verdict"]["overall"] = word
    return changed


# What is asked of the saved run, and whether it passes. The first column is how it is written.
CONDITIONS = [
    ("p50 > 1h", True),
    ("p50 > 1ns", False),
    ("response p50 > 1h", True),
    ("p50 response > 1ns", False),
    ("latency_ns.response.p50 > 1ns", False),
    ("send_lag p50 > 1h", True),
    ("send lag max < 1h", False),
    ("achieved < 0.001 * offered", True),
    ("achieved < 1000000 * offered", False),
    ("offered >= offered", False),
    ("p90 < p50", True),
    ("max > 0 * p50", False),
    ("requests.sent != 396k", True),
    ("completed == 396000", False),
    ("errors refused > 0", True),
    ("bytes.sent < 1GiB", False),
    ("goodput < 1Gbit/s", False),
    ("duration < 10m", False),
    ("tcp: p50 > 1h", True),
    ("tcp-rr: p50 > 1ns", False),
    ("verdict < INVALID", True),
    ("verdict <= TRUSTED", False),
]


@pytest.mark.parametrize("condition, passes", CONDITIONS)
def test_a_saved_report_is_judged_again(saved, tmp_path, condition, passes):
    result = judged(saved, tmp_path, "--fail-if", condition)
    assert result.code == (0 if passes else 99), str(result)
    threshold, = result.json["thresholds"]
    assert threshold["pass"] is passes and threshold["value"] is not None, str(result)
    assert threshold["run"] == "tcp rr" and threshold["round"] is None, str(result)
    assert (condition.split()[0] in result.stderr) is not passes, str(result)
    assert VALIDATOR.is_valid(result.json), str(result)


WAYS_OUT = {"not_claimable": "measure longer", "not_measured": "a figure that it has",
            "no_run": "name one that the report has"}


# Why there is nothing to judge.
@pytest.mark.parametrize("condition, reason, missing", [
    ("p99.99 < 1h", "not_claimable", "latency_ns.response.p99_99"),
    ("achieved < 0.99 * intended", "not_measured", "load.intended_per_s"),
    ("connect p99 > 1h", "not_measured", "latency_ns.connect.p99"),
    ("udp: p50 > 1h", "no_run", "latency_ns.response.p50"),
    ("udp.jitter_ns > 1h", None, None),
    ("tcp.no_such > 1", "not_measured", "tcp.no_such"),
])
def test_what_is_missing_fails_and_says_why(saved, tmp_path, condition, reason, missing):
    result = judged(saved, tmp_path, "--fail-if", condition)
    assert result.code == 99, str(result)
    threshold, = result.json["thresholds"]
    assert (threshold["pass"], threshold["value"]) == (False, None), str(result)
    assert threshold["reason"] == (reason or "no_run"), str(result)
    assert threshold["missing"] == (missing or "udp.jitter_ns"), str(result)
    assert "could not be evaluated" in result.stderr and threshold["missing"] in result.stderr
    assert WAYS_OUT[threshold["reason"]] in result.stderr, str(result)


def test_what_is_asked_now_takes_the_place_of_what_was_asked_then(saved, tmp_path):
    first = judged(saved, tmp_path, "--fail-if", "p50 > 1ns")
    again = judged(first.json, tmp_path)
    assert again.code == 0 and again.json == first.json, "a report is rendered, not judged"
    other = judged(first.json, tmp_path, "--fail-if", "p50 > 1h")
    assert other.code == 0 and [t["expr"] for t in other.json["thresholds"]] == ["p50>1h"]


def test_a_threshold_of_before_there_were_reasons_is_read(saved, tmp_path):
    report = judged(saved, tmp_path, "--fail-if", "p50 > 1ns").json
    for key in ("metric", "run", "round", "reason", "missing"):
        del report["thresholds"][0][key]
    result = judged(report, tmp_path)
    assert result.code == 0 and result.json["thresholds"][0]["metric"] is None, str(result)
    report["thresholds"][0]["pass"] = "yes"
    refused = judged(report, tmp_path)
    assert refused.code == 1 and "/thresholds/0/pass" in refused.stderr, str(refused)


def test_an_error_points_at_the_column(saved, tmp_path):
    result = judged(saved, tmp_path, "--fail-if", "p50 > 1h", "--fail-if", "p99 respones > 2ms")
    assert result.code == 2, str(result)
    assert result.stderr.startswith(
        "volley: --fail-if 'p99 respones > 2ms', column 1: not a metric (p99 respones) [intended")
    assert result.stderr.endswith("; did you mean response_p99 or response_p90?\n"
                                  "  p99 respones > 2ms\n  ^\n"), str(result)
    assert result.json["error"]["code"] == "usage"
    limit = run_volley("run", "udp", "--fail-if", "p99 > 2")
    assert limit.code == 2 and limit.stderr.endswith("\n  p99 > 2\n        ^\n"), str(limit)


@pytest.mark.parametrize("hostile", [
    "::error::x>1", "p99>2ms\n::error::", "</script>", "|`$(id)`|", "\x1b[2J", "µ" * 50, "%n%s>%x",
    "x" * 10_240, "p99>" + "9" * 150 + "ms", "p99>" + "9" * 10_000,
])
def test_no_condition_breaks_the_lines_of_a_log(hostile):
    result = run_volley("run", "udp", "--fail-if", hostile, "--report", "json")
    assert result.code == 2, str(result)
    lines = result.stderr.splitlines()
    assert lines[0].startswith("volley: --fail-if") and len(lines) in (1, 3), str(result)
    assert all(line.startswith("  ") for line in lines[1:]), str(result)
    assert result.stderr.isascii() and "\x1b" not in result.stderr
    # Where a log might take a line for a command, stderr has a sign before it.
    assert result.json["error"]["message"].replace("\n  ::", "\n  |::") in result.stderr


# The table of docs/exit-codes.md: 2, 1, the signal, 3, 99, 98.


def test_every_pair_of_exit_codes_ends_in_the_first(saved, tmp_path):
    met, unmet = ("--fail-if", "p50 > 1ns"), ("--fail-if", "p50 > 1h")
    bad = with_verdict(saved, "INVALID")
    good = with_verdict(saved, "TRUSTED")
    assert judged(good, tmp_path, *met, "--fail-if", "p50 >").code == 2
    assert run_volley("report", tmp_path / "none.json", *met, "--fail-if", "p50 >").code == 2
    assert run_volley("report", tmp_path / "none.json", *met).code == 1
    assert judged(bad, tmp_path, "--strict", *met).code == 3
    assert judged(bad, tmp_path, "--strict", *unmet).code == 3
    assert judged(bad, tmp_path, *met).code == 99
    assert judged(good, tmp_path, "--strict", *met).code == 99
    assert judged(good, tmp_path, "--strict", *unmet, *met).code == 99
    assert judged(bad, tmp_path, *unmet).code == 0
    assert judged(good, tmp_path, "--strict", *unmet).code == 0


def test_a_report_that_cannot_be_written_comes_before_a_threshold(saved, tmp_path):
    file = tmp_path / "r.json"
    file.write_text(json.dumps(saved), encoding="utf-8")
    result = run_volley("report", file, "--report", "text:/dev/full", "--fail-if", "p50 > 1ns")
    assert result.code == 1, str(result)


def test_a_failed_run_comes_before_strict_and_a_threshold():
    nobody = f"tcp://127.0.0.1:{harness.free_port()}"
    result = run_volley("run", nobody, *SHORT, "--strict", "--fail-if", "verdict < TRUSTED")
    assert result.code == 1, str(result)


def test_a_signal_comes_before_strict_and_a_threshold(start_target):
    target = start_target("all")
    process = start_volley("run", target.endpoint("udp"), "--duration", "60s", "--warm-up", "0s",
                           "--progress", "plain", "--interval", "100ms", "--strict", "--fail-if",
                           "response p50 > 1ns", "--report", "json")
    assert process.stderr.readline().startswith(b"measure")
    process.terminate()
    result = finish(process, process.argv, 10, process.started)
    assert result.code == 143, str(result)
    threshold, = result.json["thresholds"]
    assert threshold["metric"] == "latency_ns.response.p50" and not threshold["pass"], str(result)


def test_a_duel_is_judged_side_by_side(tmp_path):
    # No percentile: behind one of a tenth of a second, on a busy machine, may stand too little.
    saved = tmp_path / "duel.json"
    result = run_volley("duel", "--rounds", "2", "--duration", "100ms", "--warm-up", "0s",
                        "--quiet", "--report", f"json:{saved}", "--fail-if", "tcp: duration > 1h",
                        "--fail-if", "udp-rr: achieved < 1/s", timeout=30)
    assert result.code == 0, str(result)
    again = run_volley("report", saved, "--fail-if", "udp: achieved > 1/s")
    assert again.code == 99 and ", in run 1 of udp rr; see the report" in again.stderr, str(again)
    assert "FAIL  --fail-if 'udp:achieved>1/s': it is " in again.stdout, str(again)
