"""The first step of a copy, and the next step of a lane, as values.

Knows no effect: `copying` carries the steps out.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from osscopy.model import CopyRequest, Head, Opened, Upload
from osscopy.plan.methods import Method, method_on_record, must_wait
from osscopy.plan.timing import MAX_AGE

MAX_STALLS = 3  # hops in a row that copied nothing and were not throttled


# --- the first step ----------------------------------------------------------------------------------------


class Restore(msgspec.Struct, frozen=True):
    """Let OSS restore the archived source, and begin again later; `method` is what will copy it then."""

    method: Method


class CopyObject(msgspec.Struct, frozen=True):
    """Copy with one CopyObject. `shallow`: OSS should move no bytes for it."""

    shallow: bool


class Parts(msgspec.Struct, frozen=True):
    """Copy in parts."""


FirstStep: TypeAlias = Restore | CopyObject | Parts


def first_step(request: CopyRequest, head: Head, opened: Opened | None, method: Method) -> FirstStep:
    """Return what to do with the source that `head` shows, by `method`.

    `opened`: what an earlier delivery has put on record; a copy that has begun in parts goes on so.
    """
    if must_wait(request, head):
        return Restore(method)
    if opened is not None:
        method = method_on_record(opened, head, method)
    return Parts() if method == "multipart" else CopyObject(shallow=method == "shallow")


# --- the next step -----------------------------------------------------------------------------------------


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
