"""Every way a run can end: strict JSON on stdout with status and error, the exit code of the table,
and a stderr that names the thing, the value and the way out."""

import os
import resource
import shutil
import signal
import socket
import subprocess
import time

import pytest

import harness
from harness import finish, free_port, run_volley, start_volley, wait_until
from judging import check_report

SHORT = ("--duration", "200ms", "--warm-up", "0s", "--timeout", "500ms")


def error_of(result, exit_code, code, *words):
    """The report of a failed run, after checking that it, the exit code and stderr agree."""
    assert result.code == exit_code, str(result)
    report = result.json
    assert report["status"] == "failed", str(result)
    error = report["error"]
    assert set(error) == {"code", "message", "phase"}, error
    assert error["code"] == code, str(result)
    assert error["phase"] in ("usage", "plan", "resolve", "setup", "warm_up", "measure", "drain",
                              "report"), error
    assert error["message"] in result.stderr, str(result)
    for word in words:
        assert str(word) in result.stderr, f"{word!r} is missing\n{result}"
    for line in result.stderr.splitlines():
        if error["message"] in line:
            assert ": " in line and "; " in line, f"not `subject: what is wrong; advice`: {line}"
    check_report(report)
    return report


def json_run(endpoint, *args, **kwargs):
    return run_volley("run", endpoint, *args, "--report", "json", **kwargs)


@pytest.fixture
def target(start_target):
    return start_target("all")


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
def test_success_is_0(target, protocol):
    result = json_run(target.endpoint(protocol), *SHORT)
    assert result.code == 0, str(result)
    assert result.json["status"] == "ok" and result.json.get("error") is None
    check_report(result.json)


def test_a_threshold_of_a_run_that_never_began_is_in_the_report_and_not_passed():
    result = json_run(f"tcp://127.0.0.1:{free_port()}", "--requests", "3", "--fail-if", "p99>1ms")
    report = error_of(result, 1, "refused")
    assert [(t["value"], t["pass"]) for t in report["thresholds"]] == [(None, False)], report


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
def test_success_against_its_own_target_is_0(protocol):
    result = json_run(protocol, *SHORT)
    assert result.code == 0, str(result)
    assert result.run["protocol"] == protocol and result.run["requests"]["completed"] > 0
    check_report(result.json)


@pytest.mark.parametrize("workload", ["rr", "crr", "connect", "stream"])
def test_nothing_listening_is_refused_over_tcp(workload):
    port = free_port()
    result = json_run(f"tcp://127.0.0.1:{port}", "--workload", workload, *SHORT)
    error_of(result, 1, "refused", f"127.0.0.1:{port}")


@pytest.mark.parametrize("workload", ["rr", "crr", "stream"])
def test_nothing_listening_is_refused_over_udp(workload):
    port = free_port()
    result = json_run(f"udp://127.0.0.1:{port}", "--workload", workload, *SHORT)
    error_of(result, 1, "refused", f"127.0.0.1:{port}")


def test_a_name_without_an_address_is_unresolvable():
    result = json_run("tcp://nobody.invalid:2924", *SHORT)
    report = error_of(result, 1, "unresolvable", "nobody.invalid")
    assert report["error"]["phase"] == "resolve"


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
def test_a_network_without_a_route_is_unreachable(protocol):
    result = json_run(f"{protocol}://192.0.2.1:2924", *SHORT,
                      prefix=(harness.need("unshare"), "--map-root-user", "--net"))
    error_of(result, 1, "unreachable", "192.0.2.1:2924")


def test_more_flows_than_descriptors_is_too_many_files(target):
    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))

    result = json_run(target.endpoint("tcp"), "--flows", "200", *SHORT, preexec_fn=limit)
    error_of(result, 1, "too_many_files", "200", "64", "ulimit -n")


