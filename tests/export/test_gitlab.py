"""GitLab's browser_performance report, against what GitLab's own code reads of it."""

import jsonschema
import pytest

from exported import HOSTILE, hostile, measure, render
from judging import strict_json

# An array of subjects; a metric has a name, a number and the direction it gets better in.
SCHEMA = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["subject", "metrics"],
        "additionalProperties": False,
        "properties": {
            "subject": {"type": "string", "pattern": "^[a-z0-9._-]+$"},
            "metrics": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "required": ["name", "value", "desiredSize"],
                    "additionalProperties": False,
                    "properties": {
                        "name": {"type": "string",
                                 "pattern": r"^[a-z0-9_]+( \((us|1/s|Mbit/s|%)\))?$"},
                        "value": {"type": "number"},
                        "desiredSize": {"enum": ["smaller", "larger"]}}}}}}}


@pytest.fixture(scope="module", name="reports")
def fixture_reports(tmp_path_factory):
    return measure(tmp_path_factory.mktemp("measured"))


def subjects_of(text):
    subjects = strict_json(text)
    jsonschema.validate(subjects, SCHEMA)
    names = [subject["subject"] for subject in subjects]
    assert len(names) == len(set(names))
    for subject in subjects:
        metrics = [metric["name"] for metric in subject["metrics"]]
        assert len(metrics) == len(set(metrics))
    return {s["subject"]: {m["name"]: m for m in s["metrics"]} for s in subjects}


def test_has_a_subject_per_scenario_with_the_reports_numbers(reports, tmp_path):
    subjects = subjects_of(render(reports["run"], tmp_path, "gitlab"))
    run = reports["run"]["runs"][0]
    assert list(subjects) == ["udp-rr"]
    metrics = subjects["udp-rr"]
    assert metrics["achieved (1/s)"]["value"] == run["load"]["achieved_per_s"]
    assert metrics["achieved (1/s)"]["desiredSize"] == "larger"
    assert metrics["errors"] == {"name": "errors", "value": 0, "desiredSize": "smaller"}
    for key in ("p50", "p90", "p99", "p99_9"):
        value = run["latency_ns"]["response"][key]
        shown = metrics.get(f"response_{key} (us)")
        assert (shown is None) == (value is None)
        if shown:
            assert shown["value"] == value / 1e3 and shown["desiredSize"] == "smaller"
    assert "offered (1/s)" not in metrics, "it gets better in no direction"


def test_rounds_of_a_duel_are_one_subject_a_protocol(reports, tmp_path):
    subjects = subjects_of(render(reports["duel"], tmp_path, "gitlab"))
    assert set(subjects) == {"udp-rr", "tcp-rr"}
    for side in reports["duel"]["comparison"]["sides"]:
        metrics = subjects[f"{side['protocol']}-rr"]
        assert metrics["achieved (1/s)"]["value"] == side["achieved_per_s"]
        if side["p99_ns"] is not None:
            assert metrics["response_p99 (us)"]["value"] == side["p99_ns"] / 1e3


def test_hostile_names_do_not_get_in(reports, tmp_path):
    text = render(hostile(reports["duel"]), tmp_path, "gitlab")
    assert len(subjects_of(text)) == 2
    assert HOSTILE not in text and "</script>" not in text and "::error::" not in text


def test_without_a_run_there_is_no_subject(reports, tmp_path):
    assert render({**reports["run"], "runs": [], "verdict": None}, tmp_path, "gitlab") == "[]\n"


def test_the_schema_refuses_what_is_broken():
    good = {"name": "lost", "value": 1, "desiredSize": "smaller"}
    jsonschema.validate([{"subject": "a", "metrics": [good]}], SCHEMA)
    for broken in ({**good, "value": "1"}, {**good, "desiredSize": "neither"},
                   {**good, "name": "lost|`"}, {"name": "lost", "value": 1}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate([{"subject": "a", "metrics": [broken]}], SCHEMA)
