# ctest: serial
"""Every datagram that the kernel between generator and target dropped on purpose is in the report,
with a difference of 0: nft counts what it drops on the way there and on the way back, and volley
knows neither of the rules nor of the counters.

What has to hold besides is checked first, not assumed: nobody else lost anything (sockets, cables,
backlogs, the target), and nothing came late."""

import pytest

import rig
from harness import PATIENCE, run_volley
from judging import check_report, total_of

rig.need_lab("nft", "ethtool")
from lab import drops, hosts  # noqa: E402

NOTHING = drops.share(0, 1)
LASTING_S = 0.4  # of each run's sending
# The kind of a frame is its fourth byte, behind the 8 of UDP: 1 is a request, 3 a response, 4 measured
# data; others say hello, or ask what was counted.
REQUESTS, RESPONSES, DATA_FRAMES = "@th,88,8 1", "@th,88,8 3", "@th,88,8 4"
CONTROL_FRAMES = "@th,88,8 >= 16"

# Of n requests: which are dropped on the way there, and which answers on the way back.
PATTERNS = {
    "each hundredth, both ways": lambda n: (drops.every(100), drops.every(100, 50)),
    "each seventh there": lambda n: (drops.every(7, 3), NOTHING),
    "each ninth back": lambda n: (NOTHING, drops.every(9, 8)),
    "1 % by dice, both ways": lambda n: (drops.share(1, 100), drops.share(1, 100)),
    "a third by dice there": lambda n: (drops.share(1, 3), NOTHING),
    "30 % by dice back": lambda n: (NOTHING, drops.share(3, 10)),
    "a burst there, dice back": lambda n: (drops.between(n // 3, n // 2), drops.share(1, 50)),
    "a burst back, dice there": lambda n: (drops.share(1, 50), drops.between(n // 4, n // 3)),
    "the first fifth there": lambda n: (drops.between(0, n // 5), NOTHING),
    "the last tenth there": lambda n: (drops.all_from(n - n // 10), NOTHING),
    "the last answers, and dice": lambda n: (drops.share(1, 50), drops.all_from(n - n // 5)),
    "the last one there": lambda n: (drops.all_from(n - 1), NOTHING),
    "nothing": lambda n: (NOTHING, NOTHING),
    "nine of ten there": lambda n: (drops.share(9, 10), NOTHING),
}
UNDER_A_SANITIZER = ("each hundredth, both ways", "1 % by dice, both ways", "the last tenth there")


@pytest.fixture(scope="module", name="cable")
def fixture_cable():
    with hosts.two_hosts(offloads=False) as pair:
        yield pair


def counted_run(programs, cable, patterns, target_options, *load, tables=None):
    """A run from a to b: its figures, nft's counters, and what the target counted."""
    a, b = cable
    tables = tables or (drops.Drops(a), drops.Drops(b))
    try:
        tables[1].add("forward", f"udp dport {rig.PORT} {REQUESTS}", patterns[0])
        tables[0].add("backward", f"udp sport {rig.PORT} {RESPONSES}", patterns[1])
        before = [host.losses() for host in cable]
        target = rig.FarTarget(programs, b, "udp-echo", *target_options)
        result = run_volley("run", f"udp://{b.address}:{rig.PORT}", "--warm-up", "0s", "--report",
                            "json", *load, prefix=a.prefix(), timeout=30)
        counts = tables[0].counts() | tables[1].counts()
        served = target.stop()["udp"]
        assert result.code == 0, str(result)
        check_report(result.json)
        nobody_else_lost(result.run, served, before, [host.losses() for host in cable])
        return result.run, counts, served
    finally:
        for table in tables:
            table.remove()


def nobody_else_lost(run, served, before, after):
    requests = run["requests"]
    assert before == after, f"the hosts' own losses grew from {before} to {after}"
    assert run["udp"]["socket_drops"] == 0 and run["socket_events"] == {}, run["udp"]
    assert total_of(requests["errors"]) == requests["late"] == requests["in_flight"] == 0, requests
    assert total_of(requests["unsent"]) == 0 and not requests["skipped"], requests
    for kind in ("dropped", "discarded", "send_errors", "receive_errors", "kernel_drops",
                 "malformed"):
        assert served[kind] == 0, f"the target: {kind} {served[kind]}"


def equal_to_the_counters(run, counts, served):
    """volley's figures are nft's, as a whole and, with what the target saw, each way."""
    requests = run["requests"]
    assert {"sent": requests["sent"], "lost": requests["lost"]} == {
        "sent": counts["forward_seen"], "lost": counts["forward"] + counts["backward"]}
    assert requests["completed"] == counts["backward_seen"] - counts["backward"]
    assert requests["duplicates"] == requests["reordered"] == 0, requests
    assert requests["sent"] - served["requests"] == counts["forward"], "on the way there"
    assert served["answered"] - requests["completed"] == counts["backward"], "on the way back"


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("rate", (1_000, 50_000))
def test_lost_is_what_the_kernel_dropped(programs, cable, rate, pattern):
    if rig.SANITIZED and (rate > 1_000 or pattern not in UNDER_A_SANITIZER):
        pytest.skip("a sanitizer is too slow for every pattern and for high rates")
    requests = int(rate * LASTING_S)
    run, counts, served = counted_run(
        programs, cable, PATTERNS[pattern](requests), (), "--rate", rate, "--requests", requests,
        "--timeout", f"{300 * PATIENCE}ms", "--seed", len(pattern))
    assert run["requests"]["planned"] == run["requests"]["sent"] == requests
    equal_to_the_counters(run, counts, served)


no_sanitizer = pytest.mark.skipif(rig.SANITIZED, reason="a sanitizer knows no high rates")


@no_sanitizer
@pytest.mark.parametrize("patterns", ((drops.every(5_000), drops.every(7_000)),
                                      (drops.share(1, 10_000), drops.share(1, 10_000))),
                         ids=("counted", "by dice"))
def test_round_trips_as_fast_as_they_go_with_offload(programs, cable, patterns):
    """The kernel is handed whole trains; the cable's end divides them, so nft sees datagrams. No
    more are in flight than any socket or backlog holds, so nothing else is lost."""
    run, counts, served = counted_run(
        programs, cable, patterns, ("--offload", "on"), "--duration", "1s", "--depth", "512",
        "--offload", "on", "--timeout", "300ms")
    equal_to_the_counters(run, counts, served)
    assert run["udp"]["gso_segments"] > run["requests"]["sent"] / 2, "hardly a train was sent"
    print(f"{counts['forward_seen'] + counts['backward_seen']:,} datagrams past nft in 1 s")


# Of what leaves for a host that takes next to nothing of it: a million and more a second.
FAST = ({f"{lost} of 1000 counted": drops.counted(lost, 1000)
         for lost in (900, 925, 950, 975, 990)}
        | {f"{lost} of 1000 by dice": drops.share(lost, 1000) for lost in (900, 950, 990)}
        | {"the tail": drops.all_from(100_000), "all but a burst": drops.all_but(50_000, 90_000)}
        | {"each thousandth": drops.every(1_000), "1 in 1000 by dice": drops.share(1, 1_000)})


@no_sanitizer
@pytest.mark.parametrize("pattern", FAST)
def test_a_stream_as_fast_as_it_goes_with_offload(programs, cable, pattern):
    """A receiver that is too slow loses in its own socket, which the kernel counts as well. Both
    counters together are what volley calls lost; the sink knows its part."""
    a, b = cable
    table = drops.Drops(b, "ingress")
    try:
        table.add("forward", f"udp dport {rig.PORT} {DATA_FRAMES}", FAST[pattern])
        table.add("control", f"udp dport {rig.PORT} {CONTROL_FRAMES}", NOTHING)
        before = b.losses()
        sink = rig.FarTarget(programs, b, "udp-sink")
        result = run_volley("run", f"udp://{b.address}:{rig.PORT}", "--workload", "stream",
                            "--size", "64", "--warm-up", "0s", "--duration", "500ms", "--offload",
                            "on", "--timeout", "300ms", "--report", "json", prefix=a.prefix())
        counts, after, served = table.counts(), b.losses(), sink.stop()["udp"]
    finally:
        table.remove()
    assert result.code == 0, str(result)
    check_report(result.json)
    requests = result.run["requests"]
    full = after.get("udp RcvbufErrors", 0) - before.get("udp RcvbufErrors", 0)
    # A full socket may have thrown away a question as well, which was then asked again.
    full -= counts["control_seen"] - served["control"]
    assert a.losses() == {} and set(after) <= {"udp RcvbufErrors", "udp InErrors"}, after
    assert {"sent": requests["sent"], "lost": requests["lost"], "came": served["data"]} == {
        "sent": counts["forward_seen"], "lost": counts["forward"] + full,
        "came": counts["forward_seen"] - counts["forward"] - full}
    assert served["kernel_drops"] == full + counts["control_seen"] - served["control"]
    assert requests["sent"] > 50_000, requests
    assert result.run["udp"]["gso_segments"] == requests["sent"], "not every one was in a train"
    rate = requests["sent"] / result.run["duration_s"]
    print(f"{pattern}: {counts['forward_seen']:,} datagrams past nft at {rate:,.0f}/s, {full:,} "
          "found the sink full")


@no_sanitizer
@pytest.mark.parametrize("seed", range(1, 11))
def test_a_million_requests_a_second_of_which_few_arrive(programs, cable, seed):
    """The way back carries what the target answers, less each third of it by dice."""
    tables = drops.Drops(cable[0], "ingress"), drops.Drops(cable[1], "ingress")
    run, counts, served = counted_run(
        programs, cable, (drops.share(970 + seed, 1000), drops.share(1, 3)),
        ("--offload", "on"), "--rate", "1.1M", "--requests", "400k", "--offload", "on",
        "--timeout", "1s", "--seed", seed, tables=tables)
    assert run["requests"]["sent"] == 400_000
    equal_to_the_counters(run, counts, served)
    print(f"{counts['forward_seen']:,} past nft at {run['load']['offered_per_s']:,.0f}/s")
