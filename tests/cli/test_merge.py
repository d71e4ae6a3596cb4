"""volley merge: reports of generators that ran at once add up to one report."""

import csv
import json
import math
import os
from collections import Counter

import pytest

from harness import finish, run_volley, start_volley
from judging import DecodedHistogram, check_report, strict_json

PLAN = ("--duration", "1s", "--warm-up", "0s", "--threads", "1", "--interval", "500ms")


def run_at_once(folder, endpoint, *extras):
    """A generator for each of `extras` against one target, at the same time; their report files."""
    started = []
    for number, extra in enumerate(extras):
        file = folder / f"{number}.json"
        started.append((file, start_volley("run", endpoint, *PLAN, *extra, "--quiet",
                                           "--report", f"json:{file}")))
    files = []
    for file, process in started:
        result = finish(process, process.argv, 30, process.started)
        assert result.code == 0, str(result)
        files.append(file)
    return files


def merge_json(*files):
    result = run_volley("merge", *files, "--report", "json")
    assert result.code == 0, str(result)
    assert result.stderr == "", str(result)
    check_report(result.json)
    return result.json


def load(file):
    return strict_json(file.read_bytes())


def added(reports, *path):
    total = 0
    for report in reports:
        value = report["runs"][0]
        for key in path:
            value = value[key]
        total += value
    return total


@pytest.fixture(scope="module", name="pair")
def fixture_pair(tmp_path_factory, module_programs):
    """Two reports of generators that ran at once against one echo, and what the echo wrote down."""
    from harness import Target
    folder = tmp_path_factory.mktemp("pair")
    target = Target(module_programs, ["udp-echo", "--drop", "1%", "--event-log", folder / "events"])
    files = run_at_once(folder, target.endpoint("udp"),
                        ("--rate", "600", "--timeout", "200ms", "--label", "who=first",
                         "--label", "lab=one", "--seed", "1"),
                        ("--rate", "400", "--timeout", "200ms", "--label", "who=second",
                         "--label", "lab=one", "--seed", "2", "--flows", "3"))
    assert target.stop() == 0
    with open(folder / "events", newline="", encoding="ascii") as log:
        events = Counter(row["event"] for row in csv.DictReader(log))
    return files, events


@pytest.fixture(name="variant")
def fixture_variant(pair, tmp_path):
    """variant(change): the second report changed by a function, in a file of its own."""
    def make(change, name="changed.json"):
        report = load(pair[0][1])
        report = change(report) or report
        file = tmp_path / name
        file.write_text(json.dumps(report), encoding="utf-8")
        return file
    return make


def test_counts_are_the_sums_and_what_the_target_saw(pair):
    files, events = pair
    parts = [load(file) for file in files]
    merged = merge_json(*files)
    run = merged["runs"][0]
    assert len(merged["runs"]) == 1
    for key in ("planned", "skipped", "sent", "completed", "lost", "late", "in_flight",
                "duplicates", "reordered", "held_back"):
        assert run["requests"][key] == added(parts, "requests", key), key
    for key in ("sent", "received", "goodput_bits_per_s"):
        assert run["bytes"][key] == pytest.approx(added(parts, "bytes", key)), key
    for key in ("intended_per_s", "offered_per_s", "achieved_per_s"):
        assert run["load"][key] == pytest.approx(added(parts, "load", key)), key
    for key in ("threads", "context_switches", "send_calls", "receive_calls"):
        assert run["generator"][key] == added(parts, "generator", key), key
    assert run["requests"]["sent"] == events["received"] > 500
    assert run["requests"]["lost"] - run["requests"]["late"] == events["dropped"] > 0
    assert run["requests"]["completed"] + run["requests"]["late"] == events["answered"]
    assert run["config"]["flows"] == str(3 + int(parts[0]["runs"][0]["config"]["flows"]))
    assert run["config"]["rate"] == "1000/s"
    assert run["config"]["seed"] == "1 | 2"


