"""--live: the lines of ndjson while a run goes on, for whoever reads along; and what is left on the
disk when the program is killed."""

import contextlib
import fcntl
import json
import os
import random
import re
import signal
import socket
import threading
from pathlib import Path

import pytest

from harness import PATIENCE, finish, run_volley, start_volley, wait_until
from judging import check_report, strict_json

SHORT = ("--duration", "400ms", "--warm-up", "0s", "--interval", "100ms", "--progress", "none")
SUMS = ("sent", "completed", "lost", "late", "duplicates", "reordered", "held_back", "errors",
        "unsent")


def events_of(text):
    assert text.endswith(b"\n"), text[-200:]
    return [strict_json(line) for line in text.splitlines()]


def names_of(events):
    return [(event["event"], event["data"]["run"]) for event in events]


def of_run(events, event, run):
    return [e["data"] for e in events if e["event"] == event and e["data"]["run"] == run]


def check_sums(events, run):
    (end,) = of_run(events, "end", run)
    intervals = of_run(events, "interval", run)
    for key in SUMS:
        assert sum(i[key] or 0 for i in intervals) == end["requests"][key], key
    assert sum(i["bytes_sent"] for i in intervals) == end["bytes"]["sent"]


@pytest.mark.parametrize("load", [("udp", "--rate", "3k"), ("tcp", "--flows", "3"),
                                  ("udp", "--workload", "stream", "--rate", "3k")],
                         ids=["open", "closed", "stream"])
def test_it_has_the_lines_of_the_finished_report(tmp_path, load):
    live, at_end = tmp_path / "live", tmp_path / "end"
    result = run_volley("run", *load, *SHORT, "--live", live, "--report", f"ndjson:{at_end}")
    assert result.code == 0, str(result)
    events, later = events_of(live.read_bytes()), events_of(at_end.read_bytes())
    assert len(of_run(events, "interval", 1)) >= 4
    check_sums(events, 1)
    # What the kernel made of a wish is not known before.
    assert later[1]["data"]["config"].items() >= events[1]["data"].pop("config").items()
    del later[1]["data"]["config"]
    if "stream" in load:  # its receiver tells at the end
        for event in later:
            if event["event"] == "interval" and event["data"]["completed"] == 0:
                event["data"]["completed"] = event["data"]["lost"] = None
    assert events == later


def test_a_warning_that_only_the_end_can_tell_is_there_too(start_target, tmp_path):
    """One request at a time that takes 2 ms, 1,000 due a second: the last leaves long after."""
    target = start_target("udp-echo", "--service-time", "fixed:2ms")
    live, at_end = tmp_path / "live", tmp_path / "end"
    result = run_volley("run", target.endpoint("udp"), "--rate", "1k", "--depth", "1", *SHORT,
                        "--live", live, "--report", f"ndjson:{at_end}")
    assert result.code == 0, str(result)
    events, later = events_of(live.read_bytes()), events_of(at_end.read_bytes())
    told = of_run(events, "warning", 1)
    assert any("fell behind its schedule" in warning["text"] for warning in told), events
    assert sorted(w["text"] for w in told) == sorted(
        w["text"] for w in of_run(later, "warning", 1))
    assert names_of(events)[-2:] == [("end", 1), ("end", None)]


def test_a_line_is_there_as_soon_as_its_interval_has_ended(tmp_path):
    live = tmp_path / "live"
    process = start_volley("run", "udp", "--duration", "60s", "--warm-up", "0s", "--interval", "50ms",
                           "--live", live, "--report", "json", "--progress", "none")
    wait_until(lambda: live.exists() and live.read_bytes().count(b"\n") >= 4, "two intervals")
    process.send_signal(signal.SIGINT)
    result = finish(process, process.argv, 10, process.started)
    assert result.code == 130, str(result)
    check_report(result.json)
    events = events_of(live.read_bytes())
    assert names_of(events)[:3] == [("start", None), ("start", 1), ("interval", 1)]
    assert names_of(events)[-2:] == [("end", 1), ("end", None)]
    assert [e["data"]["status"] for e in events[-2:]] == ["interrupted", "interrupted"]
    check_sums(events, 1)


