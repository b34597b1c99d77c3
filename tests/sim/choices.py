"""The choices of a schedule that no fault makes: how long each request takes, and the chance of pauses.

Drawn from a seed in a campaign; given as a list where a schedule is kept. A choice has the name of the thing
it is about and its number among those, so that another request elsewhere does not change its meaning.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from typing import Protocol

EVEN = 0.5  # of what is on no list


class Choices(Protocol):
    """Numbers from 0 up to 1."""

    def draw(self, *what: str) -> float:
        """Return the next number for this; its name comes in pieces, which not everybody puts together."""


class Seeded:
    """Numbers drawn from a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed).random

    def draw(self, *what: str) -> float:  # noqa: ARG002 - of interest for lists alone
        return self._random()


class Noted:
    """Numbers drawn from a seed; `drawn` is the list of them."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed).random
        self._counts: Counter[str] = Counter()
        self.drawn: dict[str, float] = {}

    def draw(self, *what: str) -> float:
        name = " ".join(what)
        self._counts[name] += 1
        number = self.drawn[f"{name} {self._counts[name]}"] = round(self._random(), 4)
        return number


class Listed:
    """Numbers on a list; `EVEN` where it has none."""

    def __init__(self, given: Mapping[str, float]) -> None:
        self._given = given
        self._counts: Counter[str] = Counter()

    def draw(self, *what: str) -> float:
        if not self._given:
            return EVEN
        name = " ".join(what)
        self._counts[name] += 1
        return self._given.get(f"{name} {self._counts[name]}", EVEN)
