"""Events of the OSS trigger, and the copies that rules make of them. Knows no rule by itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from osscopy import plan
from osscopy.events.batch import Arrival, Batch, Items, PassedOver, gather
from osscopy.events.jsons import decode
from osscopy.model import Copy, CopyRequest, Refused, Remove, Rule
from osscopy.plan import keys

# Names as events have them, without `oss:`.
_WRITES = "PutObject PostObject CopyObject CompleteMultipartUpload AppendObject PutSymlink"
_REPLICATIONS = {"ObjectReplication:ObjectCreated", "ObjectReplication:ObjectModified"}
CREATED = frozenset({f"ObjectCreated:{write}" for write in _WRITES.split()} | _REPLICATIONS)
_NOT_CREATED = {  # names of known events that begin like those
    "ObjectCreated:InitiateMultipartUpload",
    "ObjectCreated:UploadPart",
    "ObjectCreated:UploadPartCopy",
    "ObjectReplication:ObjectRemoved",
}


REMOVED = frozenset(  # what tells of an object that is no more, if any rule follows that
    {
        "ObjectRemoved:DeleteObject",
        "ObjectRemoved:DeleteObjects",
        "ObjectRemoved:DeleteMarkerCreated",
        "ObjectReplication:ObjectRemoved",
    }
)


class _Bucket(msgspec.Struct, frozen=True):
    name: str


class _Object(msgspec.Struct, frozen=True, rename="camel"):
    key: str
    e_tag: str = ""


class OssObject(msgspec.Struct, frozen=True):
    """The object that an event is about."""

    bucket: _Bucket
    object: _Object


class _Elements(msgspec.Struct, frozen=True, rename="camel"):
    request_id: str = ""


class Notice(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """The fields of an event that OSS wrote, whoever sends it."""

    event_name: str
    event_time: str
    event_source: str = "acs:oss"
    response_elements: _Elements = _Elements()


class _Record(Notice, frozen=True, kw_only=True):
    oss: OssObject


def read(raw: msgspec.Raw, arrival: Arrival, rules: Sequence[Rule]) -> Batch:
    """Read the records of an event of the OSS trigger."""
    arrival = arrival.by("oss")

    def read_record(entry: bytes, index: int) -> Items:
        record: _Record = decode(entry, _Record, f"events[{index}]")
        return copies_of(record, record.oss, f"events[{index}].", arrival, rules)

    return gather(decode(bytes(raw), list[msgspec.Raw], "events"), read_record)


def copies_of(notice: Notice, oss: OssObject, at: str, arrival: Arrival, rules: Sequence[Rule]) -> Items:
    """Return the work of an event. Its request id tells two writes of the same bytes from each other."""
    if not is_known(notice.event_name):
        return pass_over(notice.event_name)
    event_id = notice.response_elements.request_id or notice.event_time
    occurrence = f"oss:{event_id}:{notice.event_name}:{oss.object.e_tag}"
    moment = arrival.read_recent(notice.event_time, f"{at}eventTime")
    return apply_rules(notice.event_name, oss, moment, occurrence, arrival, rules)


def is_known(name: str) -> bool:
    """Return whether an event of this name tells of an object that rules copy, or of one that is no more."""
    return name.removeprefix("oss:") in CREATED | REMOVED


def pass_over(name: str) -> Items:
    """Return the name of an unknown event that may have created an object, to be logged; else nothing."""
    known = name.removeprefix("oss:")
    if known.partition(":")[0] in {"ObjectCreated", "ObjectReplication"} and known not in _NOT_CREATED:
        return [PassedOver("event", known[:80])]
    return []


def apply_rules(
    name: str, oss: OssObject, moment: datetime, occurrence: str, arrival: Arrival, rules: Sequence[Rule]
) -> Items:
    """Return what the rules make of one object, one a rule that covers it: a copy, or the end of one."""
    is_gone = name.removeprefix("oss:") in REMOVED
    return [
        item
        for rule in rules
        for item in (_remove if is_gone else _apply_rule)(rule, oss, moment, occurrence, arrival)
    ]


def _remove(rule: Rule, oss: OssObject, moment: datetime, occurrence: str, arrival: Arrival) -> Items:
    """Return the end of the copy of an object, if the rule follows deletions: of a key in each reading."""
    items = _apply_rule(rule, oss, moment, occurrence, arrival) if rule.deletes == "follow" else []
    return [
        Remove(
            each.job,
            each.request,
            arrival.started_at,
            oss.object.e_tag.strip('"'),
            int(moment.timestamp()),
            each.alternatives,
            origin=each.origin,
        )
        for each in items
        if isinstance(each, Copy)
    ]


def _apply_rule(rule: Rule, oss: OssObject, moment: datetime, occurrence: str, arrival: Arrival) -> Items:
    """Return one copy, or the reason for none, or nothing where the rule does not cover the object.

    The likeliest reading of the key comes first, the others are its alternatives. A reading that makes no
    valid request is left out; if none is left, the first reason stands for them. A folder marker that the
    rule skips is passed over.
    """
    readings: list[CopyRequest] = []
    refusals: Items = []
    for reading in keys.readings(oss.object.key):
        if not rule.covers(oss.bucket.name, reading):
            continue
        if reading.endswith("/") and plan.skips_markers(rule):
            refusals.append(PassedOver("marker", reading))
            continue
        try:
            readings.append(plan.prepare(rule.request(reading), moment))
        except Refused as error:
            refusals.append(error)
    if not readings:
        return refusals[:1]
    likeliest, *others = readings
    return [
        Copy(
            plan.job_id(likeliest, occurrence),
            likeliest,
            arrival.started_at,
            tuple(others),
            oss.object.e_tag.strip('"') or None,
            follows=None if rule.overwrite == "never" else 0,
            since=int(moment.timestamp()),
            origin=msgspec.structs.replace(arrival.origin, within=(rule.within,)),
        )
    ]
