"""A measured figure, and the page of them. Knows nothing of what is measured."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

import msgspec


class Figure(msgspec.Struct, frozen=True):
    """`target` is what design asks for; empty: it explains another figure. `note` is the reason of a miss."""

    what: str
    found: str
    target: str = ""
    good: bool = True
    note: str = ""


class Bench(msgspec.Struct, frozen=True):
    """A measurement: its function's docstring says what is measured and why that is fair.

    The function is told whether to be quick: fewer parts and repetitions, to see that it runs at all.
    """

    name: str
    measure: Callable[[bool], list[Figure]]


def spread(values: Sequence[float], unit: str = "s") -> str:
    """Median and range, as text."""
    middle = f"{statistics.median(values):.3g} {unit}"
    return (
        f"{middle} ({min(values):.3g}-{max(values):.3g}, {len(values)} runs)" if len(values) > 1 else middle
    )


def ratio(what: str, value: float, target: str, good: bool, note: str = "") -> Figure:
    """A figure that is a ratio."""
    return Figure(what, f"{value:.2f}x", target, good, note)


def table(figures: Sequence[Figure]) -> str:
    """The figures as Markdown."""
    lines = ["| what | found | target | |", "|---|---|---|---|"]
    for each in figures:
        verdict = ("ok" if each.good else "**missed**") if each.target else ""
        verdict += f" {each.note}" if each.note else ""
        lines.append(f"| {each.what} | {each.found} | {each.target} | {verdict.strip()} |")
    return "\n".join(lines)
