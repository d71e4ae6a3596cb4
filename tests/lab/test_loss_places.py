# ctest: serial
"""Each place where a datagram can be lost, provoked by name: the report names that place and no
other, with the number that an independent counter has (nft, tc, the kernel's tables, the target's
own report), and nothing is left unattributed."""

import os
import signal

import pytest

import rig
from harness import PATIENCE, finish, start_volley, wait_until
from judging import check_report, invalid_numbers

rig.need_lab("nft", "tc", "ethtool")
from lab import drops, hosts, shaping  # noqa: E402

# The kind of a frame is its fourth byte, behind the 8 of UDP. Questions about counters pass.
REQUESTS = f"udp dport {rig.PORT} @th,88,8 1"
ANSWERS = f"udp sport {rig.PORT} @th,88,8 3"
LOAD = ("--rate", "2k", "--requests", "1000", "--offload", "off")
ENDLESS = drops.all_from(1_000_000_000 - 1)  # never in these runs
SMALL = "4096"  # bytes of a receive buffer


@pytest.fixture(scope="module", name="cable")
def fixture_cable():
    with hosts.two_hosts(offloads=False) as pair:
        yield pair


@pytest.fixture(name="rules")
def fixture_rules(cable):
    """Makes nft tables that are gone after the test."""
    tables = []

    def make(host, hook="input"):
        tables.append(drops.Drops(host, hook))
        return tables[-1]

    yield make
    for table in tables:
        table.remove()


def start(cable, *load):
    a, b = cable
    return start_volley("run", f"udp://{b.address}:{rig.PORT}", "--warm-up", "0s", "--timeout",
                        f"{300 * PATIENCE}ms", "--report", "json", *load, prefix=a.prefix())


def end(process, code=0):
    result = finish(process, process.argv, 30 * PATIENCE, process.started)
    assert result.code == code, str(result)
    check_report(result.json)
    return result.run


def places_of(run):
    """The places where something was lost: "forward.qdisc" and the like."""
    loss = run["loss_by_place"]
    return {f"{way}.{site}": count for way in ("forward", "backward")
            for site, count in loss[way].items() if count}


def lost_only(run, place, count):
    """So many were lost, all at that place; the check of attribution passes."""
    loss = run["loss_by_place"]
    assert count > 0, "nothing was provoked"
    assert places_of(run) == {place: count}, loss
    assert loss["unattributed"] == 0 and loss["lost"] == loss["late"] + count, loss
    assert loss["lost"] == run["requests"]["lost"] and not loss["bounded"], loss
    statuses = {check["id"]: check["status"] for check in run["checks"]}
    assert statuses["C6b"] == "pass", run["checks"]


def kernel_counts(host, group="Udp:"):
    """The kernel's counters of a host's UDP."""
    with open(f"/proc/{host.holder.pid}/net/snmp", encoding="ascii") as text:
        names, values = [line.split()[1:] for line in text if line.startswith(group)]
    return dict(zip(names, map(int, values)))


def socket_drops(host):
    """What the UDP sockets open on a host have dropped."""
    with open(f"/proc/{host.holder.pid}/net/udp", encoding="ascii") as text:
        return sum(int(line.split()[-1]) for line in text.readlines()[1:])


def test_a_send_that_fails_is_unsent_and_not_lost(programs, cable, rules):
    table = rules(cable[0], "output")
    table.add("refused", REQUESTS, drops.every(10, 3))
    rig.FarTarget(programs, cable[1], "udp-echo", "--offload", "off")
    # One by one: of several handed over at once the kernel hides the error, and the next try goes.
    run = end(start(cable, *LOAD, "--batch", "1"))
    refused = table.counts()["refused"]
    assert refused == run["requests"]["unsent"]["permission"] == run["loss_by_place"]["unsent"] > 0
    assert run["loss_by_place"]["lost"] == 0 and places_of(run) == {}, run["loss_by_place"]


def test_a_queue_of_this_host(programs, cable):
    rig.FarTarget(programs, cable[1], "udp-echo", "--offload", "off")
    shaping.tbf(cable[0], 1_000_000, 1_600, 3_000)
    try:
        run = end(start(cable, *LOAD))
        lost_only(run, "forward.qdisc", shaping.figures(cable[0])["tbf"]["drops"])
    finally:
        shaping.clear(cable[0])


def test_a_filter_on_the_way_there(programs, cable, rules):
    table = rules(cable[1])
    table.add("there", REQUESTS, drops.every(7, 3))
    rig.FarTarget(programs, cable[1], "udp-echo", "--offload", "off")
    run = end(start(cable, *LOAD))
    lost_only(run, "forward.network", table.counts()["there"])
    target = run["loss_by_place"]["target"]
    assert target["heard"] and target["sockets_heard"] == target["sockets"] == 1, target


