"""Wrong use, help, version, the plan of --dry-run, and which exit code wins: everything that is said
before or beside a run."""

import re
import socket
import subprocess

import pytest

import harness
from harness import finish, run_volley, start_volley

# Nothing is ever sent there: each of these is refused before.
NOWHERE = "127.0.0.1:9"
SHORT = ("--duration", "200ms", "--warm-up", "0s", "--timeout", "500ms")


def refused(*args):
    """The message of a refusal, after checking that exit code, stderr and JSON agree."""
    result = run_volley(*args, "--report", "json", timeout=10)
    assert result.code == 2, str(result)
    report = result.json
    assert report["status"] == "failed" and report["runs"] == [], str(result)
    error = report["error"]
    assert error["code"] == "usage" and error["phase"] == "usage", error
    assert result.stderr == f"volley: {error['message']}\n", str(result)
    assert ": " in error["message"] and "; " in error["message"], error

    silent = run_volley(*args, timeout=10)
    assert (silent.code, silent.stdout, silent.stderr) == (2, "", result.stderr), str(silent)
    return error["message"]


@pytest.mark.parametrize("args, message", [
    (("--flows", "-1"),
     "--flows: not a whole number (-1) [1 to 1000000]; write it like 8, 20000 or 20k"),
    (("--rate", "10kk"),
     "--rate: not a rate (10kk) [0.000001/s to 1G/s]; write it like 500/s, 10k or 1.5M/s"),
    (("--rate", "-5"),
     "--rate: not a rate (-5) [0.000001/s to 1G/s]; write it like 500/s, 10k or 1.5M/s"),
    (("--size", "70000"),
     "--size 70000: a udp datagram holds at most 65507 bytes; use --size 65507 or less, or tcp"),
    (("--threads", "0"),
     "--threads: number out of range (0) [1 to 1024]; choose a number in that range"),
    (("--duration", "nan"),
     "--duration: not a time (nan) [1ms to 24h]; write it like 90us, 1.5ms, 10s or 2m"),
    (("--requests", "010"),
     "--requests: not a whole number (010) [1 or more]; write it like 8, 20000 or 20k"),
    (("--duration", "1e300"),
     "--duration: not a time (1e300) [1ms to 24h]; write it like 90us, 1.5ms, 10s or 2m"),
    (("--flows", "2", "--threads", "4"),
     "--flows 2, --threads 4: each thread needs a flow; use --threads 2 or --flows 4 or more"),
    (("--fail-if", "p98>2ms"),
     "--fail-if 'p98>2ms', column 1: not a metric (p98) [intended offered achieved unsent sent "
     "completed lost late errors duplicates reordered held_back loss goodput min mean stddev p50 "
     "p90 p99 p99_9 p99_99 max verdict]; did you mean p90 or p99?\n  p98>2ms\n  ^"),
    (("--progress", "loud"),
     "--progress: no such choice (loud) [auto plain none]; choose one of these"),
    (("--bogus",), "--bogus: volley run has no such option; see volley run --help"),
], ids=lambda value: " ".join(value) if isinstance(value, tuple) else "")
def test_wrong_use_of_run_is_refused_with_a_message_of_its_own(args, message):
    assert refused("run", f"udp://{NOWHERE}", *args) == message


def test_an_ipv6_address_needs_its_brackets():
    message = refused("run", "tcp://::1:2924")
    assert message.endswith("write [::1]:2924, or [::1:2924] if that is all address"), message


def test_unknown_commands_and_missing_ones_are_named():
    assert refused("benchmark").startswith("benchmark: volley has no such command [target run duel")
    assert "did you mean run?" in refused("rnu", "udp")
    assert refused("run") == "ENDPOINT: it is missing; see volley run --help"


def test_wrong_use_of_duel_is_refused_before_anything_starts():
    assert refused("duel", NOWHERE, "--rounds", "0").startswith("--rounds: number out of range (0)")
    assert refused("duel", NOWHERE, "--workload", "connect").startswith("--workload connect: udp has")
    assert refused("duel", "::1").startswith("HOST[:PORT]")


