"""volley doctor: what it says, and that it says it on any machine."""

import json
import os

import pytest

from harness import run_volley

IDS = {"descriptors", "ports", "receive_buffer", "send_buffer", "backlog", "cpus", "load", "steal",
       "governor", "hypervisor", "clock", "tcp_congestion", "udp_gso", "udp_gro", "ipv6", "build"}


def findings(*args, prefix=()):
    result = run_volley("doctor", "--report", "json", *args, prefix=prefix)
    report = result.json
    return result, {entry["id"]: entry for entry in report["findings"]}, report


def test_json_holds_every_finding_once_with_its_level():
    result, found, report = findings()
    assert result.code == 0, str(result)
    assert len(found) == len(report["findings"])
    assert set(found) <= IDS
    assert {"descriptors", "ports", "cpus", "clock", "tcp_congestion", "build"} <= set(found)
    for entry in found.values():
        assert set(entry) == {"id", "level", "found", "spoils", "fix"}
        assert entry["level"] in {"ok", "note", "warn"}
        assert entry["found"]
        assert (entry["spoils"] is None) == (entry["level"] == "ok")
        assert (entry["fix"] is None) == (entry["level"] == "ok")
    assert report["warnings"] == sum(e["level"] == "warn" for e in found.values())
    assert report["schema_version"] == "1.0"


def test_few_descriptors_are_a_warning_with_the_fix():
    shell = ["sh", "-c", 'ulimit -S -n 256 && exec "$@"', "sh"]
    result, found, report = findings(prefix=shell)
    assert result.code == 0, str(result)
    entry = found["descriptors"]
    assert entry["level"] == "warn"
    assert entry["found"].startswith("256 open files")
    assert "224 connections" in entry["spoils"]
    assert report["warnings"] >= 1


def test_strict_turns_a_warning_into_exit_3():
    shell = ["sh", "-c", 'ulimit -S -n 256 && exec "$@"', "sh"]
    result, _, _ = findings("--strict", prefix=shell)
    assert result.code == 3, str(result)


def test_strict_without_a_warning_is_exit_0():
    result, _, report = findings("--strict")
    assert result.code == (3 if report["warnings"] else 0), str(result)


def test_one_cpu_is_a_warning():
    cpu = min(os.sched_getaffinity(0))
    _, found, _ = findings(prefix=["taskset", "-c", str(cpu)])
    assert found["cpus"]["level"] == "warn"
    assert found["cpus"]["found"].startswith("1 of ")


def test_text_says_the_same_as_json():
    shell = ["sh", "-c", 'ulimit -S -n 256 && exec "$@"', "sh"]
    text = run_volley("doctor", prefix=shell)
    _, found, _ = findings(prefix=shell)
    assert text.code == 0, str(text)
    assert text.stderr == ""
    shown = {line.split()[1]: line.split()[0] for line in text.stdout.splitlines()
             if line.startswith(("ok ", "note ", "warn "))}
    assert set(shown) == set(found)
    assert shown["descriptors"] == "warn"
    assert found["descriptors"]["fix"] in text.stdout


@pytest.mark.parametrize("args", [["--report", "csv"], ["--report", "json:x.json"], ["--nonsense"],
                                  ["surplus"]])
def test_wrong_use_is_refused(args):
    result = run_volley("doctor", *args)
    assert result.code == 2, str(result)
    assert args[-1] in result.stderr
    assert result.stdout == ""


def test_json_is_json():
    assert json.loads(run_volley("doctor", "--report", "json:-").stdout)["findings"]
