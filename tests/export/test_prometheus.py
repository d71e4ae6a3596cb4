"""The text format of Prometheus, read by promtool, Pushgateway and node_exporter."""
# ctest: timeout 180

import math

import pytest

from exported import (HOSTILE, hostile, http, measure, promtool, render, series, start_server,
                      with_lost)
from harness import wait_until
from judging import DecodedHistogram


@pytest.fixture(scope="module", name="reports")
def fixture_reports(tmp_path_factory):
    return measure(tmp_path_factory.mktemp("measured"))


@pytest.fixture(scope="module", name="pushgateway")
def fixture_pushgateway(module_programs):
    return start_server(module_programs, "prometheus-pushgateway", "--web.listen-address")


def test_promtool_finds_nothing_to_say(reports, tmp_path):
    for name, report in {**reports, "hostile": hostile(reports["run"])}.items():
        text = render(report, tmp_path, "prometheus", name)
        assert promtool("check", "metrics", text=text) == (0, ""), name


def test_promtool_refuses_what_is_broken(reports, tmp_path):
    text = render(reports["run"], tmp_path, "prometheus")
    no_help = "\n".join(line for line in text.splitlines() if "# HELP" not in line) + "\n"
    assert promtool("check", "metrics", text=no_help)[0] == 3
    assert promtool("check", "metrics", text=text.replace('",', ",", 1))[0] == 1
    assert promtool("check", "metrics", text=text.replace("volley_duration_seconds",
                                                          "volley_duration_ms"))[0] == 3


def test_says_what_the_report_says(reports, tmp_path):
    text = render(reports["run"], tmp_path, "prometheus")
    run = reports["run"]["runs"][0]
    where = {"scenario": "udp-rr", "protocol": "udp", "workload": "rr", "label_branch": "main"}
    for name, value in {
            "configured_requests_per_second": run["load"]["intended_per_s"],
            "offered_requests_per_second": run["load"]["offered_per_s"],
            "achieved_requests_per_second": run["load"]["achieved_per_s"],
            "goodput_bytes_per_second": run["bytes"]["goodput_bits_per_s"] / 8,
            "sent_requests_total": run["requests"]["sent"],
            "sent_bytes_total": run["bytes"]["sent"],
            "received_bytes_total": run["bytes"]["received"]}.items():
        assert series(text, f"volley_{name}", **where) == [value], name
    outcomes = {word: series(text, "volley_requests_total", outcome=word)
                for word in ("completed", "lost", "error", "in_flight")}
    assert outcomes["completed"] == [run["requests"]["completed"]]
    assert sum(sum(values) for values in outcomes.values()) == run["requests"]["sent"]
    verdicts = {word: series(text, "volley_verdict", verdict=word)
                for word in ("TRUSTED", "DEGRADED", "NOT_CLAIMABLE", "INVALID")}
    assert verdicts.pop(run["verdict"]["overall"]) == [1]
    assert list(verdicts.values()) == [[0]] * 3
    assert series(text, "volley_threshold_pass", expr="offered<1/s") == [
        float(reports["run"]["thresholds"][0]["pass"])]
    assert series(text, "volley_report_success") == [1]


def test_has_the_percentiles_that_hold_and_no_others(reports, tmp_path):
    held = withheld = 0
    text = render(reports["duel"], tmp_path, "prometheus")
    one = render(reports["run"], tmp_path, "prometheus", "one")
    figures = reports["run"]["runs"][0]["latency_ns"]
    for latency in ("response", "response_delivered", "service", "send_lag"):
        for key in ("p50", "p90", "p99", "p99_9", "p99_99"):
            found = series(one, f"volley_{latency}_percentile_seconds",
                           percentile=key[1:].replace("_", "."))
            value = figures[latency][key]
            assert found == ([] if value is None else [value / 1e9]), (latency, key)
            held += value is not None
            withheld += value is None
    assert held + withheld == 20
    sides = {side["protocol"]: side for side in reports["duel"]["comparison"]["sides"]}
    for protocol, side in sides.items():
        found = series(text, "volley_response_percentile_seconds", protocol=protocol,
                       percentile="99")
        assert found == ([] if side["p99_ns"] is None else [side["p99_ns"] / 1e9])


