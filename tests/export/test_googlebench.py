"""--report googlebench: what compare.py and another reader of Google Benchmark JSON take."""

# ctest: timeout 180

import copy
import json
import re
import subprocess
from pathlib import Path

import pytest

import exporting
from exporting import failed, hostile, render, strict

COMPARE = Path("/usr/share/benchmark/compare.py")
UNITS = {"ps": 1e-3, "ns": 1, "us": 1e3, "µs": 1e3, "ms": 1e6, "s": 1e9}


def read(text):
    """As Bencher's cpp_google reads it: name -> latencies in ns. One bad row spoils the file."""
    found = strict(text)
    if not isinstance(found["context"]["caches"], list):
        raise TypeError("caches is a list")
    rows = {}
    for row in found["benchmarks"]:
        if isinstance(row["real_time"], bool) or not isinstance(row["real_time"], (int, float)):
            raise TypeError(f"real_time {row['real_time']}")
        if not isinstance(row["cpu_time"], (int, float)) or row["threads"] < 1:
            raise TypeError(f"cpu_time {row['cpu_time']}, threads {row['threads']}")
        if not isinstance(row["iterations"], int) or row["iterations"] < 1:
            raise ValueError(f"iterations {row['iterations']}")
        if not isinstance(row["name"], str) or "error_occurred" in row:
            raise ValueError("a row of an error")
        rows.setdefault(row["name"], []).append(row["real_time"] * UNITS[row["time_unit"]])
    return rows


def compare(folder, one, other):
    """compare.py, with the U test."""
    assert COMPARE.exists(), f"{COMPARE} is needed: install libbenchmark-tools (scripts/test does)"
    (folder / "one.json").write_text(one, encoding="utf-8")
    (folder / "other.json").write_text(other, encoding="utf-8")
    return subprocess.run(["/usr/bin/python3", "-B", COMPARE, "--no-color", "benchmarks",
                           folder / "one.json", folder / "other.json"],
                          capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def nine_rounds(tmp_path_factory):
    """As many repetitions as the U test wants."""
    return exporting.measure(tmp_path_factory.mktemp("nine"), "duel", "--rounds", "9",
                             "--duration", "100ms", "--warm-up", "50ms")


def test_has_a_row_per_round_and_time(duel, tmp_path):
    text = render(duel, "googlebench", tmp_path)
    rows = read(text)
    assert {name.split("/")[0] for name in rows} == {"udp-rr", "tcp-rr"}
    udp = [run for run in duel["runs"] if run["protocol"] == "udp"]
    assert rows["udp-rr/response_p50"] == [
        run["latency_ns"]["response"]["p50"] for run in udp]
    row = next(r for r in strict(text)["benchmarks"] if r["name"] == "udp-rr/response_p50")
    generator = udp[0]["generator"]
    completed = udp[0]["requests"]["completed"]
    cpu_ns = (generator["cpu_user_s"] + generator["cpu_system_s"]) * 1e9 / completed
    assert row["cpu_time"] == pytest.approx(cpu_ns)
    assert (row["iterations"], row["threads"]) == (completed, generator["threads"])
    assert (row["repetitions"], row["repetition_index"]) == (2, 0)
    assert row["items_per_second"] == pytest.approx(udp[0]["load"]["achieved_per_s"])
    assert row["bytes_per_second"] == pytest.approx(udp[0]["bytes"]["goodput_bits_per_s"] / 8)


def test_leaves_out_rounds_without_a_figure_and_unfinished_ones(duel, tmp_path):
    edited = copy.deepcopy(duel)
    edited["runs"][0]["latency_ns"]["response"]["p50"] = None
    first = edited["runs"][0]["protocol"]
    other = next(run for run in edited["runs"] if run["protocol"] != first)
    other["status"] = "interrupted"
    rows = read(render(edited, "googlebench", tmp_path))
    assert len(rows[f"{first}-rr/response_p50"]) == 1
    assert len(rows[f"{first}-rr/send_lag_p99" if f"{first}-rr/send_lag_p99" in rows
                    else f"{first}-rr/response_mean"]) <= 2
    assert len(rows[f"{other['protocol']}-rr/response_p50"]) == 1


def test_is_what_the_u_test_of_compare_py_takes(nine_rounds, tmp_path):
    text = render(nine_rounds, "googlebench", tmp_path)
    assert len(read(text)["udp-rr/response_p50"]) == 9
    other = re.sub(r'"real_time": (\d+)', lambda m: f'"real_time": {int(m[1]) * 3}', text)
    assert other != text
    result = compare(tmp_path, text, other)
    assert result.returncode == 0, result.stderr
    lines = [line for line in result.stdout.splitlines()
             if line.startswith("udp-rr/response_p50_pvalue")]
    assert lines and "U Test, Repetitions: 9 vs 9" in lines[0], result.stdout
    assert float(lines[0].split()[1]) < 0.05, "three times as long is seen"
    assert "WARNING" not in lines[0], "nine repetitions are enough"


def test_compare_py_stops_at_a_row_without_its_time(duel, tmp_path):
    text = render(duel, "googlebench", tmp_path)
    broken = strict(text)
    del broken["benchmarks"][0]["real_time"]
    result = compare(tmp_path, text, json.dumps(broken))
    assert result.returncode != 0 and "KeyError" in result.stderr


def test_of_nothing_has_no_rows(one_run, tmp_path):
    assert read(render(failed(one_run), "googlebench", tmp_path)) == {}


def test_takes_hostile_text(duel, tmp_path):
    rows = read(render(hostile(duel), "googlebench", tmp_path))
    assert len(rows) == len(read(render(duel, "googlebench", tmp_path)))
    assert all(re.fullmatch("[a-z0-9._-]+/[a-z0-9_]+", name) for name in rows)


@pytest.mark.parametrize("key, value", [("real_time", None), ("time_unit", "min"),
                                        ("cpu_time", "1"), ("iterations", 0),
                                        ("error_occurred", True)])
def test_the_reader_refuses_what_is_wrong(duel, tmp_path, key, value):
    broken = strict(render(duel, "googlebench", tmp_path))
    broken["benchmarks"][0][key] = value
    with pytest.raises((ValueError, TypeError, KeyError)):
        read(json.dumps(broken))
    broken["context"]["caches"] = None
    with pytest.raises(TypeError):
        read(json.dumps(broken))
