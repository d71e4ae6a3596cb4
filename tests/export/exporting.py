"""What the tests of the formats for CI share: saved reports, and rendering them."""

import copy
import json

from harness import run_volley

# Each would break out of some format: HTML, tables, Markdown, XML, commands of a CI runner.
HOSTILE = ("::error::x\n::error title=a::b\r\n  ::warning::c |`*_[a](b) </script>]]><!--\"'& "
           "\x00\x1b[31m\ufffe\ufffd##[error]d %0A $x$ \\")


def measure(folder, *args):
    """Runs volley; the report it saved, with what a busy machine may have withheld filled in. Its
    exit code is that of thresholds, if there are any."""
    result = run_volley(*args, "--report", f"json:{folder}/r.json", "--quiet", timeout=60)
    assert result.code in (0, 99), str(result)
    report = json.loads((folder / "r.json").read_text(encoding="utf-8"))
    for i, run in enumerate(report["runs"]):
        response = run["latency_ns"]["response"]
        response["p50"] = 10_000 + i
        response["ci95"]["p50"] = {"low": 9_900, "high": 10_300 + i}
        for number in run["verdict"]["numbers"].values():
            number["verdict"] = "TRUSTED"
        run["requests"]["loss_ratio"] = run["requests"]["lost"] / run["requests"]["sent"]
    return report


def render(report, form, folder, code=0, **kwargs):
    """What `volley report` makes of a report in a format."""
    saved = folder / "saved.json"
    saved.write_text(json.dumps(report), encoding="utf-8")
    out = folder / "rendered"
    out.unlink(missing_ok=True)
    result = run_volley("report", saved, "--report", f"{form}:{out}", timeout=30, **kwargs)
    assert result.code == code, str(result)
    return out.read_bytes().decode("utf-8")


def hostile(report):
    """The same report with hostile text wherever somebody else's text may stand."""
    edited = copy.deepcopy(report)
    edited["supplied"]["labels"] = {HOSTILE: HOSTILE}
    edited["supplied"]["argv"] = [HOSTILE]
    edited["host"][HOSTILE] = HOSTILE
    edited["tool"]["version"] = HOSTILE
    for run in edited["runs"]:
        run["name"] = HOSTILE + run["protocol"]
        run["endpoint"] = HOSTILE
        run["config"][HOSTILE] = HOSTILE
        run["generator"]["warnings"] = [HOSTILE, HOSTILE]
        for check in run["checks"] or []:
            check["text"] = HOSTILE
        if run["verdict"]:
            run["verdict"]["headline"] = HOSTILE
    for threshold in edited["thresholds"]:
        threshold["expr"] = HOSTILE
    if edited["comparison"]:
        edited["comparison"]["sentence"] = HOSTILE
    return edited


def failed(report):
    """A report of a run that failed, with hostile words."""
    edited = copy.deepcopy(report)
    edited["status"] = "failed"
    edited["error"] = {"code": "refused", "message": "nobody listens " + HOSTILE,
                       "phase": "setup"}
    edited["runs"] = []
    edited["thresholds"] = []
    edited["comparison"] = None
    edited["verdict"] = None
    return edited


def strict(text):
    """JSON without NaN, infinity and keys that come twice."""
    def pairs(found):
        keys = [key for key, _ in found]
        assert len(keys) == len(set(keys)), f"a key comes twice: {keys}"
        return dict(found)

    def refuse(word):
        raise ValueError(f"{word} is no JSON")
    return json.loads(text, object_pairs_hook=pairs, parse_constant=refuse)


def with_verdict(report, word):
    """The report with that verdict on every run."""
    edited = copy.deepcopy(report)
    for run in edited["runs"]:
        run["verdict"]["overall"] = word
    edited["verdict"]["overall"] = word
    return edited
