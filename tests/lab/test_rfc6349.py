# ctest: serial
"""The three ratios of RFC 6349 against predictions that volley has no part in, each within 2 %.

transfer time  a token bucket of rate r lets r mss / (mss + 66) of payload through
efficiency     what nft dropped, of what came to it; exactly: what a capture holds twice
buffer delay   W segments under way through a bucket of rate r take W (mss + 52) 8 / r for a round
               trip, on a wire of a known length

The congestion control is named: one that paces itself (bbr) would not fill a queue."""

import contextlib
import struct

import pytest

import rig
import standstill
from harness import run_volley
from judging import check_report

rig.need_lab("tc", "nft", "ethtool", "tcpdump")
from lab import captures, delays, drops, hosts, shaping  # noqa: E402

WITHIN = 0.02
MSS = 1500 - 20 - 20 - 12  # IP, TCP, timestamps
IP_BYTES = MSS + 52
TC_BYTES = IP_BYTES + 14  # as a bucket on an Ethernet device counts
ETHERNET_BYTES = IP_BYTES + 38  # as RFC 6349 counts: with preamble, checksum and gap
DEEP = 2 * 1_514

pytestmark = pytest.mark.skipif(rig.SANITIZED, reason="a sanitizer is too slow to fill the wire")


@pytest.fixture(name="cable")
def fixture_cable():
    with hosts.two_hosts(offloads=False) as (a, b):
        a.ip("link", "set", a.device, "gso_max_segs", "1")  # a packet is a segment
        yield a, b


def stream(host, to, *load):
    result = run_volley("run", f"tcp://{to.address}:{rig.PORT}", "--workload", "stream",
                        "--congestion", "cubic", *load, "--report", "json", prefix=host.prefix())
    assert result.code == 0, str(result)
    check_report(result.json)
    assert result.run["tcp"]["mss_bytes"] == MSS
    return result.run["tcp"]


