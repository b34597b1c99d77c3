"""The arrival of an event, and the copies that a list of records or requests in it makes. Knows no format."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from typing import Literal, TypeAlias

import msgspec

from osscopy import plan
from osscopy.events.jsons import read_time
from osscopy.model import Bulk, Command, Origin, Refused, Remove

MAX_REQUESTS = 1000  # in one event


class Arrival(msgspec.Struct, frozen=True):
    """The arrival of an event: the invocation's request id and the time, which name a direct request.

    `seal`: how continuations are known as the function's own. `origin`: who asks, by which trigger.
    """

    request_id: str
    now: datetime
    seal: plan.Seal = plan.Seal()
    origin: Origin = Origin("direct")

    def by(self, caller: str) -> Arrival:
        """Return this arrival as one by another caller."""
        return msgspec.structs.replace(self, origin=Origin(caller[:160]))

    @property
    def started_at(self) -> str:
        return self.now.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def read_recent(self, text: str, field: str) -> datetime:
        """Read the moment of an event; refuse one so old that the record of its outcome may have expired."""
        moment = read_time(text, field)
        if (self.now - moment).total_seconds() > plan.MAX_EVENT_AGE:
            days = plan.MAX_EVENT_AGE // 86_400
            text = f"an event is taken for {days} days: ask for the copy directly"
            raise Refused("EventTooOld", text, field=field)
        return moment


class PassedOver(msgspec.Struct, frozen=True):
    """An event that makes no copy, and that is logged.

    Either a folder marker that its rule skips, by its key; or an event of an unknown name that may have
    created an object, by its name; or a rule that cannot be reconciled, with the reason.
    """

    why: Literal["marker", "event", "rule"]
    what: str


Items: TypeAlias = list[Command | Bulk | Remove | Refused | PassedOver]


class Batch(msgspec.Struct, frozen=True):
    """The work that an event asks for, one a record or request. `many`: the answer is a list of results."""

    items: tuple[Command | Bulk | Remove | Refused, ...]
    many: bool
    passed: tuple[PassedOver, ...] = ()


def _refuse_long(count: int, what: str) -> None:
    """Refuse more than one event may hold: each is a result of the answer, and a line of the log."""
    if count > MAX_REQUESTS:
        raise Refused("TooManyRequests", f"{count} {what} in one event; {MAX_REQUESTS} are taken")


def gather(entries: Sequence[msgspec.Raw], read: Callable[[bytes, int], Items]) -> Batch:
    """Read entries one by one; one that is refused becomes an item, so that it does not stop the others."""
    _refuse_long(len(entries), "records or requests")
    found: Items = []
    for index, entry in enumerate(entries):
        try:
            found += read(bytes(entry), index)
        except Refused as error:
            found.append(error)
    _refuse_long(len(found), "copies")
    items = tuple(each for each in found if not isinstance(each, PassedOver))
    return Batch(items, many=True, passed=tuple(each for each in found if isinstance(each, PassedOver)))
