"""Bytes of an event to commands, for every trigger: one parse, one failure type (Refused).

Knows event formats and the rules of a request; asks nothing of OSS or FC. What is refused here has had no
effect. Event formats are FC's: OSS trigger, OSS through EventBridge (CloudEvents), timer trigger, FC 3.0 HTTP
trigger; a self-invocation is one more shape, and can come in by a direct invocation only, since the other
shapes never hold one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, Literal, TypeAlias, TypeVar
from urllib.parse import unquote

import msgspec

from osscopy import plan
from osscopy.model import (
    Action,
    Check,
    Command,
    ContentHeaders,
    Continue,
    Copy,
    CopyRequest,
    Dropped,
    Encryption,
    Head,
    Ping,
    Refused,
    Rest,
    Rule,
    Source,
    Sweep,
)
from osscopy.plan import keys

T = TypeVar("T")

VERSION = 2  # of the self-invocation's payload
_READ = frozenset(
    {1, VERSION}
)  # 1: an encryption of null was the destination bucket's, as it still is on record
MAX_ASYNC_PAYLOAD = 128 * 1024  # FC's limit for asynchronous invocations
MAX_REQUESTS = 1000  # in one event
WRITTEN = frozenset(  # by a request for that object
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
REPLICATED = frozenset({"ObjectReplication:ObjectCreated", "ObjectReplication:ObjectModified"})
CREATED = WRITTEN | REPLICATED  # what is copied; names as events have them, without `oss:`
PASSED = frozenset(  # known, and no new object
    {
        "ObjectCreated:InitiateMultipartUpload",
        "ObjectCreated:UploadPart",
        "ObjectCreated:UploadPartCopy",
        "ObjectReplication:ObjectRemoved",
    }
)
CREATING = frozenset({"ObjectCreated", "ObjectReplication"})  # what stands before the colon

# Patterns without anchors, of the whole text; the OpenAPI document is made of the same ones.
JOB = r"c-[0-9a-f]{32}"
LIST = r"l-[0-9a-f]{32}"
HEADER_NAME = r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,200}"  # a header's name
USER_NAME = r"[A-Za-z0-9-]{1,200}"  # what OSS takes as a name of user metadata
META, HEADERS = "x-oss-meta-", "x-oss-"  # how names of headers begin, in any case: no names of user metadata
ELSEWHERE = {  # names of headers, in any case, and the field that is meant
    "cache-control": "metadata.cacheControl",
    "content-disposition": "metadata.contentDisposition",
    "content-encoding": "metadata.contentEncoding",
    "content-language": "metadata.contentLanguage",
    "content-type": "metadata.contentType",
    "expires": "metadata.expires",
    "x-oss-object-acl": "acl",
    "x-oss-server-side-data-encryption": "encryption",
    "x-oss-server-side-encryption": "encryption",
    "x-oss-server-side-encryption-key-id": "encryption",
    "x-oss-storage-class": "storageClass",
    "x-oss-tagging": "tags",
}
LINE = r"(?:[^\x00-\x20\x7f](?:[^\x00-\x1f\x7f]*[^\x00-\x20\x7f])?)?"  # a header's value, spaces inside only
VISIBLE = r"[!-~](?:[ -~]*[!-~])?"  # the same in ASCII, for headers that are no user's text
VERSION_ID = r"[A-Za-z0-9._~-]{1,1024}"  # it becomes part of a query string
HTTP_DATE = (
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (?:0[1-9]|[12][0-9]|3[01]) "
    r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [0-9]{4} "
    r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9] GMT"
)
MAX_LINE = 8192  # characters of a header's value
MAX_TAGS, MAX_TAG_KEY, MAX_TAG_VALUE = 10, 128, 256
MAX_PARALLEL, MAX_LANES = 512, 100
MIN_TRAFFIC, MAX_TRAFFIC = 819_200, 838_860_800  # bit/s; OSS takes 100 KB/s to 100 MB/s

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_AT = re.compile(r"(.*?)(?: - at `(?:key in )?\$\.?(.*)`)?", re.DOTALL)
_FIELD = re.compile(r"(?:unknown|required) field `([^`]*)`")


class Arrival(msgspec.Struct, frozen=True):
    """How an event came: the invocation's request id and the time, which name a direct request."""

    request_id: str
    now: datetime

    @property
    def started_at(self) -> str:
        return self.now.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class PassedOver(msgspec.Struct, frozen=True):
    """What an event tells of and nothing is done about.

    A folder marker that its rule skips, by its key, or an event that may have created an object, and that
    nobody knows yet, by its name.
    """

    why: Literal["marker", "event"]
    what: str