@pytest.mark.parametrize("rate_bits", (8_000_000, 50_000_000))
@pytest.mark.parametrize("faster", (1, 1.25))
def test_transfer_time(programs, cable, rate_bits, faster):
    """A bottleneck that is what the bucket lets through, and one said to be faster than that. The
    bucket is deep enough for 50 ms, so that a machine that stands still for a while can catch up:
    even if it were full when the 3 s begin, that would be no more than 1.7 %."""
    a, b = cable
    shaping.tbf(a, rate_bits, rate_bits // 8 // 20, 200 * TC_BYTES)
    rig.FarTarget(programs, b, "tcp-sink")
    bottleneck = round(faster * rate_bits * ETHERNET_BYTES / TC_BYTES)
    # The warm-up empties the bucket. The send buffer is as full at the beginning as at the end.
    for _ in range(3):
        with standstill.Witness() as witness:
            tcp = stream(a, b, "--sndbuf", "64KiB", "--warm-up", "500ms", "--duration", "3s",
                         "--bottleneck", f"{bottleneck}bit/s")
        assert shaping.figures(a)["tbf"]["drops"] == 0
        print(f"transfer time ratio {tcp['transfer_time_ratio']:.4f}, predicted {faster}; the "
              f"machine stood still for {witness.late_s * 1e3:.0f} ms")
        if tcp["transfer_time_ratio"] == pytest.approx(faster, rel=WITHIN):
            return
        if witness.late_s < 0.02:
            pytest.fail(f"transfer time ratio {tcp['transfer_time_ratio']}, predicted {faster}")
    pytest.skip("busy machine: it stood still each time")


def payload_on_the_wire(packets):
    """Bytes of TCP payload in a capture of one way, and how many of them were there before."""
    sent, again, seen = 0, 0, set()
    for _, data, length in packets:
        tcp = data[34:]
        payload = length - 34 - (tcp[12] >> 4) * 4
        if payload == 0:
            continue
        source, _, first = struct.unpack(">HHI", tcp[:8])
        again += payload * ((source, first) in seen)
        seen.add((source, first))
        sent += payload
    return sent, again


@pytest.mark.parametrize("pattern", (drops.every(50), drops.share(1, 30)),
                         ids=lambda pattern: pattern.text)
def test_efficiency(programs, cable, tmp_path, pattern):
    """Full segments are dropped behind the capture. Dropped ones are sent again, all of them; the
    capture knows as well what was sent once too often."""
    a, b = cable
    shaping.tbf(a, 50_000_000, DEEP, 200 * TC_BYTES)
    table = drops.Drops(b)
    table.add("data", f"tcp dport {rig.PORT} ip length {IP_BYTES}", pattern)
    rig.FarTarget(programs, b, "tcp-sink")
    with captures.capture(a, tmp_path / "a.pcap", f"tcp dst port {rig.PORT}") as taken:
        tcp = stream(a, b, "--warm-up", "0s", "--requests", "6000", "--duration", "20s")
        captures.wait_for_packets(taken.path, table.counts()["data_seen"])
    counts = table.counts()
    predicted = 1 - counts["data"] / counts["data_seen"]
    sent, again = payload_on_the_wire(taken.packets)
    print(f"efficiency {tcp['tcp_efficiency_ratio']:.5f}, by {counts['data']} drops of "
          f"{counts['data_seen']} {predicted:.5f}, by the capture {1 - again / sent:.5f}")
    assert counts["data"] > 50 and again >= counts["data"] * MSS
    assert tcp["tcp_efficiency_ratio"] == pytest.approx(predicted, rel=WITHIN)
    # The control messages that end a session come after the last reading.
    assert tcp["retransmitted_bytes"] == again and 0 <= sent - tcp["sent_bytes"] <= 4 * 96
    assert 1 - tcp["tcp_efficiency_ratio"] == pytest.approx(again / sent, rel=WITHIN)


DELAY_S = 0.05
NARROW_BITS = 8_000_000


@pytest.fixture(name="long_way")
def fixture_long_way(cable):
    """Generator a, a cable to the router b, and from there a long wire to c. What leaves b waits in
    its bucket: in a queue of a's own TCP would keep no more than a millisecond's worth."""
    a, b = cable
    with contextlib.ExitStack() as stack:
        c = stack.enter_context(contextlib.closing(hosts.Host("c", delays.ADDRESSES[1])))
        try:
            wire = stack.enter_context(delays.long_wire((b, c), DELAY_S))
        except hosts.Missing as missing:
            pytest.skip(str(missing))
        set_in(b, "ip_forward", "1")
        set_in(a, "tcp_wmem", "4096 1000000 6000000")
        set_in(c, "tcp_rmem", "4096 1000000 6000000")
        c.ip("route", "add", f"{a.address}/32", "dev", delays.DEVICE)
        shaping.tbf(b, NARROW_BITS, DEEP, 1_000_000, delays.DEVICE)
        yield a, b, c, wire


def set_in(host, name, value):
    host.call("sh", "-c", f"echo {value} >/proc/sys/net/ipv4/{name}")


@pytest.mark.parametrize("segments", (160, 240))
def test_buffer_delay(programs, long_way, segments):
    """The route limits the congestion window, from the second connection to a host on (the first
    one makes the kernel's entry of it). Where the thread that is the wire gets no CPU while the
    first packets pass, the least round trip is longer than the wire: then the run is repeated."""
    a, b, c, wire = long_way
    a.ip("route", "add", f"{c.address}/32", "via", b.address, "cwnd", "lock", segments,
         "initcwnd", segments)
    rig.FarTarget(programs, c, "tcp-sink")
    stream(a, c, "--warm-up", "0s", "--requests", "10")
    least, mean = 2 * DELAY_S, segments * IP_BYTES * 8 / NARROW_BITS
    predicted = mean / least - 1
    for _ in range(3):
        wire.late_s = 0
        tcp = stream(a, c, "--warm-up", "1500ms", "--duration", "2s")
        assert tcp["cwnd_max"] == segments, tcp
        print(f"buffer delay ratio {tcp['buffer_delay_ratio']:.4f}, predicted {predicted:.4f}; "
              f"mean {tcp['rtt_mean_ns'] / 1e6:.2f} ms, predicted {mean * 1e3:.2f}; "
              f"least {tcp['rtt_min_ns'] / 1e6:.2f} ms of {least * 1e3:.0f}; "
              f"wire at most {wire.late_s * 1e3:.1f} ms late")
        if tcp["buffer_delay_ratio"] == pytest.approx(predicted, rel=WITHIN):
            return
        if wire.late_s < 0.001:
            break
    else:
        pytest.skip("busy machine: the thread that is the wire was late each time")
    pytest.fail(f"buffer delay ratio {tcp['buffer_delay_ratio']:.4f}, predicted {predicted:.4f}")
