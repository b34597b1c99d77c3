"""The first step of a copy, once its source has been seen.

Knows what was seen and what is on record; asks nothing.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from osscopy.model import CopyRequest, Head, Opened
from osscopy.plan.methods import Method, method_on_record, must_wait


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
