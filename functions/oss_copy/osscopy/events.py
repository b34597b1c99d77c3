"""Bytes of an event to commands, for every trigger: one parse, one failure type (Refused).

Knows event formats and the rules of a request; asks nothing of OSS or FC. What is refused here has had no
effect. Event formats are FC's: OSS trigger, timer trigger, FC 3.0 HTTP trigger; a self-invocation is one more
shape, and can come in by a direct invocation only, since the other shapes never hold one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any, TypeAlias, TypeVar
from urllib.parse import unquote

import msgspec

from osscopy import names, plan
from osscopy.model import (
    Command,
    ContentHeaders,
    Continue,
    Copy,
    CopyRequest,
    Refused,
    Rule,
)

T = TypeVar("T")

VERSION = 1  # of the self-invocation's payload
MAX_ASYNC_PAYLOAD = 128 * 1024  # FC's limit for asynchronous invocations
MAX_REQUESTS = 1000  # in one event
CREATED = frozenset(
    f"ObjectCreated:{operation}"
    for operation in (
        "PutObject",
        "PostObject",
        "CopyObject",
        "CompleteMultipartUpload",
        "AppendObject",
        "PutSymlink",
    )
)

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,200}")
_AT = re.compile(r"(.*?)(?: - at `(?:key in )?\$\.?(.*)`)?", re.DOTALL)
_FIELD = re.compile(r"(?:unknown|required) field `([^`]*)`")


class Arrival(msgspec.Struct, frozen=True):
    """How an event came: the invocation's request id and the time, which name a direct request."""

    request_id: str
    now: datetime

    @property
    def started_at(self) -> str:
        return self.now.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Batch(msgspec.Struct, frozen=True):
    """What an event asks for, one entry a record or request. `many`: the answer is a list of results."""

    items: tuple[Command | Refused, ...]
    many: bool


class HttpCall(msgspec.Struct, frozen=True, rename="camel"):
    """An HTTP request as FC 3.0 hands it to a function; `raw_path` is URL-encoded."""

    request_context: HttpContext
    headers: dict[str, str] = {}
    raw_path: str = "/"
    body: str = ""
    is_base64_encoded: bool = msgspec.field(default=False, name="isBase64Encoded")
    query_parameters: dict[str, str | list[str]] = {}


class HttpLine(msgspec.Struct, frozen=True):
    method: str
    path: str = "/"


class HttpContext(msgspec.Struct, frozen=True, rename="camel"):
    http: HttpLine
    request_id: str = ""
    time_epoch: str = ""


Event: TypeAlias = Batch | HttpCall


# --- self-invocation ---------------------------------------------------------------------------------------


class _Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    command: msgspec.Raw


def encode(command: Command) -> bytes:
    """The payload of a self-invocation; `parse` of it gives `command` back."""
    envelope = {"continuation": _Envelope(VERSION, msgspec.Raw(msgspec.json.encode(command)))}
    payload = msgspec.json.encode(envelope)
    if len(payload) > MAX_ASYNC_PAYLOAD:
        raise Refused(
            "RequestTooLarge", f"the request makes continuations of {len(payload)} bytes; FC takes 131072"
        )
    return payload


def _continuation(raw: msgspec.Raw) -> Command:
    envelope = decode(bytes(raw), _Envelope, "continuation")
    if envelope.version != VERSION:
        raise Refused(
            "UnsupportedVersion",
            f"a continuation of version {envelope.version}; this function reads version {VERSION}",
            field="continuation.version",
        )
    command: Command = decode(bytes(envelope.command), Copy | Continue, "continuation.command")
    if isinstance(command, Continue):
        _check_continue(command)
    check_request(command.request)
    return command


