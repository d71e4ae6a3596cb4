# ctest: serial
"""One-way delays against the relay's log, whose two ways differ by as much as one likes, and over a
time namespace, whose clock is ahead by a known time."""

import subprocess

import pytest

import harness
import relayed
import rig
from harness import run_json
from lab import hosts, starving


def usual(times):
    return sorted(times)[(len(times) - 1) // 2]


def stamped(endpoint, *args):
    return run_json(endpoint, "--stamps", "--rate", "2k", "--duration", "1s", "--warm-up", "0s",
                    "--timeout", "1s", *args)


@pytest.mark.skipif(rig.SANITIZED, reason="a sanitizer's own delays are in the times")
def test_each_way_has_its_own_delay(programs, start_target, tmp_path):
    """Half of the round trip would be 5 ms each. What the relay logged is from its kernel's stamp to
    the end of its call, beside the two wires: loopback takes some microseconds."""
    target = start_target("udp-echo")

    def attempt():
        relay = relayed.Relay(programs, tmp_path, to=target.udp, forward="delay=1000",
                              backward="delay=9000")
        run = stamped(relay.endpoint)
        return run, relay.finish()

    def check(run, log):
        assert log.fault() is None and run["requests"]["lost"] == 0
        one_way = run["one_way_ns"]
        assert one_way["same_clock"] and one_way["error_ns"] < 10_000
        for way, records, planned in (("forward", log.forward, 1_000_000),
                                      ("backward", log.backward, 9_000_000)):
            logged = usual([r.sent - r.received for r in records])
            print(f"{way}: {one_way[way]['p50'] / 1e6:.3f} ms, logged {logged / 1e6:.3f} ms")
            assert abs(one_way[way]["p50"] - logged) <= 100_000, (way, logged, one_way)
            assert one_way[way]["min"] >= planned - 1_000

    relayed.judged(attempt, check, 5, pytest.skip)


def in_a_time_namespace(ahead_s):
    """Words before a command whose CLOCK_MONOTONIC is to be ahead by so many seconds."""
    try:
        words = starving.other_clock(ahead_s)
    except hosts.Missing as missing:
        pytest.skip(str(missing))
    if subprocess.run([*words, "true"], capture_output=True, timeout=20).returncode != 0:
        pytest.skip("no time namespace can be made here")
    return words


@pytest.mark.parametrize("protocol, kind", [("udp", "udp-echo"), ("tcp", "tcp-echo")])
def test_the_offset_of_another_clock_is_found_within_half_a_round_trip(start_target, protocol, kind):
    target = start_target(kind, prefix=in_a_time_namespace(100))
    run = stamped(target.endpoint(protocol))
    one_way, delay = run["one_way_ns"], run["delay_by_place"]
    assert not one_way["same_clock"]
    assert abs(one_way["clock_offset_ns"] - 100_000_000_000) <= one_way["error_ns"], one_way
    # The bound is half of a round trip, of which the quickest is some 20 us; a slow machine's are ms.
    assert 0 < one_way["error_ns"] < 50_000_000
    assert delay["order_violations"] == 0
    check = next(c for c in run["checks"] if c["id"] == "C7d")
    assert check["status"] == "warn" and "differ" in check["text"], check
    said = harness.run_volley("run", target.endpoint(protocol), "--stamps", "--requests", "200",
                              "--warm-up", "0s")
    assert "the clocks differ (the target's is 100 s ahead)" in " ".join(said.stdout.split()), said


def test_by_one_clock_the_check_passes(start_target):
    run = stamped(start_target("udp-echo").endpoint("udp"))
    check = next(c for c in run["checks"] if c["id"] == "C7d")
    assert check["status"] == "pass" and run["one_way_ns"]["same_clock"], check