@pytest.mark.parametrize("listening", ["accepting", "silent"])
def test_a_peer_that_never_answers_over_tcp(listening):
    with socket.create_server(("127.0.0.1", 0), backlog=16) as server:
        if listening == "accepting":
            server.setblocking(True)
        port = server.getsockname()[1]
        process = start_volley("run", f"tcp://127.0.0.1:{port}", "--report", "json", *SHORT)
        accepted = server.accept()[0] if listening == "accepting" else None
        result = finish(process, process.argv, 15, process.started)
        if accepted:
            accepted.close()
    error_of(result, 1, "nothing_answered", f"127.0.0.1:{port}")
    assert result.run["requests"]["completed"] == 0
    assert result.run["requests"]["sent"] == result.run["requests"]["lost"] > 0


@pytest.mark.parametrize("load", [(), ("--rate", "100")], ids=["closed", "open"])
def test_a_peer_that_never_answers_over_udp(load):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        result = json_run(f"udp://127.0.0.1:{port}", *load, *SHORT, timeout=15)
    error_of(result, 1, "nothing_answered", f"127.0.0.1:{port}")
    assert result.run["requests"]["sent"] == result.run["requests"]["lost"] > 0
    assert result.run["requests"]["completed"] == 0


def test_a_phase_in_which_the_generator_stood_still_blames_no_peer(target):
    """Stopped from the middle of the warm-up until the measure phase is over."""
    process = start_volley("run", target.endpoint("udp"), "--warm-up", "2s", "--duration", "10ms",
                           "--interval", "100ms", "--report", "json", "--progress", "plain")
    assert b"warm-up" in process.stderr.readline()  # the first interval has ended
    process.send_signal(signal.SIGSTOP)
    time.sleep(2.2)  # longer than what is left
    process.send_signal(signal.SIGCONT)
    result = finish(process, process.argv, 10, process.started)
    error_of(result, 1, "nothing_sent", "10.0 ms", "--duration")
    assert result.run["requests"]["sent"] == 0


def test_a_phase_spent_waiting_for_an_answer_of_the_warm_up_names_the_warm_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        result = json_run(f"udp://127.0.0.1:{silent.getsockname()[1]}", "--warm-up", "500ms",
                          "--duration", "100ms", "--timeout", "2s")
    error_of(result, 1, "nothing_sent", "warm-up", "does not answer")


