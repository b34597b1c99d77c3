"""The records of copies, written once and never changed. Knows no key of a record (`jobs.journal` does).

The nonce tells a writer whose answer was lost that the record is its own.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from osscopy.model.commands import Copy
from osscopy.model.pins import Pin, Upload
from osscopy.model.request import CopyRequest
from osscopy.model.results import Result
from osscopy.model.values import Value


# Written once, never changed; the nonce tells a writer whose answer was lost that the record is its own.
class Opened(Value, frozen=True):
    """`open/<job>`: what is asked for, and the version of the source it is bound to.

    `uncertain`: an attempt before this record may have copied an older version, and that may land late.
    `seen_at`: when the source was seen, by OSS's clock; nothing was written before.
    `in_doubt`: a copy in parts that a CopyObject without an answer came before.
    `settle`: T_late of the invocation that wrote it, in seconds.
    `restores`: the source is archived, and is waited for.
    """

    nonce: str
    job: str
    request: CopyRequest
    pin: Pin
    started_at: str
    method: Literal["simple", "multipart"] = "multipart"
    follows: int | None = None
    uncertain: bool = False
    seen_at: int = 0
    in_doubt: bool = False
    settle: int = 0
    restores: bool = False

    @property
    def may_land(self) -> bool:
        """Whether a CopyObject may have been asked for that has had no answer."""
        return self.in_doubt or self.method == "simple"

    @property
    def not_before(self) -> int:
        """No CopyObject of this copy landed before, by OSS's clock; 0: nobody knows."""
        return 0 if self.uncertain else self.seen_at


class Entered(Value, frozen=True):
    """`up/<job>`: the one upload of the job."""

    nonce: str
    upload: Upload


class Cancelled(Value, frozen=True):
    """`cancel/<job>`: somebody wants it to end."""

    nonce: str
    at: str


class Done(Value, frozen=True):
    """`done/<job>`: how it ended, and what had been asked for, so that it can be asked for again.

    `settle`: the longest T_late of the invocations that are known to have worked on it, in seconds.
    """

    nonce: str
    result: Result
    request: CopyRequest
    settle: int = 0


class Waiting(Value, frozen=True):
    """`rest/<list>`: copies of one event that are to be begun. `asked_at`: when they came, Unix seconds."""

    copies: tuple[Copy, ...]
    asked_at: float


class Generation(msgspec.Struct, frozen=True):
    """The newest generation that a sweep has started, and how many seconds ago by OSS's clock."""

    number: int
    age: int


class Claimed(Value, frozen=True):
    """`key/<hash>`: the job that an Idempotency-Key stands for, and when it was given first (ISO 8601)."""

    nonce: str
    job: str
    moment: str | None = None
