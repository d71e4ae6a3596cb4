"""What was asked of the machine and what it gave stand side by side."""

import json
import os
import platform
import sys
from pathlib import Path

import pytest

from harness import run_json, run_volley

NUMBERS_OF_SOCKET = {"x86_64": 41, "aarch64": 198}  # among the system calls
SHORT = ("--requests", "200", "--duration", "5s", "--warm-up", "0s")


def conditions_of(*options):
    return run_json(*options, *SHORT)["conditions"]


def effective(conditions):
    return {name: row["effective"] for name, row in conditions.items()}


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
@pytest.mark.parametrize("workload", ["rr", "crr", "stream", "hold"])
def test_on_loopback_nothing_is_asked_and_all_is_known(protocol, workload):
    found = conditions_of(protocol, "--workload", workload, "--flows", 2)
    there = effective(found)
    assert (there["device"], there["source"], there["dscp"]) == ("lo", "127.0.0.1", "0")
    # As far as packets go, which have 16 bits for their length.
    mtu = int(Path("/sys/class/net/lo/mtu").read_text())
    assert int(there["mtu_bytes"]) == min(mtu, 65_535)
    assert int(there["rcvbuf_bytes"]) > 0 and int(there["sndbuf_bytes"]) > 0
    udp_only = {"offload_send", "offload_receive"}
    tcp_only = {"congestion", "pacing_rate"}
    unknown = {name for name, value in there.items() if value is None}
    assert unknown == (tcp_only if protocol == "udp" else udp_only)
    asked = {name: row["asked"] for name, row in found.items() if row["asked"] is not None}
    both = {"wait": "auto", "cpus": "pin off"}
    assert asked == both if protocol == "tcp" else asked == {
        **both, "rcvbuf_bytes": "largest", "sndbuf_bytes": "largest", "offload_send": "auto",
        "offload_receive": "auto"}


def test_a_buffer_is_as_small_as_it_was_asked_to_be():
    assert conditions_of("udp", "--rcvbuf", 4096)["rcvbuf_bytes"] == {
        "asked": "4096", "effective": "4096"}


def test_a_buffer_is_capped_in_silence():
    most = int(Path("/proc/sys/net/core/rmem_max").read_text())
    found = conditions_of("udp", "--rcvbuf", 4 * most)["rcvbuf_bytes"]
    assert found == {"asked": str(4 * most), "effective": str(most)}


def test_congestion_control_and_pacing_are_those_that_were_asked_for():
    found = conditions_of("tcp", "--congestion", "cubic", "--pacing-rate", "800Mbit/s", "--dscp", 8)
    assert found["congestion"] == {"asked": "cubic", "effective": "cubic"}
    assert found["pacing_rate"] == {"asked": "800Mbit/s", "effective": "800Mbit/s"}
    assert found["dscp"] == {"asked": "8", "effective": "8"}
    default = Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text().strip()
    assert conditions_of("tcp")["congestion"] == {"asked": None, "effective": default}


def test_offload_is_what_the_kernel_did():
    stream = ("udp", "--workload", "stream", "--flows", 1)
    auto = conditions_of(*stream, "--batch", 16)["offload_send"]
    assert auto == {"asked": "auto", "effective": "divided by the kernel"}
    one = conditions_of(*stream, "--batch", 1)["offload_send"]
    assert one == {"asked": "auto", "effective": "not used"}
    off = conditions_of(*stream, "--offload", "off")
    assert off["offload_send"] == off["offload_receive"] == {"asked": "off", "effective": "off"}


def test_answers_that_the_kernel_joined_are_said_to_be():
    load = ("udp", "--depth", 64, "--batch", 32)
    run = run_json(*load, "--requests", 20_000, "--duration", "5s", "--warm-up", "0s")
    joined = run["udp"]["gro_receives"] > 0
    found = run["conditions"]["offload_receive"]["effective"]
    assert found == ("joined by the kernel" if joined else "not used")


def test_threads_are_tied_to_the_cpus_that_are_named():
    cpus = sorted(os.sched_getaffinity(0))
    one = conditions_of("udp", "--pin", "--threads", 1)["cpus"]
    assert one == {"asked": "pin on", "effective": str(cpus[0])}
    if len(cpus) > 1:
        two = conditions_of("tcp", "--pin", "--threads", 2, "--flows", 2)["cpus"]
        assert two == {"asked": "pin on", "effective": f"{cpus[0]} {cpus[1]}"}
    free = conditions_of("udp", "--threads", 1)["cpus"]["effective"]
    assert free == Path("/proc/self/status").read_text().split("Cpus_allowed_list:\t")[1].split()[0]


def test_sources_are_the_addresses_of_the_threads_first_sockets():
    found = conditions_of("udp", "--source", "127.0.0.8/29", "--flows", 2, "--threads", 2)
    assert found["source"] == {"asked": "127.0.0.8/29", "effective": "127.0.0.9 127.0.0.10"}


def without_netlink():
    """Words before a program that may open no netlink socket."""
    if platform.machine() not in NUMBERS_OF_SOCKET:
        pytest.skip(f"the number of socket() on {platform.machine()} is not known here")
    return [sys.executable, "-B", Path(__file__).with_name("no_netlink.py"),
            NUMBERS_OF_SOCKET[platform.machine()]]


def test_where_rtnetlink_may_not_be_asked_the_route_is_unknown_and_nothing_fails():
    result = run_volley("run", "udp", *SHORT, "--report", "json", prefix=without_netlink())
    assert result.code == 0, str(result)
    there = effective(result.run["conditions"])
    assert there["device"] is None and there["qdisc"] is None
    assert there["source"] == "127.0.0.1" and int(there["mtu_bytes"]) > 0


def test_a_duel_has_conditions_for_each_of_its_rounds():
    result = run_volley("duel", "--rounds", 1, "--duration", "200ms", "--warm-up", "0s", "--report",
                        "json", timeout=60)
    assert result.code == 0, str(result)
    runs = result.json["runs"]
    assert len(runs) == 2 and all(run["conditions"]["device"]["effective"] == "lo" for run in runs)


def test_the_text_says_what_is_not_as_it_was_asked_and_is_rendered_again(tmp_path):
    saved = tmp_path / "report.json"
    result = run_volley("run", "udp", "--rcvbuf", 4096, "--wait", "block", *SHORT, "--report",
                        f"json:{saved}", "--report", "text")
    assert result.code == 0, str(result)
    words = " ".join(result.stdout.split())
    assert "in fact device lo, qdisc noqueue, mtu_bytes 65535, source 127.0.0.1, " in words
    largest = json.loads(saved.read_text())["runs"][0]["conditions"]["sndbuf_bytes"]["effective"]
    assert f"sndbuf_bytes {largest} (asked: largest)" in words
    in_fact = words.split("in fact ")[1].split(" load ")[0]
    assert "rcvbuf" not in in_fact and "wait" not in in_fact, in_fact
    assert all(len(line) <= 100 for line in result.stdout.splitlines())
    assert run_volley("report", saved).stdout == result.stdout


def test_a_report_of_before_there_were_conditions_is_still_read(tmp_path):
    result = run_volley("run", "tcp", *SHORT, "--report", "json")
    report = result.json
    del report["runs"][0]["conditions"]
    old = tmp_path / "old.json"
    old.write_text(json.dumps(report))
    again = run_volley("report", old, "--report", "json", "--report", "text:" + str(tmp_path / "t"))
    assert again.code == 0, str(again)
    assert again.run["conditions"] is None
    assert "in fact" not in (tmp_path / "t").read_text()
