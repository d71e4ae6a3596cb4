"""From the figures of the rounds to a verdict. Pure: numbers in, numbers out.

A bound looks at one number per round (usually the ratio of two figures of that round, so that a
drift of the machine meets both sides alike). The median of these numbers is judged, with a
bootstrap interval of the median: 10,000 resamples of the rounds, with a fixed seed.
"""
import dataclasses
import random
import statistics

RESAMPLES = 10_000
SEED = 2924
LEAST_VALUES = 3  # fewer rounds make no interval worth its name


@dataclasses.dataclass(frozen=True)
class Judged:
    """median, low, high: of the rounds' numbers, with a 95 % interval; all None when there are no
    numbers. verdict: "met", "UNMET", "more rounds", or "not judged"."""
    verdict: str
    median: float | None
    low: float | None
    high: float | None
    rounds: int


def spread(values):
    """The median distance from the median."""
    middle = statistics.median(values)
    return statistics.median(abs(value - middle) for value in values)


def bootstrap_interval(values, resamples=RESAMPLES):
    """The middle 95 % of the medians of resamples with replacement."""
    chance = random.Random(SEED)
    medians = sorted(statistics.median(chance.choices(values, k=len(values)))
                     for _ in range(resamples))
    return medians[int(0.025 * resamples)], medians[int(0.975 * resamples) - 1]


def judge(values, limit, at_least=True):
    """Met when the median reaches the limit, UNMET when the whole interval lies on the wrong side,
    else more rounds are needed. `at_least` False: the limit is an upper one."""
    if not values:
        return Judged("not judged", None, None, None, 0)
    median = statistics.median(values)
    low, high = bootstrap_interval(values)
    if median >= limit if at_least else median <= limit:
        verdict = "met"
    elif len(values) >= LEAST_VALUES and (high < limit if at_least else low > limit):
        verdict = "UNMET"
    else:
        verdict = "more rounds"
    return Judged(verdict, median, low, high, len(values))
