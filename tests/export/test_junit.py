"""--report junit, as the schemas of two readers and a third reader have it."""

import copy
import subprocess
from pathlib import Path

import pytest

from exporting import failed, hostile, render, with_verdict
from harness import need

junitparser = pytest.importorskip("junitparser", reason="python3-junitparser is not installed")
SCHEMAS = [Path(__file__).parent / name for name in ("surefire.xsd", "jenkins.xsd")]


def refusals(xml, folder):
    """Of both schemas, what they say against it."""
    need("xmllint")
    file = folder / "checked.xml"
    file.write_text(xml, encoding="utf-8", newline="")
    said = []
    for schema in SCHEMAS:
        result = subprocess.run(["xmllint", "--noout", "--nonet", "--schema", schema, file],
                                capture_output=True, text=True, timeout=30, check=False)
        if result.returncode != 0:
            said.append(f"{schema.name}: {result.stderr}")
    return said


def cases(xml):
    """(classname, name) -> testcase"""
    suite = junitparser.JUnitXml.fromstring(xml.encode())
    found = {(case.classname, case.name): case for case in suite}
    assert len(found) == suite.tests == len(list(suite)), "names are unique, and counted"
    results = [r for case in suite for r in case.result]
    assert suite.failures == sum(isinstance(r, junitparser.Failure) for r in results)
    assert suite.errors == sum(isinstance(r, junitparser.Error) for r in results)
    assert suite.skipped == sum(isinstance(r, junitparser.Skipped) for r in results)
    return found


def test_of_a_run_and_of_a_duel_is_valid_everywhere(one_run, duel, tmp_path):
    for report in (one_run, duel):
        xml = render(report, "junit", tmp_path)
        assert refusals(xml, tmp_path) == []
        assert "\r" not in xml and xml.endswith("</testsuite>\n")
    assert ("volley.udp-rr", "verdict") in cases(xml)
    assert ("volley.tcp-rr", "verdict") in cases(xml)


def test_has_a_case_per_threshold_with_no_value_in_its_name(one_run, tmp_path):
    found = cases(render(one_run, "junit", tmp_path))
    names = [name for classname, name in found if classname == "volley.thresholds"]
    assert names == ["offered<1/s", "p50>1ns", "offered>1/s"]
    assert found["volley.thresholds", "offered<1/s"].result == []
    fault = found["volley.thresholds", "offered>1/s"].result[0]
    assert (fault.type, isinstance(fault, junitparser.Failure)) == ("threshold", True)
    value = one_run["thresholds"][2]["value"]
    assert f"it is {value:,.0f}/s, and the limit 1.00/s" == fault.message
    unknown = copy.deepcopy(one_run)
    unknown["thresholds"][2]["value"] = None
    fault = cases(render(unknown, "junit", tmp_path))["volley.thresholds", "offered>1/s"].result[0]
    assert "could not be evaluated" in fault.message
    # Other values, the same names.
    other = copy.deepcopy(one_run)
    other["thresholds"][1]["value"] = 77
    other["runs"][0]["duration_s"] = 2.5
    assert list(cases(render(other, "junit", tmp_path))) == list(found)


def test_tells_two_thresholds_of_one_expression_apart(one_run, tmp_path):
    twice = copy.deepcopy(one_run)
    twice["thresholds"] = [one_run["thresholds"][0]] * 3
    found = cases(render(twice, "junit", tmp_path))
    assert [n for c, n in found if c == "volley.thresholds"] == ["offered<1/s", "offered<1/s (2)",
                                                                 "offered<1/s (3)"]


@pytest.mark.parametrize("word, kind", [("TRUSTED", None), ("DEGRADED", None),
                                        ("NOT_CLAIMABLE", "skipped"), ("INVALID", "failure")])
def test_has_a_case_per_verdict(one_run, tmp_path, word, kind):
    xml = render(with_verdict(one_run, word), "junit", tmp_path)
    assert refusals(xml, tmp_path) == []
    found = cases(xml)["volley.udp-rr", "verdict"]
    kinds = [type(r).__name__.lower() for r in found.result]
    assert kinds == ([kind] if kind else [])
    if kind:
        assert found.result[0].message.startswith(word)


def test_names_the_doubts_of_a_degraded_run(one_run, tmp_path):
    doubtful = with_verdict(one_run, "DEGRADED")
    doubtful["runs"][0]["checks"][0]["status"] = "warn"
    doubtful["runs"][0]["checks"][0]["text"] = "it <was> late"
    found = cases(render(doubtful, "junit", tmp_path))["volley.udp-rr", "verdict"]
    assert "it <was> late" in found.system_out


def test_of_a_failed_run_is_an_error(one_run, tmp_path):
    xml = render(failed(one_run), "junit", tmp_path)
    assert refusals(xml, tmp_path) == []
    fault = cases(xml)["volley", "run"].result[0]
    assert isinstance(fault, junitparser.Error)
    assert fault.type == "run" and fault.message.startswith("nobody listens")


def test_takes_hostile_text(one_run, duel, tmp_path):
    for report in (one_run, duel):
        xml = render(hostile(report), "junit", tmp_path)
        assert refusals(xml, tmp_path) == []
        assert len(cases(xml)) == len(cases(render(report, "junit", tmp_path)))


@pytest.mark.parametrize("old, new", [
    (' time="', ' file="a" time="'),
    ('type="threshold"', ""),
    ("<testsuite ", "<testsuit "),
    ('name="run" time="', 'name="run" time="0.0001'),
    ("offered&lt;1", "offered<1/s"),
    ('name="p50&gt;1ns"', 'name="offered&gt;1/s"'),
])
def test_the_schemas_refuse_what_is_wrong(one_run, tmp_path, old, new):
    xml = render(one_run, "junit", tmp_path)
    assert old in xml
    assert refusals(xml.replace(old, new), tmp_path) != []
