"""What may go wrong in a schedule: a list of values, so that faults can be left out and kept.

A fault waits for the n-th request of one kind (or of any kind) and strikes there.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

# What happens to the request it meets.
LOST = "answer lost"  # done, and nobody hears
NEVER = "timed out, not done"
LATE = "timed out, done later"
THROTTLED = "throttled"
SLOW = "slow"  # takes effect after a while
HELD = "answer held back"  # takes effect at once, answered after a while
KILL = "killed before it"
KILL_AFTER = "killed after it"
KILL_LATE = "killed, done later"
EXPIRED = "credentials expired"  # for the rest of this invocation
SQUEEZED = "one invocation throttled"  # its parts, for the rest of it
OUTAGE = "outage"  # everything is throttled for a while
CORRUPT = "wrong bytes copied"  # by CopyObject or into a part; its CRC64 tells
# What happens beside it.
BYTES, META, TAGS, DELETE, FOREIGN = (
    "source overwritten",
    "source metadata changed",
    "source re-tagged",
    "source deleted",
    "foreign write",
)
CANCEL, AGAIN, RIVAL = "cancelled", "event delivered again", "another copy to the same key asked for"
SWEEP = "another sweep"
SETTINGS = "settings changed"  # the function's timeout, or the threshold of parts
# What happens to the invocation that is submitted.
MISLAID, TWICE, DELAYED = "invocation lost", "delivered twice", "delivery delayed"

ON_REQUEST = (
    LOST,
    NEVER,
    LATE,
    THROTTLED,
    SLOW,
    HELD,
    KILL,
    KILL_AFTER,
    KILL_LATE,
    EXPIRED,
    SQUEEZED,
    OUTAGE,
    CORRUPT,
)
BESIDE = (BYTES, META, TAGS, DELETE, FOREIGN, CANCEL, AGAIN, RIVAL, SWEEP, SETTINGS)
ON_SUBMIT = (MISLAID, TWICE, DELAYED)
_KINDS = ON_REQUEST * 2 + BESIDE * 3 + (CANCEL, AGAIN, KILL_AFTER) * 3 + ON_SUBMIT
_OF_RULES = _KINDS + (BYTES, META, TAGS) * 4 + (MISLAID,) * 8  # such a copy is to keep up with its source
_REQUESTS = (
    "head source",
    "put open",
    "get done",
    "get cancel",
    "get up",
    "initiate",
    "put up",
    "copy part",
    "list parts",
    "complete",
    "find destination",
    "get tags",
    "put done",
    "abort",
    "put cancel",
    "copy object",
    "submit",
    "put hop",
    "list hop",
)
_OF_SMALL = (
    "head source",
    "put open",
    "get done",
    "get cancel",
    "copy object",
    "copy object",
    "find destination",
    "put done",
    "put cancel",
    "submit",
)  # what a copy by CopyObject asks for
AIMED = 0.25  # of the schedules
_OF_LINKS = ("get link",) * 3
_OF_ARCHIVED = ("restore",) * 3


@dataclass(frozen=True)
class Fault:
    """`kind` strikes at request number `nth` of those named `request` ("" means any); `seconds` it takes.

    `choice`, from 0 up to 1: which of several things that the kind may mean.
    """

    kind: str
    request: str
    nth: int
    seconds: float
    survives: bool = False
    choice: float = 0.5

    def __str__(self) -> str:
        return f"{self.kind} ({self.seconds:.2f} s) at {self.request or 'request'} no. {self.nth}"


@dataclass(frozen=True)
class Aim:
    """What faults are drawn for: about `length` requests, of these names; nothing lands later than `late`."""

    length: int
    late: float
    small: bool = False
    by_rule: bool = False
    link: bool = False
    archived: bool = False
    tail: float = 0.0  # seconds that one part takes longer than the others

    @property
    def requests(self) -> tuple[str, ...]:
        usual = _OF_SMALL if self.small else _REQUESTS
        return usual + _OF_LINKS * self.link + _OF_ARCHIVED * self.archived


def draw(chance: random.Random, aim: Aim) -> tuple[Fault, ...]:
    """The faults of a schedule."""
    count = min(12, int(chance.expovariate(0.25)))
    kinds, requests = _OF_RULES if aim.by_rule else _KINDS, aim.requests
    drawn = (*(_draw(chance, aim, kinds, requests) for _ in range(count)), *_aimed(chance, aim))
    if aim.tail:
        nth = 2 + int(chance.random() * 6)
        drawn += (Fault(chance.choice((SLOW, HELD)), "copy part", nth, aim.tail, choice=chance.random()),)
    return drawn + tuple(
        more for fault in drawn if fault.kind == MISLAID for more in _lost_again(chance, fault)
    )


def _aimed(chance: random.Random, aim: Aim) -> tuple[Fault, ...]:
    """Now and then the write of the destination is not heard of, and something makes that matter."""
    if chance.random() >= AIMED:
        return ()
    write = "copy object" if aim.small else "complete"
    # a small copy of a rule leaves no record: what it writes late may hide a newer one
    unheard = KILL_LATE if aim.small and aim.by_rule else chance.choice((LOST, LATE, KILL_AFTER, KILL_LATE))
    beside = chance.choice((BYTES, BYTES, META, DELETE, FOREIGN, CANCEL))
    late, soon = aim.late * chance.random(), 0.3 * chance.random()
    return (
        Fault(unheard, write, 1, late, survives=chance.random() < 0.5, choice=chance.random()),
        Fault(beside, write, 1, soon, survives=chance.random() < 0.5, choice=chance.random()),
    )


def _lost_again(chance: random.Random, lost: Fault) -> tuple[Fault, ...]:
    """Now and then the invocation that makes good a loss is lost as well, while settings are changed."""
    if chance.random() < 0.5:
        return ()
    following = lost.nth + 1
    changed = Fault(SETTINGS, "submit", following, 0.1, choice=chance.random())
    return Fault(MISLAID, "submit", following, 0.0), changed


def _draw(chance: random.Random, aim: Aim, kinds: tuple[str, ...], requests: tuple[str, ...]) -> Fault:
    kind = kinds[int(chance.random() * len(kinds))]
    if kind in ON_SUBMIT:
        request, nth = "submit", 1 + int(chance.random() * 3)
    elif kind == CORRUPT:
        request, nth = "copy object" if aim.small else "copy part", 1 + int(chance.random() * 3)
    elif kind == CANCEL and chance.random() < 0.4:  # what is on record can be cancelled
        request, nth = "put open", 1
    elif chance.random() < 0.6:
        request, nth = requests[int(chance.random() * len(requests))], 1 + int(chance.random() ** 2 * 4)
    else:
        request, nth = "", 1 + int(chance.random() * aim.length)
    scale = chance.random()
    seconds = 0.02 + 0.3 * chance.random() if scale < 0.4 else scale * scale * aim.late * chance.random()
    if kind == OUTAGE:
        seconds = 40 * chance.random()
    if kind in {SWEEP, SETTINGS}:  # when there is something for it to do
        seconds = 400 * scale
    if kind == DELAYED:  # FC may hold an invocation back for hours
        seconds = 600 * scale * scale
    return Fault(kind, request, nth, seconds, survives=chance.random() < 0.5, choice=chance.random())