def test_stdout_has_nothing_else(tmp_path):
    report = tmp_path / "r.json"
    result = run_volley("duel", "--rounds", "1", *SHORT, "--live", "-", "--label", "a=</x>\n\x1b[1m",
                        "--report", f"json:{report}", "--fail-if", "loss>=0")
    assert result.code == 99, str(result)
    events = events_of(result.stdout_bytes)
    names = [n for n in names_of(events) if n[0] != "interval"]
    assert names == [("start", None), ("start", 1), ("end", 1), ("start", 2), ("end", 2),
                     ("end", None)]
    assert events[0]["data"]["labels"] == {"a": "</x>\n\x1b[1m"}
    saved = json.loads(report.read_text())
    for number, run in enumerate(saved["runs"], 1):
        check_sums(events, number)
        (end,) = of_run(events, "end", number)
        assert end["load"] == {key: run["load"][key] for key in end["load"]}
    (last,) = of_run(events, "end", None)
    assert [t["pass"] for t in last["thresholds"]] == [False]


def test_a_run_that_cannot_start_ends_the_stream_with_its_error(tmp_path):
    live = tmp_path / "live"
    result = run_volley("run", "tcp://127.0.0.1:1", *SHORT, "--live", live, "--quiet")
    assert result.code == 1, str(result)
    events = events_of(live.read_bytes())
    assert names_of(events) == [("start", None), ("end", None)]
    assert events[-1]["data"]["error"]["code"] == "refused"


def with_pipe(read_all, *words, room=4096, progress="none", prefix=()):
    """A run whose stream goes into a pipe with so much room, and what has been read from it."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, room)
    process = start_volley("run", "udp", *words, "--warm-up", "0s", "--progress", progress, "--live",
                           f"/dev/fd/{writer}", "--report", "json", pass_fds=(writer,), prefix=prefix)
    os.close(writer)
    read = bytearray()

    def drain():
        while piece := os.read(reader, 65536):
            read.extend(piece)

    thread = threading.Thread(target=drain)
    if read_all:
        thread.start()
    try:
        if read_all is None:
            os.close(reader)
        return finish(process, process.argv, 20, process.started), read
    finally:
        if read_all:
            thread.join(timeout=10)
        if read_all is not None:
            os.close(reader)


def test_lines_longer_than_a_pipe_come_whole():
    result, read = with_pipe(True, "--duration", "400ms", "--interval", "100ms", "--label", f"long={'x' * 20_000}")
    assert result.code == 0, str(result)
    events = events_of(bytes(read))
    assert len(events[0]["data"]["labels"]["long"]) == 20_000
    check_sums(events, 1)


@pytest.mark.parametrize("read_all, words", [(False, "its reader has held it up for a second"),
                                             (None, "Broken pipe")], ids=["deaf", "gone"])
def test_a_reader_that_does_not_read_is_given_up_and_the_run_goes_on(read_all, words):
    result, _ = with_pipe(read_all, "--duration", "1500ms", "--interval", "20ms")
    assert result.code == 1, str(result)
    assert result.stderr.count(words) == 1 and "--live /dev/fd/" in result.stderr, str(result)
    assert result.run["status"] == "ok" and result.run["duration_s"] == 1.5
    check_report(result.json)


def test_what_is_said_of_a_reader_that_is_given_up_has_a_line_of_its_own(monkeypatch):
    """On a terminal, where the progress line is drawn."""
    monkeypatch.setenv("TERM", "xterm")
    screen, terminal = os.openpty()
    name = os.ttyname(terminal)
    shown = bytearray()

    def watch():
        with contextlib.suppress(OSError):  # the last one who had it open is gone
            while piece := os.read(screen, 65536):
                shown.extend(piece)

    thread = threading.Thread(target=watch)
    thread.start()
    result, _ = with_pipe(False, "--duration", "2500ms", "--interval", "20ms",
                          room=16384, progress="auto", prefix=("sh", "-c", 'exec "$@" 2>"$0"', name))
    os.close(terminal)
    thread.join(timeout=10)
    os.close(screen)
    assert result.code == 1, str(result)
    before, said = bytes(shown).split(b"volley: --live /dev/fd/")
    assert b"s left" in before, "no line was drawn"
    assert before.endswith(b"\x1b[J"), before[-200:]
    assert re.match(rb"\d+: its reader has held it up for a second; [^\n\x1b]*\n", said), said[:200]


def test_a_reader_that_is_always_late_is_given_up():
    """One page whenever it comes to that: each wait is short, all of them are not."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    process = start_volley("run", "udp", "--duration", "60s", "--warm-up", "0s", "--interval", "10ms",
                           "--live", f"/dev/fd/{writer}", "--progress", "none", "--report", "json",
                           pass_fds=(writer,))
    os.close(writer)
    stop = threading.Event()

    def dawdle():
        while os.read(reader, 4096) and not stop.wait(0.3):
            pass

    thread = threading.Thread(target=dawdle)
    thread.start()
    try:
        said = process.stderr.readline()
        assert b"has held it up for a second" in said, said
        process.send_signal(signal.SIGINT)
        result = finish(process, process.argv, 10, process.started)
        assert result.code == 1 and result.run["status"] == "interrupted", str(result)
    finally:
        stop.set()
        thread.join(timeout=10)
        os.close(reader)


