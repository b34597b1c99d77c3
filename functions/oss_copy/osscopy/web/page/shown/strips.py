"""A strip coloured by state, and what its colours mean. Knows cells; not what they stand for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Literal, TypeAlias

import msgspec

from osscopy.web.page.markup import Html, tag
from osscopy.web.page.words import Words

CELLS = 160  # of a strip at most
WIDTH, HEIGHT = 1000, 30

State: TypeAlias = Literal["done", "part", "open", "bad", "slow", ""]
_NAMES: dict[State, str] = {
    "done": "Done",
    "part": "Partly done",
    "open": "Under way",
    "slow": "Slow",
    "bad": "With failures",
    "": "Not begun",
}


class Cell(msgspec.Struct, frozen=True):
    """A piece of the strip, `weight` wide; `gap`: a border stands before it."""

    state: State
    weight: float = 1.0
    gap: bool = False


def shares(there: frozenset[int], lanes: Sequence[tuple[int, int]]) -> list[Cell]:
    """Return the cells of parts, of each lane as many as fit: what share of its parts is there."""
    most = max(1, CELLS // len(lanes))
    cells: list[Cell] = []
    for first, last in lanes:
        count = last - first + 1
        wanted = min(most, count)
        for at in range(wanted):
            numbers = range(first + at * count // wanted, first + (at + 1) * count // wanted)
            done = sum(number in there for number in numbers)
            state: State = "done" if done == len(numbers) else "part" if done else ""
            cells.append(Cell(state, len(numbers), gap=at == 0 and bool(cells)))
    return cells


def strip(words: Words, cells: Sequence[Cell], label: str) -> list[Html]:
    """Return the strip as a picture with its text, and its key."""
    whole = sum(each.weight for each in cells) or 1.0
    drawn, x = [], 0.0
    for (state, gap), same in groupby(_placed(cells), key=lambda each: (each[0].state, each[1])):
        width = sum(each.weight for each, _ in same) * WIDTH / whole
        if state:
            shift = 2 if gap and x else 0
            drawn.append(_rect(state, x + shift, width - shift))
        x += width
    told = ", ".join(f"{words(_NAMES[state])}: {share} %" for state, share in _counted(cells, whole))
    picture = tag(
        "svg", drawn, class_="strip", viewBox=f"0 0 {WIDTH} {HEIGHT}", preserveAspectRatio="none",
        role="img", aria_label=f"{label}. {told}",
    )  # fmt: skip
    return [picture, key(words, [state for state, _ in _counted(cells, whole)])]


def _placed(cells: Iterable[Cell]) -> Iterable[tuple[Cell, int]]:
    """Yield cells with the number of borders before them: what is alike is drawn as one up to a border."""
    borders = 0
    for each in cells:
        borders += each.gap
        yield each, borders


def _rect(state: State, x: float, width: float) -> Html:
    return tag("rect", x=f"{x:.1f}", y=0, width=f"{max(width, 1):.1f}", height=HEIGHT, class_=f"s-{state}")


def _counted(cells: Iterable[Cell], whole: float) -> list[tuple[State, int]]:
    sums: dict[State, float] = {}
    for each in cells:
        sums[each.state] = sums.get(each.state, 0.0) + each.weight
    return [(state, round(100 * sums[state] / whole)) for state in _NAMES if state in sums]


def key(words: Words, states: Iterable[State]) -> Html:
    """Return what colours mean."""
    rows = [
        tag("li", tag("svg", _rect(state, 0, WIDTH) if state else None, class_="strip", aria_hidden="true",
                      viewBox=f"0 0 {WIDTH} {HEIGHT}", preserveAspectRatio="none"), words(_NAMES[state]))
        for state in states
    ]  # fmt: skip
    return tag("ul", rows, class_="key")
