"""Events of FC's timer trigger: the payload is a direct event. Knows only what FC puts around it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from osscopy import plan
from osscopy.events import direct
from osscopy.events.batch import Arrival, Batch
from osscopy.events.jsons import decode
from osscopy.model import Action, Copy, Rule


class _Timer(msgspec.Struct, frozen=True, rename="camel"):
    trigger_time: str
    trigger_name: str
    payload: str


def read(event: bytes, arrival: Arrival, rules: Sequence[Rule]) -> Batch | Action:
    """Read the payload, as of the time that the timer was set to."""
    timer: _Timer = decode(event, _Timer, "")
    moment = arrival.read_recent(timer.trigger_time, "triggerTime")
    occurrence = f"timer:{timer.trigger_name}:{timer.trigger_time}"
    arrival = arrival.by(f"timer:{timer.trigger_name}")
    asked = direct.read(timer.payload.encode(), occurrence, moment, arrival, rules)
    if not isinstance(asked, Batch):
        return asked
    since = int(moment.timestamp()) - plan.CLOCK_MARGIN
    return Batch(
        tuple(
            msgspec.structs.replace(item, since=since) if isinstance(item, Copy) else item
            for item in asked.items
        ),
        asked.many,
        asked.passed,
    )