def test_buckets_are_those_of_the_histogram_decoded_by_others(reports, tmp_path):
    text = render(reports["run"], tmp_path, "prometheus")
    figures = reports["run"]["runs"][0]["latency_ns"]["response"]
    decoded = DecodedHistogram(figures["histogram"])
    lines = [line for line in text.splitlines() if line.startswith("volley_response_seconds_bucket")]
    assert len(lines) == 26
    seen = []
    for line in lines:
        end = float(line.split('le="')[1].split('"')[0])
        counted = int(line.rsplit(" ", 1)[1])
        seen.append(counted)
        ns = end * 1e9
        # Those surely below, and those that may be: a counter is up to 1/1024 wide.
        sure = sum(n for i, n in decoded.counts.items()
                   if math.isinf(end) or decoded.lowest_of(i + 1) - 1 <= round(ns))
        may = sum(n for i, n in decoded.counts.items()
                  if math.isinf(end) or decoded.lowest_of(i) <= round(ns))
        assert sure <= counted <= may, line
    assert seen == sorted(seen) and seen[-1] == figures["count"]
    assert seen[0] < seen[-1], "all in one bucket says nothing"


def test_lost_requests_are_only_in_the_last_bucket_of_response(reports, tmp_path):
    report = with_lost(reports["run"], 7)
    lost = report["runs"][0]["requests"]["lost"]
    count = report["runs"][0]["latency_ns"]["response"]["count"]
    text = render(report, tmp_path, "prometheus")
    assert series(text, "volley_response_seconds_count") == [count + lost]
    assert series(text, "volley_response_seconds_bucket", le="100.0") == [count]
    assert series(text, "volley_response_delivered_seconds_count") == [count]


def test_hostile_names_stay_in_their_labels(reports, tmp_path):
    text = render(hostile(reports["run"]), tmp_path, "prometheus")
    shown = 'a\\"b\\\\c\\nd|`</script>\ufffd[2J::error::é'
    plain = render(reports["run"], tmp_path, "prometheus", "plain")
    assert len(text.splitlines()) == len(plain.splitlines())
    assert f'label_scenario="{shown}"' in text and 'label_scenario_2="3"' in text
    assert all(line.startswith(("# HELP ", "# TYPE ", "volley_")) for line in text.splitlines())
    assert HOSTILE not in text and "\x00" not in text and "\x1b" not in text


def test_pushgateway_takes_the_file_and_shows_its_numbers(reports, pushgateway, tmp_path):
    for name, report in {"run": reports["run"], "duel": reports["duel"],
                         "hostile": hostile(reports["run"])}.items():
        text = render(report, tmp_path, "prometheus", name)
        assert http("PUT", f"{pushgateway}/metrics/job/volley/instance/{name}", text) == (200, "")
    shown = http("GET", f"{pushgateway}/metrics")[1]
    run = reports["run"]["runs"][0]
    assert series(shown, "volley_sent_requests_total", instance="run") == [run["requests"]["sent"]]
    assert series(shown, "volley_achieved_requests_per_second", instance="run") == [
        run["load"]["achieved_per_s"]]
    assert "# TYPE volley_sent_requests_total counter" in shown


def test_pushgateway_refuses_what_is_broken(reports, pushgateway, tmp_path):
    text = render(reports["run"], tmp_path, "prometheus")
    push = f"{pushgateway}/metrics/job/broken"
    assert http("PUT", push, text[:-1])[0] == 400  # the last line without its end
    assert http("PUT", push, text.replace("\n", " 1700000000000\n", 3))[0] == 400
    assert http("PUT", push, text + text.splitlines()[-1] + "\n")[0] == 400  # a series twice


def test_node_exporter_shows_the_numbers_of_a_file(reports, module_programs, tmp_path):
    folder = tmp_path / "textfile"
    folder.mkdir()
    url = start_server(module_programs, "prometheus-node-exporter", "--web.listen-address",
                       "--collector.disable-defaults", "--collector.textfile",
                       f"--collector.textfile.directory={folder}")
    text = render(reports["duel"], tmp_path, "prometheus")
    (folder / "volley.prom").write_text(text, encoding="utf-8")
    shown = wait_until(lambda: (lambda page: "volley_rounds" in page and page)(
        http("GET", f"{url}/metrics")[1]), "the file to be shown")
    assert series(shown, "node_textfile_scrape_error") == [0]
    for side in reports["duel"]["comparison"]["sides"]:
        assert series(shown, "volley_sent_requests_total", protocol=side["protocol"]) == [
            side["sent"]]
        assert series(shown, "volley_achieved_requests_per_second",
                      protocol=side["protocol"]) == [side["achieved_per_s"]]
    # A line with a time, and the whole file is refused.
    timed = text.rstrip("\n") + " 1700000000000\n"
    (folder / "volley.prom").write_text(timed, encoding="utf-8")
    shown = http("GET", f"{url}/metrics")[1]
    assert series(shown, "node_textfile_scrape_error") == [1]
    assert "volley_rounds" not in shown