def test_histograms_are_the_sums_counter_by_counter(pair):
    parts = [load(file) for file in pair[0]]
    run = merge_json(*pair[0])["runs"][0]
    for name in ("response", "service", "send_lag"):
        wanted = Counter()
        for part in parts:
            wanted.update(DecodedHistogram(part["runs"][0]["latency_ns"][name]["histogram"]).counts)
        figures = run["latency_ns"][name]
        assert DecodedHistogram(figures["histogram"]).counts == dict(wanted), name
        own = [part["runs"][0]["latency_ns"][name] for part in parts]
        assert figures["min"] == min(one["min"] for one in own)
        if name != "response":  # whose largest is lost
            assert figures["max"] == max(one["max"] for one in own)
            mean = sum(one["mean"] * one["count"] for one in own) / figures["count"]
            assert figures["mean"] == pytest.approx(mean, rel=1e-12)
        for key, interval in figures["ci95"].items():  # withheld, or without an interval
            assert interval in (None, {"low": None, "high": None}), f"{name}.{key}"


def test_intervals_add_up_one_by_one(pair):
    parts = [load(file)["runs"][0]["intervals"] for file in pair[0]]
    intervals = merge_json(*pair[0])["runs"][0]["intervals"]
    assert len(intervals) == max(map(len, parts)) >= 2
    for number, interval in enumerate(intervals):
        for key in ("sent", "completed", "lost", "bytes_sent"):
            assert interval[key] == sum(p[number][key] for p in parts if number < len(p)), key
        assert interval["response_p99_ns"] is None


def test_says_what_its_parts_are(pair):
    parts = [load(file) for file in pair[0]]
    merged = merge_json(*pair[0])
    assert merged["started_at"] == min(part["started_at"] for part in parts)
    assert merged["supplied"]["labels"] == {"lab": "one"}
    assert merged["supplied"]["argv"] == []
    one, other = (part["host"] for part in parts)
    assert merged["host"] == {key: value for key, value in one.items() if other.get(key) == value}
    # What the load and the hypervisor did between the two starts.
    assert set(one) - set(merged["host"]) <= {"load_1m", "steal_ratio"}
    assert [part["supplied"] for part in merged["parts"]] == [part["supplied"] for part in parts]
    assert [part["runs"][0]["sent"] for part in merged["parts"]] == [
        part["runs"][0]["requests"]["sent"] for part in parts]
    assert [part["runs"][0]["verdict"] for part in merged["parts"]] == [
        part["runs"][0]["verdict"]["overall"] for part in parts]
    for part, own in zip(merged["parts"], parts):
        run = own["runs"][0]
        lasted = run["warm_up_s"] + run["duration_s"] + run["drain_s"]
        assert part["lasted_s"] == pytest.approx(lasted)


def test_each_check_is_as_bad_as_in_the_worst_part(pair):
    order = ["not_applicable", "pass", "unknown", "warn", "fail"]
    worst = {}
    for file in pair[0]:
        for check in load(file)["runs"][0]["checks"]:
            key = check["id"], check["name"]
            worst[key] = max(worst.get(key, 0), order.index(check["status"]))
    for check in merge_json(*pair[0])["runs"][0]["checks"]:
        assert order.index(check["status"]) >= worst.pop((check["id"], check["name"])), check
        if check["status"] != "not_applicable":
            assert check["text"].startswith(("part 1: ", "part 2: ")), check
    assert not worst


def test_renders_the_same_again_and_says_that_it_is_a_merge(pair, tmp_path):
    first = run_volley("merge", *pair[0], "--report", f"json:{tmp_path}/m.json", "--report", "text",
                       "--report", f"csv:{tmp_path}/m.csv")
    assert first.code == 0, str(first)
    assert first.stdout.startswith("merge of 2 reports: histograms added, counts summed\n")
    again = run_volley("report", tmp_path / "m.json", "--report", "text",
                       "--report", f"csv:{tmp_path}/again.csv")
    assert again.stdout == first.stdout
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "m.csv").read_bytes()


