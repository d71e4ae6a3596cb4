"""Saved reports that every file of this folder renders, made once for each of them."""

import pytest

import exporting


@pytest.fixture(scope="module")
def one_run(tmp_path_factory):
    """A second of UDP, with a threshold that holds and two that do not."""
    return exporting.measure(tmp_path_factory.mktemp("run"), "run", "udp", "--duration", "1s",
                             "--rate", "2k", "--fail-if", "offered<1/s", "--fail-if", "p50>1ns",
                             "--fail-if", "offered>1/s")


@pytest.fixture(scope="module")
def duel(tmp_path_factory):
    """Two rounds of UDP beside TCP."""
    return exporting.measure(tmp_path_factory.mktemp("duel"), "duel", "--rounds", "2",
                             "--duration", "500ms")
