"""The files of HdrHistogram: its own log processor (Debian's libhdrhistogram-java) reads the log,
and a row by the rule of hdr-plot the percentile tables."""
# ctest: timeout 180

import json
import pathlib
import re
import shutil
import subprocess

import pytest

from exported import hostile, measure, with_lost
from harness import PATIENCE, run_volley
from judging import DecodedHistogram

JARS = [jar for jar in (pathlib.Path("/usr/share/java/HdrHistogram.jar"),
                        pathlib.Path("/usr/share/java/hdrhistogram.jar")) if jar.exists()]
# hdr-plot: blanks, and four columns of numbers.
ROW = re.compile(r"^ +(\d+\.\d+) +(\d\.\d+) +(\d+) +(\d+\.\d+)$")
LAST_ROW = re.compile(r"^ +(\d+\.\d+) +1\.0+ +(\d+)$")
needs_java = pytest.mark.skipif(shutil.which("java") is None,
                                reason="no java (package default-jdk-headless)")


@pytest.fixture(scope="module", name="reports")
def fixture_reports(tmp_path_factory):
    return measure(tmp_path_factory.mktemp("measured"))


def write(report, folder, name):
    """Renders a report (a dict) and returns the files written."""
    saved = folder / f"{name}-saved.json"
    saved.write_text(json.dumps(report), encoding="utf-8")
    result = run_volley("report", saved, "--report", f"hdr:{folder}/{name}", timeout=30)
    assert result.code == 0, str(result)
    return sorted(f.name for f in folder.iterdir() if f.name.startswith(name + "."))


def processed(log, *args):
    """What HistogramLogProcessor makes of a log, in us (with three decimals, so exactly)."""
    assert JARS, "no HdrHistogram in /usr/share/java: install the package libhdrhistogram-java"
    return subprocess.run(["java", "-Xmx128m", "-cp", JARS[0],
                           "org.HdrHistogram.HistogramLogProcessor", "-i", log,
                           "-outputValueUnitRatio", "1000", *args],
                          capture_output=True, text=True, timeout=60 * PATIENCE, check=False)


def table(text):
    """The rows of a percentile table: (percentile, value, count), the last as well."""
    rows = []
    for line in text.splitlines():
        match = ROW.match(line)
        if match:
            rows.append((float(match[2]), float(match[1]), int(match[3])))
        elif LAST_ROW.match(line):
            rows.append((1.0, float(LAST_ROW.match(line)[1]), int(LAST_ROW.match(line)[2])))
    return rows


def merged(report, protocol, latency):
    """Counts by index of all rounds together."""
    counts = {}
    for run in report["runs"]:
        if run["protocol"] == protocol:
            for index, n in DecodedHistogram(run["latency_ns"][latency]["histogram"]).counts.items():
                counts[index] = counts.get(index, 0) + n
    return counts


def value_at(counts, rank):
    """The highest value of the counter that holds the sample of this rank."""
    seen = 0
    for index in sorted(counts):
        seen += counts[index]
        if seen >= rank:
            return DecodedHistogram.lowest_of(index + 1) - 1
    raise AssertionError("no such rank")


def test_writes_a_log_and_a_table_for_each_protocol_that_ran(reports, tmp_path):
    assert write(reports["run"], tmp_path, "run") == ["run.hlog", "run.udp.hgrm"]
    assert write(reports["duel"], tmp_path, "duel") == ["duel.hlog", "duel.tcp.hgrm",
                                                        "duel.udp.hgrm"]
    assert write({**reports["run"], "runs": [], "verdict": None}, tmp_path, "none") == []


@needs_java
def test_the_log_processor_finds_our_percentiles(reports, tmp_path):
    write(reports["duel"], tmp_path, "duel")
    log = tmp_path / "duel.hlog"
    tags = processed(log, "-listtags").stdout
    for protocol in ("udp", "tcp"):
        for latency in ("response_delivered", "service", "send_lag"):
            assert f"{protocol}-rr.{latency}" in tags
        result = processed(log, "-tag", f"{protocol}-rr.service")
        assert result.returncode == 0, result.stderr
        rows = table(result.stdout)
        counts = merged(reports["duel"], protocol, "service")
        total = sum(counts.values())
        assert rows[-1][2] == total
        assert len(rows) > 20
        for percentile, value, count in rows:
            assert round(value * 1000) == value_at(counts, count), (percentile, value)
            assert count >= percentile * total * (1 - 1e-9)


