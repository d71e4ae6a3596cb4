# ctest: serial
"""A target that stalls for one second shows what a closed loop cannot see: with a schedule every
request that was due in the stall waits, and the report says so; without one only one does."""

from harness import run_volley
from judging import DecodedHistogram, check_report, strict_json

MILLISECOND = 1_000_000
SECOND = 1_000 * MILLISECOND


def stalled_run(start_target, folder, *load):
    target = start_target("tcp-echo", "--stall", "1s@4s")
    saved = folder / "report.json"
    result = run_volley("run", target.endpoint("tcp"), "--duration", "10s", "--warm-up", "0s",
                        *load, "--report", "text", "--report", f"json:{saved}", timeout=30)
    assert result.code == 0, str(result)
    report = strict_json(saved.read_bytes())
    check_report(report)
    return result.stdout, report["runs"][0]


def test_an_open_loop_sees_the_whole_stall(start_target, tmp_path):
    text, run = stalled_run(start_target, tmp_path, "--rate", "1000", "--arrival", "constant")
    response = run["latency_ns"]["response"]
    # one in ten of the 10,000 requests is due in the stall and waits for what is left of it
    for share, wait in ((0.95, 0.5), (0.99, 0.9)):
        found = DecodedHistogram(response["histogram"]).at(share, run["requests"]["lost"])
        assert abs(found - wait * SECOND) <= 50 * MILLISECOND, found
    # but one stall is one event, from which no rate of such waits can be told
    assert response["p99"] is None and response["evidence"]["p99"]["tail_events"] <= 2, response
    assert "few" in text and response["max"] >= 0.95 * SECOND, text
    assert run["requests"]["completed"] == run["requests"]["planned"] == 10_000
    assert "open loop" in text.lower() and "constant" in text.lower(), text


def test_a_closed_loop_sees_one_slow_request(start_target, tmp_path):
    text, run = stalled_run(start_target, tmp_path, "--flows", "1")
    response = run["latency_ns"]["response"]
    found = DecodedHistogram(response["histogram"]).at(0.99, 0)
    assert found < 5 * MILLISECOND, found
    assert response["max"] >= 0.95 * SECOND, response["max"]
    assert "closed loop" in text.lower(), text
