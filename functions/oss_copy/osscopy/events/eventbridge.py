"""Events of OSS through EventBridge, as CloudEvents or raw. Knows no rule: `oss` applies them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from osscopy.events.batch import MAX_REQUESTS, Arrival, Batch, Items, gather
from osscopy.events.jsons import decode, decode_fields, is_object
from osscopy.events.oss import Notice, OssObject, apply_rules, copies_of, is_known, pass_over
from osscopy.model import Refused, Rule


class _CloudEvent(msgspec.Struct, frozen=True):
    """CloudEvents 1.0 as EventBridge sends them: `type` and `source` say what `data` is."""

    id: str
    source: str
    type: str
    time: str
    data: msgspec.Raw


class _Nested(msgspec.Struct, frozen=True):
    oss: OssObject


def is_raw(top: Mapping[str, msgspec.Raw]) -> bool:
    """Return whether these are the fields of `data` alone, as `eventSchema: RawData` asks for."""
    return "eventName" in top or "oss" in top or {"bucket", "object"} <= top.keys()


def is_batch(entries: Sequence[msgspec.Raw]) -> bool:
    """Return whether a list holds an event in one of the two forms."""
    tops = (decode_fields(bytes(each), "") for each in entries if is_object(bytes(each)))
    return any("specversion" in top or is_raw(top) for top in tops)


def read(entries: Sequence[msgspec.Raw], arrival: Arrival, rules: Sequence[Rule]) -> Batch:
    """Read one event or a batch of them."""
    if len(entries) > MAX_REQUESTS:
        raise Refused("TooManyRequests", f"{len(entries)} events at once; {MAX_REQUESTS} are taken")

    def read_entry(entry: bytes, index: int) -> Items:
        at = f"[{index}]" if len(entries) > 1 else ""
        top = decode_fields(entry, at)
        read_event = _read_raw if is_raw(top) and "specversion" not in top else _read_cloud_event
        return read_event(entry, at, arrival.by("eventbridge"), rules)

    return gather(entries, read_entry)


def _read_cloud_event(entry: bytes, at: str, arrival: Arrival, rules: Sequence[Rule]) -> Items:
    event: _CloudEvent = decode(entry, _CloudEvent, at)
    prefix = f"{at}." if at else ""
    if event.source != "acs.oss":
        raise Refused(
            "UnknownSource", f"events of {event.source[:80]!r}; known is acs.oss", field=f"{prefix}source"
        )
    if not is_known(event.type):
        return pass_over(event.type)
    oss = _object_in(bytes(event.data), f"{prefix}data")
    moment = arrival.read_recent(event.time, f"{prefix}time")
    return apply_rules(event.type, oss, moment, f"eventbridge:{event.id}", arrival, rules)


def _read_raw(entry: bytes, at: str, arrival: Arrival, rules: Sequence[Rule]) -> Items:
    notice: Notice = decode(entry, Notice, at)
    prefix = f"{at}." if at else ""
    if notice.event_source != "acs:oss":
        text = f"events of {notice.event_source[:80]!r}; known is acs:oss"
        raise Refused("UnknownSource", text, field=f"{prefix}eventSource")
    return copies_of(notice, _object_in(entry, at), prefix, arrival, rules)


def _object_in(data: bytes, at: str) -> OssObject:
    """Read the object, which `data` is or holds as `oss`: sources disagree."""
    is_nested = is_object(data) and "oss" in decode_fields(data, at)
    oss: OssObject = decode(data, _Nested, at).oss if is_nested else decode(data, OssObject, at)
    return oss
