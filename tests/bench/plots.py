"""Which plots there are, and what is drawn for the points of a run. Draws nothing itself: `draw.py` does.

Pure: points in, drawings out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from tests.bench.figures import Point

IDEAL, FLOOR = "ideal", "floor"  # series that were not measured


class Plot(msgspec.Struct, frozen=True):
    """A plot's texts and scales. `ideal` is drawn beside what was measured, from the same x."""

    title: str
    x: str
    y: str
    scale: Literal["linear", "log"] = "log"
    ideal: Callable[[float], float] | None = None
    marks: bool = True


class Series(msgspec.Struct, frozen=True):
    """A line: points in the order of x; `low` and `high` are those of the points that have a range."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    dashed: bool = False


class Drawing(msgspec.Struct, frozen=True):
    """All that `draw.py` needs to draw one plot."""

    name: str
    title: str
    x: str
    y: str
    scale: str
    marks: bool
    series: tuple[Series, ...]


PLOTS = {
    "parts": Plot("Time of a copy against its number of parts", "parts", "seconds"),
    "threads": Plot("Parts a second against threads", "threads", "parts a second"),
    "lanes": Plot("Speed-up against lanes", "lanes", "times as fast as one lane", ideal=float),
    "terabyte": Plot(
        "1 TB in 8 lanes, 1 % of requests fail", "seconds", "parts", scale="linear", marks=False
    ),
}


def drawn(points: Sequence[Point]) -> list[str]:
    """The names of the plots that these points make, in the order of PLOTS; KeyError for an unknown plot."""
    found = {each.plot for each in points}
    if unknown := found - PLOTS.keys():
        raise KeyError(f"no such plot: {', '.join(sorted(unknown))}")
    return [name for name in PLOTS if name in found]


def drawings(points: Sequence[Point]) -> list[Drawing]:
    """The plots of these points; series stand in the order in which they first occur."""
    return [_drawing(name, [each for each in points if each.plot == name]) for name in drawn(points)]


def _drawing(name: str, points: Sequence[Point]) -> Drawing:
    plot = PLOTS[name]
    names = dict.fromkeys(each.series for each in points)
    series = [_series(each, [one for one in points if one.series == each]) for each in names]
    if plot.ideal is not None:
        x = tuple(sorted({each.x for each in points}))
        y = tuple(plot.ideal(each) for each in x)
        series.append(Series(IDEAL, x, y, y, y, dashed=True))
    return Drawing(name, plot.title, plot.x, plot.y, plot.scale, plot.marks, tuple(series))


def _series(name: str, points: Sequence[Point]) -> Series:
    ordered = sorted(points, key=lambda each: each.x)
    return Series(
        name,
        tuple(each.x for each in ordered),
        tuple(each.y for each in ordered),
        tuple(each.y if each.low is None else each.low for each in ordered),
        tuple(each.y if each.high is None else each.high for each in ordered),
        dashed=name.startswith(FLOOR),
    )
