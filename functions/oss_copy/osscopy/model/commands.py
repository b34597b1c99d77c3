"""The commands that an invocation carries out. Knows no payload: `events` writes and reads them."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from osscopy.model.pins import Pin, Upload
from osscopy.model.request import CopyRequest
from osscopy.model.values import Value


class Copy(Value, frozen=True, tag_field="step", tag="start", omit_defaults=True):
    """A copy to begin. The request's destination key is final (no template any more).

    `alternatives`: the same event read with its key unquoted, for the trigger that may encode keys (see
    `names.readings`); `event_etag` tells which reading is right.
    `follows`: None unless a rule made the copy, so that the destination is to keep up with the source; then
    how many follow-up copies led to this one.
    `retried`: FC has delivered it before; what an attempt that was killed had asked of OSS may still land.
    `since`: no delivery of this job came before (Unix seconds); None: this is surely the first one.
    """

    job: str
    request: CopyRequest
    started_at: str
    alternatives: tuple[CopyRequest, ...] = ()
    event_etag: str | None = None
    keep: bool = False  # leave a record even of a copy that one CopyObject does
    looks: int = 0  # at an archived source, to see whether it can be read by now
    follows: int | None = None
    generation: int = 0  # of the sweep that asks for it again
    drops: int = 0  # times that FC has given it up
    retried: bool = False
    since: int | None = None

    @property
    def may_be_on_record(self) -> bool:
        """Whether it may have ended: this is more than the first delivery of what nobody was told of."""
        return bool(self.keep or self.looks or self.generation or self.drops or self.retried)

    def delivered_again(self) -> Copy:
        """Return this copy as a later delivery of it; 0: nobody knows when the first one came."""
        return msgspec.structs.replace(self, retried=True, since=self.since or 0)

    @property
    def needs_record(self) -> bool:
        """Whether nothing but a record tells a later delivery that the copy in its way is its own."""
        return self.request.overwrite == "never" and not self.since

    @property
    def may_land_late(self) -> bool:
        """Whether an attempt may have been killed within a CopyObject, which may land on a newer copy yet.

        The copy is put on record then, so that the sweep compares destination and source once that is over.
        """
        return self.retried and self.follows is not None


class Continue(Value, frozen=True, tag_field="step", tag="continue"):
    """The next batch of a multipart copy. Small for any object: ListParts knows what is done, not this."""

    job: str
    request: CopyRequest
    started_at: str
    pin: Pin
    upload: Upload
    generation: int
    lane: int
    hop: int
    stalls: int = 0
    parts_done: int = 0  # as the hop before left them; a part it did not wait for may have come since
    excused: int = 0  # hops that were throttled: they do not count against the ceiling
    gone_at: int = 0  # when the upload was found gone without a trace of the copy; Unix seconds
    follows: int | None = None
    settle: int = 0  # the longest T_late of the invocations that have worked on it: settings change
    in_doubt: bool = False  # a CopyObject may land yet

    @property
    def not_before(self) -> int:
        """When the copy began, by OSS's clock: what the destination showed before is not the copy."""
        return self.upload.opened_at


class Rest(Value, frozen=True, tag_field="step", tag="rest"):
    """The copies of a list on record, which another invocation had no time for.

    `generation`: of the sweep that hands it over again; `drops`: times that FC has given it up.
    """

    list: str
    generation: int = 0
    drops: int = 0


class Sweep(Value, frozen=True, tag_field="step", tag="sweep"):
    """A look at all copies on record, for those that stand still; a page of it, from job `after` on."""

    after: str = ""


class Check(Value, frozen=True):
    """A look at the deployment: settings, reach and rights, reported line by line."""


class Ping(Value, frozen=True, tag_field="step", tag="ping"):
    """Nothing to do: the check submits it, to see whether the function may invoke itself, and how often."""


class Dropped(msgspec.Struct, frozen=True):
    """What FC gave up after its retries, as the function's own on-failure destination is told of it."""

    commands: tuple[Copy | Continue | Rest, ...]
    condition: str
    request_id: str


Command: TypeAlias = Copy | Continue
Action: TypeAlias = Sweep | Check
