# ctest: serial
"""A token bucket between generator and server is arithmetic. With rate r, depth b, a queue of q
bytes and datagrams of P bytes of payload, L = P + 42 on the wire, what offers more than r for D
seconds has delivered

    (b + q + r D / 8) / L       of them at r / (8 L) a second

and what the queue threw away is the rest, by the kernel's own count. Where round trips overload it,
each waits behind a full queue: q 8 / r. The captures and the other tools of the lab are tried here
too."""

import subprocess
import time

import pytest

import rig
from harness import run_volley
from judging import DecodedHistogram, check_report

rig.need_lab("tc", "ethtool", "tcpdump")
from lab import captures, hosts, shaping, starving  # noqa: E402

PAYLOAD = 64
WIRE = PAYLOAD + shaping.WIRE_BYTES
# The bucket is deeper (42 ms) than a CPU stands still: what runs over meanwhile is lost to the rate.
RATE_BITS, BURST, QUEUE = 8_000_000, 400 * WIRE, 1_000 * WIRE
CAPACITY = RATE_BITS / 8 / WIRE  # datagrams a second

# Requests and answers: the kind of a frame is its fourth byte, behind the 8 of UDP.
TRAFFIC = f"udp port {rig.PORT} and (udp[11] = 1 or udp[11] = 3)"

no_sanitizer = pytest.mark.skipif(rig.SANITIZED, reason="a sanitizer knows no high rates")


@pytest.fixture(name="cable")
def fixture_cable():
    with hosts.two_hosts(offloads=False) as pair:
        yield pair


def run_from(host, to, *load):
    result = run_volley("run", f"udp://{to.address}:{rig.PORT}", "--warm-up", "0s", "--size",
                        PAYLOAD, *load, "--report", "json", prefix=host.prefix())
    assert result.code == 0, str(result)
    check_report(result.json)
    return result.run


@no_sanitizer
def test_round_trips_through_a_narrow_way_back(programs, cable):
    """Twice as many as the way back carries, for D seconds, answered by a target that is never
    told of a full queue."""
    a, b = cable
    shaping.tbf(b, RATE_BITS, BURST, QUEUE)
    target = rig.FarTarget(programs, b, "udp-echo")
    seconds = 2
    run = run_from(a, b, "--rate", f"{2 * CAPACITY:.0f}", "--arrival", "constant", "--duration",
                   f"{seconds}s", "--timeout", "1s")
    figures, served = shaping.figures(b)["tbf"], target.stop()["udp"]
    requests = run["requests"]
    assert served["requests"] == requests["sent"] and served["kernel_drops"] == 0, served
    assert a.losses() == {} and run["udp"]["socket_drops"] == requests["late"] == 0, a.losses()
    assert requests["lost"] == figures["drops"] + served["send_errors"], figures
    delivered = (BURST + QUEUE + RATE_BITS * seconds / 8) / WIRE
    print(f"delivered {requests['completed']}, by arithmetic {delivered:.0f}")
    assert requests["completed"] == pytest.approx(delivered, rel=0.01)
    # Nearly all of the run there are q bytes before each answer that finds room.
    waited = DecodedHistogram(run["latency_ns"]["service"]["histogram"]).at(0.5)
    standing = QUEUE * 8 / RATE_BITS * 1e9
    print(f"median {waited / 1e6:.2f} ms, standing queue {standing / 1e6:.2f} ms")
    assert waited == pytest.approx(standing, rel=0.01, abs=1_000_000)


def test_a_capture_holds_every_datagram(programs, cable, tmp_path):
    a, b = cable
    rig.FarTarget(programs, b, "udp-echo")
    with captures.capture(b, tmp_path / "b.pcap", TRAFFIC) as taken:
        run = run_from(a, b, "--rate", "1k", "--requests", "200")
        captures.wait_for_packets(taken.path, 400)
    assert run["requests"]["completed"] == 200 and len(taken.packets) == 400
    assert {length for _, _, length in taken.packets} == {WIRE}
    times = [at for at, _, _ in taken.packets]
    # Two CPUs that stamp at once may do so in either order.
    assert all(later - earlier > -1_000_000 for earlier, later in zip(times, times[1:]))
    assert abs(times[0] - time.time_ns()) < 60e9


def test_a_clock_that_began_at_another_time(cable):
    told = subprocess.run([*starving.other_clock(1_000_000), "cat", "/proc/uptime"], text=True,
                          capture_output=True, timeout=20)
    if told.returncode != 0:
        pytest.skip(f"no time namespace: {told.stderr.strip()}")
    assert float(told.stdout.split()[0]) - time.clock_gettime(time.CLOCK_BOOTTIME) > 999_000


def test_a_share_of_a_cpu_holds_a_program_back():
    try:
        with starving.cpu_share(0.1) as words:
            subprocess.run([*words, "sh", "-c", "i=0; while [ $i -lt 40000 ]; do i=$((i+1)); done"],
                           check=True, timeout=60)
            assert starving.throttled(words) > 0
    except hosts.Missing as missing:
        pytest.skip(str(missing))
