"""scripts/bench runs: one cheap case, without the programs of others."""
# ctest: serial

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness import volley_path, wait_until
from judging import ROOT

BENCH = ROOT / "scripts" / "bench"
BUILD = volley_path().parent
PERF = BUILD / "tests" / "perf"


def bench(*args, timeout=60):
    return subprocess.run([sys.executable, str(BENCH), *map(str, args)], capture_output=True,
                          text=True, timeout=timeout)


@pytest.fixture
def build(tmp_path):
    """A build as scripts/bench wants it. A sanitizer's build has no floor: then one is compiled."""
    if (PERF / "floor").exists() and (PERF / "null_loop").exists():
        return BUILD
    (tmp_path / "tests/perf").mkdir(parents=True)
    (tmp_path / "volley").symlink_to(volley_path())
    for name in ("floor", "null_loop"):
        subprocess.run([os.environ.get("CC", shutil.which("cc") or "gcc"), "-O2", "-o",
                        tmp_path / "tests/perf" / name, ROOT / "tests/perf" / f"{name}.c"],
                       check=True, timeout=60)
    return tmp_path


def test_a_quick_case_gives_both_figures_and_a_ratio(build, tmp_path):
    file = tmp_path / "bench.json"
    done = bench("--quick", "--no-peers", "--only", "tcp-rr-64", "--build", build, "--json", file)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "tcp-rr-64" in done.stdout and "≥ 0.95 × floor" in done.stdout
    saved = json.loads(file.read_text())
    (case,) = saved["cases"]
    sides = {side["name"]: side["median"] for side in case["sides"]}
    assert sides.keys() == {"volley", "floor"} and min(sides.values()) > 0
    (bound,) = case["bounds"]
    assert bound["median"] == pytest.approx(sides["volley"] / sides["floor"])
    assert saved["machine"]["cpus"] >= 1 and saved["machine"]["congestion_control"]


READS = """
import os, socket, sys
server = socket.create_server(("127.0.0.1", 0))
sender = socket.create_connection(server.getsockname())
receiver = server.accept()[0]
sender.sendall(b"x" * 30_000)
sender.close()
with open(sys.argv[1], "rb") as file:
    assert os.read(file.fileno(), 65536) == b"kept", "what is no socket is read as ever"
assert os.read(receiver.fileno(), 1000) == b"x" * 1000, "a small read is a control message"
left = 0
while part := os.read(receiver.fileno(), 65536):
    left += len(part)
print(left)
"""


def test_a_preloaded_program_discards_its_large_reads_of_tcp(tmp_path):
    library, file = tmp_path / "discard_reads.so", tmp_path / "file"
    file.write_bytes(b"kept")
    subprocess.run([os.environ.get("CC", shutil.which("cc") or "gcc"), "-shared", "-fPIC", "-o",
                    library, ROOT / "tests/perf/discard_reads.c"], check=True, timeout=60)
    done = subprocess.run([sys.executable, "-S", "-c", READS, file], capture_output=True, text=True,
                          timeout=20, env={**os.environ, "LD_PRELOAD": str(library)})
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "29000"
    assert "discarded 29000 bytes" in done.stderr


def test_the_list_names_every_line_that_is_judged_and_unknown_cases_are_refused():
    said = bench("--list").stdout
    for name in ("udp-echo-offload", "tcp-crr-16", "pace-100k", "response-spin", "memory"):
        assert name in said
    refused = bench("--only", "no-such-case")
    assert refused.returncode == 2 and "no-such-case" in refused.stderr


def test_nothing_is_left_running_when_it_is_interrupted(build, programs):
    process = programs.start([sys.executable, BENCH, "--no-peers", "--only", "tcp-rr",
                              "--seconds", "20", "--build", build])

    def children():
        return [int(path.name) for path in Path("/proc").glob("[0-9]*")
                if parent_of(path) == process.pid and {"tcp", "tcp-rr"} & set(arguments_of(path))]
    started = wait_until(children, "a program of the bench")
    process.terminate()
    assert process.wait(timeout=20) == 130
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in started), "their end")


def parent_of(proc):
    try:
        return int((proc / "stat").read_text().rsplit(")", 1)[1].split()[1])
    except (OSError, IndexError):
        return None


def arguments_of(proc):
    try:
        return (proc / "cmdline").read_bytes().decode().split("\0")
    except OSError:
        return []
