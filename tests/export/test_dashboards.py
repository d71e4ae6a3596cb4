"""The dashboard and the rules: every expression is evaluated by a real Prometheus that has scraped
a finished report and a run that goes on, and every panel has something to show."""
# ctest: timeout 180

import json
import os
import re
import signal
import threading
import urllib.parse
from http import server
from pathlib import Path

import pytest

from exported import http, measure, promtool, render, start_server
from harness import finish, start_volley, wait_until

FOLDER = Path(os.environ["VOLLEY_SOURCE"]) / "reports" / "dashboards"
MACROS = {"$__rate_interval": "5s", "$scenario": ".*"}
# Nothing of the kind has gone wrong here, and an hour ago there was nothing.
MAY_BE_EMPTY = ("volley_errors_total", "volley_unsent_requests_total", "offset 1h", "== 0", "> 0.001",
                "86400")


def panels():
    return [p for p in json.loads((FOLDER / "volley.json").read_text())["panels"]
            if p["type"] != "row"]


def rules():
    """Expressions of the rules, as promtool reads them: name -> expression."""
    text = (FOLDER / "rules.yml").read_text()
    found = re.findall(r"- (?:record|alert): (\S+)\n\s+expr: (?:>-\n\s+)?((?:.*\n)(?:\s+> .*\n)?)",
                       text)
    return {name: " ".join(expression.split()) for name, expression in found}


def in_prometheus(expression):
    for macro, value in MACROS.items():
        expression = expression.replace(macro, value)
    return expression


@pytest.fixture(scope="module", name="query")
def fixture_query(module_programs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("dashboards")
    report = measure(folder)["duel"]
    report["thresholds"] = []
    text = render(report, folder, "prometheus")
    assert "volley_verdict" in text

    class Served(server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_):
            pass

    served = server.ThreadingHTTPServer(("127.0.0.1", 0), Served)
    threading.Thread(target=served.serve_forever, daemon=True).start()
    run = start_volley("run", "udp", "--rate", "1k", "--duration", "100s", "--warm-up", "0s",
                       "--interval", "200ms", "--metrics-listen", "127.0.0.1:0", bufsize=0)
    said = b""
    while b"/metrics\n" not in said:
        piece = run.stderr.read(1)
        assert piece, f"it ended: {said}"
        said += piece
    live = said.decode().split("/")[2]
    (folder / "p.yml").write_text(json.dumps({
        "global": {"scrape_interval": "500ms"},
        "rule_files": [str(FOLDER / "rules.yml")],
        "scrape_configs": [
            {"job_name": name, "static_configs": [{"targets": [where]}]} for name, where in
            (("finished", f"127.0.0.1:{served.server_port}"), ("live", live))]}))
    url = start_server(module_programs, "prometheus", "--web.listen-address",
                       f"--config.file={folder}/p.yml", f"--storage.tsdb.path={folder}/data")

    def query(expression):
        status, answer = http_get(f"{url}/api/v1/query?"
                                  + urllib.parse.urlencode({"query": expression}))
        if not answer.startswith("{"):
            return status, None  # it is still starting
        return status, json.loads(answer).get("data", {}).get("result")

    def enough():
        _, found = query("rate(volley_sent_requests_total{job='live'}[5s])")
        return found and query("volley_verdict")[1]
    wait_until(enough, "both to be scraped twice", deadline_s=60)
    yield query
    run.send_signal(signal.SIGINT)
    finish(run, run.argv, 20, run.started)
    served.shutdown()


def http_get(url):
    return http("GET", url)


def test_every_panel_has_something_to_show(query):
    expressions = [t["expr"] for panel in panels() for t in panel["targets"]]
    assert len(expressions) >= 15 and len(panels()) >= 12
    for expression in expressions:
        status, found = query(in_prometheus(expression))
        assert status == 200, expression
        assert found or any(word in expression for word in MAY_BE_EMPTY), expression


def test_every_rule_is_one_and_looks_at_what_there_is(query):
    assert promtool("check", "rules", FOLDER / "rules.yml")[0] == 0
    known = rules()
    assert len(known) == 7, known
    names = {name for expression in known.values()
             for name in re.findall(r"\bvolley_[a-z_]+", expression)}
    for name in names - {"volley_threshold_pass"}:
        assert query(name)[1], name
    for name, expression in known.items():
        status, found = query(expression)
        assert status == 200, name
        assert found or any(word in expression for word in MAY_BE_EMPTY) or "INVALID" in expression
    status, found = query("volley:achieved_of_configured:ratio")
    assert status == 200


def test_a_misspelt_name_shows_nothing(query):
    assert query("volley_verdicts") == (200, [])
    assert query("rate(volley_sent_requests_total")[0] == 400


def test_the_dashboard_is_of_one_piece():
    dashboard = json.loads((FOLDER / "volley.json").read_text())
    taken = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                 for y in range(place["y"], place["y"] + place["h"])}
        assert not cells & taken and place["x"] + place["w"] <= 24, panel["title"]
        taken |= cells
        if panel["type"] != "row":
            assert panel["description"] and panel["fieldConfig"]["defaults"]["unit"], panel["title"]
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids))
    variables = {v["name"] for v in dashboard["templating"]["list"]}
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(dashboard)))
    assert used - {"__rate_interval", "__all"} <= variables
