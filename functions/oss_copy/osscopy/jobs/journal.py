"""Copies on record, in the state bucket: what was opened, entered, cancelled and closed.

Knows records and their keys; not what they mean for a copy, which is the engine's business. Every record is
created with forbid-overwrite and never changed: the first writer wins and everybody else reads. After a
create whose answer was lost the record may be our own: the nonce tells.
"""

from __future__ import annotations

import hashlib
from typing import Literal, Protocol, TypeVar

import msgspec

from osscopy.model import (
    Cancelled,
    Claimed,
    CopyRequest,
    Done,
    Entered,
    Generation,
    Misconfigured,
    Opened,
    Problem,
    RecordPage,
    Transient,
    Waiting,
)
from osscopy.plan import keys

MAX_RIVALS = 1000  # open copies to one destination that are looked at
PAGE = 1000  # names listed at once
LAST = 10**12 - 1  # above every generation and hop
_START = "-start"

R = TypeVar("R", Opened, Entered, Cancelled, Done, Claimed, Problem, Waiting)


def prepare() -> None:
    """To be called before several threads read records.

    msgspec (0.22) kills the process when several are the first to read a type at once.
    """
    for kind in (Opened, Entered, Cancelled, Done, Claimed, Problem):
        msgspec.json.Decoder(kind)


class Records(Protocol):
    """Small objects under names, each call one request."""

    def put_new(self, name: str, body: bytes) -> bool:
        """Create it; False if it exists. Misconfigured if the bucket would not refuse a second one."""

    def get(self, name: str) -> bytes | None:
        """Its body, None if there is none."""

    def page(self, prefix: str, after: str, limit: int) -> RecordPage:
        """Up to `limit` records whose names start with `prefix` and come after `after`, in order."""

    def delete(self, name: str) -> None:
        """Delete it; that there is none is as good."""


class RecordJournal:
    """The journal on `records`."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._last_opened: Opened | None = None

    def open(self, entry: Opened) -> Opened:
        self._last_opened = self._create(f"open/{entry.job}", entry)
        return self._last_opened

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
        self._last_opened = self._read(f"open/{job}", Opened)
        return self._last_opened

    def known_opened(self, job: str) -> Opened | None:
        """`open/` of this job if it is the last one that was written or read here: nothing is asked."""
        last = self._last_opened
        return last if last is not None and last.job == job else None

    def entered(self, job: str) -> Entered | None:
        return self._read(f"up/{job}", Entered)

    def cancelled(self, job: str) -> Cancelled | None:
        return self._read(f"cancel/{job}", Cancelled)

    def done(self, job: str) -> Done | None:
        return self._read(f"done/{job}", Done)

    def supersede(self, job: str, generation: int) -> None:
        """Let hops of lower generations leave; a sweep starts a chain of this one."""
        self._records.put_new(f"gen/{job}/{generation:012}", b"{}")

    def restart(self, job: str, generation: int) -> None:
        """A sweep lets the copy begin, with this generation; chains that go on are left alone."""
        self._records.put_new(f"gen/{job}/{generation:012}{_START}", b"{}")

    def generation(self, job: str) -> int:
        """The highest generation of which a sweep has started a chain; 0 if none has."""
        keys = (name for name, _ in self._all(f"gen/{job}/")[0] if not name.endswith(_START))
        return max(map(_generation, keys), default=0)

    def newest_generation(self, job: str) -> Generation | None:
        """The highest generation that a sweep has started, be it a chain or the copy; None if none has."""
        started, seen_at = self._all(f"gen/{job}/")
        if not started:
            return None
        name, written = max(started, key=lambda each: _generation(each[0]))
        return Generation(_generation(name), seen_at - written)

    def note(self, job: str, generation: int, hop: int, problem: Problem) -> None:
        """What a hop met and did not fail of, for who asks how the copy stands; the newest comes first."""
        name = f"note/{job}/{LAST - generation:012}-{LAST - hop:012}"
        self._records.put_new(name, msgspec.json.encode(problem))

    def noted(self, job: str) -> tuple[int, Problem] | None:
        """The last hop that left a note, and what it met."""
        for name, _ in self._records.page(f"note/{job}/", "", 1).entries:
            if (problem := self._read(name, Problem)) is None:
                return None
            return LAST - int(name.rpartition("-")[2]), problem
        return None

    def _all(self, prefix: str) -> tuple[list[tuple[str, int]], int]:
        """All records under `prefix` and when they were written, and when that was asked."""
        found: list[tuple[str, int]] = []
        while True:
            page = self._records.page(prefix, found[-1][0] if found else "", PAGE)
            found += page.entries
            if len(page.entries) < PAGE:
                return found, page.seen_at

    def jobs(self, kind: str, after: str, limit: int) -> list[str]:
        """Up to `limit` jobs that have a record of `kind` (open or done), in order, after job `after`."""
        prefix = f"{kind}/"
        page = self._records.page(prefix, prefix + after, limit)
        return [name.removeprefix(prefix) for name, _ in page.entries]

    def opens(self, after: str, limit: int) -> RecordPage:
        """Up to `limit` jobs on record as open after job `after`, and when `open/` was written."""
        page = self._records.page("open/", f"open/{after}", limit)
        entries = tuple((name.removeprefix("open/"), written) for name, written in page.entries)
        return RecordPage(entries, page.seen_at)

    def written(self, kind: Literal["cancel", "done"], job: str) -> tuple[int, int] | None:
        """When this record was written, and when that was asked (Unix seconds); None if it is not there."""
        name = f"{kind}/{job}"
        page = self._records.page(name, "", 1)
        return next(((written, page.seen_at) for found, written in page.entries if found == name), None)

    def leave(self, name: str, waiting: Waiting) -> None:
        """Put a list of copies on record that another invocation is to begin; it may be there already."""
        self._records.put_new(f"rest/{name}", msgspec.json.encode(waiting))

    def waiting(self, name: str) -> Waiting | None:
        """The copies of a list that are to be begun; None if that has been done."""
        return self._read(f"rest/{name}", Waiting)

    def lists(self) -> RecordPage:
        """Lists of copies that are to be begun, and when they were put on record."""
        page = self._records.page("rest/", "", PAGE)
        return RecordPage(
            tuple((name.removeprefix("rest/"), written) for name, written in page.entries), page.seen_at
        )

    def drop(self, name: str) -> None:
        """Forget a list, all copies of which are begun or on another one."""
        self._forget_all("gen", name)
        self._records.delete(f"rest/{name}")

    def rivals(self, job: str, request: CopyRequest) -> list[str]:
        """Other jobs on record as open whose destination may be that of `request`: look at their records."""
        page = self._records.page(f"open/{keys.job_group(request)}", "", MAX_RIVALS)
        found = [name.removeprefix("open/") for name, _ in page.entries]
        return [each for each in found if each != job]

    def forget(self, job: str) -> None:
        """Delete `open/` last: whoever dies in between leaves a job that is found again."""
        for kind in ("gen", "note"):
            self._forget_all(kind, job)
        self._records.delete(f"up/{job}")
        self._records.delete(f"open/{job}")

    def _forget_all(self, kind: str, job: str) -> None:
        for name, _ in self._all(f"{kind}/{job}/")[0]:
            self._records.delete(name)

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


def _generation(name: str) -> int:
    return int(name.rpartition("/")[2].removesuffix(_START))
