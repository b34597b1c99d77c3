"""Ranges of keys: their ids, and the pieces of one that is cut. Knows keys as texts; not where to cut."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import pairwise

from osscopy.model import Range

ROOT = "copy"  # the parent of the tree's root
CLEAR = "delete"  # the parent of the one range that deletions have
MAX_DEPTH = 48
MOST_PIECES = 64  # of one split
LAST = 10**12 - 1  # above every number of an entry


def range_id(path: tuple[int, ...], root: str = ROOT) -> str:
    """Return the id of a range: 20 hex digits of the hash of its parent's id and its index."""
    found = _hashed(root)
    for index in path:
        found = _hashed(f"{found}/{index}")
    return found


def child_range(parent: str, index: int) -> str:
    """Return the id of a range by that of its parent, or `ROOT`, and its index."""
    return _hashed(ROOT) if parent == ROOT else _hashed(f"{parent}/{index}")


def parent_id(path: tuple[int, ...], root: str = ROOT) -> str:
    """Return the id of the parent, `root` of the tree's root."""
    return range_id(path[:-1], root) if path else root


def index_of(path: tuple[int, ...]) -> int:
    """Return the index among the parent's children."""
    return path[-1] if path else 0


def pieces(whole: Range, low: str, cuts: Sequence[str]) -> tuple[Range, ...]:
    """Return the children that `whole`, walked up to `low`, is cut into; `cuts` ascend."""
    bounds = [low, *cuts, whole.high]
    return tuple(Range((*whole.path, index), *each) for index, each in enumerate(pairwise(bounds)))


def number_of(name: str) -> int:
    """Return the number of an entry from its name: they count down, so that the newest is listed first."""
    return LAST - int(name.rpartition("/")[2])


def position(offset: int) -> str:
    """Return an offset in a manifest as a bound."""
    return f"{offset:020}"


def pieces_wanted(whole: Range, open_ranges: int, workers: int, chance: float) -> int:
    """Return into how many pieces to cut what is left: more than one where workers are free.

    `chance` from 0 to 1: k walkers that decide at once would take what is free k times otherwise.
    """
    free = workers - open_ranges
    if free <= 0 or len(whole.path) >= MAX_DEPTH or chance * open_ranges >= free:
        return 1
    return min(MOST_PIECES, 1 + share(free, open_ranges))


def share(free: int, open_ranges: int) -> int:
    """Return the share that a range takes of what is free: all open ranges may take theirs at once."""
    return max(1, free // max(1, open_ranges)) if free > 0 else 0


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:20]
