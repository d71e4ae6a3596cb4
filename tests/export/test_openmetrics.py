"""OpenMetrics: read by a strict parser, scraped by a Prometheus, and backfilled into its blocks."""
# ctest: timeout 180

import http.server
import json
import math
import re
import threading
import urllib.parse

import prometheus_client.samples
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from exported import hostile, http as ask, measure, promtool, render, start_server, with_lost
from harness import wait_until

CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"


@pytest.fixture(scope="module", name="reports")
def fixture_reports(tmp_path_factory):
    return measure(tmp_path_factory.mktemp("measured"))


def parse(text):
    return {family.name: family for family in text_string_to_metric_families(text)}


@pytest.fixture(name="ordered_times")
def fixture_ordered_times(monkeypatch):
    """python3-prometheus-client 0.16 compares times by their seconds or by what is behind the
    point, whichever is greater; this is what it means to do."""
    monkeypatch.setattr(prometheus_client.samples.Timestamp, "__gt__",
                        lambda a, b: (a.sec, a.nsec) > (b.sec, b.nsec))


def test_a_strict_parser_reads_it(reports, tmp_path):
    for name, report in {**reports, "hostile": hostile(reports["run"]),
                         "lost": with_lost(reports["run"], 7)}.items():
        families = parse(render(report, tmp_path, "openmetrics", name))
        assert families["volley_build"].type == "info"
        assert families["volley_sent_bytes"].type == "counter"
        assert families["volley_sent_bytes"].unit == "bytes"
        assert families["volley_response_seconds"].type == "histogram"
        sent = [s.value for s in families["volley_sent_requests"].samples]
        expected = {}
        for run in report["runs"]:
            expected[run["name"]] = expected.get(run["name"], 0) + run["requests"]["sent"]
        assert sent == list(expected.values())
        assert all(family.documentation for family in families.values())


def test_the_strict_parser_refuses_what_is_broken(reports, tmp_path):
    text = render(reports["run"], tmp_path, "openmetrics")
    for broken in (text.replace("# EOF\n", ""), text.replace("\n", "\r\n"), text + "\n",
                   text.replace('le="+Inf"', 'le="200.0"'),
                   text.replace("# UNIT volley_sent_bytes bytes", "# UNIT volley_sent_bytes s")):
        assert broken != text
        with pytest.raises(ValueError):
            parse(broken)


def test_hostile_labels_come_out_as_they_went_in(reports, tmp_path):
    families = parse(render(hostile(reports["run"]), tmp_path, "openmetrics"))
    labels = families["volley_loss_ratio"].samples[0].labels if (
        "volley_loss_ratio" in families) else families["volley_rounds"].samples[0].labels
    assert labels["label_scenario"] == 'a"b\\c\nd|`</script>\ufffd[2J::error::é'
    assert labels["label_le"] == "1" and labels["label_quantile"] == "2"
    assert re.fullmatch(r"[a-z0-9._-]+", labels["scenario"])


class Exposed(http.server.BaseHTTPRequestHandler):
    """Serves the text of its server."""

    def do_GET(self):  # noqa: N802 (the name is given)
        body = self.server.text.encode("utf-8")
        self.send_response(200)
        self.send_header("Content-Type", CONTENT_TYPE)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module", name="exposed")
def fixture_exposed():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Exposed) as server:
        server.text = "# EOF\n"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module", name="prometheus")
def fixture_prometheus(exposed, module_programs, tmp_path_factory):
    """query("up") -> the list of (labels, value) that a Prometheus answers that scrapes `exposed`."""
    folder = tmp_path_factory.mktemp("prometheus")
    config = {"global": {"scrape_interval": "1s"},
              "scrape_configs": [{"job_name": "volley", "static_configs": [
                  {"targets": [f"127.0.0.1:{exposed.server_address[1]}"]}]}]}
    (folder / "prometheus.yml").write_text(json.dumps(config), encoding="utf-8")
    url = start_server(module_programs, "prometheus", "--web.listen-address",
                       f"--config.file={folder}/prometheus.yml",
                       f"--storage.tsdb.path={folder}/data")

    def query(text):
        status, body = ask("GET", f"{url}/api/v1/query?query={urllib.parse.quote(text)}")
        if status != 200:
            return []
        return [(r["metric"], float(r["value"][1])) for r in json.loads(body)["data"]["result"]]
    return query


