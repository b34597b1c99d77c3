"""The commands that an invocation carries out. Knows no payload: `events` writes and reads them."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from osscopy.model.bulk import Bulk
from osscopy.model.pins import Pin, Upload
from osscopy.model.request import CopyRequest, Origin
from osscopy.model.values import Moment, Tally, Unix, Value


class Copy(Value, frozen=True, tag_field="step", tag="start", omit_defaults=True):
    """A copy to begin. The request's destination key is final (no template any more).

    `alternatives`: the same event read with its key unquoted (see `plan.keys.readings`); `event_etag` tells
    which reading is right.
    `follows`: the number of follow-up copies before this one, if a rule made the copy: the destination then
    has to follow the source. Else None.
    `retried`: FC has delivered it before; a request of a killed attempt may still take effect.
    `since`: no delivery of this job came before (Unix seconds); None: this is surely the first one.
    """

    job: str
    request: CopyRequest
    started_at: Moment
    alternatives: tuple[CopyRequest, ...] = ()
    event_etag: str | None = None
    keep: bool = False  # write a record even of a copy by one CopyObject
    looks: Tally = 0  # at an archived source that is being restored
    follows: Tally | None = None
    generation: Unix = 0  # of the sweep that asks for it again
    drops: Tally = 0  # times that FC has given it up
    retried: bool = False
    since: Unix | None = None
    origin: Origin = Origin()

    @property
    def may_be_on_record(self) -> bool:
        """Tell whether the job may have records: it was delivered before, or a caller knows its id."""
        return bool(self.keep or self.looks or self.generation or self.drops or self.retried)

    def delivered_again(self) -> Copy:
        """Return this copy as a later delivery of itself; `since` 0: the time of the first one is unknown."""
        return msgspec.structs.replace(self, retried=True, since=self.since or 0)

    @property
    def needs_record(self) -> bool:
        """Tell whether a later delivery needs a record to know the destination as its own copy."""
        return self.request.overwrite == "never" and not self.since

    @property
    def may_land_late(self) -> bool:
        """Tell whether a CopyObject of a killed attempt may still take effect, over a newer copy.

        The copy is then put on record, so that the sweep compares destination and source after that time.
        """
        return self.retried and self.follows is not None


class Remove(Value, frozen=True, tag_field="step", tag="remove", omit_defaults=True):
    """The copy of a deleted object to be deleted, too: `request` is what the rule has made of that object.

    `alternatives`: as of a copy. `etag`: of what was deleted, as the event tells, which came at `moment`
    (Unix seconds). `looks`: at what may yet come of requests that were under way.
    """

    job: str
    request: CopyRequest
    started_at: Moment
    etag: str
    moment: Unix
    alternatives: tuple[CopyRequest, ...] = ()
    looks: Tally = 0
    drops: Tally = 0
    origin: Origin = Origin()


class Continue(Value, frozen=True, tag_field="step", tag="continue"):
    """The next hop of a copy in parts. Small for any object: ListParts shows which parts are done.

    `in_flight`: ranges of part numbers that the hop before had begun when it handed over; this one leaves
    them alone until `leave_until` (Unix seconds, OSS's clock), and then copies those that are missing.
    """

    job: str
    request: CopyRequest
    started_at: Moment
    pin: Pin
    upload: Upload
    generation: Unix
    lane: Tally
    hop: Tally
    stalls: Tally = 0
    parts_done: Tally = 0  # as the hop before counted them; more may be done by now
    excused: Tally = 0  # hops that were throttled: they do not count against the ceiling
    gone_at: Unix = 0  # when the upload was found gone and the copy was not there; Unix seconds
    follows: Tally | None = None
    settle: Tally = 0  # the longest T_late of the invocations that have worked on it: settings change
    in_doubt: bool = False  # a CopyObject may still take effect
    in_flight: tuple[tuple[int, int], ...] = ()
    leave_until: Unix = 0
    origin: Origin = Origin()

    @property
    def not_before(self) -> int:
        """The beginning of the copy, by OSS's clock: an older object at the destination is not it."""
        return self.upload.opened_at

    @property
    def is_first(self) -> bool:
        """Tell whether this is the first hop of all, which no record names."""
        return (self.generation, self.lane, self.hop) == (0, 1, 1)


class Rest(Value, frozen=True, tag_field="step", tag="rest"):
    """The copies of a list on record, for which an earlier invocation had no time.

    `generation`: of the sweep that submits it again; `drops`: times that FC has given it up.
    """

    list: str
    generation: Unix = 0
    drops: Tally = 0


class Tell(Value, frozen=True, tag_field="step", tag="tell"):
    """A look at the outcomes that somebody is to be told of and has not been (`tell/<job>`)."""


class Sweep(Value, frozen=True, tag_field="step", tag="sweep"):
    """A sweep of the copies on record, for those without progress; it begins after job `after`."""

    after: str = ""


class Check(Value, frozen=True):
    """A check of the deployment: settings, reach and rights, reported line by line."""


class Ping(Value, frozen=True, tag_field="step", tag="ping"):
    """Nothing to do. The check submits it to learn whether the function may invoke itself."""


class Dropped(msgspec.Struct, frozen=True):
    """Commands that FC gave up after its retries, as it tells the function's on-failure destination."""

    commands: tuple[Copy | Continue | Rest | Bulk | Remove, ...]
    condition: str
    request_id: str


Command: TypeAlias = Copy | Continue
Action: TypeAlias = Sweep | Check
