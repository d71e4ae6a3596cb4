"""The judge of the other tests is judged: it accepts a report that holds together and refuses each
way in which one may not."""

import base64
import copy
import json
import struct
import zlib

import pytest

import judging


def encoded(counts):
    """A V2 histogram of {value: count} for values below 2048, which are their own indices."""
    data, at = b"", 0
    for value in sorted(counts):
        for number in ([at - value] if value > at else []) + [counts[value]]:
            rest = (number << 1) ^ (number >> 63) if number < 0 else number << 1
            while rest > 0x7F:
                data, rest = data + bytes([rest & 0x7F | 0x80]), rest >> 7
            data += bytes([rest])
        at = value + 1
    inner = struct.pack(">iiiiqqd", 0x1C849313, len(data), 0, 3, 1, 3_600_000_000_000, 1.0) + data
    packed = zlib.compress(inner)
    return base64.b64encode(struct.pack(">ii", 0x1C849314, len(packed)) + packed).decode()


MANY = 50_000  # requests in place of one: enough for every percentile


def figures(counts, percentiles, most, lost=0):
    values = dict(zip(judging.PERCENTILES, percentiles))
    counts = {value: times * MANY for value, times in counts.items()}
    evidence = {"effective_samples": (sum(counts.values()) + lost * MANY) / 2, "tail_events": 10,
                "samples_needed": None}
    return {"count": sum(counts.values()), "min": min(counts), "max": None if lost else most,
            **values, "out_of_range": 0, "beyond": "lost" if lost else None,
            "histogram": encoded(counts),
            "ci95": {key: {"low": value, "high": value} for key, value in values.items()},
            "evidence": {key: dict(evidence) for key in values}}


@pytest.fixture
def run():
    """Ten (times 50,000) requests sent in two intervals, of which eight came back and one was
    lost."""
    answered = {100: 5, 1500: 3}
    response = figures(answered, [100, None, None, None, None], None, lost=1)
    delivered = figures(answered, [100, 1500, 1500, 1500, 1500], 1500)
    delivered["histogram"] = None
    interval = {"sent": 6, "completed": 5, "lost": 1, "late": 0, "errors": 0, "unsent": 0,
                "duplicates": 0, "reordered": 1, "held_back": 0, "bytes_sent": 60,
                "bytes_received": 50}
    second = {**interval, "sent": 4, "completed": 3, "lost": 0, "errors": 1, "unsent": 2,
              "reordered": 0, "bytes_sent": 40, "bytes_received": 30}
    requests = {"planned": 15, "unsent": {"no_ports": 2}, "skipped": 3, "sent": 10,
                "completed": 8, "lost": 1, "late": 0, "errors": {"reset": 1},
                "in_flight": 0, "duplicates": 0, "reordered": 1, "held_back": 0}
    whole = many({"requests": requests, "bytes": {"sent": 100, "received": 80},
                  "intervals": [interval, second]})
    whole["requests"]["loss_ratio"] = 0.1
    return {"workload": "rr", **whole,
            "latency_ns": {"response": response, "response_delivered": delivered,
                           "service": figures(answered, [100, 1500, 1500, 1500, 1500], 1500),
                           "send_lag": figures({7: 10}, [7] * 5, 7)}}


def many(value):
    """Every count in it times MANY."""
    if isinstance(value, dict):
        return {key: many(inner) for key, inner in value.items()}
    return [many(inner) for inner in value] if isinstance(value, list) else value * MANY


def test_a_report_that_holds_together_is_accepted(run):
    judging.check_identities(run)


