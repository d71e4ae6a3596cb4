"""Judging a report by rules written here a second time, independent of volley's own code: strict
JSON, the schema, both identities of a run, the sums of its intervals, its histograms, decoded."""

import base64
import json
import math
import os
import re
import struct
import zlib
from pathlib import Path

ROOT = Path(os.environ.get("VOLLEY_SOURCE", Path(__file__).resolve().parent.parent))
SCHEMA = ROOT / "reports" / "schema" / "report.schema.json"


def strict_json(text):
    """One JSON value by RFC 8259: no NaN, no Infinity, no key twice, valid UTF-8."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", errors="strict")

    def refuse_constant(word):
        raise ValueError(f"JSON has no {word}")

    def refuse_twice(pairs):
        keys = [key for key, _ in pairs]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            raise ValueError(f"keys that stand twice: {sorted(twice)}")
        return dict(pairs)

    def finite(word):
        value = float(word)
        if not math.isfinite(value):
            raise ValueError(f"not a finite number: {word}")
        return value

    return json.loads(text, parse_constant=refuse_constant, object_pairs_hook=refuse_twice,
                      parse_float=finite)


# ---------------------------------------------------------------------------------------------
# Histograms: HdrHistogram V2, read by the published format, sharing nothing with our C++


class DecodedHistogram:
    """Counts by index, and the values they stand for: significant figures 3, unit 1."""

    def __init__(self, text):
        outer = base64.b64decode(text, validate=True)
        cookie, length = struct.unpack_from(">ii", outer)
        assert cookie == 0x1C849314, f"not a compressed V2 histogram: cookie {cookie:#x}"
        assert length == len(outer) - 8, f"length {length} of {len(outer) - 8} bytes"
        inner = zlib.decompress(outer[8:])
        (cookie, payload, offset, digits, self.lowest, self.highest,
         ratio) = struct.unpack_from(">iiiiqqd", inner)
        assert cookie == 0x1C849313, f"not a V2 histogram: cookie {cookie:#x}"
        assert payload == len(inner) - 40, f"payload {payload} of {len(inner) - 40} bytes"
        assert (offset, digits, self.lowest, ratio) == (0, 3, 1, 1.0)
        self.counts = self.read_counts(inner[40:])

    @staticmethod
    def read_counts(data):
        counts, index, position = {}, 0, 0
        while position < len(data):
            value = shift = 0
            for byte_number in range(9):
                byte = data[position]
                position += 1
                if byte_number == 8:  # the ninth byte carries eight bits
                    value |= byte << shift
                    break
                value |= (byte & 0x7F) << shift
                shift += 7
                if not byte & 0x80:
                    break
            number = (value >> 1) ^ -(value & 1)  # ZigZag
            if number < 0:
                index -= number  # a run of empty counters
            else:
                if number:
                    counts[index] = number
                index += 1
        return counts

    @staticmethod
    def lowest_of(index):
        """Buckets of 2048 sub-buckets, of which every one but the first uses its upper half."""
        bucket, sub = (index >> 10) - 1, (index & 1023) + 1024
        if bucket < 0:
            bucket, sub = 0, sub - 1024
        return sub << bucket

    def total(self):
        return sum(self.counts.values())

    def at(self, share, infinite=0, most=None):
        """The order statistic of rank ceil(share * n) with `infinite` larger samples counted in, as
        the highest value of its counter, at most `most`; None when it falls among the infinite."""
        total = self.total() + infinite
        parts = round(share * 1_000_000)
        rank = max(1, -(-parts * total // 1_000_000))
        seen = 0
        for index in sorted(self.counts):
            seen += self.counts[index]
            if seen >= rank:
                value = self.lowest_of(index + 1) - 1
                return value if most is None else min(value, most)
        return None


PERCENTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p99_9": 0.999, "p99_99": 0.9999}


def invalid_numbers(run):
    """The names of the numbers that the run itself calls INVALID."""
    numbers = (run.get("verdict") or {"numbers": {}})["numbers"]
    return {name for name, number in numbers.items() if number["verdict"] == "INVALID"}


def check_latency(name, figures, histogram, expected_count, lost=0, most=None, spoiled=(),
                  merged=False):
    """One distribution of the report agrees with its histogram and has `expected_count` samples.
    `most`: its exact maximum, where the figures do not tell it because lost requests lie beyond.
    `spoiled`: the names of numbers that are withheld because the generator spoiled them.
    `merged`: the report is a merge, which has percentiles without intervals."""
    assert figures["count"] == expected_count, f"{name}.count {figures['count']}"
    if not expected_count:
        return
    histogram = DecodedHistogram(histogram)
    assert histogram.total() == expected_count, f"{name}: histogram of {histogram.total()}"
    most = figures["max"] if most is None else most
    for exact, index in ((most, max(histogram.counts)), (figures["min"], min(histogram.counts))):
        low, next_low = histogram.lowest_of(index), histogram.lowest_of(index + 1)
        assert low <= exact < next_low, f"{name}: {exact} is not in [{low}, {next_low})"
    for key, share in PERCENTILES.items():
        if f"{name.replace('_delivered', '')}.{key}" in spoiled:
            assert figures[key] is None, f"{name}.{key}: {figures[key]} is INVALID and printed"
            assert figures["ci95"][key] in (None, {"low": None, "high": None}), f"{name}.{key}: {figures}"
            continue
        check_percentile(f"{name}.{key}", figures, key, share, histogram, lost, most, merged)
    assert figures["beyond"] == ("lost" if lost else None), f"{name}.beyond {figures['beyond']}"


def check_percentile(name, figures, key, share, histogram, lost, most, merged=False):
    """It is the histogram's, or withheld for a reason that can be seen; its interval lies around
    it, as wide as the formula of independent samples at least."""
    wanted = histogram.at(share, lost, most)
    evidence, interval = figures["evidence"][key], figures["ci95"][key]
    samples = histogram.total() + lost
    effective, events = evidence["effective_samples"], evidence["tail_events"]
    assert 0 < effective <= samples * (1 + 1e-9), f"{name}: {effective} of {samples} samples"
    if interval is None:
        assert figures[key] is None, f"{name}: {figures[key]} is withheld and printed"
        assert evidence["samples_needed"] > samples * 0.99, f"{name}: {evidence} of {samples}"
        return
    assert figures[key] == wanted, f"{name}: {figures[key]}, decoded {wanted}"
    assert evidence["samples_needed"] is None, f"{name}: {evidence} beside {interval}"
    assert effective * (1 - share) >= 10 * (1 - 1e-9) and events >= 10, f"{name}: {evidence}"
    if interval == {"low": None, "high": None} and wanted is not None:
        assert merged, f"{name}: no interval, though the report is no merge"
        return
    assert not merged or wanted is None, f"{name}: {interval} of a merge"
    spread = 1.96 * math.sqrt(share * (1 - share) / effective)
    for end, at, sign in ((interval["low"], share - spread, -1), (interval["high"], share + spread, 1)):
        # inwards, as ranks are taken by whole parts per million
        inner = histogram.at(at - sign * 5e-7, lost, most)
        if end is None:
            assert lost and (sign > 0 or inner is None), f"{name}: {interval}, inner end {inner}"
        else:
            # One that falls among the lost is infinite: a low end lies below it in any case.
            wide = sign < 0 if inner is None else sign * (end - inner) >= -end / 500
            assert wide, f"{name}: {interval}, {inner} at {at}"


# ---------------------------------------------------------------------------------------------
# What every report must hold


def total_of(kinds):
    return sum(kinds.values())


def check_identities(run, merged=False):
    """Both identities of a run, the sums of its intervals, its histograms, its loss ratio."""
    requests = run["requests"]
    sent, completed, lost = requests["sent"], requests["completed"], requests["lost"]
    if completed is not None:
        in_flight = requests["in_flight"]
        assert sent == completed + lost + total_of(requests["errors"]) + in_flight, requests
        assert requests["late"] <= lost, requests
        ratio = requests["loss_ratio"]
        if "loss_ratio" in invalid_numbers(run):
            assert ratio is None, requests
        elif sent:
            assert ratio == lost / sent or math.isclose(ratio, lost / sent, rel_tol=1e-9), requests
        else:
            assert ratio is None, requests
    if requests["planned"] is not None:
        unsent, skipped = total_of(requests["unsent"]), requests["skipped"]
        assert requests["planned"] == sent + unsent + skipped, requests
    check_loss_places(run)
    check_intervals(run)
    check_histograms(run, merged)


def check_loss_places(run):
    """Every loss of the whole run stands once; without a warm-up they are those of the requests."""
    loss = run.get("loss_by_place")
    if loss is None:
        return
    placed = sum(count or 0 for way in ("forward", "backward") for count in loss[way].values())
    assert loss["sent"] == loss["answered"] + loss["lost"], loss
    assert loss["lost"] == loss["late"] + placed + loss["unattributed"], loss
    if run["warm_up_s"] == 0:
        assert loss["sent"] == run["requests"]["sent"], (loss, run["requests"])


def check_intervals(run):
    requests, intervals = run["requests"], run["intervals"]
    totals = {key: requests[key] for key in
              ("sent", "completed", "lost", "late", "duplicates", "reordered", "held_back")}
    totals["errors"] = total_of(requests["errors"])
    totals["unsent"] = total_of(requests["unsent"])
    for key, total in totals.items():
        if total is not None:
            added = sum(interval[key] for interval in intervals)
            assert added == total, f"{key}: the intervals' sum is {added}, the total {total}"
    for side in ("sent", "received"):
        added = sum(interval[f"bytes_{side}"] for interval in intervals)
        assert added == run["bytes"][side], f"bytes {side}: {added} in intervals, {run['bytes']}"


def check_histograms(run, merged=False):
    requests, latency, workload = run["requests"], run["latency_ns"], run["workload"]
    counts = {"send_lag": sent_from_here(run)}
    spoiled = invalid_numbers(run)
    if workload in ("rr", "crr", "hold"):
        counts["service"] = completed = requests["completed"]
        response, delivered = latency["response"], latency["response_delivered"]
        check_latency("response", response, response["histogram"], completed, requests["lost"],
                      delivered["max"], spoiled, merged)
        # the same samples, written once
        check_latency("response_delivered", delivered, response["histogram"], completed,
                      spoiled=spoiled, merged=merged)
    if workload == "connect":
        counts["connect"] = requests["completed"]
    for name, count in counts.items():
        check_latency(name, latency[name], latency[name]["histogram"], count, spoiled=spoiled,
                      merged=merged)
    for name, figures in latency.items():
        assert figures["out_of_range"] == 0, f"{name}: {figures['out_of_range']} out of range"


def sent_from_here(run):
    """How many of the sent messages the generator sent itself: only those can have a send lag. What
    a stream brings down is sent by the target; of a stream both ways it counted what went up."""
    direction = run.get("config", {}).get("direction") if run["workload"] == "stream" else None
    if direction == "down":
        return 0
    if direction == "both":
        assert run["protocol"] == "tcp", "nothing is lost on the way up"
        if run["target_side"] is None:  # nobody knows: what there is, but no more than was sent
            return min(run["latency_ns"]["send_lag"]["count"], run["requests"]["sent"])
        return run["target_side"]["received_messages"]
    return run["requests"]["sent"]


def numbers_of(value, path=""):
    """Every number of a JSON value with its path."""
    if isinstance(value, bool):
        return
    if isinstance(value, (int, float)):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from numbers_of(inner, f"{path}/{key}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from numbers_of(inner, f"{path}/{number}")


# What lies between stamps of two clocks is known as well as one clock is by the other.
BETWEEN_STAMPS = re.compile(r"/runs/\d+/(delay_by_place/(places|waterfall/\d+/places)/\w+"
                            r"|one_way_ns/(forward|backward))(/(min|p50|p99|max))?")


def check_nothing_negative(report):
    """None is below 0, but a time between two stamps by no more than the report itself says."""
    negative = [(path, value) for path, value in numbers_of(report) if value < 0]
    between = [(path, value) for path, value in negative if BETWEEN_STAMPS.fullmatch(path)]
    others = [found for found in negative if found not in between]
    assert not others, f"negative numbers in the report: {others}"
    for path, value in between:
        run = report["runs"][int(path.split("/")[2])]
        delay, one_way = run["delay_by_place"], run["one_way_ns"]
        assert delay and one_way, (path, value)
        error = one_way["error_ns"]
        assert -value <= delay["worst_violation_ns"], (path, value, delay)
        assert -value <= error or delay["order_violations"] > 0, (path, value, error)


def schema_errors(report):
    import jsonschema

    validator = jsonschema.Draft7Validator(json.loads(SCHEMA.read_text()))
    return [f"{'/'.join(map(str, e.absolute_path))}: {e.message[:300]}"
            for e in validator.iter_errors(report)]


VERDICTS = ["TRUSTED", "DEGRADED", "NOT_CLAIMABLE", "INVALID"]  # from good to bad
BY_STATUS = {"pass": "TRUSTED", "not_applicable": "TRUSTED", "warn": "DEGRADED",
             "unknown": "DEGRADED", "fail": "INVALID"}


def worst(verdicts):
    return max(verdicts, key=VERDICTS.index, default="TRUSTED")


def check_verdict(run):
    """Each number is as good as the worst check that decides on it, and the run as the worst of
    those that one looks at first."""
    checks, verdict = run["checks"], run["verdict"]
    for check in checks:
        unknown = set(check["affects"]) - set(verdict["numbers"])
        assert not unknown, f"{check['id']} decides on {unknown}, which nobody publishes"
        if check["value"] is not None and check["threshold"] is not None:
            passes = check["value"] <= check["threshold"]
            assert passes == (check["status"] == "pass"), check
        assert check["text"], check
    claims = {}
    for name, number in verdict["numbers"].items():
        distribution, _, key = name.partition(".")
        claims[name] = not key or run["latency_ns"][distribution]["ci95"][key] is not None
        deciding = [c for c in checks if name in c["affects"] and BY_STATUS[c["status"]] != "TRUSTED"]
        wanted, ids = worst([BY_STATUS[c["status"]] for c in deciding]), [c["id"] for c in deciding]
        if wanted != "INVALID" and not claims[name]:
            wanted, ids = "NOT_CLAIMABLE", ["C4"]
        assert number["verdict"] == wanted, f"{name}: {number}, by its checks {wanted}"
        assert number["decided_by"] == ids, f"{name}: {number}, of {ids}"
    main = "connect" if not run["latency_ns"]["response"]["evidence"] else "response"
    first = [name for name in verdict["numbers"]
             if "." not in name or name in (f"{main}.p50", f"{main}.p99")]
    percentiles = [name for name in first if "." in name]
    words = {name: verdict["numbers"][name]["verdict"] for name in first}
    overall = worst([word for word in words.values() if word != "NOT_CLAIMABLE"])
    if percentiles and all(words[name] == "NOT_CLAIMABLE" for name in percentiles):
        overall = worst([overall, "NOT_CLAIMABLE"])
    if run["status"] == "failed":
        overall = "INVALID"
    assert verdict["overall"] == overall, f"{verdict['overall']}, by its numbers {overall}"
    assert verdict["headline"], verdict


def check_report(report):
    """Schema, identities and verdict of every run, and no negative number anywhere."""
    errors = schema_errors(report)
    assert not errors, "\n".join(errors)
    check_nothing_negative(report)
    for run in report["runs"]:
        check_identities(run, report.get("parts") is not None)
        if run["verdict"] is not None:
            check_verdict(run)
    judged = [run["verdict"]["overall"] for run in report["runs"] if run["verdict"] is not None]
    if judged:
        assert report["verdict"]["overall"] == worst(judged), report["verdict"]
    else:
        assert report["verdict"] is None, report["verdict"]