@needs_java
def test_the_log_processor_refuses_a_damaged_line(reports, tmp_path):
    write(reports["run"], tmp_path, "run")
    log = tmp_path / "run.hlog"
    text = log.read_text(encoding="ascii")
    assert processed(log, "-tag", "udp-rr.service").returncode == 0
    log.write_text(text.replace("HISTFAAA", "HISTFAAB"), encoding="ascii")
    result = processed(log, "-tag", "udp-rr.service")
    assert result.returncode != 0 or not table(result.stdout)


def test_the_log_has_the_form_and_the_times_of_the_report(reports, tmp_path):
    write(hostile(reports["duel"]), tmp_path, "bad")
    lines = (tmp_path / "bad.hlog").read_text(encoding="ascii").splitlines()
    assert lines[0] == "#[Histogram log format version 1.3]"
    assert re.fullmatch(r"#\[StartTime: \d+\.\d{3} \(seconds since epoch\), "
                        r"\w{3} \w{3} \d\d \d\d:\d\d:\d\d UTC \d{4}\]", lines[1])
    assert lines[2].startswith('"StartTimestamp"')
    starts = {}
    for line in lines[3:]:
        tag, start, length, most, text = line.split(",")
        assert re.fullmatch(r"Tag=[a-z0-9._-]+", tag)
        assert float(length) == pytest.approx(0.5, abs=0.3) and float(most) >= 0
        starts.setdefault(tag, []).append(float(start))
        DecodedHistogram(text)
    assert all(len(times) == 2 and times[0] < times[1] for times in starts.values())


def test_the_table_is_that_of_all_rounds(reports, tmp_path):
    write(reports["duel"], tmp_path, "duel")
    for side in reports["duel"]["comparison"]["sides"]:
        protocol = side["protocol"]
        text = (tmp_path / f"duel.{protocol}.hgrm").read_text(encoding="ascii")
        counts = merged(reports["duel"], protocol, "response")
        lost = side["lost"]
        total = sum(counts.values()) + lost
        rows = table(text)
        assert re.search(rf"#\[Max     = +\d+\.\d{{3}}, Total count    = +{total}\]", text)
        assert re.search(r"#\[Mean    = +\d+\.\d{3}, StdDeviation   = +\d+\.\d{3}\]", text)
        assert len(rows) > 20
        assert rows == sorted(rows)
        most = max(r["latency_ns"]["response_delivered"]["max"] for r in reports["duel"]["runs"]
                   if r["protocol"] == protocol)
        for percentile, value, count in rows:
            assert value == pytest.approx(min(value_at(counts, count), most) / 1e6, abs=0.00051)
            assert count >= percentile * total * (1 - 1e-9)
        assert (rows[-1][0] == 1.0) == (lost == 0)


@needs_java
def test_the_table_has_the_rows_that_java_would_write(reports, tmp_path):
    write(reports["run"], tmp_path, "run")
    if reports["run"]["runs"][0]["requests"]["lost"]:
        pytest.skip("this run lost requests, and a log cannot hold those")
    java = table(processed(tmp_path / "run.hlog", "-tag", "udp-rr.response_delivered").stdout)
    ours = table((tmp_path / "run.udp.hgrm").read_text(encoding="ascii"))
    assert [(p, n) for p, _, n in ours] == [(p, n) for p, _, n in java]


def test_the_table_ends_where_the_lost_begin(reports, tmp_path):
    report = with_lost(reports["run"], 500)
    write(report, tmp_path, "lost")
    run = report["runs"][0]
    count, lost = run["latency_ns"]["response"]["count"], run["requests"]["lost"]
    text = (tmp_path / "lost.udp.hgrm").read_text(encoding="ascii")
    rows = table(text)
    assert f"Total count    = {count + lost:12}]" in text
    assert f"#[Lost    = {lost:12}, longer than any Value]" in text
    assert 0.75 * count / (count + lost) < rows[-1][0] <= count / (count + lost) < 1


def test_a_row_that_hdr_plot_would_lose_is_seen_to_be_lost():
    assert not table("12345678.123 0.500000000000        100           2.00")
    assert table(" 2345678.123 0.500000000000        100           2.00")
