"""What a benchmark case consists of: plain values, no doing."""
import dataclasses
import pathlib
from collections.abc import Callable


class Failed(Exception):
    """A side gave no figure; the text says why."""


@dataclasses.dataclass
class Setting:
    """What every way of running something is given. seconds: of one measurement; warm_up_s: before
    it, where the program has one; folder: for files, emptied at the end; programs: starts them."""
    build: pathlib.Path
    seconds: float
    warm_up_s: float
    folder: pathlib.Path
    programs: object


@dataclasses.dataclass(frozen=True)
class Way:
    """One way to run a side. run(setting) gives named figures; "value" is the one that counts."""
    label: str
    run: Callable[[Setting], dict]


@dataclasses.dataclass(frozen=True)
class Side:
    """Who plays: "volley", "floor", or a peer's name. With several ways the fastest is found out
    before the rounds and used in all of them. needed: without its figures the case is void."""
    name: str
    ways: tuple
    needed: bool = False


@dataclasses.dataclass(frozen=True)
class Bound:
    """value(figures of one round by side) is to be at least (or at most) the limit. unit: "ratio",
    or what the difference is measured in. against: the sides it needs besides volley."""
    text: str
    limit: float
    value: Callable[[dict], float]
    against: tuple = ()
    at_least: bool = True
    unit: str = "ratio"


@dataclasses.dataclass(frozen=True)
class Case:
    """goal: its number in the list of goals in docs/performance.md. rounds: as many at most, for what is slow
    and steady. long: only when asked for by name."""
    name: str
    goal: int
    what: str
    unit: str
    sides: tuple
    bounds: tuple = ()
    rounds: int | None = None
    long: bool = False


def ratio(side, limit, figure="value"):
    """Volley's figure is at least `limit` times that of the side."""
    return Bound(f"≥ {limit:g} × {side}", limit,
                 lambda figures: figures["volley"][figure] / figures[side][figure], (side,))


def ahead(side):
    return ratio(side, 1.0)
