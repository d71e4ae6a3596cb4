"""docs/ci.md, word by word: the shell steps of every recipe run here, against volley's own target,
and again against one that has got slow."""
# ctest: timeout 360

import contextlib
import json
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest
import yaml

from exported import http, start_server
from harness import free_port, need, volley_path

TEXT = (Path(os.environ["VOLLEY_SOURCE"]) / "docs" / "ci.md").read_text(encoding="utf-8")
SLOW = "--service-time fixed:3ms"


def blocks(heading):
    """The fenced blocks of a section."""
    found, section, block = [], None, None
    for line in TEXT.splitlines(keepends=True):
        if line.startswith("```"):
            if block is not None and section == heading:
                found.append("".join(block))
            block = [] if block is None else None
        elif block is not None:
            block.append(line)
        elif line.startswith("## "):
            section = line[3:].strip()
    return found


class Job:
    """A shell that runs a recipe's steps in a folder of their own, as a runner does."""

    def __init__(self, folder, **environment):
        self.folder = folder
        (folder / "bin").mkdir()
        (folder / "bin" / "volley").symlink_to(volley_path())
        self.port = free_port()
        self.environment = {**os.environ, **environment,
                            "PATH": f"{folder}/bin:{os.environ['PATH']}"}

    def run(self, script, slow=False):
        """Exit code and all it printed. Another port, and perhaps a slow server."""
        script = script.replace("2924", str(self.port))
        if slow:
            script = script.replace("volley target", f"volley target udp-echo {SLOW}")
        printed = self.folder / "printed"
        with printed.open("w") as output:
            shell = subprocess.Popen(["bash", "-e", "-c", script], cwd=self.folder,
                                     env=self.environment, stdout=output, stderr=output,
                                     start_new_session=True)
        try:
            code = shell.wait(timeout=60)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)  # as a runner does with what is left over
        return code, printed.read_text(encoding="utf-8")


def steps_of_github():
    (workflow,) = [b for b in blocks("GitHub Actions") if b.startswith("# .github")]
    return yaml.safe_load(workflow)["jobs"]["load"]["steps"]


def in_a_calm_moment(folder, play):
    """A folder of its own, and what play(folder) gives: code, output … Played again where volley
    withholds what the job asks for because the machine let its generator wait."""
    for place in (folder / "1", folder / "2", folder / "3"):
        place.mkdir()
        code, output, *more = play(place)
        if "the generator spoiled it" not in output:
            return place, code, output, *more
        assert code == 99 and "INVALID" in output, output  # it says so, and the job is red
    pytest.skip("a busy machine: each time the generator waited too long for a CPU")


def play_github(folder, slow):
    """The steps that are shell, as one script: what they start goes on from step to step."""
    summary = folder / "summary.md"
    job = Job(folder, GITHUB_STEP_SUMMARY=str(summary), GITHUB_ACTIONS="true", GITHUB_SHA="abc123")
    script = "\n".join(step["run"] for step in steps_of_github()
                       if "run" in step and "apt-get" not in step["run"])
    code, output = job.run(script, slow)
    return code, output, summary.read_text(encoding="utf-8")


def test_a_github_job_is_green_while_nothing_is_wrong(tmp_path):
    folder, code, output, summary = in_a_calm_moment(
        tmp_path, lambda place: play_github(place, slow=False))
    assert code == 0 and "::error" not in output, output
    assert "response p50" in summary, summary
    report = json.loads((folder / "volley.json").read_text())
    assert report["supplied"]["labels"] == {"commit": "abc123"}
    bench = json.loads((folder / "bench.smaller.json").read_text())
    assert bench and all(row["unit"] in ("ns", "ratio", "count") for row in bench)


def test_a_github_job_goes_red_and_says_why_in_the_first_lines(tmp_path):
    folder, code, output, summary = in_a_calm_moment(
        tmp_path, lambda place: play_github(place, slow=True))
    assert code == 99, output
    assert "::error title=volley::" in output, output
    first = "\n".join(summary.splitlines()[:10])
    line = next(row for row in first.splitlines() if "response p50" in row)
    value = re.search(r"([\d.]+) (ms|s)\b", line)
    assert value, first
    slow_ms = float(value[1]) * (1000 if value[2] == "s" else 1)
    assert slow_ms > 3, "what was injected"
    assert (folder / "volley.json").exists()