def unlike(one, other, path=""):
    """Where two reports differ, by more than doubles do that were added up in another order."""
    if isinstance(one, float) and isinstance(other, float):
        if not math.isclose(one, other, rel_tol=1e-12):
            yield path, one, other
    elif isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        for key in one:
            yield from unlike(one[key], other[key], f"{path}/{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for i, (a, b) in enumerate(zip(one, other)):
            yield from unlike(a, b, f"{path}/{i}")
    elif one != other:
        yield path, one, other


def test_a_merge_of_a_merge_is_the_merge_of_all(pair, variant, tmp_path):
    def third(report):
        report["supplied"]["argv"].append("--third")
    other = variant(third, "third.json")
    first = run_volley("merge", *pair[0], "--report", f"json:{tmp_path}/ab.json")
    assert first.code == 0, str(first)
    nested, flat = merge_json(tmp_path / "ab.json", other), merge_json(*pair[0], other)
    assert len(nested["parts"]) == 3
    assert list(unlike(nested, flat)) == []


def test_stream_sinks_tell_each_generator_of_its_own_and_the_counts_add_up(start_target, tmp_path):
    target = start_target("udp-sink")
    stream = ("--workload", "stream", "--rate", "500", "--size", "200")
    files = run_at_once(tmp_path, target.endpoint("udp"), stream, (*stream, "--seed", "9"))
    side = merge_json(*files)["runs"][0]["target_side"]
    parts = [load(file) for file in files]
    for key in ("received_messages", "received_bytes", "duplicates", "reordered"):
        assert side[key] == added(parts, "target_side", key), key
    assert side["received_messages"] == added(parts, "requests", "completed") > 0


WORKLOADS = [
    ("tcp", ("--flows", "2", "--rate", "300")),
    ("tcp", ("--workload", "crr", "--flows", "2", "--rate", "200")),
    ("tcp", ("--workload", "connect", "--flows", "2", "--rate", "200")),
    ("tcp", ("--workload", "stream", "--rate", "300", "--size", "500")),
    ("tcp", ("--workload", "hold", "--flows", "20", "--rate", "200")),
    ("udp", ("--workload", "hold", "--flows", "20", "--rate", "200")),
    ("udp", ("--rate", "300", "--stamps")),
]


@pytest.mark.parametrize("protocol, extra", WORKLOADS)
def test_every_workload_adds_up(start_target, tmp_path, protocol, extra):
    target = start_target("all")
    files = run_at_once(tmp_path, target.endpoint(protocol), extra, (*extra, "--seed", "2"))
    run = merge_json(*files)["runs"][0]
    parts = [load(file) for file in files]
    for key in ("sent", "completed", "lost"):
        assert run["requests"][key] == added(parts, "requests", key), key
    assert run["requests"]["completed"] > 0
    for key in ("sent", "received"):
        assert run["bytes"][key] == added(parts, "bytes", key), key
    if run["hold"]:
        for key in ("connections_wanted", "opened", "held_at_end", "probed"):
            assert run["hold"][key] == added(parts, "hold", key), key
    for key in ("sent_bytes", "retransmits", "socket_drops"):
        own = [part["runs"][0][protocol].get(key) for part in parts]
        assert run[protocol].get(key) == (None if None in own else sum(own)), key
    assert run["delay_by_place"] is None and run["one_way_ns"] is None


def test_duels_at_once_add_up_round_by_round(start_target, tmp_path):
    target = start_target("all")
    started = []
    for number in range(2):
        file = tmp_path / f"{number}.json"
        started.append((file, start_volley("duel", f"127.0.0.1:{target.udp[1]}", "--rounds", "2",
                                           "--duration", "300ms", "--warm-up", "0s", "--rate", "300",
                                           "--seed", number, "--quiet", "--report", f"json:{file}")))
    for _, process in started:
        result = finish(process, process.argv, 30, process.started)
        assert result.code == 0, str(result)
    merged = merge_json(*(file for file, _ in started))
    parts = [load(file) for file, _ in started]
    assert [run["protocol"] for run in merged["runs"]] == ["udp", "tcp", "tcp", "udp"]
    for number, run in enumerate(merged["runs"]):
        assert run["requests"]["sent"] == sum(
            part["runs"][number]["requests"]["sent"] for part in parts)
    for side, *own in zip(*(report["comparison"]["sides"] for report in (merged, *parts))):
        assert side["sent"] == sum(one["sent"] for one in own)


def refused(*files, words, code=1):
    result = run_volley("merge", *files)
    assert result.code == code, str(result)
    assert result.stdout == "", str(result)
    assert words in result.stderr, str(result)
    assert "\x1b" not in result.stderr
    return result


def test_refuses_what_does_not_belong_together(pair, variant):
    first, second = pair[0]

    def changed(change, words):
        refused(first, variant(change), words=words)

    refused(first, words="FILE: too few reports to merge (1) [2 or more]", code=2)
    refused(first, first, words=f"{first}: the report of")
    refused(words="FILE: it is missing", code=2)
    refused("-", "-", words="stdin is given twice", code=2)
    changed(lambda r: r["runs"][0]["config"].update(size="128"), "size (128) [64]")
    changed(lambda r: r["runs"][0].update(endpoint="udp://127.0.0.1:1"), "endpoint (udp://")
    changed(lambda r: r["runs"][0].update(name="\x1b[2Jtcp rr"), "tcp rr\" (rr over udp, number 1")
    changed(lambda r: r.update(started_at="2020-01-01T00:00:00.000Z"), "never at once")
    changed(lambda r: r.update(started_at="\x1b]0;x\x07"), "its start is no time")
    changed(lambda r: r.update(status="failed"), "changed.json: its run failed (no reason given)")
    changed(lambda r: r.update(runs=[]), "it has no runs")
    changed(lambda r: r["runs"][0].update(checks=None, verdict=None), "has no checks")
    changed(lambda r: r["runs"][0]["requests"].update(sent=2**64 - 1), "does not hold")
    changed(lambda r: r["runs"][0]["bytes"].update(sent=2**64 - 1), "larger than a report can hold")


def test_refuses_what_is_no_report(pair, variant, tmp_path):
    first, second = pair[0]
    (tmp_path / "cut.json").write_bytes(second.read_bytes()[:-40])
    refused(first, tmp_path / "cut.json", words="cut.json: not JSON")
    (tmp_path / "other.json").write_text("[1, 2]")
    refused(tmp_path / "other.json", first, words="other.json: report: not an object")
    refused(first, tmp_path / "none.json", words="none.json: cannot open")
    refused(first, "/dev/zero", words="/dev/zero: too large")
    refused(first, variant(lambda r: r.update(schema_version="2.0")), words="[1.x]")
    refused(first, variant(lambda r: r["runs"][0]["latency_ns"]["service"].update(count=1)),
            words="/runs/0/latency_ns/service/histogram")


def test_a_duel_and_a_run_are_no_one_load(pair, tmp_path):
    result = run_volley("duel", "--rounds", "1", "--duration", "200ms", "--warm-up", "0s",
                        "--quiet", "--report", f"json:{tmp_path}/duel.json")
    assert result.code == 0, str(result)
    refused(pair[0][0], tmp_path / "duel.json", words="is not in")


def test_reads_one_report_from_stdin(pair):
    with open(pair[0][1], "rb") as stdin:
        result = run_volley("merge", pair[0][0], "-", "--report", "json", stdin=stdin)
    assert result.code == 0, str(result)
    assert len(result.json["parts"]) == 2


def test_one_report_is_wrong_use(pair):
    result = run_volley("merge", pair[0][0])
    assert result.code == 2 and "too few reports to merge (1)" in result.stderr, str(result)


def test_an_error_is_a_report_where_json_was_asked_for(pair):
    result = run_volley("merge", pair[0][0], pair[0][0], "--report", "json")
    assert result.code == 1
    assert result.json["error"]["code"] == "unmergeable"
    assert result.json["error"]["phase"] == "report"


def test_a_report_that_cannot_be_written_leaves_nothing(pair, tmp_path):
    os.mkdir(tmp_path / "taken")
    result = run_volley("merge", *pair[0], "--report", f"json:{tmp_path}/taken")
    assert result.code == 1, str(result)
    assert os.listdir(tmp_path / "taken") == []
