# ctest: serial
"""RFC 4737 and RFC 5560 over a capture: the answers of a run through a relay that drops, copies and
holds back, as tcpdump saw them come in on loopback, judged by the letter of the definitions. What
volley reports of them is the same, with a difference of 0.

Times are not compared: volley's are those of its receive calls, and a call may read several."""

from collections import Counter

import pytest

import relayed
import rig
from harness import PATIENCE, run_volley
from judging import check_report

rig.need_lab("tcpdump")
from lab import captures  # noqa: E402

HEADERS = 14 + 20 + 8  # Ethernet, IPv4, UDP
RESPONSE = 3
REQUESTS = 600
# Of each seed: which way there is trouble, and how much.
PLANS = {
    "backward": lambda seed: {"backward": f"drop=0.0{seed % 3 + 1},reorder=0.1:{seed % 7 + 1},"
                                          f"duplicate=0.04:{seed % 3 + 1}"},
    "forward": lambda seed: {"forward": f"drop=0.03,reorder=0.08:{seed % 5 + 3},duplicate=0.03:1"},
    "both ways": lambda seed: {"forward": f"reorder=0.08:{seed % 4 + 2},drop=0.02",
                               "backward": f"reorder=0.2:{seed % 5 + 4},duplicate=0.05:2"},
}
RUNS = [("backward", seed) for seed in range(1, 11)] + [
    (ways, seed) for ways in ("forward", "both ways") for seed in (11, 12, 13)]


class Loopback:
    """In place of a host of the lab."""
    device = "lo"

    @staticmethod
    def prefix():
        return []


def answers_in(packets):
    """The sequence numbers of the answers, in the order in which they came."""
    frames = [data[HEADERS:] for _, data, _ in packets]
    assert all(frame[:3] == b"\xf6\xd7\x01" for frame in frames)
    frames = [frame for frame in frames if frame[3] == RESPONSE]  # what is asked besides is none
    assert len({frame[4:8] for frame in frames}) == 1, "answers of another run"
    return [int.from_bytes(frame[18:24], "little") for frame in frames]


def captured_run(programs, start_target, folder, seed, plans):
    """A run's figures, the answers as a capture on loopback shows them, and the relay's log."""
    target = start_target("udp-echo")
    relay = relayed.Relay(programs, folder, target.udp, seed=seed, **plans)
    with captures.capture(Loopback, folder / "lo.pcap", f"udp src port {relay.port} and "
                          f"not dst port {target.udp[1]}") as taken:
        result = run_volley("run", relay.endpoint, "--rate", "2k", "--requests", REQUESTS,
                            "--warm-up", "0s", "--timeout", f"{400 * PATIENCE}ms", "--seed", seed,
                            "--report", "json")
        log = relay.finish()
        captures.wait_for_packets(taken.path, len(log.answers()))
    assert log.fault() is None, f"the relay is no witness: {log.fault()}"
    assert result.code == 0, str(result)
    check_report(result.json)
    return result.run, answers_in(taken.packets), log


@pytest.mark.parametrize("ways, seed", RUNS)
def test_the_report_says_what_a_capture_shows(programs, start_target, tmp_path, ways, seed):
    run, answers, log = captured_run(programs, start_target, tmp_path, seed, PLANS[ways](seed))
    requests, udp = run["requests"], run["udp"]
    assert answers == log.answers(), "loopback changed the order"
    assert udp["socket_drops"] == requests["late"] == 0, "an answer was not read in time"
    arrivals, copies = list(dict.fromkeys(answers)), Counter(answers)
    late = relayed.reordered_in(arrivals)
    extents, kept = [one.extent for one in late], [one.kept for one in late]
    duplicates = len(answers) - len(arrivals)
    three = sum(one.n >= 3 for one in late)
    print(f"{ways}, seed {seed}: {len(answers)} answers, {duplicates} duplicates, {len(late)} "
          f"reordered, {three} by three and more, extents up to {max(extents)}")
    assert len(late) > 10, "no trouble"
    assert {key: requests[key] for key in ("sent", "completed", "lost", "duplicates",
                                           "reordered")} == {
        "sent": REQUESTS, "completed": len(arrivals), "lost": REQUESTS - len(arrivals),
        "duplicates": duplicates, "reordered": len(late)}
    for name, values in (("extent", extents), ("kept", kept)):
        assert [udp[f"reordering_{name}_{which}"] for which in ("p50", "p99", "max")] == [
            relayed.at(0.5, values), relayed.at(0.99, values), max(values)], name
    assert udp["reordering_forgotten"] == 0
    ratios = {"duplicated_ratio": duplicates, "reordered_ratio": len(late),
              "replicated_ratio": sum(n > 1 for n in copies.values()),
              "n_reordered_3_ratio": three}
    for name, count in ratios.items():
        assert udp[name] * len(arrivals) == pytest.approx(count, abs=1e-6), name
