"""Small objects under names in the state bucket, and the values they hold.

Knows names, bodies and pages; not what a record means for a copy. Every record is created with
forbid-overwrite and never changed: the first writer wins and everybody else reads. After a create whose
answer was lost, the record may be the writer's own: the nonce tells.
"""

from __future__ import annotations

import functools
import threading
from typing import Protocol, TypeVar

import msgspec

from osscopy import plan
from osscopy.model import Misconfigured, RecordPage, Refused, Transient

PAGE = 1000  # names listed at once

R = TypeVar("R", bound=msgspec.Struct)

# msgspec (0.22) kills the process when several threads are the first to read a type at once.
_making = threading.Lock()
_decoder = functools.cache(msgspec.json.Decoder)


class Records(Protocol):
    """Small objects under names, each call one request."""

    def put_new(self, name: str, body: bytes) -> bool:
        """Create it; False if it exists. Misconfigured if the bucket would not refuse a second one."""

    def put(self, name: str, body: bytes) -> None:
        """Write what is only shown, over what was there: nothing may be decided by it."""

    def get(self, name: str) -> bytes | None:
        """Return its body, None if there is none."""

    def page(self, prefix: str, after: str, limit: int) -> RecordPage:
        """Return up to `limit` records whose names start with `prefix` and come after `after`, in order."""

    def delete(self, name: str) -> None:
        """Delete it; that there is none is as good."""


def create(records: Records, name: str, entry: R) -> R:
    """Return the record under `name`: `entry`, or the one that was there before."""
    if records.put_new(name, msgspec.json.encode(entry)):
        return entry
    there = read(records, name, type(entry))
    if there is None:  # a sweep deleted it in between: ask again
        raise Transient("RecordGone", f"the record {name} was there and is gone")
    return there


def read(records: Records, name: str, kind: type[R]) -> R | None:
    """Return the record under `name`, None if there is none; Misconfigured if it is not of this `kind`.

    Nor is one that no invocation can have written: each field is checked.
    """
    body = records.get(name)
    if body is None:
        return None
    with _making:
        decoder: msgspec.json.Decoder[R] = _decoder(kind)
    try:
        found = decoder.decode(body)
        plan.check_record(name, found)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, Refused) as error:
        raise Misconfigured(
            "UnreadableRecord", f"{name} in the state bucket is not a record of this version: {error}"
        ) from error
    return found


def list_all(records: Records, prefix: str) -> RecordPage:
    """Return all records under `prefix` as one page, with the time of the last answer."""
    found: list[tuple[str, int]] = []
    while True:
        page = records.page(prefix, found[-1][0] if found else "", PAGE)
        found += page.entries
        if len(page.entries) < PAGE:
            return RecordPage(tuple(found), page.seen_at)


def delete_all(records: Records, prefix: str) -> None:
    for name, _ in list_all(records, prefix).entries:
        records.delete(name)
