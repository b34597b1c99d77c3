"""Events that FC gave up after its retries, as it tells the on-failure destination: this function again."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from osscopy.events.batch import Arrival, Batch
from osscopy.events.jsons import decode
from osscopy.model import Bulk, Continue, Copy, Dropped, Refused, Remove, Rest


class _Failure(msgspec.Struct, frozen=True, rename="camel"):
    condition: str = ""
    request_id: str = ""


class GivenUp(msgspec.Struct, frozen=True, rename="camel"):
    """A message to an on-failure destination (FC's documents call it "result callback")."""

    request_context: _Failure
    request_payload: str

    @property
    def event(self) -> bytes:
        """The event that FC gave up."""
        return self.request_payload.encode()


def read(message: bytes, arrival: Arrival, parse: Callable[[bytes, Arrival], object]) -> Dropped:
    """Return the commands of an event that FC gave up; `parse` reads that event.

    There are none if the event is such a message itself, so that nothing loops.
    """
    given_up: GivenUp = decode(message, GivenUp, "")
    context = given_up.request_context
    commands: tuple[Copy | Continue | Rest | Bulk | Remove, ...] = ()
    try:
        # the same request id makes the same jobs of it
        parsed = parse(given_up.event, Arrival(context.request_id, arrival.now, arrival.seal))
    except Refused:
        parsed = None
    if isinstance(parsed, Rest):
        commands = (parsed,)
    elif isinstance(parsed, Batch):
        commands = tuple(item for item in parsed.items if not isinstance(item, Refused))
    return Dropped(commands, context.condition, context.request_id)
