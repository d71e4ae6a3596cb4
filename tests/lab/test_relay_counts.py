# ctest: serial
"""What a relay did to requests and answers is what the report says, with a difference of 0: lost,
duplicates, reordered, and by how much. The relay is a program that shares no code with volley, and
what it logged is judged here by the RFCs' own definitions."""

import pytest

import relayed
import rig
from harness import PATIENCE, run_volley
from judging import check_report, total_of

SEEDS = range(1, 11)
FEW_SEEDS = range(11, 15)
# The same shares each way would be one pattern; these are each seed's own.
TROUBLE = {
    "forward": lambda seed: (f"drop=0.0{seed % 5 + 1},reorder=0.0{seed % 3 + 1}:{seed % 4 + 1},"
                             f"duplicate=0.01:{seed % 3 + 1}"),
    "backward": lambda seed: (f"drop-every={40 + seed},reorder=0.05:{seed % 7 + 1},"
                              f"duplicate=0.02:{seed % 2 + 1}"),
}


def relayed_run(programs, start_target, folder, seed, rate, requests, **plans):
    target = start_target("udp-echo", "--report", f"json:{folder}/target.json")
    relay = relayed.Relay(programs, folder, target.udp, seed=seed, **plans)
    # A busy machine may need as long again for a fast run's backlog.
    patience_ms = (400 if rate <= 1_000 else 1_000) * PATIENCE
    result = run_volley("run", relay.endpoint, "--rate", rate, "--requests", requests, "--warm-up",
                        "0s", "--timeout", f"{patience_ms}ms", "--seed", seed, "--report",
                        "json", timeout=30)
    log = relay.finish()
    assert log.fault() is None, f"the relay is no witness: {log.fault()}"
    assert result.code == 0, str(result)
    check_report(result.json)
    run = result.run
    requests_ = run["requests"]
    assert run["udp"]["socket_drops"] == 0 and requests_["in_flight"] == 0, run
    assert requests_["late"] == 0, "an answer took longer than the timeout"
    assert log.summary["forward"] == requests_["sent"] == requests, log.summary
    passed_on = sum(record.sent > 0 for record in log.forward)
    assert log.summary["backward"] == passed_on, "the target or loopback lost some"
    return run, log


def equal_to_the_log(run, log):
    requests, udp = run["requests"], run["udp"]
    answers = log.answers()
    arrived = set(answers)
    assert {key: requests[key] for key in ("completed", "lost", "duplicates", "reordered")} == {
        "completed": len(arrived), "lost": requests["sent"] - len(arrived),
        "duplicates": relayed.duplicates(answers), "reordered": relayed.reordered(answers)}
    extents = sorted(relayed.extents(answers))
    assert udp["reordering_extent_max"] == (extents[-1] if extents else None)
    assert udp["reordering_forgotten"] == 0


@pytest.mark.parametrize("rate, seed", [(1_000, seed) for seed in SEEDS]
                         + [(50_000, seed) for seed in FEW_SEEDS])
def test_drops_copies_and_overtaking(programs, start_target, tmp_path, rate, seed):
    if rig.SANITIZED and (rate > 1_000 or seed > 3):
        pytest.skip("a sanitizer is too slow for high rates and every seed")
    run, log = relayed_run(programs, start_target, tmp_path, seed, rate, int(rate * 0.6),
                           **{way: plan(seed) for way, plan in TROUBLE.items()})
    equal_to_the_log(run, log)
    assert run["requests"]["duplicates"] > 0 and run["requests"]["reordered"] > 0, "no trouble"
    assert total_of(run["requests"]["errors"]) == 0 and run["socket_events"] == {}, run


@pytest.mark.parametrize("besides", ("", ",reorder=0.1:3", ",drop=0.05,reorder=0.1:3"))
def test_answers_with_a_wrong_byte_are_lost(programs, start_target, tmp_path, besides):
    """Corrupted is lost (RFC 7680 section 2.4), and no other request is blamed for it."""
    run, log = relayed_run(programs, start_target, tmp_path, 1, 1_000, 600,
                           backward=f"corrupt=0.05,delay=2500{besides}")
    corrupted = sum(bool(record.action & relayed.CORRUPTED) for record in log.backward
                    if record.sent > 0)
    equal_to_the_log(run, log)
    assert corrupted > 10 and run["requests"]["lost"] >= corrupted
    assert run["requests"]["errors"] == {}
    assert run["socket_events"]["malformed"]["count"] == corrupted
    assert run["loss_by_place"]["backward"]["unreadable"] == corrupted
    assert run["loss_by_place"]["unattributed"] == 0


@pytest.mark.parametrize("way", ("forward", "backward"))
def test_the_last_ones(programs, start_target, tmp_path, way):
    run, log = relayed_run(programs, start_target, tmp_path, 1, 1_000, 400,
                           **{way: "drop-from=350,reorder=0.05:3"})
    equal_to_the_log(run, log)
    assert run["requests"]["lost"] == 50


def test_a_path_without_trouble(programs, start_target, tmp_path):
    run, log = relayed_run(programs, start_target, tmp_path, 1, 1_000, 400)
    equal_to_the_log(run, log)
    assert run["requests"]["completed"] == 400 and run["requests"]["reordered"] == 0


def test_different_ways_there_and_back(programs, start_target, tmp_path):
    """1 ms there and 9 ms back are 10 ms, of which the relay's own stamps tell each part."""
    run, log = relayed_run(programs, start_target, tmp_path, 1, 200, 100, forward="delay=1000",
                           backward="delay=9000")
    equal_to_the_log(run, log)
    for records, delay in ((log.forward, 1_000_000), (log.backward, 9_000_000)):
        assert all(record.planned - record.received == delay for record in records)
        assert all(record.sent >= record.planned for record in records)
    assert run["latency_ns"]["service"]["min"] >= 10_000_000
