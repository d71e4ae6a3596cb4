"""What needs a network of its own, made with unshare: two targets that a forged datagram sets on
each other, a target with several addresses, a target that strangers can reach. No packet leaves it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import harness

SCRIPT = Path(__file__).with_name("target_namespace.py")
MARK = 222


def unshare():
    """How to get a network namespace here: as root at once, else with a user namespace."""
    words = [harness.need("unshare"), "--net"]
    return words if os.geteuid() == 0 else [*words, "--map-root-user"]


@pytest.fixture(scope="module")
def isolated():
    """isolated("loop", …) -> what target_namespace.py printed."""
    if subprocess.run([*unshare(), "true"], capture_output=True).returncode != 0:
        pytest.skip("this machine lets us make no network namespace")

    def run(*words):
        done = subprocess.run([*unshare(), sys.executable, "-B", str(SCRIPT), *map(str, words)],
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)
    return run


@pytest.fixture(scope="module")
def unguarded():
    path = harness.volley_path().parent / "tests" / "loopback" / "unguarded_target"
    assert path.is_file(), f"{path}: not built; build everything (cmake --build --preset release)"
    return path


@pytest.mark.parametrize("kind", ["frame", "plain", "empty"])
def test_two_targets_do_not_loop(isolated, kind):
    seen = isolated("loop", harness.volley_path(), kind, "other")
    assert seen["alive"] == [True, True]
    assert len(seen["answers"]) == 1, seen  # to the forged source, which does not answer it
    source, destination, ttl = seen["answers"][0]
    assert (source, destination) == (["10.99.0.1", 2924], ["10.99.0.2", 2924])
    assert (ttl == MARK) == (kind != "frame")


@pytest.mark.parametrize("kind", ["frame", "plain", "empty"])
def test_without_the_rules_they_do(isolated, unguarded, kind):
    seen = isolated("loop", unguarded, kind, "other")
    assert len(seen["answers"]) >= 100, "the control does not loop, so the test above shows nothing"


@pytest.mark.parametrize("source", ["itself", "low"])
@pytest.mark.parametrize("kind", ["frame", "plain"])
def test_its_own_address_and_low_ports_get_no_answer(isolated, kind, source):
    assert isolated("loop", harness.volley_path(), kind, source)["answers"] == []


@pytest.mark.parametrize("listen", [("0.0.0.0:2924",), ("[::]:2924",),
                                    ("0.0.0.0:2924", "[::]:2924")],
                         ids=["v4", "dual", "both"])
def test_a_wildcard_target_answers_from_the_address_that_was_asked(isolated, listen):
    answers = isolated("wildcard", harness.volley_path(), *listen)["answers"]
    assert len(answers) == (6 if listen == ("0.0.0.0:2924",) else 10)
    assert all(asked == said for asked, said in answers), answers


def test_beyond_loopback_only_frames_are_answered_and_nothing_grows_without_a_cookie(isolated):
    assert isolated("silence", harness.volley_path())["answered"] == {
        "plain": None, "empty": None, "request": 64, "sized": None,
        "sized-with-wrong-cookie": None, "short-hello": None, "hello": 96, "response": None,
        "sized-with-cookie": 1024}
