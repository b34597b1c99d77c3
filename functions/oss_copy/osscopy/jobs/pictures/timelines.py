"""A timeline as values: rows of bars, and marks on them. Knows no record and no drawing."""

from __future__ import annotations

from typing import Literal

from osscopy.model.values import Value


class Bar(Value, frozen=True):
    """The work of one invocation in a row, from `begun` to `ended` (Unix seconds)."""

    row: int
    begun: float
    ended: float
    text: str
    is_open: bool = False


class Mark(Value, frozen=True):
    """A moment that matters; `row` None: it is about all rows."""

    at: float
    kind: Literal["resumed", "throttled", "problem", "killed"]
    text: str
    row: int | None = None


class Timeline(Value, frozen=True):
    """Rows with their names, top to bottom; `batches`: when parts came, by row."""

    begun: float
    ended: float
    rows: tuple[str, ...]
    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...] = ()
    batches: tuple[tuple[int, float], ...] = ()
