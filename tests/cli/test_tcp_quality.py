# ctest: serial
"""What the report says of TCP, against the kernel's counters, a firewall's and a capture's: in
network namespaces that tcp_namespace.py makes, so that nothing but the test is counted."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import harness
from harness import run_json
from judging import check_report

SCRIPT = Path(__file__).with_name("tcp_namespace.py")
SENDERS_OWN = {"sent_bytes", "retransmitted_bytes", "retransmits", "cwnd_min", "cwnd_mean",
               "cwnd_max", "rtt_mean_ns", "rtt_min_ns", "busy_us", "rwnd_limited_ratio",
               "sndbuf_limited_ratio", "delivery_bits_per_s", "reordering_seen"}


@pytest.fixture(scope="module")
def isolated():
    """isolated("queue", …) -> what tcp_namespace.py printed."""
    words = [harness.need("unshare"), "--net"]
    words = words if os.geteuid() == 0 else [*words, "--map-root-user"]
    if subprocess.run([*words, "true"], capture_output=True).returncode != 0:
        pytest.skip("this machine lets us make no network namespace")

    def run(name, *arguments):
        for program in ("nft", "tcpdump", "tshark", "nsenter"):
            harness.need(program)
        path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
        done = subprocess.run([*words, sys.executable, "-B", str(SCRIPT), name,
                               str(harness.volley_path()), *map(str, arguments)],
                              capture_output=True, text=True, timeout=60 * harness.PATIENCE,
                              env={**os.environ, "PATH": path})
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)
    return run


def tcp_of(said):
    check_report(said["report"])
    return said["report"]["runs"][0]["tcp"]


def words_of(said):
    return " ".join(said["text"].split())


def test_a_full_accept_queue_is_seen_in_the_handshakes_and_named(isolated):
    said = isolated("queue")
    tcp, kernel = tcp_of(said), said["kernel"]
    assert said["report"]["runs"][0]["latency_ns"]["connect"]["count"] == 8
    again = [tcp[f"connect_syn_retries_{n}"] for n in (1, 2, 3)]
    # One SYN was dropped for each that a connection sent beyond its first one.
    assert sum(again) == 6 and again[0] >= 1
    dropped = sum(n * count for n, count in enumerate(again, 1))
    assert dropped == tcp["syn_retransmits"] == tcp["listen_overflows"] == tcp["listen_drops"]
    assert kernel == {"ListenOverflows": dropped, "ListenDrops": dropped,
                      "TCPSynRetrans": dropped}
    assert ("6 of the 8 connections waited 1 s or more for another SYN" in words_of(said)
            and f": the server's accept queue was full (ListenOverflows {dropped})"
            in words_of(said)), said["text"]


def test_what_is_sent_again_is_what_a_firewall_dropped_and_a_capture_shows(isolated, tmp_path):
    said = isolated("drops", tmp_path)
    tcp = tcp_of(said)
    assert said["kernel_dropped"] == 0
    assert said["dropped"] >= 20
    assert tcp["retransmits"] == len(said["seen_again"])
    assert tcp["retransmitted_bytes"] == sum(said["seen_again"])
    # Each dropped segment was sent again; some may have been sent once too often.
    assert tcp["retransmits"] >= said["dropped"]
    # 500 messages, and the question how many came.
    assert tcp["sent_bytes"] - tcp["retransmitted_bytes"] == 500 * 8192 + 96
    assert tcp["tcp_efficiency_ratio"] == pytest.approx(
        1 - tcp["retransmitted_bytes"] / tcp["sent_bytes"])
    assert tcp["mss_bytes"] == 1448
    # The listeners of another namespace are not seen from here.
    assert tcp["listen_overflows"] is None and tcp["syn_retransmits"] == 0
    assert f"({tcp['retransmits']} segments)" in words_of(said)


@pytest.fixture(scope="module")
def limits(isolated):
    return isolated("limits")


def test_a_target_that_does_not_read_is_seen_as_its_window(limits):
    tcp = tcp_of(limits["window"])
    assert tcp["rwnd_limited_ratio"] > 0.5 > tcp["sndbuf_limited_ratio"]
    assert "by the receiver's window" in words_of(limits["window"])


def test_a_small_send_buffer_is_seen_as_such(limits):
    tcp = tcp_of(limits["buffer"])
    assert tcp["sndbuf_limited_ratio"] > 0.5 and tcp["rwnd_limited_ratio"] < 0.1
    assert "by the send buffer (give a larger --sndbuf)" in words_of(limits["buffer"])


def test_nothing_holds_up_what_hardly_sends(limits):
    tcp = tcp_of(limits["free"])
    assert tcp["rwnd_limited_ratio"] < 0.1 and tcp["sndbuf_limited_ratio"] < 0.1
    # None, unless the wire itself stood still and the kernel asked whether the last one was lost.
    assert tcp["retransmits"] <= limits["free"]["probes"]
    assert tcp["retransmitted_bytes"] <= tcp["retransmits"] * 1448
    assert tcp["tcp_efficiency_ratio"] == pytest.approx(
        1 - tcp["retransmitted_bytes"] / tcp["sent_bytes"])
    assert "held up" not in words_of(limits["free"])


def test_the_ideal_transfer_time_is_known_where_the_bottleneck_is(limits):
    run = limits["free"]["report"]["runs"][0]
    # Each 1,448 bytes take 38 of Ethernet, 20 of IP, 20 of TCP and 12 of timestamps.
    ideal = 100e6 * 1448 / (1448 + 90)
    assert run["tcp"]["transfer_time_ratio"] == pytest.approx(
        ideal / run["bytes"]["goodput_bits_per_s"])
    assert tcp_of(limits["window"])["transfer_time_ratio"] is None


def test_round_trips_of_a_wire_of_10_ms_are_no_shorter(limits):
    for name in ("buffer", "free", "window"):
        tcp = tcp_of(limits[name])
        assert 10e6 <= tcp["rtt_min_ns"] <= tcp["rtt_mean_ns"], name
        assert tcp["buffer_delay_ratio"] == pytest.approx(
            tcp["rtt_mean_ns"] / tcp["rtt_min_ns"] - 1), name


def test_the_warm_up_is_subtracted_and_connections_are_read_in_turns():
    run = run_json("tcp", "--flows", "4", "--warm-up", "300ms", "--duration", "500ms")
    tcp = run["tcp"]
    # Requests are counted by when they were due, bytes by when the phase was seen to begin.
    assert abs(tcp["sent_bytes"] - run["bytes"]["sent"]) <= 4 * 64
    assert tcp["connections_followed"] == 4
    assert 4 <= tcp["samples"] <= 4 * 11
    assert tcp["cwnd_min"] <= tcp["cwnd_mean"] <= tcp["cwnd_max"]
    assert tcp["tcp_efficiency_ratio"] is None  # of streams only


def test_of_many_connections_a_bounded_number_is_read_and_all_are_counted():
    run = run_json("tcp", "--flows", "100", "--warm-up", "0s", "--duration", "500ms")
    tcp = run["tcp"]
    assert tcp["connections_followed"] == 100 and tcp["samples"] <= 32 * 11
    assert tcp["sent_bytes"] == run["bytes"]["sent"]


def test_connections_of_one_request_are_read_at_their_end():
    run = run_json("tcp", "--workload", "crr", "--flows", "2", "--duration", "500ms")
    tcp = run["tcp"]
    assert 1 <= tcp["connections_followed"] == tcp["samples"] <= 32 * 11
    assert tcp["sent_bytes"] == 64 * tcp["connections_followed"]
    assert tcp["busy_us"] is None


def test_held_connections_are_counted_to_the_last_one():
    run = run_json("tcp", "--workload", "hold", "--flows", "50", "--warm-up", "0s", "--duration",
                   "500ms")
    assert run["tcp"]["connections_followed"] == 50
    assert run["tcp"]["sent_bytes"] == run["bytes"]["sent"]
    assert run["tcp"]["connect_syn_retries_1"] == 0


def test_of_a_stream_that_comes_down_the_senders_figures_are_unknown():
    tcp = run_json("tcp", "--workload", "stream", "--direction", "down", "--duration",
                   "300ms")["tcp"]
    assert {key for key in SENDERS_OWN if tcp[key] is not None} == set()
    assert tcp["out_of_order"] is not None and tcp["mss_bytes"] > 0


def test_the_congestion_control_in_use_is_named():
    run = run_json("tcp", "--congestion", "reno", "--duration", "200ms")
    assert (run["config"]["congestion"], run["config"]["congestion_in_use"]) == ("reno", "reno")
    run = run_json("tcp", "--workload", "connect", "--duration", "200ms")
    assert run["config"]["congestion_in_use"] == Path(
        "/proc/sys/net/ipv4/tcp_congestion_control").read_text().strip()