def test_a_filter_on_the_way_back(programs, cable, rules):
    table = rules(cable[0])
    table.add("back", ANSWERS, drops.every(9, 8))
    rig.FarTarget(programs, cable[1], "udp-echo", "--offload", "off", "--threads", "2")
    run = end(start(cable, *LOAD, "--flows", "16", "--threads", "2"))
    lost_only(run, "backward.network", table.counts()["back"])
    assert run["loss_by_place"]["target"]["sockets_heard"] == 2


def test_both_ways_at_once_are_told_apart(programs, cable, rules):
    there, back = rules(cable[1]), rules(cable[0])
    there.add("there", REQUESTS, drops.every(10, 1))
    back.add("back", ANSWERS, drops.every(20, 2))
    rig.FarTarget(programs, cable[1], "udp-echo", "--offload", "off")
    run = end(start(cable, *LOAD))
    assert places_of(run) == {"forward.network": there.counts()["there"],
                              "backward.network": back.counts()["back"]}
    assert run["loss_by_place"]["unattributed"] == 0


def test_a_port_where_nobody_listens(cable, rules):
    table = rules(cable[1])
    table.add("none", REQUESTS, ENDLESS)
    # One ICMP message is enough, but all hosts of a machine may share the kernel's limit of them.
    cable[1].call("sh", "-c", "echo 0 >/proc/sys/net/ipv4/icmp_ratemask")
    run = end(start(cable, *LOAD), code=1)
    assert run["status"] == "failed" and not run["loss_by_place"]["target"]["heard"]
    lost_only(run, "forward.no_port", table.counts()["none_seen"])


@pytest.mark.parametrize("offload", ("off", "on"))
def test_a_target_that_does_not_read(programs, cable, offload):
    a, b = cable
    target = rig.FarTarget(programs, b, "udp-echo", "--offload", offload)
    if offload == "on":
        a.offloads(True)
        b.offloads(True)
    try:
        before = kernel_counts(b)["InDatagrams"]
        load = ("--rate", "20k", "--duration", "1s", "--arrival", "burst:32", "--size", "1000",
                "--offload", offload)
        process = start(cable, *load)
        wait_until(lambda: kernel_counts(b)["InDatagrams"] > before + 200, "requests")
        os.kill(target.process.pid, signal.SIGSTOP)
        wait_until(lambda: socket_drops(b) >= (100 if offload == "off" else 5), "drops")
        os.kill(target.process.pid, signal.SIGCONT)
        run = end(process)
        counted = socket_drops(b)
    finally:
        a.offloads(False)
        b.offloads(False)
    assert target.stop()["udp"]["kernel_drops"] == counted
    loss = run["loss_by_place"]
    if offload == "off":
        lost_only(run, "forward.target_socket", counted)
        assert not loss["in_super_packets"]
        return
    # The kernel counted trains; all that was lost was in them.
    lost = loss["lost"] - loss["late"]
    lost_only(run, "forward.target_socket", lost)
    assert loss["in_super_packets"] and counted < lost <= 64 * counted, (counted, loss)


def test_a_target_that_reads_and_does_not_answer(programs, cable):
    target = rig.FarTarget(programs, cable[1], "udp-echo", "--offload", "off", "--drop", "10%")
    run = end(start(cable, *LOAD))
    dropped = target.stop()["udp"]["dropped"]
    lost_only(run, "backward.target_application", dropped)
    assert run["loss_by_place"]["target"]["unanswered"] == {"dropped": dropped, "discarded": 0,
                                                            "ignored": 0}


def test_a_generator_that_does_not_read_is_blamed_itself(programs, cable):
    a, b = cable
    rig.FarTarget(programs, b, "udp-echo", "--offload", "off", "--delay", "60ms")
    before, answered = kernel_counts(a), kernel_counts(b)["OutDatagrams"]
    process = start(cable, "--rate", "5k", "--duration", "1s", "--offload", "off", "--rcvbuf",
                    SMALL)
    # The far host's answers: on its own host the generator also sends to itself, to calibrate.
    wait_until(lambda: kernel_counts(b)["OutDatagrams"] > answered + 500, "answers")
    os.kill(process.pid, signal.SIGSTOP)  # with some 300 answers on their way
    wait_until(lambda: kernel_counts(a)["RcvbufErrors"] > before["RcvbufErrors"] + 100, "drops")
    os.kill(process.pid, signal.SIGCONT)
    run = end(process)
    counted = kernel_counts(a)["RcvbufErrors"] - before["RcvbufErrors"]
    lost_only(run, "backward.own_socket", counted)
    assert counted == run["udp"]["socket_drops"]
    checks = {check["id"]: check for check in run["checks"]}
    assert checks["C6c"]["status"] == "fail", checks["C6c"]
    assert run["requests"]["loss_ratio"] is None, "the loss is not the target's: INVALID"
    assert "loss_ratio" in invalid_numbers(run)
