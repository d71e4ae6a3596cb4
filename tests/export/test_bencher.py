"""--report bencher: Bencher Metric Format, by a schema of our own words."""

import copy
import re

import jsonschema
import pytest

from exporting import failed, hostile, render, strict

METRIC = {"type": "object", "required": ["value"],
          "properties": {key: {"type": "number"}
                         for key in ("value", "lower_value", "upper_value")},
          "additionalProperties": False}
SCHEMA = {
    "type": "object", "minProperties": 1,
    "propertyNames": {"pattern": "^[A-Za-z0-9_./=-]{1,1024}$"},
    "additionalProperties": {
        "type": "object", "minProperties": 1,
        "propertyNames": {"pattern": "^[a-z0-9]+(-[a-z0-9]+)*$", "maxLength": 64},
        "additionalProperties": METRIC}}


def checked(text):
    report = strict(text)
    jsonschema.Draft202012Validator(SCHEMA).validate(report)
    return report


def test_of_a_run_has_its_figures_in_nanoseconds(one_run, tmp_path):
    found = checked(render(one_run, "bencher", tmp_path))
    assert list(found) == ["udp-rr"]
    measures, run = found["udp-rr"], one_run["runs"][0]
    response = run["latency_ns"]["response"]
    assert measures["throughput"]["value"] == pytest.approx(run["load"]["achieved_per_s"])
    assert measures["loss-ratio"]["value"] == run["requests"]["loss_ratio"]
    for key in ("p50", "p90", "p99", "p99_9"):
        slug = f"response-{key.replace('_', '-')}-ns"
        if response[key] is None:
            assert slug not in measures
            continue
        assert measures[slug]["value"] == response[key]
        interval = response["ci95"][key]
        assert measures[slug].get("lower_value") == interval["low"]
        assert measures[slug].get("upper_value") == interval["high"]
    assert measures["latency"] == measures["response-p50-ns"]


def test_of_a_duel_has_a_benchmark_per_protocol(duel, tmp_path):
    assert list(checked(render(duel, "bencher", tmp_path))) == ["udp-rr", "tcp-rr"]


def test_leaves_out_what_is_missing(one_run, tmp_path):
    fewer = copy.deepcopy(one_run)
    fewer["runs"][0]["requests"]["loss_ratio"] = None
    fewer["runs"][0]["load"]["achieved_per_s"] = None
    found = checked(render(fewer, "bencher", tmp_path))["udp-rr"]
    assert "loss-ratio" not in found and "throughput" not in found


def test_of_nothing_is_an_empty_object(one_run, tmp_path):
    assert strict(render(failed(one_run), "bencher", tmp_path)) == {}


def test_takes_hostile_text(duel, tmp_path):
    found = checked(render(hostile(duel), "bencher", tmp_path))
    assert len(found) == 2
    assert all(re.fullmatch("[a-z0-9._-]+", name) for name in found)


@pytest.mark.parametrize("broken", ['{}', '[]', '{"a":{"b":1}}', '{"a":{"b":{"value":null}}}',
                                    '{"a":{"b":{"lower_value":1}}}', '{"a b":{"c":{"value":1}}}',
                                    '{"a":{"b":{"value":NaN}}}'])
def test_the_reader_refuses_what_is_wrong(broken):
    with pytest.raises((jsonschema.ValidationError, ValueError)):
        checked(broken)