def test_the_summary_in_the_recipe_is_one_that_volley_writes():
    (shown,) = [b for b in blocks("GitHub Actions") if not b.startswith("# .github")]
    assert "**FAIL** response p50" in shown and "limit 2.00 ms" in shown


def test_gitlab(tmp_path):
    (text,) = blocks("GitLab CI")
    recipe = yaml.safe_load(text)["load"]
    lines = [line for line in recipe["script"] if "apt-get" not in line]
    folder, code, output = in_a_calm_moment(
        tmp_path, lambda place: Job(place).run("\n".join(lines)))
    assert code == 0, output
    kept = recipe["artifacts"]
    assert set(kept["reports"]) == {"junit", "browser_performance"}
    for name in (*kept["paths"], *kept["reports"].values()):
        assert (folder / name).stat().st_size > 100, name
    assert "<testsuite" in (folder / "volley.xml").read_text()


def test_jenkins(tmp_path):
    (text,) = blocks("Jenkins")
    (script,) = re.findall(r"sh '''\n(.*?)'''", text, re.S)
    folder, code, output = in_a_calm_moment(tmp_path, lambda place: Job(place).run(script))
    assert code == 0, output
    for name in re.findall(r"'([\w.,]+\.(?:xml|json))'", text):
        for one in name.split(","):
            assert (folder / one).stat().st_size > 100, one


def is_spoilt(report):
    (run,) = json.loads(report.read_text())["runs"]
    return run["verdict"]["numbers"]["response.p50"]["verdict"] == "INVALID"


def test_against_the_last_good_one(tmp_path):
    measure = ("volley target udp-echo {} --listen 127.0.0.1:2924 --max-duration 1m > s.log &\n"
               "until grep -q listening s.log; do sleep 0.1; done\n"
               "volley run udp://127.0.0.1:2924 --rate 1k --duration 2s --report json:{}\n")
    (script,) = blocks("Against the last good one")
    for place in (tmp_path / "1", tmp_path / "2", tmp_path / "3"):
        place.mkdir()
        job = Job(place)
        assert job.run(measure.format("", "base.json"))[0] == 0
        assert job.run(measure.format(SLOW.replace("3ms", "500us"), "volley.json"))[0] == 0
        code, output = job.run(script)
        if not is_spoilt(place / "base.json") and not is_spoilt(place / "volley.json"):
            assert code == 98 and "regressed" in output, output
            return
        p50 = next(line for line in output.splitlines() if line.startswith("response_p50"))
        assert p50.endswith("not compared"), output
    pytest.skip("a busy machine: each time the generator waited too long for a CPU")


def test_bencher(tmp_path):
    job = Job(tmp_path)
    (script,) = blocks("Bencher")
    measured, sent = script.splitlines()
    code, output = job.run(measured.replace("--rounds 9", "--rounds 1"))
    assert code == 0, output
    assert sent.endswith("--file bencher.json")
    assert set(json.loads((tmp_path / "bencher.json").read_text())) == {"udp-rr", "tcp-rr"}


def test_pushgateway(tmp_path, module_programs):
    need("curl")
    url = start_server(module_programs, "prometheus-pushgateway", "--web.listen-address")
    job = Job(tmp_path, PUSHGATEWAY=url)
    (script,) = blocks("Prometheus, Pushgateway, Grafana")
    code, output = job.run("volley target --listen 127.0.0.1:2924 --max-duration 1m > s.log &\n"
                           "until grep -q listening s.log; do sleep 0.1; done\n"
                           + script + "")
    assert code == 0, output
    assert "volley_response_seconds_bucket" in http("GET", f"{url}/metrics")[1]


def test_the_package_is_made_as_the_recipe_says():
    (script,) = blocks("The package")
    assert "cpack --config build/release/CPackConfig.cmake" in script
    container = (Path(os.environ["VOLLEY_SOURCE"]) / "scripts/container/Containerfile").read_text()
    for line in script.splitlines():
        assert line in container, line


@pytest.mark.parametrize("name", ["thresholds.md", "compare.md", "formats.md", "prometheus.md"])
def test_links_lead_somewhere(name):
    assert f"({name}" in TEXT
