"""Bytes of an event to commands, whatever trigger they come from: one parse, one failure type (Refused).

Knows which module reads which event, and nothing of what is in it. A new trigger is a module beside this one,
and a case in `_parse_object`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import msgspec

from osscopy.events import continuation, direct, dropped, eventbridge, http, oss, timer
from osscopy.events.batch import Arrival, Batch
from osscopy.events.jsons import decode, decode_fields, is_list, unmarked
from osscopy.model import (
    Action,
    Clear,
    Dropped,
    Overview,
    Ping,
    Refused,
    Rest,
    Rule,
    Settle,
    Sweep,
    Tell,
    Walk,
)

Work: TypeAlias = Batch | Action | Dropped | Ping | Rest | Walk | Settle | Clear | Overview | Tell
Event: TypeAlias = Work | http.HttpCall


def parse(event: bytes, arrival: Arrival, rules: Sequence[Rule]) -> Event:
    """Return what `event` asks for; raises Refused if it is none of the known shapes.

    A single record or request that is refused becomes an item of the batch: it does not stop the others.
    """
    event = unmarked(event)
    if not is_list(event):
        return _parse_object(event, arrival, rules)
    entries = decode(event, list[msgspec.Raw], "")
    if eventbridge.is_batch(entries):
        return eventbridge.read(entries, arrival, rules)
    return _direct(event, arrival, rules)


def _parse_object(event: bytes, arrival: Arrival, rules: Sequence[Rule]) -> Event:
    match decode_fields(event, ""):
        case {"specversion": _}:
            return eventbridge.read([msgspec.Raw(event)], arrival, rules)
        case {"events": records}:
            return oss.read(records, arrival, rules)
        case {"requestPayload": _}:
            return dropped.read(event, arrival, lambda payload, then: parse(payload, then, rules))
        case {"requestContext": _}:
            return http.read(event)
        case {"triggerName": _, "payload": _}:
            return timer.read(event, arrival, rules)
        case {"continuation": payload} as top:
            command = continuation.read(payload, top.get("mac"), arrival)
            if isinstance(command, Sweep | Ping | Rest | Walk | Settle | Clear | Overview | Tell):
                return command
            return Batch((command,), many=False)
        case top if eventbridge.is_raw(top):
            return eventbridge.read([msgspec.Raw(event)], arrival, rules)
        case _:
            return _direct(event, arrival, rules)


def _direct(event: bytes, arrival: Arrival, rules: Sequence[Rule]) -> Batch | Action:
    return direct.read(event, f"direct:{arrival.request_id}", arrival.now, arrival, rules)


def needs_rules(event: bytes) -> bool:
    """Return whether `event` may be one of OSS, or a reconcile: a cheap look, before rules are fetched."""
    return not http.is_http(event) and any(
        each in event for each in (b"events", b"specversion", b"eventName", b"reconcile")
    )


def given_up(event: bytes, arrival: Arrival) -> bytes | None:
    """Return the event that FC gave up, if `event` tells of one; None if not, or if that is too old."""
    if b'"requestPayload"' not in event:
        return None
    message: dropped.GivenUp = decode(event, dropped.GivenUp, "")
    parsed = parse(message.event, arrival, ())
    items = parsed.items if isinstance(parsed, Batch) else ()
    is_old = any(isinstance(item, Refused) and item.code == "EventTooOld" for item in items)
    return None if is_old else message.event