def test_help_of_the_program_fits_a_screen():
    result = run_volley("--help")
    lines = result.stdout.splitlines()
    assert result.code == 0 and result.stderr == "", str(result)
    assert len(lines) <= 24, f"{len(lines)} lines\n{result}"
    assert max(map(len, lines)) <= 80, str(result)
    assert sum(line.startswith("  volley ") for line in lines) == 3, "three examples"
    for command in ("target", "run", "duel", "report", "compare", "merge", "talk", "doctor"):
        assert re.search(rf"^  {command} +[A-Z]", result.stdout, re.MULTILINE), command


@pytest.mark.parametrize("command", ["target", "run", "duel", "report", "compare", "merge", "talk",
                                     "doctor"])
def test_help_of_every_command_ends_in_examples_and_exit_codes(command):
    result = run_volley(command, "--help")
    assert result.code == 0 and result.stderr == "", str(result)
    assert result.stdout.count(f"  volley {command}") >= 1, str(result)
    assert result.stdout.rstrip().splitlines()[-1].startswith("Exit: "), str(result)
    assert max(map(len, result.stdout.splitlines())) <= 100, str(result)


def test_help_of_run_tells_groups_values_and_defaults():
    text = run_volley("run", "--help").stdout
    for word in ("What to send", "How much, and when", "Sockets", "What to report", "crr", "stream",
                 "(default 64, stream 1400)", "(default 10s", "(default 2s)", "(default 1s",
                 "90us 1.5ms 10s 2m", "4KiB"):
        assert word in text, f"{word!r} is missing\n{text}"


def test_version_says_version_and_commit():
    result = run_volley("--version")
    assert result.code == 0, str(result)
    assert re.fullmatch(r"volley \d+\.\d+\.\d+ \(([0-9a-f]{12}(-dirty)?|unknown)\)\n",
                        result.stdout), str(result)


def test_a_dry_run_prints_the_plan_and_sends_nothing():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.setblocking(False)
        port = listener.getsockname()[1]
        result = run_volley("run", f"udp://127.0.0.1:{port}", "--dry-run", "--rate", "1k",
                            "--arrival", "constant", "--warm-up", "2ms", "--flows", "2",
                            "--report", "csv:/nonexistent/never-made.csv", timeout=10)
        with pytest.raises(BlockingIOError):
            listener.recv(1)
    assert result.code == 0 and result.stderr == "", str(result)
    values = dict(line.split(None, 1) for line in result.stdout.splitlines()
                  if line.startswith("  ") and len(line.split(None, 1)) == 2)
    assert values["endpoint"] == f"udp://127.0.0.1:{port}"
    assert (values["rate"], values["arrival"], values["duration"]) == ("1000/s", "constant", "10s")
    assert (values["size"], values["flows"], values["depth"]) == ("64", "2", "unlimited")
    due = result.stdout.split("first requests due\n")[1].splitlines()
    assert [" ".join(line.split()) for line in due] == [
        "0 flow 0, thread 0, warm-up", "1ms flow 1, thread 0, warm-up", "2ms flow 0, thread 0",
        "3ms flow 1, thread 0", "4ms flow 0, thread 0"]


def test_a_dry_run_of_a_duel_prints_both_plans():
    result = run_volley("duel", "--dry-run", "--rounds", "2", timeout=10)
    assert result.code == 0, str(result)
    assert "duel of 2 rounds" in result.stdout
    assert "plan of udp rr" in result.stdout and "plan of tcp rr" in result.stdout


def test_a_dry_run_cannot_be_json():
    assert run_volley("run", "udp", "--dry-run", "--report", "json").code == 2


def test_a_trace_is_read_before_the_run(tmp_path):
    trace = tmp_path / "trace"
    trace.write_text("1ms\nsoon\n")
    message = refused("run", f"udp://{NOWHERE}", "--arrival", f"trace:{trace}")
    assert f"{trace}, line 2: not a time (soon)" in message
    result = run_volley("run", f"udp://{NOWHERE}", "--arrival", "trace:/nonexistent", "--report",
                        "json")
    assert result.code == 1 and result.json["error"]["code"] == "unreadable_file", str(result)
    trace.write_text("# two\n1ms\n5ms\n")
    plan = run_volley("run", f"udp://{NOWHERE}", "--arrival", f"trace:{trace}", "--dry-run")
    assert "requests       2\n" in plan.stdout and "  5ms  " in plan.stdout, str(plan)


