"""The payload with which the function invokes itself: `read(encode(command))` gives the command back.

Comes by a direct invocation only, since the other triggers never hold one.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from osscopy import plan
from osscopy.events.batch import Arrival
from osscopy.events.jsons import decode, decode_fields, read_time
from osscopy.model import (
    Bulk,
    Clear,
    Command,
    Continue,
    Copy,
    CopyRequest,
    Overview,
    Ping,
    Refused,
    Remove,
    Rest,
    Settle,
    Sweep,
    Tell,
    Walk,
)
from osscopy.model.values import Moment, Tally
from osscopy.plan import bulk
from osscopy.plan.marks.seal import CONTINUATION

VERSION = 3  # of the self-invocation's payload
_READ = (1, 2, VERSION)  # 1: an encryption of null was the bucket's, as it still is on record; 2: no origin
MAX_ASYNC_PAYLOAD = 128 * 1024 - 64  # FC's limit for asynchronous invocations, without the mark

Continuation: TypeAlias = (
    Command | Sweep | Ping | Rest | Bulk | Walk | Settle | Clear | Overview | Remove | Tell
)


class _Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    command: msgspec.Raw


def encode(command: Continuation) -> bytes:
    """Return the payload of a self-invocation; `parse` of it gives `command` back."""
    envelope = {"continuation": _Envelope(VERSION, msgspec.Raw(msgspec.json.encode(command)))}
    payload = msgspec.json.encode(envelope)
    if len(payload) > MAX_ASYNC_PAYLOAD:
        raise Refused(
            "RequestTooLarge",
            f"the request makes continuations of {len(payload)} bytes; FC takes {MAX_ASYNC_PAYLOAD}",
        )
    return payload


class _Start(msgspec.Struct, frozen=True, rename="camel", tag_field="step", tag="start"):
    """The fields of a copy to begin that every version reads; the form of the request is the contract."""

    job: str
    request: CopyRequest
    started_at: Moment
    alternatives: tuple[CopyRequest, ...] = ()
    event_etag: str | None = None
    keep: bool = False
    follows: Tally | None = None


def _with_alternatives(command: bytes) -> bytes:
    """Return the command in its present form: version 1 wrote one `alternative` of a copy, or null."""
    if b'"alternative"' not in command:
        return command
    fields = decode_fields(command, "continuation.command")
    if "alternative" in fields:
        one = bytes(fields.pop("alternative"))
        fields["alternatives"] = msgspec.Raw(b"[]" if one == b"null" else b"[" + one + b"]")
    return msgspec.json.encode(fields)


def _read_other_version(version: int, command: bytes) -> Copy:
    """Read a copy to begin, which may be on no record yet; refuse all else, since the sweep resumes that."""
    try:
        start = msgspec.json.decode(command, type=_Start)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Refused(
            "UnsupportedVersion",
            f"a continuation of version {version}; this function reads version {VERSION}",
            field="continuation.version",
        ) from error
    return Copy(**{name: getattr(start, name) for name in _Start.__struct_fields__})


def read(raw: msgspec.Raw, mark: msgspec.Raw | None, arrival: Arrival) -> Continuation:
    """Read a command; one of another version only as far as every version reads it.

    Refused if it lacks the function's mark: whoever may invoke the function may ask for copies, and no more.
    """
    given = None if mark is None else decode(bytes(mark), str, "mac")
    if not arrival.seal.is_ours(CONTINUATION, bytes(raw), given, arrival.now.timestamp()):
        text = "it is not signed with STATE_KEY: ask for copies, not for their continuations"
        raise Refused("InvalidContinuation", text, field="mac")
    envelope: _Envelope = decode(bytes(raw), _Envelope, "continuation")
    body = _with_alternatives(bytes(envelope.command))
    command: Continuation
    if envelope.version in _READ:
        command = decode(body, Continuation, "continuation.command")
    else:
        command = _read_other_version(envelope.version, body)
    at = "continuation.command."
    match command:
        case Rest():
            plan.check_list(command.list, f"{at}list")
        case Bulk() | Walk() | Settle() | Clear() | Overview():
            plan.check_text(plan.BULK_JOB, command.job, "InvalidContinuation", f"{at}job")
            if isinstance(command, Bulk):
                moment = read_time(command.started_at, f"{at}startedAt")
                bulk.refuse_wrong(bulk.as_asked(command.request), moment)
        case Copy():
            plan.check_copy(command, at)
        case Continue():
            plan.check_continue(command, at)
        case Remove():
            plan.check_text(plan.COPY_JOB, command.job, "InvalidContinuation", f"{at}job")
            for each in (command.request, *command.alternatives):
                plan.check_request(each)
    return command