class Batch(msgspec.Struct, frozen=True):
    """What an event asks for, one entry a record or request. `many`: the answer is a list of results."""

    items: tuple[Command | Refused, ...]
    many: bool
    passed: tuple[PassedOver, ...] = ()


class HttpCall(msgspec.Struct, frozen=True, rename="camel"):
    """An HTTP request as FC 3.0 hands it to a function; `raw_path` is URL-encoded.

    Header names come as sent or as Go writes them, and a parameter that was repeated as a list or as its
    values joined by commas: ask with `header`, `query` and `segments`, which know.
    """

    request_context: HttpContext
    headers: dict[str, str] = {}
    raw_path: str = "/"
    body: str = ""
    is_base64_encoded: bool = msgspec.field(default=False, name="isBase64Encoded")
    query_parameters: dict[str, str | list[str]] = {}

    def header(self, name: str) -> str | None:
        """The header's value whatever its name's case; if it was sent twice, both, as HTTP joins them."""
        values = [value for sent, value in self.headers.items() if sent.lower() == name.lower()]
        return ", ".join(values) if values else None

    def query(self, name: str) -> tuple[str, ...]:
        """The values of a query parameter in their order; empty if it was not sent."""
        found = self.query_parameters.get(name, ())
        return (found,) if isinstance(found, str) else tuple(found)

    @property
    def segments(self) -> tuple[str, ...]:
        """The path's segments, each decoded alone: `%2F` is a character of its segment, not a border."""
        return tuple(unquote(segment) for segment in self.raw_path.lstrip("/").split("/"))


class HttpLine(msgspec.Struct, frozen=True):
    method: str
    path: str = "/"


class HttpContext(msgspec.Struct, frozen=True, rename="camel"):
    http: HttpLine
    request_id: str = ""
    time_epoch: str = ""


Event: TypeAlias = Batch | HttpCall | Action | Dropped | Ping | Rest
Items: TypeAlias = list[Command | Refused | PassedOver]


# --- self-invocation ---------------------------------------------------------------------------------------


class _Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    command: msgspec.Raw


def encode(command: Command | Sweep | Ping | Rest) -> bytes:
    """The payload of a self-invocation; `parse` of it gives `command` back."""
    envelope = {"continuation": _Envelope(VERSION, msgspec.Raw(msgspec.json.encode(command)))}
    payload = msgspec.json.encode(envelope)
    if len(payload) > MAX_ASYNC_PAYLOAD:
        raise Refused(
            "RequestTooLarge", f"the request makes continuations of {len(payload)} bytes; FC takes 131072"
        )
    return payload


class _Start(msgspec.Struct, frozen=True, rename="camel", tag_field="step", tag="start"):
    """What every version reads of a copy to begin: its job, and the request, whose form is the contract."""

    job: str
    request: CopyRequest
    started_at: str
    alternatives: tuple[CopyRequest, ...] = ()
    event_etag: str | None = None
    keep: bool = False
    follows: int | None = None


def _with_alternatives(command: bytes) -> bytes:
    """The command as it is written now: a copy used to have one `alternative`, or null."""
    if b'"alternative"' not in command:
        return command
    fields = decode(command, dict[str, msgspec.Raw], "continuation.command")
    if "alternative" in fields:
        one = bytes(fields.pop("alternative"))
        fields["alternatives"] = msgspec.Raw(b"[]" if one == b"null" else b"[" + one + b"]")
    return msgspec.json.encode(fields)


def _of_another_version(envelope: _Envelope) -> Copy:
    """A copy to begin, which may be on no record yet. Refused for the rest: the sweep goes on with that."""
    try:
        start = msgspec.json.decode(envelope.command, type=_Start)
    except msgspec.MsgspecError as error:
        raise Refused(
            "UnsupportedVersion",
            f"a continuation of version {envelope.version}; this function reads version {VERSION}",
            field="continuation.version",
        ) from error
    return Copy(**{name: getattr(start, name) for name in _Start.__struct_fields__})


