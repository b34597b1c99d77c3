"""Which of many copies may be made at once, and which one after another. Knows places alone."""

from __future__ import annotations

from collections.abc import Sequence, Set as AbstractSet
from typing import TypeVar

T = TypeVar("T")


def chains(places: Sequence[AbstractSet[T]]) -> list[list[int]]:
    """Return the positions in groups to be worked on one after another; different groups may be at once.

    Those that have one of their `places` in common are in one group, in order.
    """
    groups: dict[int, list[int]] = {}
    group_of: dict[T, int] = {}
    for position, named in enumerate(places):
        met = sorted({group_of[place] for place in named if place in group_of})
        groups[position] = [*(each for name in met for each in groups.pop(name)), position]
        for place in named | {each for each, name in group_of.items() if met and name in met}:
            group_of[place] = position
    return sorted(map(sorted, groups.values()))
