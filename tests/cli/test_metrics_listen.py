"""--metrics-listen: a real Prometheus scrapes a run while it goes on, and its query API returns our
numbers. What the endpoint says is checked by promtool and read by a parser of others, too."""

import json
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

import harness
from harness import finish, free_port, run_volley, start_volley, wait_until

LONG = ("--duration", "10m", "--warm-up", "0s", "--interval", "100ms", "--progress", "none")


# Families of what only the end can tell.
UNTIL_THE_END = ("success", "verdict", "volley_rounds", "threshold", "volley_response_percentile",
                 "volley_send_lag_percentile", "in_flight")


class Running:
    """A run that goes on until it is interrupted, and what it says of itself until then."""

    def __init__(self, *words, where="127.0.0.1:0"):
        self.live = Path(tempfile.mkdtemp()) / "live"
        self.process = start_volley(*words, *LONG, "--metrics-listen", where, "--live", self.live,
                                    "--report", "csv:/dev/null", bufsize=0)
        said = b""
        while b"/metrics\n" not in said:
            piece = self.process.stderr.read(1)
            assert piece, f"it ended: {said}"
            said += piece
        self.url = said.decode().split()[-1]

    def scrape(self):
        with urllib.request.urlopen(self.url, timeout=10) as answer:
            assert answer.headers["Content-Type"].startswith("text/plain")
            return answer.read().decode()

    def figures(self):
        """name and labels -> value; of volley's own families."""
        return {(s.name, frozenset(s.labels.items())): s.value
                for family in text_string_to_metric_families(self.scrape())
                for s in family.samples if s.name.startswith("volley_")}

    def total(self, name, **labels):
        return sum(value for (n, have), value in self.figures().items()
                   if n == name and labels.items() <= dict(have).items())

    def end(self):
        self.process.send_signal(signal.SIGINT)
        result = finish(self.process, self.process.argv, 10, self.process.started)
        assert result.code == 130, str(result)
        events = [json.loads(line) for line in self.live.read_text().splitlines()]
        shutil.rmtree(self.live.parent)
        return events


def test_each_interval_of_100_ms_is_there_to_be_scraped():
    """Six in a row, without one left out, are seen by whoever looks often enough."""
    run = Running("run", "udp", "--rate", "1k")
    seen = []

    def six_in_a_row():
        until = round(10 * run.total("volley_duration_seconds"))
        if until > 0 and until not in seen[-1:]:
            seen.append(until)
        return seen[-6:] == list(range(seen[-1] - 5, seen[-1] + 1)) if len(seen) > 5 else False

    wait_until(six_in_a_row, "six intervals in a row")
    run.end()


@pytest.mark.parametrize("words", [("run", "udp", "--rate", "2k", "--label", 'who=a"\\b'),
                                   ("run", "tcp", "--workload", "connect", "--flows", "2")],
                         ids=["rr", "connect"])
def test_a_scrape_tells_what_was_counted_so_far(words):
    run = Running(*words)
    wait_until(lambda: run.total("volley_sent_requests_total") > 100, "a hundred requests")
    before = run.figures()
    text = run.scrape()
    events = run.end()
    (end,) = [e["data"] for e in events if e["event"] == "end" and e["data"]["run"] == 1]
    labels = {"scenario": end_name(events), "protocol": words[1],
              "workload": words[3] if words[2] == "--workload" else "rr"}
    if "--label" in words:
        labels["label_who"] = 'a"\\b'
    sent = ("volley_sent_requests_total", frozenset(labels.items()))
    outcomes = sum(v for (name, have), v in before.items() if name == "volley_requests_total")
    assert 0 < before[sent] <= end["requests"]["sent"]
    assert 0 < outcomes <= before[sent], "the outcomes and what is in flight are what was sent"
    # No scrape says what only the end can tell.
    for word in UNTIL_THE_END:
        assert word not in text, word
    buckets = [v for (name, have), v in sorted(before.items(), key=lambda i: float(
        dict(i[0][1]).get("le", "0").replace("+Inf", "inf"))) if name == "volley_send_lag_seconds_bucket"]
    assert len(buckets) == 26 and buckets == sorted(buckets)
    counts = {name: v for (name, _), v in before.items() if name == "volley_send_lag_seconds_count"}
    assert buckets[-1] == counts["volley_send_lag_seconds_count"]
    check = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True,
                           text=True, timeout=30)
    assert check.returncode == 0, check.stdout + check.stderr + text


