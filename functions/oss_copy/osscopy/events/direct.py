"""Copy requests and reserved actions: a direct invocation, a timer's payload, an HTTP body."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

from osscopy import plan
from osscopy.events.batch import Arrival, Batch, PassedOver, gather
from osscopy.events.jsons import decode, decode_fields, is_list, is_object, unmarked
from osscopy.model import Action, Bulk, BulkRequest, Check, Copy, CopyRequest, Refused, Rule, Sweep
from osscopy.plan import bulk, keys


class _Action(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    action: Literal["sweep", "check", "reconcile"]


def read(
    body: bytes, occurrence: str, moment: datetime, arrival: Arrival, rules: Sequence[Rule]
) -> Batch | Action:
    """Read one request, a list of them, or an action, which comes alone."""
    body = unmarked(body)
    if is_list(body):
        raws = decode(body, list[msgspec.Raw], "")
        return gather(raws, lambda raw, index: [read_request(raw, f"{occurrence}:{index}", moment, arrival)])
    if "action" not in decode_fields(body, ""):
        return Batch((read_request(body, occurrence, moment, arrival),), many=False)
    asked: _Action = decode(body, _Action, "")
    match asked.action:
        case "sweep":
            return Sweep()
        case "check":
            return Check()
        case "reconcile":
            return _reconcile(rules, occurrence, moment, arrival)


def _reconcile(rules: Sequence[Rule], occurrence: str, moment: datetime, arrival: Arrival) -> Batch:
    """Return a job for each rule that copies what events have not told of; others are passed over."""
    found: list[Bulk] = []
    passed: list[PassedOver] = []
    for index, rule in enumerate(rules):
        try:
            request = bulk.sync_of(rule)
            bulk.refuse_wrong(request, moment)
        except Refused as error:
            passed.append(PassedOver("rule", f"COPY_RULES[{index}]: {error.message}"))
            continue
        name = bulk.bulk_id(request, f"{occurrence}:rule{index}")
        origin = msgspec.structs.replace(arrival.origin, within=(rule.within,))
        found.append(Bulk(name, request, arrival.started_at, origin=origin))
    return Batch(tuple(found), many=True, passed=tuple(passed))


def read_request(body: bytes, occurrence: str, moment: datetime, arrival: Arrival) -> Copy | Bulk:
    """Read a request for one copy or many. `occurrence` tells two requests for the same from each other."""
    body = unmarked(body)
    top = _refuse_other_shapes(body)
    if _is_bulk(bytes(top.get("source", b""))):
        return _read_bulk(body, occurrence, moment, arrival)
    asked: CopyRequest = decode(body, CopyRequest, "")
    keys.check_no_address(asked.source.key, "source.key")
    keys.check_no_address(asked.destination.key, "destination.key")
    request = plan.prepare(asked, moment)
    return Copy(plan.job_id(request, occurrence), request, arrival.started_at, origin=arrival.origin)


def _read_bulk(body: bytes, occurrence: str, moment: datetime, arrival: Arrival) -> Bulk:
    """Read a request for many objects; its dates are those of `moment`."""
    asked: BulkRequest = decode(body, BulkRequest, "")
    bulk.refuse_wrong(asked, moment)
    return Bulk(bulk.bulk_id(asked, occurrence), asked, arrival.started_at, origin=arrival.origin)


def _is_bulk(source: bytes) -> bool:
    """Return whether a source names many objects."""
    if not is_object(source):
        return False
    fields = decode_fields(source, "source")
    return not fields.keys().isdisjoint({"prefix", "manifest", "inventory", "report"})


def _refuse_other_shapes(body: bytes) -> dict[str, msgspec.Raw]:
    """Return the fields of a request; refuse reserved actions, rather than call their fields unknown."""
    top = decode_fields(body, "")
    if "action" in top:
        text = "an action comes alone, by a direct event or a timer"
        raise Refused("UnknownField", text, field="action")
    return top
