"""The figures of runs as data: a section for each bench, kept in `results.json` until it is measured again.

A section holds what was measured, when, and on what machine. Knows nothing of Markdown and SVG.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from tests.bench.figures import Figure, Measured, Point

STORE = Path(__file__).with_name("results.json")


class Origin(msgspec.Struct, frozen=True):
    """Where figures come from."""

    date: str
    machine: str
    load: float  # load average when the measurement ended
    python: str
    instances: str
    packages: str


class Section(msgspec.Struct, frozen=True):
    """What one bench has measured; `about` is Markdown."""

    name: str
    about: str
    origin: Origin
    measured: tuple[Measured, ...]

    @property
    def figures(self) -> list[Figure]:
        return [each for each in self.measured if isinstance(each, Figure)]

    @property
    def points(self) -> list[Point]:
        return [each for each in self.measured if isinstance(each, Point)]


def load(store: Path = STORE) -> dict[str, Section]:
    """Return the sections by name; none if nothing was kept yet. msgspec.ValidationError for other data."""
    if not store.exists():
        return {}
    kept = msgspec.json.decode(store.read_bytes(), type=list[Section])
    return {each.name: each for each in kept}


def renew(sections: Sequence[Section], order: Sequence[str], store: Path = STORE) -> list[Section]:
    """Put `sections` in the place of earlier ones of their names, and return all that are kept.

    Sections stand in the `order` of names; one that is no longer in it is dropped.
    """
    kept = load(store) | {each.name: each for each in sections}
    found = [kept[name] for name in order if name in kept]
    store.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")
    return found
