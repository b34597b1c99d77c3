"""The next step of a lane, as a value. Knows no effect: `copying` carries the steps out."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from osscopy.model import Upload
from osscopy.plan.timing import MAX_AGE

MAX_STALLS = 3  # hops in a row that copied nothing and were not throttled


class Progress(msgspec.Struct, frozen=True):
    """The state of a hop after its parts: parts of its lane, seconds of its invocation."""

    missing: int
    copied: int
    throttled: bool
    seconds_left: float
    seconds_needed: float  # to list, complete and verify
    stalls: int
    age: float  # seconds since the copy began


class Finish(msgspec.Struct, frozen=True):
    """The lane is done: complete the upload if all lanes are."""


class HandOver(msgspec.Struct, frozen=True):
    """Submit the next hop, to start after `delay` seconds."""

    delay: int
    stalls: int


class GiveUp(msgspec.Struct, frozen=True):
    """The copy makes no progress: abort it, and report `code` and `why`."""

    code: str
    why: str


Step: TypeAlias = Finish | HandOver | GiveUp


def next_step(progress: Progress) -> Step:
    """Return the step after a hop's parts. Only throttling excuses a hop without progress."""
    if progress.missing == 0:
        if progress.seconds_left >= progress.seconds_needed:
            return Finish()
        return HandOver(delay=0, stalls=0)
    if progress.age > MAX_AGE:
        return GiveUp("TooOld", f"not finished after {MAX_AGE} s")
    if progress.copied:
        return HandOver(delay=0, stalls=0)
    if progress.throttled:
        return HandOver(delay=30, stalls=progress.stalls)
    if progress.stalls + 1 >= MAX_STALLS:
        return GiveUp("Stalled", f"{MAX_STALLS} invocations in a row copied no part")
    return HandOver(delay=5 * 2**progress.stalls, stalls=progress.stalls + 1)


def max_hops(upload: Upload) -> int:
    """Return the number of hops above which a chain is a loop.

    Each must copy a part, except stalled ones between them and a last one.
    """
    return upload.parts * MAX_STALLS + MAX_STALLS + 1
