"""scripts/bench judges synthetic figures with known answers, and its table shows them."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

from bench_parts import output, rounds, verdicts  # noqa: E402
from bench_parts.capture import answer_times_ns  # noqa: E402
from bench_parts.model import Bound, Case, Failed, Setting, Side, Way, ahead, ratio  # noqa: E402

SETTING = Setting(Path(), 1, 0, Path(), None)


def silent(_):
    pass


def side(name, figures, needed=False, label=None):
    """Gives these figures one after the other, the last one for ever; None: it fails."""
    left = list(figures)

    def run(_):
        value = left.pop(0) if len(left) > 1 else left[0]
        if value is None:
            raise Failed(f"{name} has no figure")
        return {"value": value}
    return Side(name, (Way(label or name, run),), needed)


def played(volley, floor, bound, most=60, count=15):
    case = Case("case", 1, "what", "per s", (side("volley", volley, True), side("floor", floor)),
                (bound,))
    return rounds.play(case, SETTING, count, most, False, silent)


def test_equal_series_give_a_ratio_of_one_and_an_interval_without_width():
    figures = [100 + n for n in range(15)]  # a drift that both sides share
    result = played(figures, figures, ratio("floor", 1.0))
    bound = result["bounds"][0]
    assert bound["verdict"] == "met" and result["rounds"] == 15
    assert bound["median"] == 1 and bound["ci95"] == [1, 1]


def test_a_series_wholly_below_the_bound_is_unmet_after_the_first_rounds():
    result = played([80 + n % 3 for n in range(15)], [100], ratio("floor", 0.9))
    bound = result["bounds"][0]
    assert bound["verdict"] == "UNMET" and result["rounds"] == 15
    assert bound["ci95"][1] <= 0.82


def test_a_series_that_straddles_the_bound_asks_for_more_rounds_up_to_the_most():
    values = [0.8, 0.8, 0.8, 0.8, 1.0, 1.0, 1.0]
    assert verdicts.judge(values, 0.9).verdict == "more rounds"
    straddling = [80, 80, 100, 80, 100] * 12
    result = played(straddling, [100], ratio("floor", 0.9), most=5, count=5)
    assert result["rounds"] == 5 and result["bounds"][0]["verdict"] == "undecided"
    result = played(straddling, [100], ratio("floor", 0.9), most=12, count=5)
    assert result["rounds"] == 12 and result["bounds"][0]["verdict"] == "undecided"


def test_more_rounds_can_still_meet_the_bound():
    result = played([80, 80, 80, 100, 100] + [100] * 10, [100], ratio("floor", 0.9), count=5)
    assert result["bounds"][0]["verdict"] == "met" and result["rounds"] == 10


def test_an_upper_bound_is_judged_from_the_other_side():
    assert verdicts.judge([1, 2, 3], 2, at_least=False).verdict == "met"
    assert verdicts.judge([3, 3, 3], 2, at_least=False).verdict == "UNMET"
    assert verdicts.judge([1, 3, 3], 2, at_least=False).verdict == "more rounds"
    assert verdicts.judge([], 2).verdict == "not judged"


def test_one_round_never_makes_a_bound_unmet():
    assert verdicts.judge([0.1], 0.9).verdict == "more rounds"


def test_the_interval_holds_the_median_lies_within_the_values_and_is_the_same_every_time():
    values = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5]
    low, high = verdicts.bootstrap_interval(values)
    assert 1 <= low <= 4 <= high <= 9
    assert (low, high) == verdicts.bootstrap_interval(values)
    assert verdicts.spread(values) == 1  # distances from 4: 0 1 1 1 1 1 2 2 3 3 5 -> the middle one


def test_a_wider_series_has_a_wider_interval():
    narrow = verdicts.bootstrap_interval([100 + n % 5 for n in range(15)])
    wide = verdicts.bootstrap_interval([100 + 10 * (n % 5) for n in range(15)])
    assert wide[1] - wide[0] > narrow[1] - narrow[0]


def test_the_order_turns_by_one_place_from_round_to_round():
    order = []

    def noting(name):
        def run(_):
            order.append(name)
            return {"value": 1}
        return Side(name, (Way(name, run),), name == "volley")
    case = Case("case", 1, "what", "per s", tuple(map(noting, ("volley", "floor", "peer"))))
    rounds.play(case, SETTING, 3, 3, False, silent)
    assert order == ["volley", "floor", "peer",
                     "floor", "peer", "volley",
                     "peer", "volley", "floor"]


def test_the_best_way_of_a_side_is_found_before_the_rounds_and_then_kept():
    ways = tuple(Way(label, lambda _, v=value: {"value": v})
                 for label, value in (("slow", 1), ("fast", 3), ("middling", 2)))
    case = Case("case", 1, "what", "per s", (Side("volley", ways, True),))
    result = rounds.play(case, SETTING, 4, 4, False, silent)
    assert result["sides"][0]["way"] == "fast" and result["sides"][0]["median"] == 3


def test_a_peer_that_fails_is_left_out_with_its_reason_and_the_rest_goes_on():
    case = Case("case", 1, "what", "per s",
                (side("volley", [5], True), side("floor", [4], True), side("peer", [None])),
                (ratio("floor", 1.0), ahead("peer")))
    result = rounds.play(case, SETTING, 6, 60, False, silent)
    floor, peer = result["bounds"]
    assert floor["verdict"] == "met" and floor["median"] == 1.25
    assert peer["verdict"] == "not judged" and "peer has no figure" in peer["why"]
    assert result["rounds"] == 6


def test_a_side_that_failed_in_some_rounds_is_judged_by_the_others():
    result = played([10] * 6, [None, 5, 5, None, 5, 5], ratio("floor", 1.9), count=6)
    assert result["bounds"][0]["rounds"] == 4 and result["bounds"][0]["median"] == 2


def test_when_ours_fails_the_case_ends_early_without_a_verdict():
    result = played([None], [5], ratio("floor", 1.0))
    assert result["rounds"] == 3 and result["bounds"][0]["verdict"] == "not judged"


@pytest.mark.parametrize("value, text", [
    (12_345_678, "12.3 M"), (999_700, "1000 k"), (318_400, "318 k"), (21.04, "21"),
    (0.9634, "0.963"), (None, "-"), (3.0e9, "3 G")])
def test_figures_have_three_digits_that_count(value, text):
    assert output.figure(value) == text


def test_the_table_has_a_row_a_bound_and_one_for_a_side_without():
    case = Case("case", 1, "what", "per s",
                (side("volley", [2_000_000], True), side("floor", [1_000_000]), side("peer", [7])),
                (ratio("floor", 1.5),
                 Bound("≤ 9 µs", 9, lambda figures: 4, at_least=False, unit="µs")))
    result = rounds.play(case, SETTING, 3, 3, False, silent)
    rows = output.rows_of(result)
    assert [row[2] for row in rows] == ["floor", "", "peer"]
    assert rows[0] == ("case", "2 M ± 0", "floor", "1 M ± 0", "≥ 1.5 × floor",
                       "2.000 (2.000 to 2.000)", "3", "met")
    assert rows[1][5] == "4 (4 to 4) µs" and rows[1][7] == "met"
    assert len(output.text_table([result]).splitlines()) == 4


def test_the_page_keeps_what_stands_around_the_markers():
    page = f"before\n{output.BEGIN}\nold\n{output.END}\nafter\n"
    new = output.put_between_markers(page, "table")
    assert new == f"before\n{output.BEGIN}\n\ntable\n\n{output.END}\nafter\n"
    assert output.put_between_markers(new, "table") == new
    with pytest.raises(ValueError):
        output.put_between_markers("no markers", "table")


def pcap(packets):
    """A capture of (time_ns, source port, destination port, sequence number, payload)."""
    data = (0xA1B23C4D).to_bytes(4, "little") + bytes(20)
    for time_ns, source, destination, sequence, payload in packets:
        ip = (bytes([0x45, 0]) + (40 + len(payload)).to_bytes(2, "big") + bytes(5) + bytes([6])
              + bytes(10))
        tcp = (source.to_bytes(2, "big") + destination.to_bytes(2, "big")
               + sequence.to_bytes(4, "big") + bytes(4) + bytes([0x50]) + bytes(7))
        packet = bytes(12) + b"\x08\x00" + ip + tcp + payload
        data += b"".join(part.to_bytes(4, "little") for part in (
            time_ns // 10**9, time_ns % 10**9, len(packet), len(packet))) + packet
    return data


def frame(kind, slot, number, payload=b"1234"):
    return (b"\xf6\xd7\x01" + bytes([kind]) + bytes(4) + slot.to_bytes(4, "little")
            + len(payload).to_bytes(4, "little") + bytes(2) + number.to_bytes(6, "little")
            + payload)


def test_a_captured_request_is_matched_with_its_answer_across_packets():
    asked = frame(1, 0, 0) + frame(1, 1, 1)  # the second one ends in the second packet
    answered = frame(3, 0, 0) + frame(3, 1, 1)
    data = pcap([(1_000, 5000, 80, 10, asked[:30]),
                 (2_000, 5000, 80, 40, asked[30:]),
                 (2_500, 5000, 80, 40, asked[30:]),  # sent again: not counted twice
                 (9_000, 80, 5000, 99, answered)])
    assert sorted(answer_times_ns(data, 80)) == [7_000, 8_000]


def test_a_capture_with_foreign_bytes_is_refused():
    with pytest.raises(Failed):
        answer_times_ns(pcap([(1, 5000, 80, 1, bytes(60))]), 80)
