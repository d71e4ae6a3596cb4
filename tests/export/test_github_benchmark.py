"""--report github-benchmark: two lists, by the rules of the action that reads them."""

import copy
import json
import re

import pytest

from exporting import failed, hostile, strict
from harness import run_volley

UNITS = {"ns", "ops/s", "bit/s", "ratio", "count"}


def read(text):
    """What the action takes, without what it takes in silence ("undefined", null as 0)."""
    entries = strict(text)
    if not isinstance(entries, list) or not entries:
        raise ValueError("a list with entries")
    for entry in entries:
        if not {"name", "unit", "value"} <= set(entry) <= {"name", "unit", "value", "range",
                                                            "extra"}:
            raise ValueError(f"keys {list(entry)}")
        if not isinstance(entry["name"], str) or not re.fullmatch(r"[A-Za-z0-9_./=-]{1,200}",
                                                                   entry["name"]):
            raise ValueError(f"name {entry['name']}")
        if entry["unit"] not in UNITS:
            raise ValueError(f"unit {entry['unit']}")
        if isinstance(entry["value"], bool) or not isinstance(entry["value"], (int, float)):
            raise ValueError(f"value {entry['value']}")
        if "range" in entry and not re.fullmatch(r"(\+-|±)\s*\d+(\.\d+)?", entry["range"]):
            raise ValueError(f"range {entry['range']}")
        if not isinstance(entry.get("extra", ""), str):
            raise ValueError(f"extra {entry['extra']}")
    if len({entry["name"] for entry in entries}) != len(entries):
        raise ValueError("a name comes twice")
    return {entry["name"]: entry for entry in entries}


def rendered(report, folder):
    """part -> text, of the files that were written."""
    (folder / "saved.json").write_text(json.dumps(report), encoding="utf-8")
    for old in folder.glob("bench*"):
        old.unlink()
    result = run_volley("report", folder / "saved.json", "--report",
                        f"github-benchmark:{folder}/bench.json", timeout=30)
    assert result.code == 0, str(result)
    assert not list(folder.glob(".*")), "nothing is left of the files that were not written"
    return {file.name.split(".")[1]: file.read_text(encoding="utf-8")
            for file in folder.glob("bench*")}


def test_of_a_run_is_two_files_by_direction(one_run, tmp_path):
    files = rendered(one_run, tmp_path)
    assert sorted(files) == ["bigger", "smaller"]
    smaller, bigger = read(files["smaller"]), read(files["bigger"])
    run = one_run["runs"][0]
    response = run["latency_ns"]["response"]
    assert set(bigger) == {"udp-rr/achieved", "udp-rr/goodput"}
    assert bigger["udp-rr/achieved"]["unit"] == "ops/s"
    assert bigger["udp-rr/achieved"]["value"] == pytest.approx(run["load"]["achieved_per_s"])
    assert smaller["udp-rr/loss_ratio"]["value"] == run["requests"]["loss_ratio"]
    median = smaller["udp-rr/response_p50"]
    assert (median["unit"], median["value"]) == ("ns", response["p50"])
    interval = response["ci95"]["p50"]
    if interval["high"] is not None:
        half = float(median["range"].removeprefix("± "))
        assert half == max(response["p50"] - interval["low"], interval["high"] - response["p50"])
    assert ("udp-rr/response_p99_9" in smaller) == (response["p99_9"] is not None)


def test_of_a_duel_has_both_protocols(duel, tmp_path):
    smaller = read(rendered(duel, tmp_path)["smaller"])
    assert {name.split("/")[0] for name in smaller} == {"udp-rr", "tcp-rr"}
    assert "rounds: 2" in smaller["udp-rr/loss_ratio"]["extra"]


def test_of_nothing_is_no_file(one_run, tmp_path):
    assert rendered(failed(one_run), tmp_path) == {}


def test_that_gets_only_smaller_figures_is_one_file(one_run, tmp_path):
    fewer = copy.deepcopy(one_run)
    fewer["runs"][0]["load"]["achieved_per_s"] = None
    fewer["runs"][0]["bytes"]["goodput_bits_per_s"] = None
    assert list(rendered(fewer, tmp_path)) == ["smaller"]


def test_takes_hostile_text(duel, tmp_path):
    files = rendered(hostile(duel), tmp_path)
    plain = rendered(duel, tmp_path)
    assert len(read(files["smaller"])) == len(read(plain["smaller"]))


@pytest.mark.parametrize("broken", [
    '[]', '{}', '[{"name":"a","value":1}]', '[{"unit":"ns","value":1}]',
    '[{"name":"a","unit":"ns","value":null}]', '[{"name":"a","unit":"ns","value":NaN}]',
    '[{"name":"a","unit":"ns","value":1,"range":null}]',
    '[{"name":"a","unit":"ns","value":1},{"name":"a","unit":"ns","value":1}]'])
def test_the_reader_refuses_what_is_wrong(broken):
    with pytest.raises((ValueError, TypeError)):
        read(broken)
