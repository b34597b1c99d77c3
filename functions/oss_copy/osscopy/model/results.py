"""The results that callers get: of a copy, a sweep and the check. Knows no HTTP status."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from osscopy.model.errors import OssCopyError
from osscopy.model.objects import Encrypted
from osscopy.model.values import Count, Moment, Tally, Value


class Seen(Value, frozen=True):
    """An object in a result; unknown values are null."""

    bucket: str
    key: str
    version_id: str | None = None
    etag: str | None = None
    size: Count | None = None
    crc64: str | None = None
    encryption: Encrypted | None = None


class Problem(Value, frozen=True):
    """An error in a result."""

    code: str
    message: str
    request_id: str | None = None
    retryable: bool = False
    field: str | None = None

    @classmethod
    def of(cls, error: OssCopyError) -> Problem:
        return cls(error.code, error.message, error.request_id or None, error.retryable, error.field)


class Result(Value, frozen=True):
    """The result of a copy; times are ISO 8601 in UTC. `caller`: as in `Origin`.

    `phase`: the reason why a running copy waits, and `next_look_at` its next look at that; else left out.
    """

    job: str | None
    status: Literal["succeeded", "skipped", "running", "failed", "cancelled"]
    source: Seen | None = None
    destination: Seen | None = None
    method: Literal["simple", "multipart"] | None = None
    verified: Literal["crc64", "size", "link"] | None = None
    parts: Tally = 0
    parts_done: Tally = 0
    bytes_done: Count = 0
    lanes: Tally = 1
    hops: Tally = 1
    started_at: Moment | None = None
    finished_at: Moment | None = None
    error: Problem | None = None
    phase: Literal["restoring"] | msgspec.UnsetType = msgspec.UNSET
    next_look_at: str | msgspec.UnsetType = msgspec.UNSET
    caller: str | msgspec.UnsetType = msgspec.UNSET


class Doubt(Value, frozen=True):
    """An upload that may belong to a copy or not: it is reported, never aborted."""

    bucket: str
    key: str
    upload_id: str
    why: str


class Swept(Value, frozen=True):
    """The result of a sweep: copies looked at, and how many of them it resumed, ended, and forgot.

    `aborted`: orphan uploads, of an Initiate without an answer. `more`: another invocation goes on.
    """

    looked: int
    resumed: int
    ended: int
    forgotten: int
    aborted: int
    waiting: int
    failed: int
    doubts: tuple[Doubt, ...]
    more: bool


class ToldCounts(Value, frozen=True):
    """The result of a look at what is to be told: outcomes that were told, that are left, and given up.

    `more`: it has not looked at all of them.
    """

    told: int
    left: int
    given_up: int
    more: bool


Grade: TypeAlias = Literal["ok", "warning", "failed", "skipped"]


class Trigger(msgspec.Struct, frozen=True):
    """A trigger as FC shows it. `source`: an ARN; `config`: JSON."""

    name: str
    kind: str
    source: str
    config: str


class AsyncTask(msgspec.Struct, frozen=True):
    """An asynchronous invocation as FC shows it: its event, and whether it has not ended yet."""

    event: bytes
    is_open: bool


class Line(Value, frozen=True):
    """One finding of the check. `subject`: the bucket, pattern or setting it is about, if there are several.

    `advice` says what to do; a line that is ok has none.
    """

    check: str
    status: Grade
    found: str
    advice: str | None = None
    subject: str | None = None


class Checked(Value, frozen=True):
    """The result of the check; `status` is that of the worst line, `skipped` counting as ok."""

    status: Literal["ok", "warning", "failed"]
    lines: tuple[Line, ...]


class Status(Result, frozen=True):
    """A result with its rate, in bytes a second since the start, and the seconds left at that rate."""

    rate: int | None = None
    eta_seconds: int | None = None