def end_name(events):
    (start,) = [e["data"] for e in events if e["event"] == "start" and e["data"]["run"] == 1]
    return start["name"].replace(" ", "-")


def test_a_scraping_prometheus_returns_our_numbers(tmp_path):
    run = Running("run", "udp", "--rate", "1k")
    host = run.url.split("/")[2]
    (tmp_path / "p.yml").write_text(
        "global: {scrape_interval: 200ms}\n"
        f"scrape_configs: [{{job_name: volley, static_configs: [{{targets: ['{host}']}}]}}]\n")
    port = free_port()
    prometheus = subprocess.Popen(
        [shutil.which("prometheus"), f"--config.file={tmp_path}/p.yml",
         f"--storage.tsdb.path={tmp_path}/data", f"--web.listen-address=127.0.0.1:{port}"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def query(expression):
        url = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode(
            {"query": expression})
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                result = json.load(answer)["data"]["result"]
        except (urllib.error.URLError, ConnectionError):
            return None
        return float(result[0]["value"][1]) if result else None

    try:
        wait_until(lambda: (query("volley_sent_requests_total") or 0) > 1000, "a thousand requests",
                   deadline_s=40)
        wait_until(lambda: 700 < (query("rate(volley_requests_total{outcome='completed'}[2s])") or 0)
                   < 1300, "the rate that was asked for", deadline_s=40)
        seen = query("volley_sent_requests_total")
        p99 = query("histogram_quantile(0.99, volley_response_seconds_bucket)")
        events = run.end()
    finally:
        run.process.kill()
        prometheus.kill()
        prometheus.wait(timeout=10)
    sent = 0
    sums = {sent := sent + e["data"]["sent"] for e in events if e["event"] == "interval"}
    assert seen in sums, "the sum of the intervals until then"
    assert 0 < p99 < 1, p99


def test_a_duel_shows_both_protocols_and_claims_nothing_of_a_round_that_has_ended():
    run = Running("duel", "--rounds", "1000", "--requests", "300")
    wait_until(lambda: {dict(labels)["protocol"] for (name, labels), _ in run.figures().items()
                        if name == "volley_sent_requests_total"} == {"udp", "tcp"}, "both")
    text = run.scrape()
    run.end()
    for word in UNTIL_THE_END:
        assert word not in text, word


def test_of_a_stream_it_says_nothing_of_what_arrived():
    run = Running("run", "udp", "--workload", "stream", "--rate", "2k")
    wait_until(lambda: run.total("volley_sent_requests_total") > 100, "a hundred messages")
    text = run.scrape()
    run.end()
    for word in ("completed", "lost\"", "achieved", "loss_ratio", "goodput"):
        assert word not in text, word


def test_a_client_that_says_nothing_or_nonsense_holds_up_nothing():
    run = Running("run", "udp", "--rate", "1k")
    host, port = run.url.split("/")[2].rsplit(":", 1)
    silent = [socket.create_connection((host, int(port))) for _ in range(4)]
    nonsense = socket.create_connection((host, int(port)))
    nonsense.sendall(b"\x00\xff GET /\r\n\r\n" * 1000)
    time.sleep(0.3)  # the server has them in hand
    began = time.monotonic()
    run.end()
    assert time.monotonic() - began < 6 * harness.PATIENCE
    for client in (*silent, nonsense):
        client.close()


def test_a_taken_port_is_told_before_anything_is_sent(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        report = tmp_path / "r.json"
        result = run_volley("run", "udp", "--metrics-listen", where, "--report", f"json:{report}")
    assert result.code == 1 and f"--metrics-listen {where}: cannot listen there" in result.stderr
    assert result.seconds < 5 and not report.exists(), str(result)


@pytest.mark.parametrize("where, said", [("", "--metrics-listen: the host is empty"),
                                         ("http://x:1", "a scheme does not belong here"),
                                         ("::1:9464", "needs brackets"),
                                         ("[::1]:0", "an IPv6 address"),
                                         ("127.0.0.1:99999", "the port is too large")])
def test_no_address_is_wrong_use(where, said):
    result = run_volley("run", "udp", "--metrics-listen", where)
    assert result.code == 2 and said in result.stderr, str(result)
