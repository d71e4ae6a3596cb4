# ctest: serial
"""What a report says of its conditions, against what `ip` and `tc` say of the same route: between
two hosts whose cable is a veth with a token bucket on it."""

import json

import pytest

import rig
from harness import run_volley
from judging import check_report

rig.need_lab("tc")
from lab import hosts, shaping  # noqa: E402

RATE_BITS, BURST, QUEUE = 80_000_000, 100_000, 1_000_000


@pytest.fixture(name="cable", scope="module")
def fixture_cable():
    with hosts.two_hosts() as pair:
        yield pair


@pytest.fixture(name="target", scope="module")
def fixture_target(module_programs, cable):
    return rig.FarTarget(module_programs, cable[1])


def run_from(host, endpoint, *options):
    """The conditions of a short run and what the text says of them, `volley report` included."""
    result = run_volley("run", endpoint, "--requests", 50, "--duration", "5s", "--warm-up", "0s",
                        *options, "--report", "json", prefix=host.prefix())
    assert result.code == 0, str(result)
    check_report(result.json)
    return result.run["conditions"]


def route_of(host, address):
    """The interface, the source address and the kind of qdisc, as the tools tell."""
    route = json.loads(host.ip("-j", "route", "get", address))[0]
    listed = json.loads(host.call("tc", "-j", "qdisc", "show", "dev", route["dev"]))
    roots = [entry["kind"] for entry in listed if entry.get("root")]
    link = json.loads(host.ip("-j", "link", "show", route["dev"]))[0]
    return {"device": route["dev"], "source": route["prefsrc"], "qdisc": roots[0],
            "mtu_bytes": str(link["mtu"])}


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
@pytest.mark.parametrize("shaped", [False, True])
def test_the_route_is_the_one_that_ip_and_tc_tell(cable, target, protocol, shaped):
    a, b = cable
    if shaped:
        shaping.tbf(a, RATE_BITS, BURST, QUEUE)
    try:
        told = route_of(a, b.address)
        found = run_from(a, f"{protocol}://{b.address}:{rig.PORT}")
    finally:
        if shaped:
            shaping.clear(a)
    assert {name: found[name]["effective"] for name in told} == told
    assert told["qdisc"] == ("tbf" if shaped else "noqueue") and told["device"] == a.device
    assert all(found[name]["asked"] is None for name in told)


def test_a_route_with_an_mtu_of_its_own(cable, target):
    a, b = cable
    a.ip("route", "add", b.address, "dev", a.device, "mtu", 1280)
    try:
        found = run_from(a, f"udp://{b.address}:{rig.PORT}")
    finally:
        a.ip("route", "del", b.address)
    assert found["mtu_bytes"]["effective"] == "1280"


def test_an_address_of_this_host_is_reached_through_lo(module_programs, cable):
    a, _ = cable
    rig.FarTarget(module_programs, a)
    found = run_from(a, f"udp://{a.address}:{rig.PORT}", "--source", a.address)
    assert found["device"]["effective"] == route_of(a, a.address)["device"] == "lo"
    assert found["source"] == {"asked": a.address, "effective": a.address}