def _check_continue(task: Continue) -> None:
    """Refuse numbers that no hop of ours writes, so that the arithmetic behind can rely on them."""
    upload, pin = task.upload, task.pin
    whole = upload.part_size >= plan.MIN_PART and upload.parts == -(-pin.size // upload.part_size)
    if not (whole and 1 <= upload.parts <= plan.MAX_PARTS and upload.part_size <= plan.MAX_PART):
        raise Refused(
            "InvalidContinuation", "parts and sizes do not fit together", field="continuation.command.upload"
        )
    if not (1 <= upload.lanes <= upload.parts and 1 <= task.lane <= upload.lanes):
        raise Refused("InvalidContinuation", "no such lane", field="continuation.command.lane")
    if task.hop < 1 or task.generation < 0 or task.stalls < 0:
        raise Refused("InvalidContinuation", "numbers start at one", field="continuation.command.hop")


# --- all triggers ------------------------------------------------------------------------------------------


def parse(event: bytes, arrival: Arrival, rules: Sequence[Rule]) -> Event:
    """What `event` asks for; raises Refused if it is none of the known shapes.

    Single records or requests that are refused become entries of the batch, so that they do not stop the
    others.
    """
    if event.lstrip()[:1] == b"[":
        return _requests(event, f"direct:{arrival.request_id}", arrival.now, arrival)
    top = decode(event, dict[str, msgspec.Raw], "")
    if "events" in top:
        return _oss(top["events"], arrival, rules)
    if "requestContext" in top:
        call: HttpCall = decode(event, HttpCall, "")
        return call
    if "triggerName" in top and "payload" in top:
        return _timer(event, arrival)
    if "continuation" in top:
        return Batch((_continuation(top["continuation"]),), many=False)
    return _requests(event, f"direct:{arrival.request_id}", arrival.now, arrival)


class _Timer(msgspec.Struct, frozen=True, rename="camel"):
    trigger_time: str
    trigger_name: str
    payload: str


def _timer(event: bytes, arrival: Arrival) -> Batch:
    timer = decode(event, _Timer, "")
    moment = read_time(timer.trigger_time, "triggerTime")
    occurrence = f"timer:{timer.trigger_name}:{timer.trigger_time}"
    try:
        return _requests(timer.payload.encode(), occurrence, moment, arrival)
    except UnicodeEncodeError:
        raise Refused("InvalidJson", "the payload is not valid Unicode", field="payload") from None


class _Bucket(msgspec.Struct, frozen=True):
    name: str


class _Object(msgspec.Struct, frozen=True, rename="camel"):
    key: str
    e_tag: str = ""


class _Oss(msgspec.Struct, frozen=True):
    bucket: _Bucket
    object: _Object


class _Elements(msgspec.Struct, frozen=True, rename="camel"):
    request_id: str = ""


class _Record(msgspec.Struct, frozen=True, rename="camel"):
    event_name: str
    event_time: str
    oss: _Oss
    response_elements: _Elements = _Elements()


def _oss(raw: msgspec.Raw, arrival: Arrival, rules: Sequence[Rule]) -> Batch:
    items: list[Command | Refused] = []
    for index, each in enumerate(decode(bytes(raw), list[msgspec.Raw], "events")):
        try:
            copy = _record(decode(bytes(each), _Record, f"events[{index}]"), arrival, rules)
        except Refused as error:
            items.append(error)
        else:
            items.extend(copy)
    return Batch(tuple(items), many=True)


def _record(record: _Record, arrival: Arrival, rules: Sequence[Rule]) -> list[Copy]:
    """The copies that the rules make of one record: none if no rule covers the key.

    Whether the trigger sends keys raw or URL-encoded is not documented: the raw reading comes first, the
    unquoted one goes along as its alternative if it is another key.
    """
    if record.event_name not in CREATED:
        return []
    bucket, key = record.oss.bucket.name, record.oss.object.key
    moment = read_time(record.event_time, "eventTime")
    unquoted = unquote(key)
    event_id = record.response_elements.request_id or record.event_time
    occurrence = f"oss:{event_id}:{record.event_name}:{record.oss.object.e_tag}"
    copies: list[Copy] = []
    for rule in rules:
        readings = [
            prepare(rule.request(each), moment)
            for each in dict.fromkeys((key, unquoted))
            if rule.covers(bucket, each)
        ]
        if readings:
            copies.append(
                Copy(
                    job_id(readings[0], occurrence),
                    readings[0],
                    arrival.started_at,
                    alternative=readings[1] if len(readings) > 1 else None,
                    event_etag=record.oss.object.e_tag.strip('"') or None,
                )
            )
    return copies


# --- copy requests -----------------------------------------------------------------------------------------


def _requests(body: bytes, occurrence: str, moment: datetime, arrival: Arrival) -> Batch:
    """One request or a list of them."""
    if body.lstrip()[:1] != b"[":
        return Batch((read_request(body, occurrence, moment, arrival),), many=False)
    raws = decode(body, list[msgspec.Raw], "")
    if len(raws) > MAX_REQUESTS:
        raise Refused("TooManyRequests", f"{len(raws)} requests in one event; {MAX_REQUESTS} are taken")
    items: list[Command | Refused] = []
    for index, raw in enumerate(raws):
        try:
            items.append(read_request(bytes(raw), f"{occurrence}:{index}", moment, arrival))
        except Refused as error:
            items.append(error)
    return Batch(tuple(items), many=True)


def read_request(body: bytes, occurrence: str, moment: datetime, arrival: Arrival) -> Copy:
    """A copy request as JSON. `occurrence` tells this asking from another for the same copy."""
    _refuse_what_is_to_come(body)
    request = prepare(decode(body, CopyRequest, ""), moment)
    return Copy(job_id(request, occurrence), request, arrival.started_at)


def _refuse_what_is_to_come(body: bytes) -> None:
    """Bulk jobs and reserved actions have a shape of their own: say so rather than name an unknown field."""
    top = decode(body, dict[str, msgspec.Raw], "")
    if "action" in top:
        raise Refused("NotAvailable", "actions (sweep, check) are not available yet", field="action")
    source = bytes(top.get("source", b""))
    if source.lstrip()[:1] == b"{":
        for field in ("prefix", "manifest"):
            if field in decode(source, dict[str, msgspec.Raw], "source"):
                raise Refused(
                    "NotAvailable", "copies of many objects are not available yet", field=f"source.{field}"
                )


def job_id(request: CopyRequest, occurrence: str) -> str:
    """`c-` and a hash of the request and its occurrence: a redelivered event is the same job."""
    canonical = msgspec.json.encode([request, occurrence], order="sorted")
    return "c-" + hashlib.sha256(canonical).hexdigest()[:32]


def prepare(request: CopyRequest, moment: datetime) -> CopyRequest:
    """The request with its destination key made and everything checked that needs no OSS."""
    names.check_bucket(request.source.bucket, "source.bucket")
    names.check_key(request.source.key, "source.key")
    key = names.render(request.destination.key, request.source.key, moment)
    final = msgspec.structs.replace(
        request, destination=msgspec.structs.replace(request.destination, key=key)
    )
    check_request(final)
    return final


def check_template(request: CopyRequest) -> None:
    """Refuse a template that is wrong whatever the key is; `request` is a rule's, for any key."""
    prepare(request, datetime(2000, 1, 1, tzinfo=timezone.utc))


def check_request(request: CopyRequest) -> None:
    """Refuse a request whose key is final but that OSS, or we, could not serve."""
    names.check_bucket(request.source.bucket, "source.bucket")
    names.check_key(request.source.key, "source.key")
    names.check_bucket(request.destination.bucket, "destination.bucket")
    names.check_key(request.destination.key, "destination.key")
    if request.archive == "restore":
        raise Refused("NotAvailable", "restoring archived sources is not available yet", field="archive")
    if request.symlinks == "follow":
        raise Refused("NotAvailable", "following symlinks is not available yet", field="symlinks")
    _check_headers(request)
    _check_tuning(request)
    if _changes_nothing(request):
        raise Refused("SelfCopy", "the object would be copied onto itself unchanged", field="destination")


def _check_headers(request: CopyRequest) -> None:
    """Refuse what could not be sent as one header line, or would start another."""
    conditions = msgspec.structs.asdict(request.conditions)
    values = {f"conditions.{_camel(name)}": value for name, value in conditions.items()}
    values["source.versionId"] = request.source.version_id
    if request.encryption is not None:
        values["encryption.keyId"] = request.encryption.key_id
    if isinstance(request.metadata, ContentHeaders):
        content = msgspec.structs.asdict(request.metadata)
        user: dict[str, str] = content.pop("user")
        values |= {f"metadata.{_camel(name)}": value for name, value in content.items()}
        for name, value in user.items():
            if not _TOKEN.fullmatch(name):
                raise Refused("InvalidMetadata", f"{name[:40]!r} is no header name", field="metadata.user")
            values[f"metadata.user.{name}"] = value
    if isinstance(request.tags, dict):
        if len(request.tags) > 10:
            raise Refused("InvalidTag", "an object has at most 10 tags", field="tags")
        for name, value in request.tags.items():
            if not 1 <= len(name) <= 128 or len(value) > 256:
                raise Refused(
                    "InvalidTag", "tag keys have 1 to 128 characters, values up to 256", field="tags"
                )
            values["tags"] = name + value
            _check_text("tags", name + value)
    for field, text in values.items():
        if text is not None:
            _check_text(field, text)


def _check_text(field: str, text: str) -> None:
    if _CONTROL.search(text) or len(text) > 8192:
        raise Refused("InvalidHeader", "control characters or more than 8192 characters", field=field)


def _check_tuning(request: CopyRequest) -> None:
    tuning = request.tuning
    if tuning.part_size is not None:
        asked = plan.byte_size(tuning.part_size)
        if not plan.MIN_PART <= asked <= plan.MAX_PART:
            raise Refused("InvalidPartSize", "a part has 100 KiB to 5 GiB", field="tuning.partSize")
    if tuning.parallel is not None and not 1 <= tuning.parallel <= 512:
        raise Refused("InvalidTuning", "1 to 512 threads", field="tuning.parallel")
    if not 1 <= tuning.lanes <= 100:
        raise Refused("InvalidTuning", "1 to 100 lanes", field="tuning.lanes")
    limit = request.traffic_limit  # bit/s; OSS takes 100 KB/s to 100 MB/s
    if limit and not 819_200 <= limit <= 838_860_800:
        raise Refused("InvalidTrafficLimit", "0, or 819200 to 838860800 bit/s", field="trafficLimit")


def _changes_nothing(request: CopyRequest) -> bool:
    source, destination = request.source, request.destination
    return (
        (source.bucket, source.key) == (destination.bucket, destination.key)
        and source.version_id is None
        and request.metadata == "copy"
        and request.tags == "copy"
        and request.storage_class == "keep"
        and request.acl == "default"
        and request.encryption is None
    )


# --- JSON --------------------------------------------------------------------------------------------------


def decode(data: bytes, kind: Any, at: str) -> Any:  # noqa: ANN401 - msgspec takes any type and returns it
    """`data` as `kind`; Refused names the field, below `at` if that is given."""
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        found = _AT.fullmatch(str(error))
        text, path = (found[1], found[2]) if found else (str(error), "")
        named = _FIELD.search(text)
        field = ".".join(filter(None, (at, path, named and named[1])))
        code = "UnknownField" if "unknown field" in text else "MissingField" if named else "InvalidField"
        raise Refused(code, text[:300], field=field or None) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused("InvalidJson", f"not JSON: {str(error)[:200]}", field=at or None) from None


def read_time(text: str, field: str) -> datetime:
    """An ISO 8601 moment; one without a time zone is UTC."""
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise Refused("InvalidTime", f"{text[:40]!r} is not ISO 8601", field=field) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)
