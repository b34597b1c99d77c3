"""The pace of a job that runs, and the seconds that are left at that pace.

Knows counts and seconds; not where they come from. Nobody lists all keys before they are copied: one page
after each open range tells how many objects are left, at least.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import msgspec

from osscopy.model import Ahead, Totals


class Pace(msgspec.Struct, frozen=True):
    """Objects a second since the start, and the seconds left; None: nothing is known of either yet.

    `is_at_least`: more objects may come than are counted, or no chain has ended to tell how long one takes.
    """

    rate: float
    left: int | None
    is_at_least: bool


def pace(totals: Totals, ended_chains: int, ahead: Ahead, age: float) -> Pace:
    """Return the pace of a job `age` seconds after its start; `ended_chains` of those that have started."""
    seconds = max(1.0, age)
    done = totals.rows - totals.started + ended_chains
    open_chains = max(0, totals.started - ended_chains)
    if not done:
        return Pace(0.0, None, is_at_least=True)
    by_walk = ahead.objects * seconds / done
    by_chains = open_chains * seconds / ended_chains if ended_chains else 0.0
    is_open = open_chains > 0 and not ended_chains
    return Pace(round(done / seconds, 1), math.ceil(max(by_walk, by_chains)), ahead.more or is_open)


def together(parts: Iterable[Ahead]) -> Ahead:
    """Return what is ahead of several ranges."""
    known = tuple(parts)
    return Ahead(sum(each.objects for each in known), any(each.more for each in known))
