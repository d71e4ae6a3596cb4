"""--report ndjson: a line per event, each JSON, the intervals of a run adding up to its end."""

import json

import pytest

from exporting import HOSTILE, failed, hostile, render, strict

SUMMED = ("sent", "completed", "lost", "late", "errors", "unsent", "duplicates", "reordered",
          "held_back")


def read(text):
    """The runs of a stream: number -> their events; refuses a stream that is none."""
    if not text.endswith("\n") or "\r" in text:
        raise ValueError("lines end in a line feed")
    events = [strict(line) for line in text.split("\n")[:-1]]
    runs, closed = {}, set()
    for event in events:
        if set(event) != {"event", "data"} or event["event"] not in ("start", "interval",
                                                                      "warning", "end"):
            raise ValueError(f"no event: {event}")
        number = event["data"]["run"]
        if number in closed or (event["event"] == "start") != (number not in runs):
            raise ValueError(f"out of order: {event}")
        runs.setdefault(number, []).append(event)
        if event["event"] == "end":
            closed.add(number)
    if closed != set(runs) or events[0]["data"]["run"] or events[-1]["data"]["run"]:
        raise ValueError("something has no end")
    for number, of_run in runs.items():
        intervals = [e["data"] for e in of_run if e["event"] == "interval"]
        for key in SUMMED if number and intervals else ():
            total = of_run[-1]["data"]["requests"][key]
            if total is not None and sum(i[key] for i in intervals) != total:
                raise ValueError(f"{key} of run {number} does not add up")
    return runs


def test_of_a_run_adds_up(one_run, tmp_path):
    runs = read(render(one_run, "ndjson", tmp_path))
    assert list(runs) == [None, 1]
    events, run = runs[1], one_run["runs"][0]
    assert [e["event"] for e in events].count("interval") == len(run["intervals"]) > 0
    assert [e["data"] for e in events if e["event"] == "interval"] == [
        {"run": 1, **interval} for interval in run["intervals"]]
    assert events[0]["data"]["endpoint"] == run["endpoint"]
    assert events[-1]["data"]["latency_ns"]["response"]["p50"] == (
        run["latency_ns"]["response"]["p50"])
    end = runs[None][-1]["data"]
    assert end["thresholds"] == one_run["thresholds"] and end["verdict"] == one_run["verdict"]


def test_of_a_duel_has_every_run(duel, tmp_path):
    runs = read(render(duel, "ndjson", tmp_path))
    assert list(runs) == [None, 1, 2, 3, 4]
    assert runs[None][-1]["data"]["comparison"] == duel["comparison"]["sentence"]


def test_of_a_failed_run_says_why(one_run, tmp_path):
    runs = read(render(failed(one_run), "ndjson", tmp_path))
    end = runs[None][-1]["data"]
    assert end["status"] == "failed" and end["error"]["code"] == "refused"


def test_takes_hostile_text_and_gives_it_back(one_run, tmp_path):
    events = read(render(hostile(one_run), "ndjson", tmp_path))[1]
    assert events[0]["data"]["endpoint"] == HOSTILE
    warnings = [e["data"]["text"] for e in events if e["event"] == "warning"]
    assert warnings == [HOSTILE, HOSTILE]


@pytest.mark.parametrize("edit", [
    lambda lines: lines[:-1], lambda lines: lines[1:], lambda lines: lines + [lines[2]],
    lambda lines: [lines[0], *lines[2:]], lambda lines: lines + ["{}"],
    lambda lines: [*lines[:2], lines[2].replace('"sent":', '"sent":1'), *lines[3:]],
    lambda lines: [lines[0][:-1], *lines[1:]]])
def test_the_reader_refuses_what_is_wrong(one_run, tmp_path, edit):
    lines = render(one_run, "ndjson", tmp_path).split("\n")[:-1]
    assert json.loads(lines[2])["event"] == "interval"
    with pytest.raises(ValueError):
        read("\n".join(edit(lines)) + "\n")
