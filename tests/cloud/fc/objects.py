"""The triggers that objects fire: OSS's own and the one through EventBridge. Which event, and in which words.

It knows no queue: it answers what a trigger would send for an `ObjectEvent`. Shapes: facts.md §3.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone

from functions.cli.template.props import EventBridgeTrigger, OssTrigger
from tests.cloud.events import ObjectEvent


def fires(trigger: OssTrigger, event: ObjectEvent) -> bool:
    """Whether bucket, event name, prefix and suffix match."""
    key = trigger.trigger_config.filter.key
    names = trigger.trigger_config.events
    return (
        trigger.bucket == event.bucket
        and (f"oss:{event.name}" in names or f"oss:{event.name.partition(':')[0]}:*" in names)
        and event.key.startswith(key.prefix)
        and event.key.endswith(key.suffix)
    )


def conflict(one: OssTrigger, other: OssTrigger) -> bool:
    """Whether OSS refuses to have both on one bucket: an event is in both, one prefix begins the other and
    one suffix ends the other (documented for OSS triggers; whose functions they are does not matter).
    """
    first, second = one.trigger_config, other.trigger_config
    a, b = first.filter.key, second.filter.key
    return (
        one.bucket == other.bucket
        and any(_overlap(left, right) for left in first.events for right in second.events)
        and (a.prefix.startswith(b.prefix) or b.prefix.startswith(a.prefix))
        and (a.suffix.endswith(b.suffix) or b.suffix.endswith(a.suffix))
    )


def _overlap(one: str, other: str) -> bool:
    """Whether two event names, of which either may end with `:*`, have an event in common."""
    kind, _, rest = one.rpartition(":")
    other_kind, _, other_rest = other.rpartition(":")
    return kind == other_kind and (rest == other_rest or "*" in (rest, other_rest))


def oss_event(trigger_name: str, events: Iterable[ObjectEvent], region: str, account_id: str) -> bytes:
    """The event of an OSS trigger, one record for each of `events`."""
    return json.dumps(
        {"events": [_record(trigger_name, event, region, account_id) for event in events]}, ensure_ascii=False
    ).encode()


def _record(trigger_name: str, event: ObjectEvent, region: str, account_id: str) -> dict[str, object]:
    return {
        "eventName": event.name,
        "eventSource": "acs:oss",
        "eventTime": _time(event),
        "eventVersion": "1.0",
        "oss": _oss(trigger_name, event, region, account_id),
        "region": region,
        "requestParameters": {"sourceIPAddress": event.source_ip},
        "responseElements": {"requestId": event.request_id},
        "userIdentity": {"principalId": _principal(event)},
    }


def _oss(rule: str, event: ObjectEvent, region: str, account_id: str) -> dict[str, object]:
    return {
        "bucket": {
            "arn": f"acs:oss:{region}:{account_id}:{event.bucket}",
            "name": event.bucket,
            "ownerIdentity": account_id,
            "virtualBucket": "",
        },
        "object": {
            "deltaSize": event.delta_size,
            "eTag": event.etag,
            "key": event.key,
            "size": event.size,
        },
        "ossSchemaVersion": "1.0",
        "ruleId": rule,
    }


def cloud_event(
    event: ObjectEvent, region: str, account_id: str, *, nested: bool = False
) -> dict[str, object]:
    """The same as EventBridge tells it: CloudEvents 1.0; bucket and object stand directly under `data`, or
    `nested` under its `oss`.
    """
    described = _oss("", event, region, account_id)
    return {
        "id": event.request_id,
        "source": "acs.oss",
        "specversion": "1.0",
        "type": f"oss:{event.name}",
        "datacontenttype": "application/json;charset=utf-8",
        "subject": f"acs:oss:{region}:{account_id}:{event.bucket}/{event.key}",
        "time": _time(event),
        "aliyunaccountid": account_id,
        "aliyunregionid": region,
        "aliyuneventbusname": "default",
        "data": {
            "region": region,
            "eventVersion": "1.0",
            "eventSource": "acs:oss",
            "eventName": event.name,
            "eventTime": _time(event),
            "userIdentity": {"principalId": _principal(event)},
            "requestParameters": {"sourceIPAddress": event.source_ip},
            "responseElements": {"requestId": event.request_id},
            "xVars": {},
            **({"oss": described} if nested else described),
        },
    }


def handed_on(trigger: EventBridgeTrigger, event: Mapping[str, object]) -> object:
    """What the function gets of a cloud event: all of it, or with `eventSchema: RawData` its `data` alone."""
    delivery = trigger.trigger_config.event_sink_config.get("deliveryOption")
    is_raw = isinstance(delivery, Mapping) and delivery.get("eventSchema") == "RawData"
    return event["data"] if is_raw else event


def selects(trigger: EventBridgeTrigger, event: Mapping[str, object]) -> bool:
    """Whether the rule's pattern matches: per field a list of values or of {"prefix"} / {"suffix"}."""
    return trigger.trigger_config.trigger_enable and _matches(
        json.loads(trigger.trigger_config.event_rule_filter_pattern), event
    )


def _matches(pattern: object, value: object) -> bool:
    match pattern:
        case dict():
            return isinstance(value, Mapping) and all(
                name in value and _matches(wanted, value[name]) for name, wanted in pattern.items()
            )
        case list():
            return any(_one(wanted, value) for wanted in pattern)
    return pattern == value


def _one(wanted: object, value: object) -> bool:
    match wanted:
        case {"prefix": str(prefix)}:
            return isinstance(value, str) and value.startswith(prefix)
        case {"suffix": str(suffix)}:
            return isinstance(value, str) and value.endswith(suffix)
    return wanted == value


def _time(event: ObjectEvent) -> str:
    moment = datetime.fromtimestamp(event.time, timezone.utc)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def _principal(event: ObjectEvent) -> str:
    """OSS tells the account or role id only, not the whole ARN."""
    return event.principal.rsplit(":", 2)[-2] if event.principal.endswith(":root") else event.principal
