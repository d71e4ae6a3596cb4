"""Reports that the tests of the exported formats share, and the servers that read the files."""

import copy
import json
import subprocess
import urllib.error
import urllib.request

from harness import free_port, is_bound, need, run_volley

HOSTILE = 'a"b\\c\nd|`</script>\x00\x1b[2J::error::é'


def measure(folder):
    """One short open-loop run and one duel of two rounds, saved in `folder`: their reports."""
    for name, args in {
            "run": ("run", "udp", "--duration", "1s", "--rate", "2k", "--warm-up", "200ms",
                    "--label", "branch=main", "--fail-if", "offered<1/s"),
            "duel": ("duel", "--rounds", "2", "--duration", "500ms", "--warm-up", "200ms")}.items():
        result = run_volley(*args, "--quiet", "--report", f"json:{folder}/{name}.json", timeout=60)
        assert result.code == 0, str(result)
    return {name: json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
            for name in ("run", "duel")}


def hostile(report):
    """The same figures under names that try to break out of every format."""
    changed = copy.deepcopy(report)
    changed["supplied"]["labels"] = {HOSTILE: HOSTILE, "le": "1", "quantile": "2",
                                     "Scenario": HOSTILE, "scenario": "3"}
    for run in changed["runs"]:
        run["name"] += HOSTILE
        run["endpoint"] = HOSTILE
    for threshold in changed["thresholds"]:
        threshold["expr"] += HOSTILE
    return changed


def with_lost(report, lost):
    """A report whose first run lost `lost` more requests than it did. Not a consistent one: only
    the count moves, and the percentiles that it would spoil."""
    changed = copy.deepcopy(report)
    run = changed["runs"][0]
    run["requests"]["sent"] += lost
    run["requests"]["lost"] += lost
    return changed


def render(report, folder, form, name="x"):
    """The text of a report (a dict) in a format of one file."""
    saved = folder / f"{name}-saved.json"
    saved.write_text(json.dumps(report), encoding="utf-8")
    result = run_volley("report", saved, "--report", f"{form}:{folder}/{name}.{form}", timeout=30)
    assert result.code == 0, str(result)
    return (folder / f"{name}.{form}").read_bytes().decode("utf-8", errors="strict")


def promtool(*args, text=None):
    """promtool's exit code and all it said."""
    result = subprocess.run([need("promtool"), *map(str, args)], input=text, text=True,
                            capture_output=True, timeout=60, check=False)
    return result.returncode, result.stdout + result.stderr


def http(method, url, body=None):
    """Status and text."""
    request = urllib.request.Request(url, method=method, data=body and body.encode("utf-8"))
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode("utf-8")
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode("utf-8")


def start_server(programs, program, option, *args):
    """Starts a program that listens where `option` says; its base URL."""
    port = free_port()
    programs.start_ready([need(program), f"{option}=127.0.0.1:{port}", *args],
                         lambda: is_bound("tcp", port), f"{program} to listen", deadline_s=60)
    return f"http://127.0.0.1:{port}"


def series(text, name, **labels):
    """The values of the lines of a text with that name whose labels include these."""
    wanted = [f'{key}="{value}"' for key, value in labels.items()]
    return [float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
            if line.startswith((name + "{", name + " ")) and all(w in line for w in wanted)]
