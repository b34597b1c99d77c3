"""A scale for keys: how far one lies from another, learnt from the characters of keys that were seen.

Knows texts alone. Lengths are guesses: each position counts the characters that were seen there, and the
digits or letters between them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

from osscopy.plan.bulk.width.middle import SURROGATES

DEPTH = 16  # characters after those that all keys share
FINE = 1e9  # steps of a scale, at most
_SHORT = 1e6  # steps that a key is made of
_SERIES = (range(0x30, 0x3A), range(0x41, 0x5B), range(0x61, 0x7B))  # digits, capitals, small letters
_DIGITS, _HEX = frozenset("0123456789"), frozenset("0123456789abcdef")
_STEPS = 16  # characters that are taken to lie between two others, in longer series


class Scale:
    """Fractions from 0 to 1 for texts that begin with `alike`."""

    def __init__(self, alike: str, seen: Iterable[str]) -> None:
        self._shared = alike
        tails = [key[len(alike) : len(alike) + DEPTH] for key in seen if key.startswith(alike)]
        columns = [{tail[at] for tail in tails if len(tail) > at} for at in range(DEPTH)]
        for at in range(DEPTH - 2, -1, -1):  # few digits, and hexadecimal ones after them
            if columns[at] <= _HEX and columns[at + 1] <= _HEX and not columns[at + 1] <= _DIGITS:
                columns[at] |= columns[at + 1]
        self._alphabets: list[str] = []
        fine = 1.0
        for column in columns:
            if not column or fine > FINE:
                break
            self._alphabets.append(_filled(sorted(column)))
            fine *= len(self._alphabets[-1])

    def fraction(self, key: str) -> float:
        """Return where a key lies: 0 before all that was seen, 1 after it."""
        if not key.startswith(self._shared):
            return 0.0 if key < self._shared else 1.0
        found, step = 0.0, 1.0
        for each, alphabet in zip(key[len(self._shared) :], self._alphabets, strict=False):
            rank = bisect_left(alphabet, each)
            step /= len(alphabet)
            found += rank * step
            if rank == len(alphabet) or alphabet[rank] != each:
                break
        return min(found, 1.0)

    def key(self, fraction: float) -> str:
        """Return a short text that lies there."""
        found, rest, fine = self._shared, fraction, 1.0
        for alphabet in self._alphabets:
            rank = min(int(rest * len(alphabet)), len(alphabet) - 1)
            found += alphabet[rank]
            rest = rest * len(alphabet) - rank
            fine *= len(alphabet)
            if fine > _SHORT:
                break
        return found


def _filled(column: list[str]) -> str:
    """Return characters with those that are likely to lie between them."""
    found = set(column)
    if found <= _HEX and not found.isdisjoint(_DIGITS):
        found |= _DIGITS if found <= _DIGITS else _HEX
    for series in _SERIES:
        own = [ord(each) for each in column if ord(each) in series]
        if len(own) > 1:
            found |= {chr(each) for each in range(own[0], own[-1] + 1)}
    others = [ord(each) for each in column if ord(each) > 0x7F]
    if len(others) > 1 and others[-1] - others[0] > len(others):
        step = max(1, (others[-1] - others[0]) // _STEPS)
        found |= {chr(each) for each in range(others[0], others[-1], step) if each not in SURROGATES}
    return "".join(sorted(found))
