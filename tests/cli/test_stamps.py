"""Where the time of stamped requests went: facts that hold on a busy machine too."""

import socket
import threading

import pytest

import harness
from harness import run_json, run_volley
from judging import DecodedHistogram

PLACES = ["send_lag_ns", "generator_kernel_ns", "forward_ns", "target_queue_ns",
          "target_service_ns", "backward_ns", "generator_wake_up_ns"]
OF_KERNELS = {"generator_kernel_ns", "target_queue_ns", "generator_wake_up_ns"}


def stamped(endpoint, *args):
    return run_json(endpoint, "--stamps", "--warm-up", "100ms", *args)


def holds_together(run, kernel_times):
    """What the report says of places, of itself and beside its histograms; the places."""
    delay, one_way = run["delay_by_place"], run["one_way_ns"]
    assert 0 < delay["samples"] <= delay["asked"] <= run["requests"]["sent"]
    assert delay["order_violations"] == 0, delay
    assert delay["kernel_times"] is kernel_times and not delay["clock_stepped"]
    assert list(delay["places"]) == PLACES
    for name, spread in delay["places"].items():
        if name in OF_KERNELS and not kernel_times:
            assert spread is None
            continue
        assert spread["min"] <= spread["p50"] <= spread["p99"] <= spread["max"], name
    longest = DecodedHistogram(run["latency_ns"]["response"]["histogram"]).at(1.0) * 1.001
    for at in delay["waterfall"]:
        assert sum(time or 0 for time in at["places"].values()) == at["response_ns"] <= longest
        assert {name for name, time in at["places"].items() if time is None} == (
            set() if kernel_times else OF_KERNELS)
    assert one_way["same_clock"] and one_way["clock_offset_ns"] == 0
    assert one_way["forward"] == delay["places"]["forward_ns"]
    assert one_way["backward"] == delay["places"]["backward_ns"]
    return delay["places"]


@pytest.mark.parametrize("args", [
    ["--rate", "2k"], ["--wait", "spin"], ["--depth", "64", "--size", "200"],
    ["--depth", "64", "--offload", "off"], ["--flows", "20", "--threads", "2"],
    ["--wait", "block", "--depth", "1"], ["--size-mix", "64:1,1400:1", "--depth", "8"]])
def test_udp_has_all_places(start_target, args):
    run = stamped(start_target("udp-echo").endpoint("udp"), "--duration", "400ms", *args)
    holds_together(run, True)
    # A spinning thread that waits for the other's CPU sends little; the kernel begins a moment late.
    assert run["delay_by_place"]["complete"] >= 1
    assert run["delay_by_place"]["calibration"]["error_ns"] >= 0


@pytest.mark.parametrize("args", [["udp"], ["tcp"], ["tcp", "--workload", "connect"],
                                  ["udp", "--workload", "stream"], ["tcp", "--workload", "hold"]],
                         ids=" ".join)
def test_every_report_says_what_its_clock_readings_are_worth(args):
    run = run_json(*args, "--duration", "100ms", "--warm-up", "0s")
    calibration = run["generator"]["calibration"]
    # A reading before the send and one after the receipt: the stamps lie between them.
    assert 0 < calibration["systematic_ns"] < 1_000_000, calibration
    assert calibration["error_ns"] >= 0, calibration


def test_where_nothing_loops_back_it_is_not_known():
    # In a network namespace of its own whose loopback is down nothing can be sent at all.
    result = run_volley("run", "udp", "--duration", "100ms", "--warm-up", "0s", "--report", "json",
                        prefix=("unshare", "-n"))
    assert result.code != 0 and result.json["status"] == "failed", str(result)
    assert all(run["generator"]["calibration"] is None for run in result.json["runs"])


def test_one_request_in_a_millisecond_is_stamped_in_each_thread(start_target):
    run = stamped(start_target("udp-echo").endpoint("udp"), "--rate", "50k", "--duration", "500ms")
    # Gaps of half a millisecond at least; a busy machine makes it fewer.
    assert run["delay_by_place"]["asked"] <= 1001, run["delay_by_place"]


def test_tcp_has_the_places_that_its_kernel_allows(start_target):
    target = start_target("tcp-echo")
    run = stamped(target.endpoint("tcp"), "--duration", "300ms", "--depth", "4", "--size", "5000")
    holds_together(run, False)
    assert run["delay_by_place"]["calibration"] is None


def test_what_a_target_delays_is_its_service(start_target):
    for protocol, kind in (("udp", "udp-echo"), ("tcp", "tcp-echo")):
        target = start_target(kind, "--delay", "7ms")
        run = stamped(target.endpoint(protocol), "--rate", "500", "--duration", "400ms")
        places = holds_together(run, protocol == "udp")
        assert places["target_service_ns"]["min"] >= 7_000_000, places


def test_lost_requests_have_no_sample_and_late_ones_neither(start_target):
    target = start_target("udp-echo", "--drop", "50%")
    run = stamped(target.endpoint("udp"), "--rate", "2k", "--duration", "400ms", "--timeout",
                  "100ms")
    delay = holds_together(run, True) and run["delay_by_place"]
    assert delay["samples"] < delay["asked"]


def test_a_server_that_is_not_ours_stamps_nothing():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(0.1)
        ended = threading.Event()

        def echo():
            while not ended.is_set():
                try:
                    server.sendto(*server.recvfrom(65_535))
                except TimeoutError:
                    pass
        thread = threading.Thread(target=echo)
        thread.start()
        try:
            result = run_volley("run", f"udp://127.0.0.1:{server.getsockname()[1]}", "--stamps",
                                "--duration", "200ms", "--warm-up", "0s", "--report", "json:-")
        finally:
            ended.set()
            thread.join()
    assert result.code == 0, str(result)
    delay = result.run["delay_by_place"]
    assert delay["asked"] > 0 and delay["samples"] == 0 and delay["waterfall"] == []
    assert result.run["one_way_ns"] is None
    assert result.run["requests"]["completed"] > 0 and result.run["requests"]["lost"] == 0


def test_without_the_flag_there_are_none(start_target):
    run = run_json(start_target("udp-echo").endpoint("udp"), "--requests", "10")
    assert run["delay_by_place"] is None and run["one_way_ns"] is None


def test_text_is_a_table_of_places(start_target):
    target = start_target("udp-echo")
    result = harness.run_volley("run", target.endpoint("udp"), "--stamps", "--rate", "1k",
                                "--duration", "400ms", "--warm-up", "100ms")
    assert result.code == 0, str(result)
    for words in ("by place", "way there", "target queue", "generator wake-up", "one way",
                  "one clock"):
        assert words in result.stdout, result.stdout
