"""The records of copies, written once and never changed. Knows no key of a record (`jobs.journal` does).

The nonce tells a writer whose answer was lost that the record is its own.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from osscopy.model.commands import Copy
from osscopy.model.pins import Pin, Upload
from osscopy.model.request import CopyRequest, Origin
from osscopy.model.results import Result, Seen
from osscopy.model.values import Moment, Tally, Unix, Value


class Opened(Value, frozen=True):
    """`open/<job>`: the request, and the version of the source that the copy is bound to.

    `uncertain`: an attempt before this record may have copied an older version, which may take effect late.
    `seen_at`: when the source was seen, by OSS's clock; nothing was written before.
    `in_doubt`: a CopyObject without an answer came before this copy in parts.
    `settle`: T_late of the invocation that wrote it, in seconds.
    `restores`: the copy waits for the restoration of an archived source.
    """

    nonce: str
    job: str
    request: CopyRequest
    pin: Pin
    started_at: Moment
    method: Literal["simple", "multipart"] = "multipart"
    follows: Tally | None = None
    uncertain: bool = False
    seen_at: Unix = 0
    in_doubt: bool = False
    settle: Tally = 0
    restores: bool = False
    origin: Origin = Origin()

    @property
    def may_land(self) -> bool:
        """Tell whether there may be a CopyObject that has had no answer."""
        return self.in_doubt or self.method == "simple"

    @property
    def not_before(self) -> int:
        """The time before which no CopyObject of this copy took effect, by OSS's clock; 0: unknown."""
        return 0 if self.uncertain else self.seen_at


class Entered(Value, frozen=True):
    """`up/<job>`: the one upload of the job."""

    nonce: str
    upload: Upload


class Cancelled(Value, frozen=True):
    """`cancel/<job>`: a caller wants the copy to end."""

    nonce: str
    at: str


class Done(Value, frozen=True):
    """`done/<job>`: the result, and the request, so that it can be repeated.

    `settle`: the longest T_late of the invocations known to have worked on it, in seconds.
    """

    nonce: str
    result: Result
    request: CopyRequest
    settle: Tally = 0

    @property
    def left(self) -> Seen | None:
        """The destination at the end, if it was a copy of the source."""
        error = self.result.error
        is_copy = self.result.status == "succeeded" or (error is not None and error.code == "NotDifferent")
        return self.result.destination if is_copy else None


class Waiting(Value, frozen=True):
    """`rest/<list>`: copies of one event that have not begun. `asked_at`: when they came, Unix seconds."""

    copies: tuple[Copy, ...]
    asked_at: Annotated[float, msgspec.Meta(ge=0, le=1e11)]


class Generation(msgspec.Struct, frozen=True):
    """The newest generation that a sweep has started, and its age in seconds by OSS's clock."""

    number: int
    age: int


class Claimed(Value, frozen=True):
    """`key/<hash>`: the job that an Idempotency-Key stands for, and the time of its first use (ISO 8601)."""

    nonce: str
    job: str
    moment: Moment | None = None