def started_measuring(target, process):
    """Waits until requests have come to the target: its CPU time grows."""
    def ticks():
        with open(f"/proc/{target.proc.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])
    wait_until(lambda: ticks() >= 10 or process.poll() is not None, "load on the target")
    assert process.poll() is None


def has_measured(live):
    """Whether an interval has ended, by the events that a run writes to this file."""
    return live.exists() and b'"event":"interval"' in live.read_bytes()


@pytest.mark.parametrize("load", [(), ("--rate", "5000")], ids=["closed", "open"])
def test_a_tcp_target_killed_in_the_middle_ends_the_run(target, load, tmp_path):
    live = tmp_path / "live"
    process = start_volley("run", target.endpoint("tcp"), "--flows", "4", "--duration", "60s",
                           "--warm-up", "0s", "--timeout", "500ms", "--interval", "100ms", "--live",
                           live, *load, "--report", "json")
    wait_until(lambda: has_measured(live), "an interval")
    target.kill()
    killed = time.monotonic()
    result = finish(process, process.argv, 15, process.started)
    assert time.monotonic() - killed < 3 * harness.PATIENCE, "it ends when all flows are dead"
    error_of(result, 1, "all_flows_dead", target.endpoint("tcp").split("/")[-1])
    figures = result.run["requests"]
    assert figures["completed"] > 0, "what was measured before is kept"
    assert set(figures["errors"]) <= {"reset", "closed"}, figures


def test_a_udp_target_killed_in_the_middle_is_seen(target, tmp_path):
    live = tmp_path / "live"
    process = start_volley("run", target.endpoint("udp"), "--flows", "2", "--duration", "3s",
                           "--rate", "2000", "--warm-up", "0s", "--timeout", "300ms",
                           "--interval", "100ms", "--live", live, "--report", "json")
    wait_until(lambda: has_measured(live), "an interval")
    target.kill()
    result = finish(process, process.argv, 15, process.started)
    report = result.json
    assert result.code in (0, 1), str(result)
    assert (report["status"] == "failed") == (result.code == 1), str(result)
    check_report(report)
    figures = result.run["requests"]
    assert figures["completed"] > 0
    assert figures["completed"] < figures["planned"] - 1000, figures
    refused = figures["errors"].get("refused", 0) + figures["unsent"].get("refused", 0)
    assert "refused" in result.run["socket_events"] or refused, str(result)


@pytest.mark.parametrize("number, exit_code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)],
                         ids=["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("protocol", ["udp", "tcp"])
def test_a_signal_leaves_what_was_measured(target, protocol, number, exit_code):
    process = start_volley("run", target.endpoint(protocol), "--duration", "60s", "--warm-up",
                           "0s", "--report", "json")
    started_measuring(target, process)
    process.send_signal(number)
    sent = time.monotonic()
    result = finish(process, process.argv, 10, process.started)
    assert time.monotonic() - sent < 1 * harness.PATIENCE, str(result)
    assert result.code == exit_code, str(result)
    report = result.json
    assert report["status"] == "interrupted" and report.get("error") is None, str(result)
    assert result.run["requests"]["completed"] > 0
    check_report(report)


def test_a_signal_during_the_set_up_still_leaves_valid_json():
    """A peer that takes no connection: its backlog is full."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        fillers = []
        for _ in range(8):
            filler = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            filler.setblocking(False)
            filler.connect_ex(address)
            fillers.append(filler)
        process = start_volley("run", f"tcp://127.0.0.1:{address[1]}", "--timeout", "30s",
                               "--report", "json")
        wait_until(lambda: handles_sigint(process.pid), "volley to handle SIGINT")
        process.send_signal(signal.SIGINT)
        result = finish(process, process.argv, 5, process.started)
        for filler in fillers:
            filler.close()
    assert result.code == 130, str(result)
    assert result.json["status"] == "interrupted", str(result)


def handles_sigint(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        masks = dict(line.split(":\t", 1) for line in status if line.startswith("Sig"))
    bit = 1 << (signal.SIGINT - 1)
    return any(int(masks[key], 16) & bit for key in ("SigCgt", "SigBlk"))


@pytest.mark.parametrize("args, words", [
    (("--bogus",), ("--bogus", "--help")),
    (("--flows", "-1"), ("--flows", "-1")),
    (("--rate", "10kk"), ("--rate", "10kk")),
    (("--size", "70000"), ("70000", "65507")),
    (("--threads", "0"), ("--threads", "0")),
    (("--duration", "nan"), ("--duration", "nan")),
    (("--requests", "010"), ("--requests", "010")),
    (("--rate", "1e300"), ("--rate", "1e300")),
    (("--duration", "1e300"), ("--duration", "1e300")),
    (("--flows", "18446744073709551616"), ("--flows", "18446744073709551616")),
    (("--flows", "2.5"), ("--flows", "2.5")),
    (("--duration", "-1s"), ("--duration", "-1s")),
    (("--timeout", "5"), ("--timeout", "5")),
    (("--size", "64 KB extra"), ("--size", "64 KB extra")),
    (("--workload", "rrr"), ("--workload", "rrr", "crr")),
    (("--arrival", "pareto"), ("--arrival", "pareto", "poisson")),
    (("--report", "pdf"), ("--report", "pdf", "csv")),
], ids=lambda value: "=".join(value) if len(value) != 3 else "")
def test_wrong_use_is_2_with_a_message_of_its_own(args, words):
    result = json_run("udp://127.0.0.1:9", *args, timeout=10)
    error_of(result, 2, "usage", *words)


@pytest.mark.parametrize("endpoint, words", [
    ("tcp://::1:2924", ("::1", "[::1]")),
    ("udp://127.0.0.1:65536", ("65536", "65535")),
    ("udp://127.0.0.1:0", ("udp://127.0.0.1:0",)),
    ("http://127.0.0.1:80", ("http", "tcp://")),
    ("udp://", ("udp://",)),
    ("tcp://127.0.0.1:80/path", ("/path",)),
])
def test_an_endpoint_that_is_none_is_2(endpoint, words):
    error_of(json_run(endpoint, timeout=10), 2, "usage", *words)


def test_a_run_without_an_endpoint_is_2():
    result = run_volley("run", "--report", "json", timeout=10)
    error_of(result, 2, "usage", "ENDPOINT")


def test_wrong_use_without_json_leaves_stdout_empty():
    result = run_volley("run", "udp://127.0.0.1:9", "--flows", "-1", timeout=10)
    assert result.code == 2 and result.stdout == "" and "-1" in result.stderr, str(result)


def test_a_report_that_cannot_be_written_fails_before_the_run(target, tmp_path):
    in_the_way = tmp_path / "file"
    in_the_way.write_text("not a folder")
    path = in_the_way / "report.csv"
    result = json_run(target.endpoint("udp"), "--duration", "60s", "--report", f"csv:{path}",
                      timeout=10)
    report = error_of(result, 1, "report_path", str(path))
    assert report["error"]["phase"] == "report"
    assert report["runs"] == []


def test_a_report_on_a_full_disk_fails(target):
    with open("/dev/full", "wb") as full:
        process = subprocess.run(
            [str(harness.volley_path()), "run", target.endpoint("udp"), *SHORT, "--report",
             "json"], stdout=full, stderr=subprocess.PIPE, timeout=20, check=False)
    assert process.returncode == 1, process.stderr
    assert b"stdout" in process.stderr, process.stderr


# The target's own exit paths


def failed_target(kind, address, code, *words, prefix=()):
    """The target cannot start: the same holds as for a run, with and without JSON."""
    args = ("target", kind, "--threads", "2", "--listen", address)
    plain = run_volley(*args, prefix=prefix, timeout=10)
    assert plain.code == 1 and "listening" not in plain.stdout, str(plain)
    result = run_volley(*args, "--report", "json", prefix=prefix, timeout=10)
    report = error_of(result, 1, code, address, *words)
    assert report["error"]["phase"] == "setup", str(result)
    assert report["error"]["message"] in plain.stderr, str(plain)


@pytest.mark.parametrize("protocol, kind", [("udp", "udp-echo"), ("tcp", "tcp-echo"),
                                            ("udp", "all"), ("tcp", "all")])
def test_a_port_that_is_taken_is_named(protocol, kind):
    kinds = {"udp": socket.SOCK_DGRAM, "tcp": socket.SOCK_STREAM}
    with socket.socket(socket.AF_INET, kinds[protocol]) as taken:
        taken.bind(("127.0.0.1", 0))
        if protocol == "tcp":
            taken.listen()
        failed_target(kind, f"127.0.0.1:{taken.getsockname()[1]}", "address_in_use", "in use")


@pytest.mark.parametrize("kind", ["udp-echo", "tcp-echo", "all"])
def test_a_port_of_another_target_of_ours_is_taken_too(target, kind):
    failed_target(kind, f"127.0.0.1:{target.udp[1]}", "address_in_use", "in use")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become nobody")
def test_a_low_port_as_nobody_is_a_matter_of_permission():
    # a network of its own, where the low ports begin as usual whatever this machine says
    script = ('sysctl -q net.ipv4.ip_unprivileged_port_start=1024; ip link set lo up; shift; '
              'exec setpriv --reuid 65534 --regid 65534 --clear-groups "$0" "$@"')
    with harness.open_folder() as folder:  # nobody may not enter the folders of a build
        program = folder / "volley"
        shutil.copy(harness.volley_path(), program)
        program.chmod(0o755)
        failed_target("all", "127.0.0.1:80", "permission", "1024",
                      prefix=(harness.need("unshare"), "--net", "sh", "-c", script, program))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_a_target_that_is_asked_to_stop_stops_with_its_statistics(target, number):
    assert json_run(target.endpoint("udp"), "--requests", "100", "--warm-up", "0s").code == 0
    assert target.stop(number) == 0, target.said()
    assert "100" in target.said(), target.said()
