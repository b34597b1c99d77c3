"""HTTP requests, read: who asks, the body, the moment, and the query.

Knows FC's form of a call; refuses what it cannot read, and does nothing.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Literal

import msgspec

from osscopy import events, plan
from osscopy.model import CopyRequest, Refused
from osscopy.plan.allowed import tokens
from osscopy.plan.allowed.tokens import Caller
from osscopy.settings import Settings

MAX_BODY = 96 * 1024  # bytes; the request must fit into an asynchronous invocation, which takes 128 KB
HEADER = "X-OSS-Copy-Token"  # where Authorization holds FC's signature
STATUSES = ("running", "succeeded", "skipped", "failed", "cancelled")

SIGNED, FIRST = Caller("http"), Caller("token")  # a request that FC let in; whoever has API_TOKEN

_JOB = re.compile(plan.JOB)


def authenticate(call: events.HttpCall, settings: Settings, now: float) -> Caller:
    """Return who asks. Refuse who lacks a token, whatever authType the settings name: the trigger may differ.

    Without a token, FC has to have checked a signature, and takes up `Authorization` for that.
    """
    if not settings.has_tokens:
        if settings.http_auth == "function":
            return SIGNED
        raise Refused("Forbidden", "an anonymous HTTP trigger needs API_TOKEN to be set")
    given = _token(call)
    is_first = settings.api_token is not None and hmac.compare_digest(
        given.encode(errors="replace"), settings.api_token.encode()
    )
    caller = tokens.known(given, settings.callers, now)
    if is_first:
        return FIRST
    if caller is None:
        text = f"send `Authorization: Bearer` with the function's API_TOKEN, or {HEADER} if it is signed"
        raise Refused("Unauthorized", text)
    return caller


def check_verb(call: events.HttpCall, caller: Caller) -> None:
    """Refuse a method that the caller may not use."""
    asked = verb(call)
    if asked in tokens.VERBS and asked not in caller.verbs:  # others are offered to nobody
        raise Refused("Forbidden", f"{caller.name} may not use {asked}")


def _token(call: events.HttpCall) -> str:
    """Return the token of a call, or an empty text."""
    if (own := call.header(HEADER)) is not None:
        return own.strip()
    scheme, _, token = (call.header("Authorization") or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def job_id(text: str) -> str:
    """Return the id of a job, or refuse a text that no job has."""
    if not _JOB.fullmatch(text):
        raise Refused("NoSuchJob", f"there is no job {text[:100]}: {plan.FORMS[plan.JOB]}", status=404)
    return text


def paging(query: Mapping[str, str | list[str]]) -> tuple[str | None, int, str]:
    """Return status, limit and after of a listing; each may be given once."""
    given: dict[str, str] = {}
    for name, value in query.items():
        if name not in {"status", "limit", "after"}:
            raise Refused("UnknownField", "known are status, limit and after", field=name[:40])
        if not isinstance(value, str):
            raise Refused("InvalidField", "given more than once", field=name)
        given[name] = value
    status, limit, after = given.get("status"), given.get("limit", "50"), given.get("after", "")
    if status is not None and status not in STATUSES:
        raise Refused("InvalidField", f"one of {', '.join(STATUSES)}", field="status")
    if not (limit.isascii() and limit.isdecimal() and len(limit) < 4 and 1 <= int(limit) <= 100):
        raise Refused("InvalidField", "a number from 1 to 100", field="limit")
    if after and not _JOB.fullmatch(after):
        raise Refused("InvalidField", "a job id", field="after")
    return status, int(limit), after


def read_body(call: events.HttpCall) -> bytes:
    """Return the JSON text; Refused if it is too large, of another kind, or no text."""
    too_large = Refused("BodyTooLarge", f"a body has at most {MAX_BODY} bytes")
    if len(call.body) > MAX_BODY * 4 // 3 + 4:
        raise too_large
    _check_form(call)
    try:
        body = base64.b64decode(call.body, validate=True) if call.is_base64_encoded else call.body.encode()
    except ValueError:  # no ASCII, no base64, or no Unicode
        raise Refused("InvalidJson", "the body is neither UTF-8 nor base64") from None
    if len(body) > MAX_BODY:
        raise too_large
    return body


def _check_form(call: events.HttpCall) -> None:
    """Refuse a body that is no JSON, or packed, by the header that says so."""
    sent = call.header("Content-Type")
    if sent is not None and sent.partition(";")[0].strip().lower() != "application/json":
        raise Refused("UnsupportedMediaType", "send application/json", field="Content-Type")
    packed = {each.strip().lower() for each in (call.header("Content-Encoding") or "").split(",")}
    if packed - {"", "identity"}:
        text = "send the body as it is, without a Content-Encoding"
        raise Refused("UnsupportedMediaType", text, field="Content-Encoding")


class _Again(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    only: Literal["all", "failed"] = "all"


def only(call: events.HttpCall) -> Literal["all", "failed"]:
    """Return which objects of a job to ask for again; all where no body says so."""
    if not call.body:
        return "all"
    asked: _Again = events.decode(read_body(call), _Again, "")
    return asked.only


def name_of(call: events.HttpCall, arrival: events.Arrival, caller: Caller) -> str:
    """Return what tells a request from the same one; callers who see their own jobs alone share none."""
    by = f"{caller.name}:" if caller.own else ""
    given = call.header("Idempotency-Key") or call.request_context.request_id or arrival.request_id
    return f"{by}{given}"


def allow(settings: Settings, caller: Caller, request: CopyRequest) -> None:
    """Refuse what the settings, or the caller's scope, do not name."""
    settings.allow(request)
    caller.allow(request)
    caller.judge(request, settings.options)


def verb(call: events.HttpCall) -> str:
    """Return the method; HEAD is asked for as GET is."""
    method = call.request_context.http.method.upper()
    return "GET" if method == "HEAD" else method


def idempotency_key(call: events.HttpCall) -> str | None:
    """Return the key of a request, None without one; Refused if it is empty."""
    key = call.header("Idempotency-Key")
    if key is not None and not key.strip():
        raise Refused("InvalidField", "it is empty: leave it out, or give a text", field="Idempotency-Key")
    return key


def moment(call: events.HttpCall, arrival: events.Arrival) -> datetime:
    epoch = call.request_context.time_epoch  # milliseconds
    if not (epoch.isascii() and epoch.isdecimal() and len(epoch) == 13):
        return arrival.now
    return datetime.fromtimestamp(int(epoch) / 1000, timezone.utc)