def _continuation(raw: msgspec.Raw) -> Command | Sweep | Ping | Rest:
    envelope: _Envelope = decode(bytes(raw), _Envelope, "continuation")
    body = _with_alternatives(bytes(envelope.command))
    envelope = msgspec.structs.replace(envelope, command=msgspec.Raw(body))
    command: Command | Sweep | Ping | Rest
    if envelope.version in _READ:
        command = decode(body, Copy | Continue | Sweep | Ping | Rest, "continuation.command")
    else:
        command = _of_another_version(envelope)
    if isinstance(command, Sweep | Ping):
        return command
    if isinstance(command, Rest):
        _check_whole(LIST, command.list, "InvalidContinuation", "continuation.command.list")
        return command
    _check_whole(JOB, command.job, "InvalidContinuation", "continuation.command.job")
    if isinstance(command, Continue):
        _check_continue(command)
    else:
        for reading in command.alternatives:
            check_request(reading)
    check_request(command.request)
    return command


def _check_continue(task: Continue) -> None:
    """Refuse numbers that no hop of ours writes, so that the arithmetic behind can rely on them."""
    upload, pin = task.upload, task.pin
    for field, text in {"pin.etag": pin.etag, "upload.id": upload.id}.items():
        _check_whole(VISIBLE, text, "InvalidContinuation", f"continuation.command.{field}")
    if pin.version_id is not None:
        _check_whole(VERSION_ID, pin.version_id, "InvalidContinuation", "continuation.command.pin.versionId")
    whole = upload.part_size >= plan.MIN_PART and upload.parts == -(-pin.size // upload.part_size)
    if not (whole and 1 <= upload.parts <= plan.MAX_PARTS and upload.part_size <= plan.MAX_PART):
        raise Refused(
            "InvalidContinuation", "parts and sizes do not fit together", field="continuation.command.upload"
        )
    if not (1 <= upload.lanes <= upload.parts and 1 <= task.lane <= upload.lanes):
        raise Refused("InvalidContinuation", "no such lane", field="continuation.command.lane")
    if task.hop < 1 or min(task.generation, task.stalls, task.excused, task.gone_at) < 0:
        raise Refused("InvalidContinuation", "numbers start at one", field="continuation.command.hop")


# --- all triggers ------------------------------------------------------------------------------------------


def is_http(event: bytes) -> bool:
    """Whether `event`, which could not be read, seems to be the HTTP trigger's."""
    return b'"requestContext"' in event and b'"requestPayload"' not in event


def needs_rules(event: bytes) -> bool:
    """Whether `event` may be one of OSS: a cheap look, for rules that have to be fetched first."""
    return not is_http(event) and any(each in event for each in (b"events", b"specversion", b"eventName"))


def parse(event: bytes, arrival: Arrival, rules: Sequence[Rule]) -> Event:
    """What `event` asks for; raises Refused if it is none of the known shapes.

    Single records or requests that are refused become entries of the batch, so that they do not stop the
    others.
    """
    event = unmarked(event)
    if event.lstrip()[:1] == b"[":
        entries = decode(event, list[msgspec.Raw], "")
        if any(_is_bridged(bytes(entry)) for entry in entries):
            return _bridged(entries, arrival, rules)
        return _requests(event, f"direct:{arrival.request_id}", arrival.now, arrival)
    top = decode(event, dict[str, msgspec.Raw], "")
    if "specversion" in top:
        return _bridged([msgspec.Raw(event)], arrival, rules)
    if "events" in top:
        return _oss(top["events"], arrival, rules)
    if "requestPayload" in top:
        return _dropped(event, arrival, rules)
    if "requestContext" in top:
        call: HttpCall = decode(event, HttpCall, "")
        return call
    if "triggerName" in top and "payload" in top:
        return _timer(event, arrival)
    if "continuation" in top:
        command = _continuation(top["continuation"])
        return command if isinstance(command, Sweep | Ping | Rest) else Batch((command,), many=False)
    if _is_raw(top):
        return _bridged([msgspec.Raw(event)], arrival, rules)
    return _requests(event, f"direct:{arrival.request_id}", arrival.now, arrival)


class _Failure(msgspec.Struct, frozen=True, rename="camel"):
    condition: str = ""
    request_id: str = ""


class _GivenUp(msgspec.Struct, frozen=True, rename="camel"):
    """What FC sends to an on-failure destination (documented as "result callback")."""

    request_context: _Failure
    request_payload: str


def _dropped(event: bytes, arrival: Arrival, rules: Sequence[Rule]) -> Dropped:
    """The commands of an event that FC gave up; none if it was itself news of one, so that nothing loops."""
    given_up: _GivenUp = decode(event, _GivenUp, "")
    context = given_up.request_context
    # the same request id makes the same jobs of it
    then = Arrival(context.request_id, arrival.now)
    try:
        parsed = parse(given_up.request_payload.encode(), then, rules)
    except Refused:
        parsed = Batch((), many=True)
    if isinstance(parsed, Rest):
        return Dropped((parsed,), context.condition, context.request_id)
    items = parsed.items if isinstance(parsed, Batch) else ()
    commands = tuple(item for item in items if not isinstance(item, Refused))
    return Dropped(commands, context.condition, context.request_id)


def given_up(event: bytes, arrival: Arrival) -> bytes | None:
    """The event that FC gave up, if `event` tells of one; None if not, or if it is too old by now."""
    if b'"requestPayload"' not in event:
        return None
    news: _GivenUp = decode(event, _GivenUp, "")
    payload = news.request_payload.encode()
    parsed = parse(payload, arrival, ())
    items = parsed.items if isinstance(parsed, Batch) else ()
    is_old = any(isinstance(item, Refused) and item.code == "EventTooOld" for item in items)
    return None if is_old else payload


class _Timer(msgspec.Struct, frozen=True, rename="camel"):
    trigger_time: str
    trigger_name: str
    payload: str


def _timer(event: bytes, arrival: Arrival) -> Batch | Action:
    timer = decode(event, _Timer, "")
    moment = _recent(timer.trigger_time, "triggerTime", arrival)
    occurrence = f"timer:{timer.trigger_name}:{timer.trigger_time}"
    try:
        asked = _requests(timer.payload.encode(), occurrence, moment, arrival)
    except UnicodeEncodeError:
        raise Refused("InvalidJson", "the payload is not valid Unicode", field="payload") from None
    since = int(moment.timestamp()) - plan.CLOCK_MARGIN
    return (
        Batch(tuple(_since(item, since) for item in asked.items), asked.many)
        if isinstance(asked, Batch)
        else asked
    )


def _since(item: Command | Refused, since: int) -> Command | Refused:
    return msgspec.structs.replace(item, since=since) if isinstance(item, Copy) else item


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


class _Told(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """What OSS says of an event, whoever hands it on."""

    event_name: str
    event_time: str
    event_source: str = "acs:oss"
    response_elements: _Elements = _Elements()


class _Record(_Told, frozen=True, kw_only=True):
    oss: _Oss


def _batch(found: Items) -> Batch:
    items = tuple(each for each in found if not isinstance(each, PassedOver))
    return Batch(items, many=True, passed=tuple(each for each in found if isinstance(each, PassedOver)))


def _oss(raw: msgspec.Raw, arrival: Arrival, rules: Sequence[Rule]) -> Batch:
    items: Items = []
    for index, each in enumerate(decode(bytes(raw), list[msgspec.Raw], "events")):
        at = f"events[{index}]"
        try:
            record: _Record = decode(bytes(each), _Record, at)
            items += _recorded(record, record.oss, f"{at}.", arrival, rules)
        except Refused as error:
            items.append(error)
    return _batch(items)


def _recorded(told: _Told, oss: _Oss, at: str, arrival: Arrival, rules: Sequence[Rule]) -> Items:
    """What an event makes. Its request tells one write from the next, also where the bytes are the same."""
    if told.event_name.removeprefix("oss:") not in CREATED:
        return _not_created(told.event_name)
    event_id = told.response_elements.request_id or told.event_time
    occurrence = f"oss:{event_id}:{told.event_name}:{oss.object.e_tag}"
    return _by_rules(oss, _recent(told.event_time, f"{at}eventTime", arrival), occurrence, arrival, rules)


def _not_created(name: str) -> Items:
    """Nothing, but for an event that may have created an object and that nobody knows."""
    known = name.removeprefix("oss:")
    if known.partition(":")[0] in CREATING and known not in PASSED:
        return [PassedOver("event", known[:80])]
    return []


class _CloudEvent(msgspec.Struct, frozen=True):
    """CloudEvents 1.0 as EventBridge sends them: `type` and `source` say what `data` is."""

    id: str
    source: str
    type: str
    time: str
    data: msgspec.Raw


class _Nested(msgspec.Struct, frozen=True):
    oss: _Oss


def _is_raw(top: Mapping[str, msgspec.Raw]) -> bool:
    """Whether this is what EventBridge hands on with `eventSchema: RawData`: the `data` of an event alone."""
    return "eventName" in top or "oss" in top or {"bucket", "object"} <= top.keys()


def _is_bridged(entry: bytes) -> bool:
    if entry.lstrip()[:1] != b"{":
        return False
    top = decode(entry, dict[str, msgspec.Raw], "")
    return "specversion" in top or _is_raw(top)


def _bridged(entries: Sequence[msgspec.Raw], arrival: Arrival, rules: Sequence[Rule]) -> Batch:
    """One event of EventBridge or a batch of them; the rules are those of the OSS trigger."""
    if len(entries) > MAX_REQUESTS:
        raise Refused("TooManyRequests", f"{len(entries)} events at once; {MAX_REQUESTS} are taken")
    items: Items = []
    for index, each in enumerate(entries):
        at = f"[{index}]" if len(entries) > 1 else ""
        try:
            top = decode(bytes(each), dict[str, msgspec.Raw], at)
            read = _raw_event if _is_raw(top) and "specversion" not in top else _cloud_event
            items += read(bytes(each), at, arrival, rules)
        except Refused as error:
            items.append(error)
    return _batch(items)


def _cloud_event(entry: bytes, at: str, arrival: Arrival, rules: Sequence[Rule]) -> Items:
    event: _CloudEvent = decode(entry, _CloudEvent, at)
    prefix = f"{at}." if at else ""
    if event.source != "acs.oss":
        raise Refused(
            "UnknownSource", f"events of {event.source[:80]!r}; known is acs.oss", field=f"{prefix}source"
        )
    if event.type.removeprefix("oss:") not in CREATED:
        return _not_created(event.type)
    oss = _of_data(bytes(event.data), f"{prefix}data")
    moment = _recent(event.time, f"{prefix}time", arrival)
    return _by_rules(oss, moment, f"eventbridge:{event.id}", arrival, rules)


def _raw_event(entry: bytes, at: str, arrival: Arrival, rules: Sequence[Rule]) -> Items:
    told: _Told = decode(entry, _Told, at)
    prefix = f"{at}." if at else ""
    if told.event_source != "acs:oss":
        text = f"events of {told.event_source[:80]!r}; known is acs:oss"
        raise Refused("UnknownSource", text, field=f"{prefix}eventSource")
    return _recorded(told, _of_data(entry, at), prefix, arrival, rules)


def _of_data(data: bytes, at: str) -> _Oss:
    """`data` is what an OSS trigger has as `oss`, or holds it under that name: sources disagree."""
    is_nested = data.lstrip()[:1] == b"{" and "oss" in decode(data, dict[str, msgspec.Raw], at)
    oss: _Oss = decode(data, _Nested, at).oss if is_nested else decode(data, _Oss, at)
    return oss


def _by_rules(oss: _Oss, moment: datetime, occurrence: str, arrival: Arrival, rules: Sequence[Rule]) -> Items:
    """What the rules make of one created object, one entry a rule that covers it: none if no rule does.

    The likeliest reading of its key comes first, the others go along as its alternatives. A reading that no
    copy can be made of is none; if there is no other, that is the rule's entry. A folder marker that the rule
    skips is passed over.
    """
    bucket, key, etag = oss.bucket.name, oss.object.key, oss.object.e_tag.strip('"')
    items: Items = []
    for rule in rules:
        readings: list[CopyRequest] = []
        refusals: list[Refused | PassedOver] = []
        for reading in keys.readings(key):
            if not rule.covers(bucket, reading):
                continue
            if reading.endswith("/") and skips_markers(rule):
                refusals.append(PassedOver("marker", reading))
            else:
                try:
                    readings.append(prepare(rule.request(reading), moment))
                except Refused as error:
                    refusals.append(error)
        if readings:
            job = job_id(readings[0], occurrence)
            alternatives = tuple(readings[1:])
            follows = None if rule.overwrite == "never" else 0
            items.append(
                Copy(
                    job,
                    readings[0],
                    arrival.started_at,
                    alternatives,
                    etag or None,
                    follows=follows,
                    since=int(moment.timestamp()),
                )
            )
        else:
            items += refusals[:1]
    return items


# --- copy requests -----------------------------------------------------------------------------------------


def _requests(body: bytes, occurrence: str, moment: datetime, arrival: Arrival) -> Batch | Action:
    """One request, a list of them, or an action."""
    body = unmarked(body)
    if body.lstrip()[:1] != b"[":
        if (action := _action(body)) is not None:
            return action
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


class _Action(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    action: Literal["sweep", "check"]


def _action(body: bytes) -> Action | None:
    """A reserved action, which comes alone by a direct event or a timer; None if this is none."""
    if "action" not in decode(body, dict[str, msgspec.Raw], ""):
        return None
    asked: _Action = decode(body, _Action, "")
    match asked.action:
        case "sweep":
            return Sweep()
        case "check":
            return Check()


def read_request(body: bytes, occurrence: str, moment: datetime, arrival: Arrival) -> Copy:
    """A copy request as JSON. `occurrence` tells this asking from another for the same copy."""
    body = unmarked(body)
    _refuse_what_is_to_come(body)
    asked: CopyRequest = decode(body, CopyRequest, "")
    keys.check_no_address(asked.source.key, "source.key")
    keys.check_no_address(asked.destination.key, "destination.key")
    request = prepare(asked, moment)
    return Copy(job_id(request, occurrence), request, arrival.started_at)


def _refuse_what_is_to_come(body: bytes) -> None:
    """Bulk jobs and reserved actions have a shape of their own: say so rather than name an unknown field."""
    top = decode(body, dict[str, msgspec.Raw], "")
    if "action" in top:
        text = "an action comes alone, by a direct event or a timer"
        raise Refused("UnknownField", text, field="action")
    source = bytes(top.get("source", b""))
    if source.lstrip()[:1] == b"{":
        for field in ("prefix", "manifest"):
            if field in decode(source, dict[str, msgspec.Raw], "source"):
                raise Refused(
                    "NotAvailable", "copies of many objects are not available yet", field=f"source.{field}"
                )


def job_id(request: CopyRequest, occurrence: str) -> str:
    """`c-` and a hash of the request and its occurrence: a redelivered event is the same job.

    The first of its 32 hex digits are a hash of the destination alone (`names.job_group`).
    """
    canonical = msgspec.json.encode([request, occurrence], order="sorted")
    group = keys.job_group(request)
    return group + hashlib.sha256(canonical).hexdigest()[: 34 - len(group)]


def prepare(request: CopyRequest, moment: datetime) -> CopyRequest:
    """The request with its destination key made and everything checked that needs no OSS.

    What was begun under looser rules is to be finished all the same: so these are no part of `check_request`,
    which judges continuations too.
    """
    keys.check_bucket(request.source.bucket, "source.bucket")
    keys.check_key(request.source.key, "source.key")
    key = keys.render(request.destination.key, request.source.key, moment)
    final = msgspec.structs.replace(
        request,
        destination=msgspec.structs.replace(request.destination, key=key),
        encryption="keep" if request.encryption is None else request.encryption,
    )
    check_request(final)
    if isinstance(final.metadata, ContentHeaders):
        for name in final.metadata.user:
            _check_user_name(name)
    if key.endswith("/") and not final.source.key.endswith("/"):
        text = f"{key[-80:]!r} ends with a slash, which is how folder markers are named: add {{name}}"
        raise Refused("InvalidKey", text, field="destination.key")
    return final


def _check_user_name(name: str) -> None:
    """Refuse a name of user metadata that OSS does not take, or that means another field."""
    field, known = f"metadata.user.{name[:40]}", name.lower()
    if not re.fullmatch(USER_NAME, name):
        text = f"{name[:40]!r} is no name of user metadata: letters, digits and - only, 200 at most"
        raise Refused("InvalidMetadata", text, field=field)
    if known.startswith(META):
        text = f"names are written without {META}: write {name[len(META) :]!r}"
        raise Refused("InvalidMetadata", text, field=field)
    if known in ELSEWHERE or known.startswith(HEADERS):
        there = f": that is the field {ELSEWHERE[known]}" if known in ELSEWHERE else ""
        text = f"{name[:40]} is a header of its own and no user metadata{there}"
        raise Refused("InvalidMetadata", text, field=field)


def skips_markers(rule: Rule) -> bool:
    """Whether folder markers are passed over: if the rule says so, or would copy them all to one key."""
    if rule.markers is None:
        return not keys.keeps_markers_apart(rule.destination.key)
    return rule.markers == "skip"


def check_rule(rule: Rule) -> None:
    """Refuse a rule whose options or template are wrong whatever the key is."""
    if rule.markers == "copy" and not keys.keeps_markers_apart(rule.destination.key):
        text = (
            "all folder markers would be copied to one key: write {key} or {dir} in destination.key, or skip"
        )
        raise Refused("InvalidField", text, field="markers")
    keys.check_no_address(rule.source.prefix, "source.prefix")
    keys.check_no_address(rule.destination.key, "destination.key")
    example = f"{rule.source.prefix}folder/example{rule.source.suffix}"
    prepare(rule.request(example), datetime(2000, 1, 1, tzinfo=timezone.utc))


def check_request(request: CopyRequest) -> None:
    """Refuse a request whose key is final but that OSS, or we, could not serve."""
    keys.check_bucket(request.source.bucket, "source.bucket")
    keys.check_key(request.source.key, "source.key")
    keys.check_bucket(request.destination.bucket, "destination.bucket")
    keys.check_key(request.destination.key, "destination.key")
    _check_headers(request)
    _check_tuning(request)
    if _changes_nothing(request):
        raise Refused("SelfCopy", "the object would be copied onto itself unchanged", field="destination")


def check_found(request: CopyRequest, head: Head) -> None:
    """Refuse a copy onto itself by version id that HEAD shows to be of a bucket without versions.

    There `null` names the object itself; with versions it may be an older one that is to be the newest again.
    """
    itself = msgspec.structs.replace(request, source=Source(request.source.bucket, request.source.key))
    if request.source.version_id == "null" and head.version_id is None and _changes_nothing(itself):
        text = "the object would be copied onto itself unchanged: its bucket has no versions"
        raise Refused("SelfCopy", text, field="source.versionId")


def _check_headers(request: CopyRequest) -> None:
    """Refuse what could not be sent as one header line, or would start another."""
    for name, value in msgspec.structs.asdict(request.conditions).items():
        if value is not None:
            pattern = HTTP_DATE if name.endswith("since") else VISIBLE
            _check_whole(pattern, value, "InvalidHeader", f"conditions.{_camel(name)}")
    if request.source.version_id is not None:
        _check_whole(VERSION_ID, request.source.version_id, "InvalidVersionId", "source.versionId")
    if isinstance(request.encryption, Encryption):
        _check_encryption(request.encryption)
    if isinstance(request.metadata, ContentHeaders):
        _check_metadata(request.metadata)
    if isinstance(request.tags, dict):
        _check_tags(request.tags)


def _check_encryption(asked: Encryption) -> None:
    """Refuse what OSS would drop without a word: it keeps a key and a data encryption with KMS alone."""
    for field, value in (("keyId", asked.key_id), ("dataEncryption", asked.data_encryption)):
        if value is not None and asked.algorithm != "KMS":
            text = (
                f"goes with the algorithm KMS only: leave it out, or choose KMS instead of {asked.algorithm}"
            )
            raise Refused("InvalidEncryption", text, field=f"encryption.{field}")
    if asked.key_id is not None:
        _check_whole(VISIBLE, asked.key_id, "InvalidHeader", "encryption.keyId")


def _check_metadata(metadata: ContentHeaders) -> None:
    content = msgspec.structs.asdict(metadata)
    user: dict[str, str] = content.pop("user")
    for name, value in content.items():
        if value is not None:
            _check_whole(LINE, value, "InvalidHeader", f"metadata.{_camel(name)}")
    for name, value in user.items():
        if not re.fullmatch(HEADER_NAME, name):
            text = f"{name[:40]!r} is no name of user metadata: letters, digits and - only, 200 at most"
            raise Refused("InvalidMetadata", text, field=f"metadata.user.{name[:40]}")
        _check_whole(LINE, value, "InvalidHeader", f"metadata.user.{name}")
    if len({name.lower() for name in user}) < len(user):
        raise Refused("InvalidMetadata", "one name twice: OSS ignores their case", field="metadata.user")


def _check_tags(tags: dict[str, str]) -> None:
    if len(tags) > MAX_TAGS:
        raise Refused("InvalidTag", f"an object has at most {MAX_TAGS} tags", field="tags")
    for name, value in tags.items():
        if not 1 <= len(name) <= MAX_TAG_KEY or len(value) > MAX_TAG_VALUE:
            text = f"tag keys have 1 to {MAX_TAG_KEY} characters, values up to {MAX_TAG_VALUE}"
            raise Refused("InvalidTag", text, field="tags")
        if _CONTROL.search(name + value):
            raise Refused("InvalidTag", "control characters in a tag", field="tags")


FORMS = {
    LINE: "a header's value has no control characters and no space at its ends",
    VISIBLE: "visible ASCII characters, with spaces between them at most",
    HTTP_DATE: "a date looks like Sun, 22 Nov 2026 10:00:00 GMT",
    VERSION_ID: "a version id has letters, digits and . _ ~ - only",
    LIST: "a list looks like l-0123456789abcdef0123456789abcdef",
    JOB: "a job looks like c-0123456789abcdef0123456789abcdef",
}


def _check_whole(pattern: str, text: str, code: str, field: str) -> None:
    if len(text) > MAX_LINE or not re.fullmatch(pattern, text):
        raise Refused(code, f"{FORMS[pattern]}, and {MAX_LINE} characters at most", field=field)


def _check_tuning(request: CopyRequest) -> None:
    tuning = request.tuning
    if tuning.part_size is not None:
        asked = plan.byte_size(tuning.part_size)
        if not plan.MIN_PART <= asked <= plan.MAX_PART:
            raise Refused("InvalidPartSize", "a part has 100 KiB to 5 GiB", field="tuning.partSize")
    if tuning.parallel is not None and not 1 <= tuning.parallel <= MAX_PARALLEL:
        raise Refused("InvalidTuning", f"1 to {MAX_PARALLEL} threads", field="tuning.parallel")
    if not 1 <= tuning.lanes <= MAX_LANES:
        raise Refused("InvalidTuning", f"1 to {MAX_LANES} lanes", field="tuning.lanes")
    limit = request.traffic_limit
    if limit and not MIN_TRAFFIC <= limit <= MAX_TRAFFIC:
        text = f"0, or {MIN_TRAFFIC} to {MAX_TRAFFIC} bit/s"
        raise Refused("InvalidTrafficLimit", text, field="trafficLimit")


def _changes_nothing(request: CopyRequest) -> bool:
    return (
        request.is_onto_itself
        and request.source.version_id is None
        and request.metadata == "copy"
        and request.tags == "copy"
        and request.storage_class == "keep"
        and request.acl == "default"
        and request.encryption in {"keep", None}
    )


# --- JSON --------------------------------------------------------------------------------------------------


def unmarked(text: bytes) -> bytes:
    """`text` without the byte order mark that some editors write before UTF-8."""
    return text.removeprefix(b"\xef\xbb\xbf")


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
        raise Refused(code, _explained(text, data, kind, path), field=field or None) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused("InvalidJson", f"not JSON: {str(error)[:200]}", field=at or None) from None


def _explained(text: str, data: bytes, kind: Any, path: str) -> str:  # noqa: ANN401 - as for `decode`
    """`text` of msgspec, and what is known instead of a value, or how an address is written."""
    is_unknown = text.startswith("Invalid enum value")
    if not is_unknown and "got `str`" not in text:
        return text[:300]
    from osscopy.events import choices  # noqa: PLC0415 - start-up time that only a refusal needs

    if is_unknown:
        return f"{text[:200]}; known are {', '.join(choices.at(kind, path))}"
    given = choices.given(data, path) if path else None
    if not isinstance(given, str) or not keys.is_address(given):
        return text[:300]
    fields = choices.fields(kind, path)
    if fields[:2] in (["bucket", "key"], ["bucket", "prefix"]):
        parts = zip(fields, keys.split_address(given), strict=False)
        form = msgspec.json.encode({name: value for name, value in parts if value}).decode()
        return f"an object is taken here, no address: write {form[:1200]}"
    return text[:300]


def read_time(text: str, field: str) -> datetime:
    """A moment as RFC 3339 writes it; one without a time zone is UTC."""
    try:
        moment = msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        raise Refused("InvalidTime", f"{text[:40]!r} is no RFC 3339 time", field=field) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def _recent(text: str, field: str, arrival: Arrival) -> datetime:
    """The moment of an event; one so old that the record of its outcome may have expired is refused."""
    moment = read_time(text, field)
    if (arrival.now - moment).total_seconds() > plan.MAX_EVENT_AGE:
        days = plan.MAX_EVENT_AGE // 86_400
        text = f"an event is taken for {days} days: ask for the copy directly"
        raise Refused("EventTooOld", text, field=field)
    return moment


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)
