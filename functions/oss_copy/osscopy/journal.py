"""Copies on record, in the state bucket: what was opened, entered, cancelled and closed.

Knows records and their keys; not what they mean for a copy, which is the engine's business. Every record is
created with forbid-overwrite and never changed: the first writer wins and everybody else reads. After a
create whose answer was lost the record may be our own: the nonce tells.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Protocol, TypeVar

import msgspec

from osscopy.model import Cancelled, Claimed, Done, Entered, Misconfigured, Opened, Transient

R = TypeVar("R", Opened, Entered, Cancelled, Done, Claimed)


class Records(Protocol):
    """Small objects under names, each call one request."""

    def put_new(self, name: str, body: bytes) -> bool:
        """Create it; False if it exists. Misconfigured if the bucket would not refuse a second one."""

    def get(self, name: str) -> bytes | None:
        """Its body, None if there is none."""

    def names(self, prefix: str, after: str, limit: int) -> Sequence[str]:
        """Up to `limit` names that start with `prefix` and come after `after`, sorted."""


class RecordJournal:
    """The journal on `records`."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def open(self, entry: Opened) -> Opened:
        return self._create(f"open/{entry.job}", entry)

    def enter(self, job: str, entry: Entered) -> Entered:
        return self._create(f"up/{job}", entry)

    def cancel(self, job: str, entry: Cancelled) -> Cancelled:
        return self._create(f"cancel/{job}", entry)

    def close(self, job: str, entry: Done) -> Done:
        return self._create(f"done/{job}", entry)

    def claim(self, key: str, entry: Claimed) -> Claimed:
        """Let an Idempotency-Key stand for a job; what is returned may be another job's claim."""
        return self._create(f"key/{hashlib.sha256(key.encode()).hexdigest()}", entry)

    def opened(self, job: str) -> Opened | None:
        return self._read(f"open/{job}", Opened)

    def entered(self, job: str) -> Entered | None:
        return self._read(f"up/{job}", Entered)

    def cancelled(self, job: str) -> Cancelled | None:
        return self._read(f"cancel/{job}", Cancelled)

    def done(self, job: str) -> Done | None:
        return self._read(f"done/{job}", Done)

    def jobs(self, kind: str, after: str, limit: int) -> list[str]:
        """Up to `limit` jobs that have a record of `kind` (open or done), in order, after job `after`."""
        prefix = f"{kind}/"
        names = self._records.names(prefix, prefix + after, limit)
        return [name.removeprefix(prefix) for name in names]

    def _create(self, name: str, entry: R) -> R:
        if self._records.put_new(name, msgspec.json.encode(entry)):
            return entry
        there = self._read(name, type(entry))
        if there is None:  # deleted in between, by the sweep: ask again
            raise Transient("RecordGone", f"the record {name} was there and is gone")
        return there

    def _read(self, name: str, kind: type[R]) -> R | None:
        body = self._records.get(name)
        if body is None:
            return None
        try:
            return msgspec.json.decode(body, type=kind)
        except msgspec.MsgspecError as error:
            raise Misconfigured(
                "UnreadableRecord", f"{name} in the state bucket is not a record of this version: {error}"
            ) from error
