"""--report markdown and what GitHub's runner reads: job summary and annotations."""

import copy
import html
import json
import os
import re

import pytest

from exporting import HOSTILE, failed, hostile, render, with_verdict
from harness import run_volley


def rows_of(text):
    """Every table of the text as rows of cells; refuses one whose rows differ in length."""
    tables, table = [], []
    for line in text.split("\n"):
        if not line.startswith("|"):
            if table:
                tables.append(table)
            table = []
            continue
        if not re.fullmatch(r"\|( .*)? \|", line):
            raise ValueError(f"no row: {line}")
        table.append([cell.strip() for cell in line[1:-1].split("|")])
        if len(table[0]) != len(table[-1]):
            raise ValueError(f"{len(table[-1])} cells under {len(table[0])}: {line}")
    return tables


def checked(text):
    """Refuses what could hold more than text and our own structure."""
    rows_of(text)
    if len(text.encode()) >= 1 << 20 or not text.endswith("\n") or "\r" in text:
        raise ValueError("too long, or lines that do not end in a line feed")
    for line in text.split("\n"):
        if re.match(r"\s*::|.*##\[", line):
            raise ValueError(f"a command: {line}")
    tags = set(re.findall(r"<[^ >]*", text)) - {"<details", "</details", "<summary", "</summary"}
    if tags or "`" in text or re.search(r"[\x00-\x09\x0b-\x1f]", text):
        raise ValueError(f"not escaped: {tags}")
    return text