@pytest.mark.parametrize("path, value", [
    ("requests/sent", 11), ("requests/completed", 9), ("requests/lost", 0), ("requests/late", 2),
    ("requests/in_flight", 1), ("requests/skipped", 2), ("requests/planned", 16),
    ("requests/unsent", {}), ("requests/errors", {"reset": 2}), ("requests/loss_ratio", 0.2),
    ("requests/duplicates", 1), ("requests/reordered", 0), ("bytes/sent", 99),
    ("bytes/received", 81), ("intervals/1/sent", 5), ("intervals/0/held_back", 1),
    ("latency_ns/response/count", 9), ("latency_ns/response/p90", 100),
    ("latency_ns/response/p99", 1500), ("latency_ns/response/beyond", None),
    ("latency_ns/response_delivered/max", 1501), ("latency_ns/service/min", 99),
    ("latency_ns/service/histogram", encoded({100: 5 * MANY, 1500: 3 * MANY - 1})),
    ("latency_ns/send_lag/p50", 8), ("latency_ns/send_lag/out_of_range", 1),
    ("latency_ns/service/ci95/p90", None), ("latency_ns/service/ci95/p90/low", 1510),
    ("latency_ns/service/ci95/p50/high", 99), ("latency_ns/service/ci95/p99/high", None),
    ("latency_ns/service/evidence/p50/effective_samples", 19.9),
    ("latency_ns/service/evidence/p50/effective_samples", 1_000_000),
    ("latency_ns/service/evidence/p99_99/tail_events", 9),
    ("latency_ns/service/evidence/p99/samples_needed", 400_000),
    ("latency_ns/response/ci95/p50/low", None),
    ("latency_ns/service/ci95/p90", {"low": None, "high": None}),
])
def test_a_report_that_does_not_is_refused(run, path, value):
    broken = copy.deepcopy(run)
    *parents, last = [int(part) if part.isdigit() else part for part in path.split("/")]
    place = broken
    for part in parents:
        place = place[part]
    assert place[last] != value
    place[last] = value
    with pytest.raises(AssertionError):
        judging.check_identities(broken)


def test_percentiles_of_a_merge_have_no_intervals(run):
    with pytest.raises(AssertionError, match="of a merge"):
        judging.check_identities(run, merged=True)
    for figures in run["latency_ns"].values():
        for key, interval in figures["ci95"].items():
            if interval and figures[key] is not None:
                figures["ci95"][key] = {"low": None, "high": None}
    judging.check_identities(run, merged=True)


@pytest.mark.parametrize("text", ['{"a": NaN}', '{"a": Infinity}', '{"a": 1e999}',
                                  '{"a": 1, "a": 1}', '{} {}', '', '{"a": 1,}', b'"\xff"'])
def test_what_is_not_strict_json_is_refused(text):
    with pytest.raises(ValueError):
        judging.strict_json(text)


def test_a_negative_number_is_found_wherever_it_hides():
    report = json.loads('{"a": [{"b": 0}, {"b": -1e-9}]}')
    with pytest.raises(AssertionError, match="/a/1/b"):
        judging.check_nothing_negative(report)


def between_stamps(place, value, worst=0, error=0, violations=0):
    run = {"delay_by_place": {"worst_violation_ns": worst, "order_violations": violations,
                              "places": {}, "waterfall": []},
           "one_way_ns": {"error_ns": error, "forward": {"min": 0}}}
    *parents, last = place.split("/")
    inner = run
    for part in parents:
        inner = inner.setdefault(part, {})
    inner[last] = value
    return {"runs": [run]}


@pytest.mark.parametrize("place", ["delay_by_place/places/target_queue_ns/min",
                                   "one_way_ns/forward/min"])
def test_times_between_stamps_are_negative_by_what_the_report_says_and_no_more(place):
    judging.check_nothing_negative(between_stamps(place, -71, worst=71, error=80))
    judging.check_nothing_negative(between_stamps(place, -71, worst=71, error=70, violations=1))
    for says in ({"worst": 70, "error": 80}, {"worst": 71, "error": 70}, {}):
        with pytest.raises(AssertionError, match=place.split("/")[-1]):
            judging.check_nothing_negative(between_stamps(place, -71, **says))


@pytest.mark.parametrize("place", ["delay_by_place/samples", "one_way_ns/error_ns", "duration_s"])
def test_no_other_number_of_a_run_with_stamps_is_negative(place):
    with pytest.raises(AssertionError, match=place):
        judging.check_nothing_negative(between_stamps(place, -1, worst=9, error=9, violations=1))


def test_high_values_have_the_indices_of_hdrhistogram():
    lowest = judging.DecodedHistogram.lowest_of
    assert [lowest(i) for i in (0, 1, 1023, 1024, 2047, 2048, 2049, 3071, 3072, 3073)] == [
        0, 1, 1023, 1024, 2047, 2048, 2050, 4094, 4096, 4100]