def test_of_a_stream_to_a_stranger_nothing_is_known_of_what_arrived(tmp_path):
    live, at_end = tmp_path / "live", tmp_path / "end"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.bind(("127.0.0.1", 0))
        result = run_volley("run", f"udp://127.0.0.1:{sink.getsockname()[1]}", "--workload", "stream",
                            "--rate", "1k", *SHORT, "--live", live, "--report", f"ndjson:{at_end}")
    assert result.code == 0, str(result)
    intervals = of_run(events_of(live.read_bytes()), "interval", 1)
    assert intervals == of_run(events_of(at_end.read_bytes()), "interval", 1)
    assert {(i["completed"], i["lost"]) for i in intervals} == {(None, None)}


@pytest.mark.parametrize("words, said", [
    (("--live", "-", "--report", "json"), "--live -: a report goes there too (json) [one]"),
    (("--live", "/dev/stdout", "--report", "csv:-"), "a report goes there too (csv)"),
    (("--live", "/dev/fd/1", "--report", "json"), "--live /dev/fd/1: a report goes there too (json)"),
    (("--live", "x/../r", "--report", "json:r"), "a report goes there too (json)"),
    (("--live", ""), "--live: no file [FILE or -]"),
])
def test_one_place_cannot_have_two(tmp_path, words, said):
    (tmp_path / "x").mkdir()
    result = run_volley("run", "udp", *SHORT, *words, cwd=tmp_path)
    assert result.code == 2 and said in result.stderr, str(result)
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


def test_a_place_that_cannot_be_written_is_told_before_the_run(tmp_path):
    result = run_volley("run", "udp", *SHORT, "--live", tmp_path / "none" / "x")
    assert result.code == 1 and "cannot be opened: No such file" in result.stderr, str(result)
    assert result.seconds < 3
    result = run_volley("run", "udp", *SHORT, "--live", "/dev/full", "--quiet")
    assert result.code == 1 and "No space left on device" in result.stderr, str(result)


def test_killed_at_any_moment_it_leaves_the_old_report_or_a_whole_new_one(tmp_path):
    """And of the stream whatever was written: whole lines, in order."""
    report, live = tmp_path / "r.json", tmp_path / "live"
    report.write_text('{"old": true}\n')
    random.seed(5)
    found = set()
    for attempt in range(24):
        process = start_volley("run", "udp", "--requests", "300", "--warm-up", "0s", "--interval",
                               "10ms", "--progress", "none", "--report", f"json:{report}",
                               "--live", live)
        delay = 0.2 * random.random() if attempt < 20 else 5
        timer = threading.Timer(delay, lambda p=process: p.poll() is None and p.kill())
        timer.start()
        process.communicate(timeout=20)
        timer.cancel()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        saved = strict_json(report.read_bytes())
        found.add("old" in saved)
        if "old" not in saved:
            check_report(saved)
            assert saved["status"] == "ok"
        if live.exists() and live.read_bytes():
            assert names_of(events_of(live.read_bytes()))[0] == ("start", None)
    assert False in found, "not one run came to its end"


@pytest.mark.skipif(PATIENCE > 1, reason="a sanitizer remembers what was freed")
def test_memory_does_not_grow_with_the_time(tmp_path):
    """But for a row of figures an interval: 20 s of them, a tenth of a second each."""
    live = tmp_path / "live"
    process = start_volley("run", "udp", "--rate", "2k", "--duration", "20s", "--warm-up", "0s",
                           "--interval", "100ms", "--live", live, "--progress", "none", "--report",
                           "json")

    def resident_after(intervals):
        def enough():
            return live.exists() and live.read_bytes().count(b'"event":"interval"') >= intervals
        wait_until(enough, f"{intervals} intervals", 25)
        fields = dict(line.split(":\t", 1) for line in
                      Path(f"/proc/{process.pid}/status").read_text().splitlines())
        return int(fields["VmRSS"].split()[0]) * 1024

    early, late = resident_after(20), resident_after(190)
    result = finish(process, process.argv, 20, process.started)
    starts = [interval["start_s"] for interval in result.run["intervals"]]
    # The answer to the last request may come when the 200th has ended.
    assert result.code == 0 and len(starts) in (200, 201), str(result)
    assert starts == pytest.approx([n / 10 for n in range(len(starts))])
    assert late - early < 170 * 16_384, "some KiB an interval, as vectors grow"
