"""C2a says of the schedule that it is a Poisson process: whatever the flows, whatever the lag."""

import pytest

import harness


# Two flows and more than one request due at a time: those of a flow leave together, so the order in
# which requests leave is not that in which they were due.
@pytest.mark.parametrize("load", [("--flows", "1", "--rate", "20k"),
                                  ("--flows", "2", "--rate", "100k"),
                                  ("--flows", "4", "--rate", "50k", "--workload", "stream")])
def test_the_schedule_is_exponential_however_its_requests_leave(load):
    run = harness.run_json("udp", *load, "--duration", "1s", "--warm-up", "0s")
    due = [check for check in run["checks"] if check["name"].startswith("due:")]
    assert [check["id"] for check in due] == ["C2a"]
    assert due[0]["status"] == "pass", due[0]
