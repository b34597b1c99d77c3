"""A scenario: what is copied, how it is asked for, and how fast the world is; and a whole schedule.

Knows values only. What goes wrong is a list of faults (`faults`).
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from tests.sim.faults import Fault

Overwrite = Literal["always", "never", "ifDifferent", "ifNewer"]
Link = Literal["", "copy", "follow"]
WAYS = ("function", "url")
Notify = Literal["", "failed", "all"]

PART = 102_400  # OSS's smallest
THRESHOLD, SMALL = 60_000, 50_000
THRESHOLDS = (THRESHOLD, 1_000_000)  # of parts; with the second one CopyObject copies everything
TIMEOUTS = (20.0, 60.0, 240.0)
LATE_MARGIN = 10  # seconds after all waiting in which a request may still take effect


@dataclass(frozen=True)
class Scenario:
    """One copy, or the copies of a list, and their world. Times in seconds."""

    entry: str  # event | http | direct | list | queue | doubt: HTTP without an instance, or an answer
    size: int
    overwrite: Overwrite
    former: bool
    versioned: bool
    timeout: float
    part_seconds: float
    page: int
    skew: float
    by_rule: bool = False  # so that the destination is to keep up with the source
    keeps: bool = False  # versions of the destination
    period: float | None = None  # from one sweep to the next, if not what a chain may stand still
    threshold: int = THRESHOLD
    listed: int = 1  # copies that a list asks for
    itself: bool = False  # the object is copied onto itself, for another storage class
    told: bool = False  # the function is told of what FC gives up
    parallel: int = 1  # threads that copy parts
    lanes: int = 1  # chains that copy the parts of one object at once
    part_crcs: bool = False  # ListParts shows the CRC64 of parts
    shallow: bool = False  # within one bucket, so that CopyObject moves no bytes
    limit: int = 0  # bytes above which CopyObject is refused; 0: none
    restore: float = 0.0  # the source is archived, and can be read so long after RestoreObject
    link: Link = ""  # the source is a symlink
    tail: float = 0.0  # times as long as the others that one part takes; 0: none
    notify: Notify = ""  # which outcomes somebody is told of, in two ways
    apart: bool = False  # the copies of a list are taken for copies to different keys, and made at once

    @property
    def is_small(self) -> bool:
        """Tell whether CopyObject copies it, as long as source and settings stay as they are."""
        return self.size <= self.threshold or self.link == "copy"

    @property
    def late(self) -> float:
        """The longest that a request needs to take effect after nobody waits for it any more."""
        return patience(self.timeout) + LATE_MARGIN

    @property
    def storage(self) -> str:
        """The class of the source."""
        return "Archive" if self.restore else "Standard"

    @property
    def storage_asked(self) -> str:
        """The class that the destination has to have."""
        return "IA" if self.itself else self.storage


@dataclass(frozen=True)
class Schedule:
    """A scenario, what goes wrong, and the choices that are left: of a seed, or listed (`choices`)."""

    scenario: Scenario
    faults: tuple[Fault, ...] = ()
    seed: int | None = None
    choices: Mapping[str, float] = field(default_factory=dict)


def patience(timeout: float) -> float:
    """Return the seconds that an answer is waited for: within the invocation, five minutes at most."""
    kept_free = min(10.0, max(1.5, timeout / 10))
    return max(5.0, min(300.0, timeout - 2 * kept_free))


def standstill(timeout: float) -> float:
    """Return the seconds from one sweep to the next, where a scenario says nothing else."""
    return float(int(min(2 * timeout + 5, 840)))


def draw(chance: random.Random) -> Scenario:
    """Draw a scenario; sizes are on a grid, so that few CRC64s have to be computed."""
    lanes = chance.choice((1, 1, 1, 2, 3, 4))
    parts = 1 + int(chance.random() * (6 if lanes == 1 else 10))
    overwrite = _policy(chance.random())
    timeout = chance.choice((20.0, 60.0, 60.0))
    drawn = Scenario(
        entry=chance.choice(("event", "event", "event", "http", "direct", "list")),
        size=SMALL if chance.random() < 0.2 else parts * PART - 1 - int(chance.random() * 8) * 5_000,
        overwrite=overwrite,
        former=chance.random() < (0.1 if overwrite == "never" else 0.5),
        versioned=chance.random() < 0.25,
        timeout=timeout,
        part_seconds=chance.choice((0.05, 0.5, timeout / 12, timeout / 6, timeout / 4)),
        page=chance.choice((1, 2, 1000)),
        skew=chance.uniform(-3, 3),
        by_rule=chance.random() < 1 / 3,
        keeps=chance.random() < 0.2,
        threshold=chance.choice((*THRESHOLDS, THRESHOLD, THRESHOLD)),
        listed=2 + int(chance.random() * 4),
        told=chance.random() < 0.5,
        parallel=chance.choice((1, 1, 2, 4)),
        lanes=lanes,
        part_crcs=chance.random() < 0.25,
        apart=chance.random() < 0.7,
    )
    return _with_tail(_with_kind(drawn, chance), chance)


def _with_tail(drawn: Scenario, chance: random.Random) -> Scenario:
    """Return it now and then as a copy of more parts, one of which may take far longer than the others."""
    if chance.random() > 0.15:
        return drawn
    size = (8 + int(chance.random() * 8)) * PART - 1 - int(chance.random() * 4) * 5_000
    seconds = drawn.timeout / chance.choice((8, 12, 40))
    parallel = chance.choice((2, 2, 4))
    return replace(drawn, size=size, part_seconds=seconds, parallel=parallel, tail=3 + 5 * chance.random())


def _policy(number: float) -> Overwrite:
    if number < 0.15:
        return "never"
    return "always" if number < 0.85 else "ifDifferent" if number < 0.93 else "ifNewer"


def _with_kind(drawn: Scenario, chance: random.Random) -> Scenario:
    """Return it as what it is a copy of: an object onto itself, within its bucket, archived, or a symlink."""
    kind = chance.random()
    if kind < 1 / 9:
        return replace(drawn, itself=True, overwrite="always", former=False, keeps=drawn.versioned)
    if kind < 0.23:
        limit = THRESHOLD if chance.random() < 0.3 else 0
        return replace(drawn, shallow=True, limit=limit)
    if kind < 0.30:
        return replace(drawn, restore=chance.choice((3.0, 30.0, 300.0)))
    if kind < 0.36:
        return replace(drawn, link="copy")
    if kind < 0.44:
        return replace(drawn, link="follow")
    return drawn
