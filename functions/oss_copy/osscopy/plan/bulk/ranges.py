"""Ranges of keys: their ids, and where to cut one. Knows keys as texts; asks for none.

Texts compare by code points, which is the order of their UTF-8 bytes, and OSS's.
"""

from __future__ import annotations

import hashlib

from osscopy.model import Range

ROOT = "copy"  # the parent of the tree's root
CLEAR = "delete"  # the parent of the one range that deletions have
MAX_DEPTH = 48
LAST = 10**12 - 1  # above every number of an entry
_HIGHEST = 0x10FFFF
_SURROGATES = range(0xD800, 0xE000)


def range_id(path: tuple[int, ...], root: str = ROOT) -> str:
    """Return the id of a range: 20 hex digits of the hash of its parent's id and its index."""
    found = _hashed(root)
    for index in path:
        found = _hashed(f"{found}/{index}")
    return found


def parent_id(path: tuple[int, ...], root: str = ROOT) -> str:
    """Return the id of the parent, `root` of the tree's root."""
    return range_id(path[:-1], root) if path else root


def index_of(path: tuple[int, ...]) -> int:
    """Return the index among the parent's children."""
    return path[-1] if path else 0


def halves(whole: Range, low: str | None, at: str) -> tuple[Range, Range]:
    """Return the two children that `whole`, walked up to `low`, is cut into at `at`."""
    return Range((*whole.path, 0), low, at), Range((*whole.path, 1), at, whole.high)


def number_of(name: str) -> int:
    """Return the number of an entry from its name: they count down, so that the newest is listed first."""
    return LAST - int(name.rpartition("/")[2])


def position(offset: int) -> str:
    """Return an offset in a manifest as a bound."""
    return f"{offset:020}"


def is_worth_splitting(whole: Range, rows: int, open_ranges: int, workers: int, chance: float) -> bool:
    """Return whether to cut what is left after an entry of `rows`: some workers are free.

    `chance` from 0 to 1: k walkers that decide at once would double otherwise.
    """
    free = workers - open_ranges
    return free > 0 and rows > 0 and len(whole.path) < MAX_DEPTH and chance * workers < free


def share(free: int, open_ranges: int) -> int:
    """Return the share that a range takes of what is free: all open ranges may take theirs at once."""
    return max(1, free // max(1, open_ranges)) if free > 0 else 0


def cut(low: str, high: str) -> str | None:
    """Return a key between two others near the middle: above `low`, below `high`; None if there is none.

    Characters count alike up to 0x7F; above it the whole alphabet is halved.
    """
    shared = _shared(low, high)
    first = ord(low[shared]) if shared < len(low) else -1
    last = ord(high[shared]) if shared < len(high) else -1
    middle = _between(first, last)
    if middle is not None:
        return high[:shared] + chr(middle)
    rest = low[shared + 1 :] if first >= 0 else ""
    after = _after(rest)
    found = None if after is None else low[: shared + 1] + after
    return found if found is not None and low < found < high else None


def _after(rest: str) -> str | None:
    """Return a text in the middle of what begins alike and comes after `rest`; None if there is none."""
    for at, each in enumerate(rest):
        middle = _between(ord(each), _HIGHEST + 1)
        if middle is not None:
            return rest[:at] + chr(middle)
    return rest + "\x7f"


def _between(first: int, last: int) -> int | None:
    """Return a character's number between two others, both exclusive; None if there is none."""
    top = 0x7F if first < 0x7E < last else last  # most keys are ASCII
    middle = (first + top) // 2 if top != 0x7F or last <= 0x7F else max(first + 1, (first + 0x7F) // 2)
    middle = _SURROGATES.stop if middle in _SURROGATES else middle
    return middle if first < middle < last else None


def _shared(one: str, other: str) -> int:
    """Return how many characters two texts begin with alike."""
    return next(
        (at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:20]