def environment(**changes):
    """Ours without a runner's variables, but for these."""
    kept = {k: v for k, v in os.environ.items()
            if k not in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY")}
    return {**kept, **changes}


def saved(report, folder):
    (folder / "saved.json").write_text(json.dumps(report), encoding="utf-8")
    return folder / "saved.json"


def test_names_a_failed_threshold_first(one_run, tmp_path):
    lines = checked(render(one_run, "markdown", tmp_path)).split("\n")[:10]
    assert lines[0] == "## volley: failed"
    failures = [line for line in lines if "**FAIL**" in line]
    assert len(failures) == 2 and lines[2] == failures[0], "what holds is no failure"
    assert failures[0].startswith("- **FAIL** p50: ")
    assert "limit 1 ns (unit ns; fails if p50&#62;1ns)" in failures[0]
    assert re.match(r"- \*\*FAIL\*\* offered: [12],?\d{3}/s, limit 1.00/s \(unit ", failures[1])


def test_without_a_failure_begins_with_verdict_and_figures(duel, tmp_path):
    text = checked(render(duel, "markdown", tmp_path))
    lines = text.split("\n")[:10]
    assert lines[0] == "## volley: done"
    assert lines[2].startswith(f"- verdict **{duel['verdict']['overall'].replace('_', ' ')}**: ")
    assert lines[3].startswith("- udp rr: ") and lines[4].startswith("- tcp rr: ")
    assert html.unescape(text).count(duel["comparison"]["sentence"]) == 1
    compared, figures = rows_of(text)[:2]
    assert compared[0] == ["", "UDP", "TCP"]
    assert [row[0] for row in figures[2:]] == ["udp rr", "tcp rr"]
    assert {row[1] for row in figures[2:]} == {"2"}


def test_of_a_failed_run_says_why(one_run, tmp_path):
    lines = checked(render(failed(one_run), "markdown", tmp_path)).split("\n")
    assert lines[0] == "## volley: failed"
    assert lines[2].startswith("- **the run failed**: nobody listens ")


def test_takes_hostile_text(one_run, duel, tmp_path):
    for report in (one_run, duel):
        plain = render(report, "markdown", tmp_path)
        text = checked(render(hostile(report), "markdown", tmp_path))
        assert len(rows_of(text)) == len(rows_of(plain))
        assert "</script>" in html.unescape(text), "it is shown as it is"


def test_stays_below_the_limit_and_says_what_is_cut(one_run, tmp_path):
    long = hostile(one_run)
    worst = "|`<" * 200
    long["thresholds"] = [dict(one_run["thresholds"][1], expr=worst + str(i)) for i in range(2000)]
    long["supplied"]["labels"] = {f"{i}{worst}": worst for i in range(1000)}
    run = long["runs"][0]
    run["generator"]["warnings"] = [f"{i}{worst}" for i in range(2000)]
    run["checks"] = [dict(run["checks"][0], status="warn", affects=[], id=f"{i}{worst}",
                          text=worst, name=worst) for i in range(2000)]
    short = dict(run, checks=[], generator=dict(run["generator"], warnings=[]))
    long["runs"] = [run] + [dict(short, name=f"{i}{worst}") for i in range(299)]
    text = checked(render(long, "markdown", tmp_path))
    assert len(text) > 100_000, "it was long"
    assert "- and 1994 more, in the tables below\n" in text
    assert "\n1900 more rows are left out.\n" in text
    assert "200 more rows are left out" in text and "more are left out\n" in text


def test_goes_to_the_end_of_the_job_summary_and_leaves_stdout_alone(one_run, tmp_path):
    summary = tmp_path / "summary.md"
    summary.write_text("before\n", encoding="utf-8")
    env = environment(GITHUB_STEP_SUMMARY=str(summary))
    file = saved(one_run, tmp_path)
    plain = run_volley("report", file, env=environment())
    result = run_volley("report", file, "--report", "markdown", env=env)
    assert (result.code, result.stdout) == (0, plain.stdout)
    text = render(one_run, "markdown", tmp_path)
    assert summary.read_text(encoding="utf-8") == "before\n" + text
    assert run_volley("report", file, "--report", "markdown:-", env=env).stdout == text
    assert summary.read_text(encoding="utf-8") == "before\n" + text, "- is always stdout"
    for unset in ({}, {"GITHUB_STEP_SUMMARY": ""}):
        result = run_volley("report", file, "--report", "markdown", env=environment(**unset))
        assert result.stdout == text


def test_a_job_summary_that_cannot_be_opened_fails_before_the_run(tmp_path):
    env = environment(GITHUB_STEP_SUMMARY=str(tmp_path / "none" / "s.md"))
    result = run_volley("run", "udp", "--duration", "20s", "--report", "markdown", env=env,
                        timeout=10)
    assert result.code == 1
    assert "cannot open to append to: No such file" in result.stderr
    assert result.seconds < 10


def annotations(report, folder, **changes):
    """The commands on stderr; stdout has none."""
    result = run_volley("report", saved(report, folder), env=environment(**changes))
    assert result.code == 0, str(result)
    for line in result.stdout.split("\n"):
        assert not re.match(r"\s*::|.*##\[", line), line
    return [line for line in result.stderr.split("\n") if line.lstrip().startswith("::")]


def test_annotates_where_a_runner_reads(one_run, tmp_path):
    report = with_verdict(one_run, "INVALID")
    assert annotations(report, tmp_path) == []
    assert annotations(report, tmp_path, GITHUB_ACTIONS="false") == []
    lines = annotations(report, tmp_path, GITHUB_ACTIONS="true")
    assert [line.split("::")[1] for line in lines] == ["error title=volley"] * 2 + [
        "warning title=volley"]
    assert lines[1].startswith("::error title=volley::offered>1/s: it is ")
    assert lines[2].startswith("::warning title=volley::INVALID: ")
    assert annotations(with_verdict(without_thresholds(one_run), "TRUSTED"), tmp_path,
                       GITHUB_ACTIONS="true") == []


def without_thresholds(report):
    """Without the thresholds."""
    return {**copy.deepcopy(report), "thresholds": []}


def test_annotates_at_most_ten_times(one_run, tmp_path):
    many = with_verdict(one_run, "TRUSTED")
    many["thresholds"] = [dict(one_run["thresholds"][1], expr=f"p50>{i}ns") for i in range(30)]
    lines = annotations(many, tmp_path, GITHUB_ACTIONS="true")
    assert len(lines) == 10
    assert lines[9] == "::error title=volley::21 more, see the report"
    many["thresholds"] = many["thresholds"][:10]
    assert len(annotations(many, tmp_path, GITHUB_ACTIONS="true")) == 10


def test_hostile_text_gives_no_command(one_run, duel, tmp_path):
    for report, most in ((hostile(one_run), 4), (hostile(duel), 1), (failed(one_run), 1)):
        lines = annotations(report, tmp_path, GITHUB_ACTIONS="true")
        assert len(lines) <= most
        assert all(line.startswith(("::error title=volley::", "::warning title=volley::"))
                   for line in lines)
        assert all("%250A" in line for line in lines if HOSTILE[:10] in line), "% is escaped"


@pytest.mark.parametrize("broken", ["| a | b |\n| - |\n", "::error::x\n", "  ::x\n", "a <b> c\n",
                                    "`a`\n", "a", "a\r\n", "a ##[error]\n", "x" * (1 << 20) + "\n"])
def test_the_reader_refuses_what_is_wrong(broken):
    with pytest.raises(ValueError):
        checked(broken)
