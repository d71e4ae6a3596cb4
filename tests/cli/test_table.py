"""The full table protocol x workload x arrival x threads x flows: every cell that is allowed
reconciles exactly, every other one is refused with its reason."""

import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness import Programs, Target, run_volley
from judging import check_report

PROTOCOLS = ("udp", "tcp")
ARRIVALS = ("closed", "poisson", "constant", "burst:4", "trace")
WORKLOADS = ("rr", "crr", "connect", "stream", "hold")
REQUESTS = 200
CELLS = list(itertools.product(PROTOCOLS, WORKLOADS, ARRIVALS, (1, 2), (1, 8)))
DIRECTED = list(itertools.product(PROTOCOLS, ("stream down", "stream both"),
                                  ("closed", "constant"), (1, 2), (1, 8)))


def refusal(protocol, workload, arrival, threads, flows):
    """Words that the refusal of a cell must have; None for an allowed cell."""
    if workload == "connect" and protocol == "udp":
        return ("connect", "udp")
    if workload in ("stream down", "stream both"):
        if protocol == "udp":
            return ("direction", "udp")
        if arrival != "closed":
            return ("direction", "rate")
    if flows < threads:
        return ("flows", "threads")
    return None


def name_of(cell):
    return "-".join(str(part) for part in cell)


class Table:
    """Runs the cells of this session two at a time, ahead of the tests that look at them."""

    def __init__(self, programs, folder):
        self.target = Target(programs, ["all", "--threads", "2"])
        self.trace = folder / "trace.txt"
        # 100 due times in the warm-up of 50 ms, 200 after it
        self.trace.write_text("".join(f"{500 * n}us\n" for n in range(100 + REQUESTS)))
        self.pool = ThreadPoolExecutor(max_workers=2)
        self.running = {}

    def submit(self, cell):
        self.running[cell] = self.pool.submit(self.go, *cell)

    def go(self, protocol, workload, arrival, threads, flows):
        workload, _, direction = workload.partition(" ")
        args = ["--workload", workload, "--threads", threads, "--flows", flows,
                "--interval", "40ms", "--timeout", "500ms"]
        if direction:
            args += ["--direction", direction]
        if arrival == "trace":
            args += ["--arrival", f"trace:{self.trace}", "--warm-up", "50ms"]
        elif arrival != "closed":
            args += ["--arrival", arrival, "--rate", "2000", "--requests", REQUESTS,
                     "--warm-up", "50ms"]
        elif threads == 1 and (protocol, workload) == ("udp", "stream"):
            # What nothing paces fills the sink's buffer in a warm-up, and then all 200 may be lost;
            # an empty buffer has room for them.
            args += ["--requests", REQUESTS, "--warm-up", "0s"]
        elif threads == 1:
            args += ["--requests", REQUESTS, "--warm-up", "20ms"]
        else:
            args += ["--duration", "60ms" if workload in ("crr", "connect") else "200ms",
                     "--warm-up", "0s"]
        return run_volley("run", self.target.endpoint(protocol), *args, "--report", "json",
                          timeout=20)

    def __getitem__(self, cell):
        if cell not in self.running:
            self.submit(cell)
        return self.running[cell].result()


@pytest.fixture(scope="module")
def table(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("table")
    programs = Programs(folder)
    table = Table(programs, folder)
    for item in request.session.items:
        if item.module is request.module and "cell" in item.callspec.params:
            table.submit(item.callspec.params["cell"])
    yield table
    table.pool.shutdown(cancel_futures=True)
    assert table.target.proc.poll() is None, "the target did not survive the table"
    programs.end_all()


def judge(result, cell):
    protocol, workload, arrival, threads, flows = cell
    assert result.code == 0, str(result)
    report, run = result.json, result.run
    check_report(report)
    assert report["status"] == "ok" and not report.get("error"), str(result)
    assert run["protocol"] == protocol
    assert run["workload"] == workload.partition(" ")[0]
    assert run["arrival"] == arrival, run["arrival"]
    figures = run["requests"]
    assert figures["sent"] > 0 and figures["completed"] > 0, figures
    assert figures["in_flight"] == 0, "drained to the end"
    if workload == "stream both":  # the source does not know how many the generator plans
        assert figures["planned"] is None, figures
    elif arrival != "closed" or threads == 1:
        assert figures["planned"] == REQUESTS and figures["skipped"] == 0, figures
    else:
        assert figures["planned"] is None, figures
    if protocol == "tcp":
        assert figures["lost"] == 0 and figures["duplicates"] == figures["reordered"] == 0, figures
    assert figures["errors"] == {} and figures["unsent"] == {}, figures
    assert (run["load"]["intended_per_s"] is None) == (arrival == "closed")


@pytest.mark.parametrize("cell", CELLS + DIRECTED, ids=name_of)
def test_a_cell_reconciles_or_is_refused(table, cell):
    result = table[cell]
    reason = refusal(*cell)
    if reason is None:
        judge(result, cell)
        return
    assert result.code == 2, str(result)
    assert result.json["status"] == "failed" and result.json["error"]["code"] == "usage"
    for word in reason:
        assert word in result.stderr.lower(), str(result)


def key_paths(value, path=""):
    """Paths of all keys; what a map of kinds happens to hold is no key, and what is null without
    samples has none."""
    kinds = ("/requests/errors", "/requests/unsent", "/socket_events", "/hold/failed",
             "/hold/died", "/verdict/numbers", "/loss_by_place")
    if isinstance(value, dict):
        for key, inner in value.items():
            yield f"{path}/{key}"
            if f"{path}/{key}" not in kinds and key not in ("ci95", "evidence"):
                yield from key_paths(inner, f"{path}/{key}")
    elif isinstance(value, list):
        for inner in value:
            yield from key_paths(inner, f"{path}[]")


@pytest.mark.parametrize("workload", ["rr", "crr", "stream", "hold"])
@pytest.mark.parametrize("arrival", ARRIVALS)
def test_udp_and_tcp_reports_have_the_same_keys(table, workload, arrival):
    paths = {}
    for protocol in PROTOCOLS:
        run = table[(protocol, workload, arrival, 1, 8)].run
        assert run.keys() & set(PROTOCOLS) == {protocol}, "what is its own stands apart"
        paths[protocol] = {p for p in key_paths(run) if p.split("/")[1] not in PROTOCOLS}
    assert paths["udp"] == paths["tcp"]


@pytest.mark.parametrize("args, words", [
    (("--size", "70000"), ("70000", "65507")),
    (("--size", "0"), ("--size", "(0)")),
    (("--size", "64", "--response-size", "70000"), ("70000", "65507")),
    (("--workload", "rr", "--direction", "down"), ("direction", "stream")),
    (("--reply", "any"), ("--reply", "--request")),
    (("--request", "x", "--reply", "close"), ("close", "udp")),
    (("--arrival", "constant"), ("--arrival", "--rate")),
    (("--arrival", "burst:0", "--rate", "100"), ("burst",)),
    (("--depth", "0"), ("depth",)),
], ids=str)
def test_what_does_not_go_together_is_refused(args, words):
    result = run_volley("run", "udp://127.0.0.1:9", *args, "--report", "json", timeout=10)
    assert result.code == 2, str(result)
    assert result.json["error"]["code"] == "usage"
    for word in words:
        assert word.lower() in result.stderr.lower(), str(result)
