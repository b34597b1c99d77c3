"""Measured figures and the points of plots. Knows nothing of what is measured."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

import msgspec

from tests.bench.goals import BY_ID


class Figure(msgspec.Struct, frozen=True, tag="figure"):
    """`target`: the number to reach; empty: it explains another figure. `note` is the reason of a miss.

    `goal` is the id of the row of `goals.py` that this figure is measured for, empty if for none.
    """

    what: str
    found: str
    target: str = ""
    good: bool = True
    note: str = ""
    goal: str = ""


class Point(msgspec.Struct, frozen=True, tag="point"):
    """A point of a series of a plot (`plots.PLOTS`); `low` and `high` are the range of repeated runs."""

    plot: str
    series: str
    x: float
    y: float
    low: float | None = None
    high: float | None = None


Measured = Figure | Point


class Bench(msgspec.Struct, frozen=True):
    """A measurement: its function's docstring says what is measured and why that is fair.

    The function is told whether to be quick: fewer parts and repetitions, to see that it runs at all.
    """

    name: str
    measure: Callable[[bool], Sequence[Measured]]


def spread(values: Sequence[float], unit: str = "s") -> str:
    """Median and range, as text."""
    middle = f"{statistics.median(values):.3g} {unit}"
    return (
        f"{middle} ({min(values):.3g}-{max(values):.3g}, {len(values)} runs)" if len(values) > 1 else middle
    )


def ratio(what: str, value: float, target: str, good: bool, note: str = "") -> Figure:
    """A figure that is a ratio."""
    return Figure(what, f"{value:.2f}x", target, good, note)


def reach(goal: str, what: str, value: float, found: str = "", note: str = "") -> Figure:
    """A figure that is measured for a row of `goals.py`, judged by it; KeyError if there is no such row.

    `value` in the unit of the row, `found` what is shown of it; `note` is shown only where it is missed.
    """
    row = BY_ID[goal]
    good = row.is_reached(value)
    return Figure(what, found or row.shown(value), row.target, good, "" if good else note, goal)


def point(plot: str, series: str, x: float, values: Sequence[float]) -> Point:
    """The median of repeated measurements, with their range if there are several."""
    several = len(values) > 1
    low, high = (min(values), max(values)) if several else (None, None)
    return Point(plot, series, x, statistics.median(values), low, high)
