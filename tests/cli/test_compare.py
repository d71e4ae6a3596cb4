"""volley compare: what it calls a regression, what it says, and how it ends."""

import copy
import json

import jsonschema
import pytest

from harness import run_volley
from judging import ROOT

SCHEMA = json.loads((ROOT / "reports/schema/compare.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)


@pytest.fixture(scope="module", name="base")
def fixture_base(tmp_path_factory):
    """A report with a UDP and a TCP run whose verdicts are TRUSTED, so that a busy machine decides
    nothing here; the tests change copies of it."""
    file = tmp_path_factory.mktemp("saved") / "r.json"
    result = run_volley("duel", "--rounds", "1", "--rate", "2k", "--duration", "1s", "--warm-up",
                        "0s", "--quiet", "--report", f"json:{file}", timeout=60)
    assert result.code == 0, str(result)
    report = json.loads(file.read_text(encoding="utf-8"))
    for run in report["runs"]:
        run["verdict"].update(overall="TRUSTED")
        for number in run["verdict"]["numbers"]:
            run["verdict"]["numbers"][number].update(verdict="TRUSTED", decided_by=[])
    return report


def run_of(report, protocol):
    run, = (r for r in report["runs"] if r["protocol"] == protocol)
    return run


def compared(tmp_path, base, new, *options):
    """`volley compare` of the two as JSON, which is valid."""
    for name, report in (("base", base), ("new", new)):
        (tmp_path / f"{name}.json").write_text(json.dumps(report), encoding="utf-8")
    result = run_volley("compare", tmp_path / "base.json", tmp_path / "new.json",
                        "--report", "json", "--report", f"text:{tmp_path}/text", *options)
    if result.code in (0, 3, 98):
        errors = [e.message for e in VALIDATOR.iter_errors(result.json)]
        assert not errors, errors
        result.text = (tmp_path / "text").read_text(encoding="utf-8")
        assert result.json["significance_tested"] is False
        assert "No significance was tested" in " ".join(result.text.split())
        assert result.json["regressed"] is (result.code == 98) or result.code == 3, str(result)
    return result


def figure(result, scenario, name):
    figures = {s["id"]: {f["name"]: f for f in s["figures"]} for s in result.json["scenarios"]}
    return figures[scenario][name]


def changed(base, change, protocol="udp"):
    report = copy.deepcopy(base)
    change(run_of(report, protocol))
    return report


def test_a_report_is_no_worse_than_itself(tmp_path, base):
    result = compared(tmp_path, base, base)
    assert result.code == 0 and result.stderr == "", str(result)
    assert [s["id"] for s in result.json["scenarios"]] == ["udp-rr", "tcp-rr"]
    assert all(s["load_differences"] == [] for s in result.json["scenarios"])
    words = {f["change"] for s in result.json["scenarios"] for f in s["figures"]}
    assert words <= {"within", "unlimited", "not_comparable"} and "within" in words
    assert figure(result, "udp-rr", "achieved")["change_ratio"] == 0
    assert "achieved" in result.text and "within" in result.text


def slower(run):
    run["load"]["achieved_per_s"] *= 0.8


def test_a_regression_ends_in_98_and_is_named(tmp_path, base):
    result = compared(tmp_path, base, changed(base, slower))
    assert result.code == 98, str(result)
    achieved = figure(result, "udp-rr", "achieved")
    assert achieved["change"] == "regressed" and achieved["limit_of"] == "base"
    assert achieved["change_ratio"] == pytest.approx(-0.2)
    assert figure(result, "tcp-rr", "achieved")["change"] == "within"
    assert "Regressed beyond its limit: udp-rr achieved (-20.0 %)" in result.json["sentence"]
    assert "-20.0 %" in result.text and "regressed" in result.text
    assert compared(tmp_path, changed(base, slower), base).code == 0
    assert compared(tmp_path, base, changed(base, slower), "--max-regression", "25%").code == 0
    assert compared(tmp_path, base, changed(base, slower), "--max-regression", "p99:1%",
                    "--max-regression", "achieved:19%").code == 98


def test_an_invalid_number_is_never_called_a_regression(tmp_path, base):
    def spoiled(run):
        slower(run)
        run["verdict"].update(overall="INVALID")
        run["verdict"]["numbers"]["achieved_per_s"].update(verdict="INVALID", decided_by=["C1a"])
    new = changed(base, spoiled)
    result = compared(tmp_path, base, new)
    assert result.code == 0, str(result)
    achieved = figure(result, "udp-rr", "achieved")
    assert (achieved["new"], achieved["new_missing"]) == (None, "invalid")
    assert achieved["change"] == "not_comparable" and "not compared" in result.text
    strict = compared(tmp_path, base, new, "--strict")
    assert strict.code == 3 and "INVALID" in strict.stderr, str(strict)
    assert "new.json: the numbers" in strict.stderr and "base.json" not in strict.stderr


def test_where_no_limit_can_be_held_nothing_is_known(tmp_path, base):
    def spoiled(run):
        response = run["latency_ns"]["response"]
        for key in ("p50", "p99"):
            response[key] = None
            run["verdict"]["numbers"][f"response.{key}"].update(verdict="INVALID",
                                                                decided_by=["C1a"])
        for number in ("achieved_per_s", "loss_ratio"):
            run["verdict"]["numbers"][number].update(verdict="INVALID", decided_by=["C1a"])
        run["verdict"].update(overall="INVALID")
        run["requests"]["loss_ratio"] = None
    only = copy.deepcopy(base)
    only["runs"] = [run_of(base, "udp")]
    new = copy.deepcopy(only)
    spoiled(new["runs"][0])
    result = compared(tmp_path, only, new)
    assert result.code == 1 and result.json["regressed"] is False, str(result)
    files = f"{tmp_path}/base.json and {tmp_path}/new.json"
    assert f"{files}: no figure with a limit could be compared" in result.stderr, str(result)
    assert result.json["sentence"].startswith("Not one figure with a limit could be compared")


def test_strict_comes_before_a_regression(tmp_path, base):
    def degraded(run):
        slower(run)
        run["verdict"].update(overall="DEGRADED")
    new = changed(base, degraded)
    assert compared(tmp_path, base, new).code == 98
    assert compared(tmp_path, base, new, "--strict").code == 3
    assert compared(tmp_path, new, base, "--strict").code == 3
    assert compared(tmp_path, base, changed(base, slower), "--strict").code == 98


def test_loss_is_measured_by_its_difference(tmp_path, base):
    def lossy(run):
        run["requests"]["loss_ratio"] = 0.002
    clean = changed(base, lambda run: run["requests"].update(loss_ratio=0))
    new = changed(base, lossy)
    result = compared(tmp_path, clean, new)
    assert result.code == 98, str(result)
    loss = figure(result, "udp-rr", "loss_ratio")
    assert (loss["change_ratio"], loss["limit_of"]) == (None, "difference")
    assert "+0.200 points" in result.text
    assert compared(tmp_path, clean, new, "--max-regression", "loss:0.5%").code == 0


def test_scenarios_that_went_or_came_are_named(tmp_path, base):
    only_udp = copy.deepcopy(base)
    only_udp["runs"] = [run_of(base, "udp")]
    went = compared(tmp_path, base, only_udp)
    assert went.code == 98 and went.json["gone"] == ["tcp-rr"], str(went)
    assert "tcp-rr: only in the base" in went.text
    came = compared(tmp_path, only_udp, base)
    assert came.code == 0 and came.json["added"] == ["tcp-rr"], str(came)
    only_tcp = copy.deepcopy(base)
    only_tcp["runs"] = [run_of(base, "tcp")]
    nothing = compared(tmp_path, only_udp, only_tcp)
    assert nothing.code == 1 and nothing.json["error"]["code"] == "nothing_to_compare"


def test_another_load_is_said_with_both_values(tmp_path, base):
    def other_load(run):
        run["config"].update(rate="4000/s", seed="7")
    result = compared(tmp_path, base, changed(base, other_load))
    udp = result.json["scenarios"][0]
    assert udp["load_differences"] == [{"key": "rate", "base": "2000/s", "new": "4000/s"}]
    assert "not the same load: rate was 2000/s, is 4000/s" in result.text


def test_hostile_text_stays_where_it_is(tmp_path, base):
    new = copy.deepcopy(base)
    new["tool"]["version"] = "</script>\n::error::x\x1b[2J"
    run_of(new, "udp")["config"]["rate"] = "a|b`c`\n::error::\u0000"
    result = compared(tmp_path, base, new)
    assert result.code == 0, str(result)
    assert "\x1b" not in result.text and "\x00" not in result.text
    assert not any(line.startswith("::") for line in result.text.splitlines())


@pytest.mark.parametrize("options, says", [
    (("--max-regression", "10"), "--max-regression: not a share (10)"),
    (("--max-regression", "p98:10%"), "--max-regression 'p98', column 1: not a metric (p98)"),
    (("--max-regression", "sent:10%"), "neither more nor less of it is worse (sent)"),
    (("--report", "csv:x"), "--report: not a report of compare (csv) [text json]"),
    (("--fail-if", "p99>1s"), "--fail-if: volley compare has no such option"),
])
def test_wrong_use_is_refused(tmp_path, base, options, says):
    result = compared(tmp_path, base, base, *options)
    assert result.code == 2 and says in result.stderr, str(result)


def test_what_is_no_report_is_refused(tmp_path, base):
    good = tmp_path / "good.json"
    good.write_text(json.dumps(base), encoding="utf-8")
    for pair in ((good, "/nonexistent"), ("/nonexistent", good), (good, "/dev/null")):
        result = run_volley("compare", *pair)
        assert result.code == 1 and result.stdout == "", str(result)
        assert str(next(p for p in pair if p != good)) in result.stderr, str(result)
    assert run_volley("compare", good).code == 2
    assert run_volley("compare", "-", "-").code == 2


@pytest.mark.parametrize("change", [
    lambda r: r.pop("sentence"),
    lambda r: r.update(news=1),
    lambda r: r.update(significance_tested=True),
    lambda r: r.update(scenarios=[]),
    lambda r: r["base"].update(verdict="GOOD"),
    lambda r: r["scenarios"][0]["figures"][0].update(change="worse"),
    lambda r: r["scenarios"][0]["figures"][0].update(base="1"),
    lambda r: r["scenarios"][0].pop("load_differences"),
])
def test_the_schema_refuses_what_is_no_comparison(tmp_path, base, change):
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    report = compared(tmp_path, base, base).json
    change(report)
    assert not VALIDATOR.is_valid(report)
