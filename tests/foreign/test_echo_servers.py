"""UDP and TCP echo, discard and chargen services of socat and inetd, and a UDP server in Python."""

import pytest

import servers
from harness import run_json, run_volley
from judging import check_report, total_of

CLOSED = ("--requests", "300")
OPEN = ("--requests", "300", "--rate", "600")


@pytest.fixture(scope="module")
def inetd(module_programs, tmp_path_factory):
    return servers.Inetd(module_programs, tmp_path_factory.mktemp("inetd"))


@pytest.fixture(scope="module")
def echoes(module_programs, inetd):
    return {"socat-udp": servers.socat_udp_echo(module_programs),
            "socat-tcp": servers.socat_tcp_echo(module_programs),
            "inetd-udp": inetd.endpoint("udp", "echo"),
            "inetd-tcp": inetd.endpoint("tcp", "echo")}


def everything_answered(run, requests):
    figures = run["requests"]
    assert figures["sent"] == figures["completed"] == requests, figures
    assert figures["lost"] == figures["late"] == figures["in_flight"] == 0, figures
    assert figures["errors"] == {} and figures["unsent"] == {}, figures
    assert figures["duplicates"] == 0 and figures["loss_ratio"] == 0, figures
    assert run["bytes"]["sent"] > 0


@pytest.mark.parametrize("load", [CLOSED, OPEN], ids=["closed", "open"])
@pytest.mark.parametrize("echo", ["socat-udp", "socat-tcp", "inetd-udp", "inetd-tcp"])
def test_an_echo_server_answers_every_request(echoes, echo, load):
    flows = "1" if echo == "socat-udp" else "4"
    run = run_json(echoes[echo], "--flows", flows, "--warm-up", "200ms", *load)
    everything_answered(run, 300)
    assert run["requests"]["planned"] == 300
    assert run["bytes"]["sent"] == run["bytes"]["received"] == 300 * 64


@pytest.mark.parametrize("echo", ["socat-udp", "socat-tcp", "inetd-udp", "inetd-tcp"])
def test_a_closed_loop_by_time_reconciles(echoes, echo):
    run = run_json(echoes[echo], "--duration", "400ms", "--warm-up", "100ms")
    figures = run["requests"]
    everything_answered(run, figures["sent"])
    assert figures["sent"] > 20 and figures["planned"] is None


@pytest.mark.parametrize("echo", ["inetd-udp", "inetd-tcp"])
def test_the_largest_payload_of_inetd_and_the_smallest_come_back(echoes, echo):
    for size in (1, 8192):
        run = run_json(echoes[echo], "--size", size, "--requests", "100", "--warm-up", "0s")
        everything_answered(run, 100)
        assert run["bytes"]["received"] == 100 * size


@pytest.mark.parametrize("load", [(), ("--rate", "100")], ids=["closed", "open"])
@pytest.mark.parametrize("protocol", ["udp", "tcp"])
def test_discard_loses_everything_and_the_run_ends_on_time(inetd, protocol, load):
    result = run_volley("run", inetd.endpoint(protocol, "discard"), "--requests", "10",
                        "--flows", "2", "--timeout", "300ms", "--warm-up", "0s", *load,
                        "--report", "json", timeout=20)
    assert result.code == 1, str(result)
    report = result.json
    assert report["status"] == "failed" and report["error"]["code"] == "nothing_answered"
    check_report(report)
    figures = result.run["requests"]
    assert figures["sent"] == figures["lost"] == 10 and figures["completed"] == 0, figures
    assert figures["loss_ratio"] == 1 and total_of(figures["errors"]) == 0
    response = result.run["latency_ns"]["response"]
    assert response["p50"] is None and response["beyond"] == "lost"
    # five requests one after the other on each flow, at most; the rest is set-up
    assert result.seconds < 5 * 0.3 + 3, str(result)
    assert "nothing" in result.stderr and "answer" in result.stderr, result.stderr


@pytest.mark.parametrize("load", [CLOSED, OPEN], ids=["closed", "open"])
def test_chargen_over_udp_is_an_answer_whatever_it_says(inetd, load):
    run = run_json(inetd.endpoint("udp", "chargen"), "--request", "x", "--reply", "any",
                   "--warm-up", "0s", "--flows", "2", *load)
    everything_answered(run, 300)
    assert run["bytes"]["sent"] == 300
    assert run["bytes"]["received"] == 300 * 74  # one line of 72 characters, CR LF


def test_chargen_over_tcp_gives_as_much_as_is_asked(inetd):
    run = run_json(inetd.endpoint("tcp", "chargen"), "--workload", "crr", "--request", "x",
                   "--reply", "length:740", "--warm-up", "0s", "--requests", "40")
    everything_answered(run, 40)
    assert run["bytes"]["received"] == 40 * 740


@pytest.mark.parametrize("load", [CLOSED, OPEN], ids=["closed", "open"])
@pytest.mark.parametrize("size", [0, 1, 65_507])
def test_a_udp_answer_may_have_any_size(size, load):
    with servers.DatagramAnswerer(lambda n: b"a" * size) as server:
        run = run_json(server.endpoint, "--request", "x", "--reply", "any", "--warm-up", "0s",
                       "--flows", "2", *load)
    everything_answered(run, 300)
    assert server.received == 300  # and not a byte beside the requests
    assert run["bytes"]["received"] == 300 * size


def test_an_answer_without_the_expected_text_is_an_error():
    with servers.DatagramAnswerer(lambda n: b"bad" if n % 3 == 0 else b"it is good") as server:
        run = run_json(server.endpoint, "--request", "x", "--reply", "any", "--expect", "good",
                       "--warm-up", "0s", "--requests", "300")
    assert run["requests"]["errors"] == {"unexpected": 100}
    assert run["requests"]["completed"] == 200


def test_a_request_without_an_answer_is_lost_and_the_next_one_goes_on():
    with servers.DatagramAnswerer(lambda n: None if n % 10 == 9 else b"a") as server:
        run = run_json(server.endpoint, "--request", "x", "--reply", "any", "--timeout", "50ms",
                       "--warm-up", "0s", "--requests", "100")
    assert server.received == 100
    assert run["requests"]["lost"] == 10 and run["requests"]["completed"] == 90
    assert run["requests"]["loss_ratio"] == 0.1
