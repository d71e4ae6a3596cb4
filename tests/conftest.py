"""Fixtures of the command-line tests. ctest runs them, or VOLLEY=build/release/volley pytest-3."""

import pytest

import harness


@pytest.fixture(scope="session")
def volley_binary():
    """The program under test."""
    return harness.volley_path()


@pytest.fixture
def programs(tmp_path):
    """Starts programs that are ended when the test is, however it ends."""
    started = harness.Programs(tmp_path)
    yield started
    started.end_all()


@pytest.fixture(scope="module")
def module_programs(tmp_path_factory):
    """Like `programs`, shared by the tests of a file."""
    started = harness.Programs(tmp_path_factory.mktemp("programs"))
    yield started
    started.end_all()


@pytest.fixture
def start_target(programs):
    """start_target("udp-echo", "--drop", "1%") -> a running target with .proc, .udp and .tcp."""
    def start(*args, **kwargs):
        return harness.Target(programs, args, **kwargs)
    return start


@pytest.fixture
def run_volley():
    """run_volley("run", …, timeout=10) -> a result with .code .stdout .stderr .json."""
    return harness.run_volley