def test_a_report_that_cannot_be_written_is_seen_before_the_run(tmp_path):
    in_the_way = tmp_path / "file"
    in_the_way.write_text("not a folder")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.setblocking(False)
        result = run_volley("run", f"udp://127.0.0.1:{listener.getsockname()[1]}", "--report",
                            f"csv:{in_the_way}/r.csv", "--duration", "60s", timeout=10)
        with pytest.raises(BlockingIOError):
            listener.recv(1)
    assert result.code == 1 and result.stdout == "", str(result)
    assert str(in_the_way) in result.stderr and "; " in result.stderr, str(result)


# Which exit code wins. The first two need nothing but options, the others a target.


def test_wrong_use_comes_before_everything():
    assert run_volley("run", "tcp://nobody.invalid", "--fail-if", "p99>").code == 2


def test_a_failed_run_comes_before_a_threshold():
    result = run_volley("run", f"tcp://127.0.0.1:{harness.free_port()}", *SHORT, "--fail-if",
                        "p99>1ns")
    assert result.code == 1, str(result)


def test_a_signal_comes_before_a_threshold(start_target):
    target = start_target("all")
    process = start_volley("run", target.endpoint("udp"), "--duration", "60s", "--warm-up", "0s",
                           "--progress", "plain", "--interval", "100ms", "--fail-if", "p50>1ns",
                           "--report", "json")
    assert process.stderr.readline().startswith(b"measure")
    process.terminate()
    result = finish(process, process.argv, 10, process.started)
    assert result.code == 143, str(result)
    assert [t["pass"] for t in result.json["thresholds"]] == [False], str(result)


def test_thresholds_decide_the_exit_code(start_target):
    target = start_target("all")
    quiet = run_volley("run", target.endpoint("udp"), *SHORT, "--quiet", "--fail-if",
                       "achieved<1/s", "--fail-if", "loss>99%")
    assert (quiet.code, quiet.stdout, quiet.stderr) == (0, "", ""), str(quiet)

    met = run_volley("run", target.endpoint("udp"), *SHORT, "--report", "json", "--fail-if",
                     "p50 > 1ns", "--fail-if", "errors>0")
    assert met.code == 99, str(met)
    assert "--fail-if 'p50>1ns'" in met.stderr and "errors" not in met.stderr, str(met)
    first, second = met.json["thresholds"]
    assert (first["expr"], first["unit"], first["limit"], first["pass"]) == ("p50>1ns", "ns", 1,
                                                                            False)
    assert first["value"] == met.run["latency_ns"]["response"]["p50"]
    assert (second["value"], second["pass"]) == (0, True)

    unknown = run_volley("run", target.endpoint("udp"), *SHORT, "--report", "json", "--fail-if",
                         "intended<1/s")
    assert unknown.code == 99 and unknown.json["thresholds"][0]["value"] is None, str(unknown)


def test_progress_is_silent_without_a_terminal_and_plain_when_asked(start_target):
    target = start_target("all")
    silent = run_volley("run", target.endpoint("tcp"), *SHORT)
    assert silent.code == 0 and silent.stderr == "", str(silent)
    plain = run_volley("run", target.endpoint("tcp"), *SHORT, "--interval", "50ms", "--progress",
                       "plain")
    lines = [line for line in plain.stderr.splitlines() if line.startswith("measure")]
    assert len(lines) >= 2, str(plain)
    for word in ("offered", "achieved", "p50", "p99", "lost", "left"):
        assert all(word in line for line in lines), str(plain)


def test_a_duel_ends_in_a_sentence_that_says_what_was_not_tested(tmp_path):
    saved = tmp_path / "duel.json"
    result = run_volley("duel", "--rounds", "1", "--duration", "200ms", "--warm-up", "0s",
                        "--report", "text", "--report", f"json:{saved}", timeout=30)
    assert result.code == 0, str(result)
    last = " ".join(result.stdout.split("\n\n")[-1].split())
    assert last.startswith("UDP made ") and last.endswith(
        "whether the difference is more than chance has not been tested."), str(result)
    report = harness.strict_json(saved.read_bytes())
    assert [run["protocol"] for run in report["runs"]] == ["udp", "tcp"]
    assert report["comparison"]["significance_tested"] is False


def test_output_into_a_closed_pipe_is_an_error_and_no_signal(start_target):
    target = start_target("all")
    process = subprocess.Popen([harness.volley_path(), "run", target.endpoint("udp"), *SHORT],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    assert process.wait(timeout=20) == 1, process.stderr.read()
    assert b"stdout" in process.stderr.read()
    process.stderr.close()