def test_prometheus_scrapes_it_and_answers_with_our_numbers(reports, exposed, prometheus, tmp_path):
    exposed.text = render(reports["duel"], tmp_path, "openmetrics")
    wait_until(lambda: prometheus("volley_rounds"), "the first scrape", deadline_s=60)
    achieved = {labels["protocol"]: value
                for labels, value in prometheus("volley_achieved_requests_per_second")}
    sides = {side["protocol"]: side for side in reports["duel"]["comparison"]["sides"]}
    assert achieved == {protocol: side["achieved_per_s"] for protocol, side in sides.items()}
    ends = sorted({float(labels["le"]) for labels, _ in prometheus("volley_response_seconds_bucket")})
    for labels, value in prometheus("histogram_quantile(0.5, volley_response_seconds_bucket)"):
        assert labels["scenario"] == f"{labels['protocol']}-rr"
        p50 = sides[labels["protocol"]]["p50_ns"]
        if p50 is None:
            continue
        # Within the bucket that our p50 lies in.
        high = next(end for end in ends if end >= p50 / 1e9)
        low = ([0.0] + ends)[ends.index(high)]
        assert low <= value <= high, (labels, value, p50)


def test_prometheus_refuses_a_text_without_its_end(reports, exposed, prometheus, tmp_path):
    exposed.text = render(reports["run"], tmp_path, "openmetrics")
    wait_until(lambda: [v for _, v in prometheus("up")] == [1], "a good scrape", deadline_s=60)
    exposed.text = exposed.text.replace("# EOF\n", "")
    wait_until(lambda: [v for _, v in prometheus("up")] == [0], "a refused scrape", deadline_s=60)


def backfilled(text, folder):
    """What promtool makes of the text: exit code, what it said, {series: [(ms, value)]}."""
    source, blocks = folder / "in.om", folder / "blocks"
    source.write_text(text, encoding="utf-8")
    code, said = promtool("tsdb", "create-blocks-from", "openmetrics", source, blocks)
    if code != 0:
        return code, said, {}
    (blocks / "wal").mkdir()  # its dump looks for one
    dump_code, dump = promtool("tsdb", "dump", blocks)
    assert dump_code == 0, dump
    found = {}
    for line in dump.splitlines():
        match = re.fullmatch(r"\{(.*)\} (\S+) (\d+)", line)
        if match:
            found.setdefault(match[1], []).append((int(match[3]), float(match[2])))
    return code, said, found


def of(found, *parts):
    """The points of the only series whose text has all the parts."""
    matching = [points for text, points in found.items() if all(part in text for part in parts)]
    assert len(matching) == 1, (parts, len(matching))
    return matching[0]


def forward(intervals):
    """Those that end in a later millisecond than the one before: a series has one point in each."""
    last, kept = 0, []
    for interval in intervals:
        ms = math.floor(interval["end_s"] * 1000 + 0.5)
        if ms > last:
            kept.append(interval)
        last = max(last, ms)
    return kept


def growth(runs):
    """How many requests were sent up to the end of each interval that has a point."""
    total, sums = 0, []
    for run in runs:
        kept = forward(run["intervals"])
        for interval in run["intervals"]:
            total += interval["sent"]
            if interval in kept:
                sums.append(total)
    return sums


def test_blocks_made_of_the_timed_flavour_hold_our_numbers(reports, tmp_path):
    for name, report in reports.items():
        folder = tmp_path / name
        folder.mkdir()
        text = render(report, folder, "openmetrics-timestamped")
        code, said, found = backfilled(text, folder)
        assert code == 0, said
        for protocol in {run["protocol"] for run in report["runs"]}:
            runs = [run for run in report["runs"] if run["protocol"] == protocol]
            points = of(found, '"volley_sent_requests_total"', f'protocol="{protocol}"')
            steps = growth(runs)
            assert [value for _, value in points] == [0, *steps,
                                                      sum(r["requests"]["sent"] for r in runs)]
            times = [ms for ms, _ in points]
            assert times == sorted(set(times))
            shown = of(found, "volley_interval_response_percentile_seconds",
                       f'protocol="{protocol}"', 'percentile="50"')
            assert [value for _, value in shown] == [
                i["response_p50_ns"] / 1e9 for r in runs for i in forward(r["intervals"])
                if i["response_p50_ns"] is not None]
        achieved = of(found, "volley_achieved", 'protocol="udp"')
        assert len(achieved) == 1
        if name == "run":
            assert achieved[0][1] == report["runs"][0]["load"]["achieved_per_s"]


def test_the_strict_parser_reads_the_timed_flavour(reports, tmp_path, ordered_times):
    del ordered_times
    for name, report in {**reports, "hostile": hostile(reports["duel"])}.items():
        families = parse(render(report, tmp_path, "openmetrics-timestamped", name))
        assert all(s.timestamp is not None for f in families.values() for s in f.samples)


def test_backfilling_refuses_what_is_broken(reports, tmp_path):
    timed = render(reports["run"], tmp_path, "openmetrics-timestamped")
    plain = render(reports["run"], tmp_path, "openmetrics")
    for name, broken in {"end": timed.replace("# EOF\n", ""), "times": plain}.items():
        folder = tmp_path / name
        folder.mkdir()
        code, said, _ = backfilled(broken, folder)
        assert code != 0, said
