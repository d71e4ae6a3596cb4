"""Playing a case: the best way of each side, interleaved rounds, and more of them until the bounds
are decided."""
import dataclasses
import json
import statistics

from .model import Failed
from .verdicts import judge, spread

TRIALS = 3  # of each way, before the rounds, to find a side's best
MORE = 5    # rounds at a time while a bound is undecided
MOST_FAILURES = 3  # in a row: the side is left out


@dataclasses.dataclass
class Player:
    """A side in this case. figures: of each round, or None. why: it gave none, last time it did."""
    side: object
    way: object
    figures: list
    failures: int = 0
    why: str = ""

    def values(self):
        return [round_["value"] for round_ in self.figures if round_]


def attempt(way, setting):
    """Figures, or None and why there are none."""
    try:
        figures = way.run(setting)
        for name, value in figures.items():
            if value is None and name == "value":
                raise Failed("no figure in its report")
        return figures, ""
    except Failed as error:
        return None, str(error)
    except (KeyError, ValueError, IndexError, TypeError, ZeroDivisionError, OSError) as error:
        return None, f"its report was not understood ({type(error).__name__}: {error})"


def best_way(side, setting, quick, say):
    """The way with the highest median of a few trials in turns; the first when there is but one."""
    if quick or len(side.ways) == 1:
        return side.ways[0]
    tried = {way.label: [] for way in side.ways}
    for _ in range(TRIALS):
        for way in side.ways:
            figures, why = attempt(way, setting)
            if figures:
                tried[way.label].append(figures["value"])
            else:
                say(f"  {way.label}: {why}")
    best = max(side.ways, key=lambda way: statistics.median(tried[way.label] or [0]))
    say("  " + "; ".join(f"{label}: {statistics.median(values or [0]):,.0f}"
                         for label, values in tried.items()) + f"; best: {best.label}")
    return best


def play_round(players, number, setting, say):
    """Every side once. The order turns by one place from round to round."""
    turn = number % len(players)
    for player in players[turn:] + players[:turn]:
        if player.failures >= MOST_FAILURES:
            player.figures.append(None)
            continue
        figures, why = attempt(player.way, setting)
        player.figures.append(figures)
        player.failures = 0 if figures else player.failures + 1
        player.why = why or player.why
    say(f"  round {number + 1}: " + ", ".join(
        f"{p.side.name} {p.figures[-1]['value']:,.4g}" if p.figures[-1] else
        f"{p.side.name}: {p.why or 'left out'}" for p in players))


def bound_values(bound, players):
    """Its number of each round in which all it needs was measured."""
    by_side = {player.side.name: player.figures for player in players}
    needed = ("volley", *bound.against)
    values = []
    for number in range(len(players[0].figures)):
        figures = {name: by_side[name][number] for name in needed}
        if all(figures.values()):
            try:
                values.append(bound.value(figures))
            except (TypeError, ZeroDivisionError, KeyError):
                continue  # a percentile that fell among the lost, a rate of nothing
    return values


def judged_bounds(case, players):
    return [(bound, judge(bound_values(bound, players), bound.limit, bound.at_least))
            for bound in case.bounds]


def reason_for(bound, players):
    """Why a bound has no verdict: what its sides said."""
    wanted = ("volley", *bound.against)
    return "; ".join(f"{p.side.name}: {p.why}" for p in players
                     if p.side.name in wanted and p.why) or "no figures"


def play(case, setting, rounds, most, quick, say):
    """The case's result as plain values (the JSON's)."""
    say(f"{case.name}: {case.what}")
    players = [Player(side, best_way(side, setting, quick, say), []) for side in case.sides]
    wanted = min(rounds, case.rounds or rounds)
    most = wanted if case.rounds or quick else max(most, wanted)
    done = 0
    while True:
        while done < wanted:
            play_round(players, done, setting, say)
            done += 1
            if any(p.side.needed and p.failures >= MOST_FAILURES for p in players):
                most = wanted = done
        bounds = judged_bounds(case, players)
        if done >= most or all(judged.verdict != "more rounds" for _, judged in bounds):
            break
        wanted = min(done + MORE, most)
    return result(case, players, bounds, done)


def result(case, players, bounds, done):
    sides = []
    for player in players:
        values = player.values()
        sides.append({
            "name": player.side.name, "way": player.way.label, "why": player.why or None,
            "median": statistics.median(values) if values else None,
            "spread": spread(values) if values else None, "rounds": player.figures})
    judged_sides = []
    for bound, judged in bounds:
        # What the most rounds did not decide stays undecided: not met, and said so.
        verdict = "undecided" if judged.verdict == "more rounds" else judged.verdict
        judged_sides.append({
            "text": bound.text, "limit": bound.limit, "unit": bound.unit,
            "at_least": bound.at_least, "against": list(bound.against), "median": judged.median,
            "ci95": None if judged.low is None else [judged.low, judged.high],
            "rounds": judged.rounds, "verdict": verdict,
            "why": reason_for(bound, players) if verdict == "not judged" else None})
    return {"name": case.name, "goal": case.goal, "what": case.what, "unit": case.unit,
            "rounds": done, "sides": sides, "bounds": judged_sides}


def save(results, facts, file):
    """Written whole or not at all, so that a run cut off leaves the cases before it."""
    beside = file.with_name(file.name + ".part")
    beside.write_text(json.dumps({"machine": facts, "cases": results}, indent=1) + "\n")
    beside.replace(file)
