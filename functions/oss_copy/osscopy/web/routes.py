"""HTTP: requests of the HTTP trigger to commands, results to responses.

Knows routes, statuses and bodies; not how a copy is done: that is a function passed in. Behind HTTP nothing
is raised, since FC would answer with the text of the exception: a transient failure is a 503 with
Retry-After.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import msgspec

from osscopy import events, plan
from osscopy.jobs.control import Control
from osscopy.jobs.queries import Queries
from osscopy.model import Copy, Misconfigured, OssCopyError, Problem, Refused, Result
from osscopy.settings import Settings

MAX_BODY = 96 * 1024  # bytes; the request must fit into an asynchronous invocation, which takes 128 KB
RETRY_AFTER = "5"  # seconds

STATUSES = ("running", "succeeded", "skipped", "failed", "cancelled")

_JOB = re.compile(plan.JOB)

STATUS = {
    "InvalidJson": 400,
    "Unauthorized": 401,
    "Forbidden": 403,
    "NotAllowed": 403,
    "AccessDenied": 403,
    "NoSuchKey": 404,
    "NoSuchVersion": 404,
    "NoSuchBucket": 404,
    "SymlinkTargetNotExist": 404,
    "NoSuchJob": 404,
    "NotFound": 404,
    "MethodNotAllowed": 405,
    "DestinationChanged": 409,
    "FileAlreadyExists": 409,
    "FileImmutable": 409,
    "InvalidObjectState": 409,
    "SourceChanged": 409,
    "StillRunning": 409,
    "PreconditionFailed": 412,
    "BodyTooLarge": 413,
    "UnsupportedMediaType": 415,
    "VerificationFailed": 500,
    "OutcomeUnknown": 500,
    "NotVerified": 500,
    "NotAvailable": 501,
}  # everything else is a field that cannot be served: 422

Response = dict[str, Any]  # FC's own form: statusCode, headers, isBase64Encoded, body


def answer(
    call: events.HttpCall, settings: Settings, arrival: events.Arrival, queries: Queries, control: Control
) -> Response:
    """Return the response to one HTTP request; none waits for a long copy."""
    try:
        _authenticate(call, settings)
        return _route(call, arrival, queries, control)
    except Misconfigured as error:
        return _response(500, {"error": Problem.of(error)})
    except OssCopyError as error:
        return _problem(Problem.of(error))


def _route(call: events.HttpCall, arrival: events.Arrival, queries: Queries, control: Control) -> Response:
    method = call.request_context.http.method.upper()
    match "GET" if method == "HEAD" else method, call.segments:
        case "POST", ("copies",):
            return _begun(_start(call, arrival, control))
        case "GET", ("copies",):
            return _response(200, queries.page(*_paging(call.query_parameters)))
        case "GET", ("healthz",):
            return _response(200, {"status": "ok"})
        case "GET", ("openapi.json",):
            return _document()
        case "GET", ("copies", job) if job:
            return _response(200, queries.look(_job(job)))
        case "DELETE", ("copies", job) if job:
            return _told(control.cancel(_job(job)))
        case "POST", ("copies", job, "resubmit") if job:
            return _begun(control.resubmit(_job(job), _occurrence(call, arrival), arrival))
        case _, segments:
            return _not_offered(segments)


def _job(text: str) -> str:
    """The id of a job, which no job has that looks otherwise."""
    if not _JOB.fullmatch(text):
        raise Refused("NoSuchJob", f"there is no job {text[:100]}: {plan.FORMS[plan.JOB]}", status=404)
    return text


def _not_offered(segments: tuple[str, ...]) -> Response:
    """405 with what is offered there (RFC 9110 asks for it), or 404."""
    match segments:
        case ("copies",):
            offered = "GET, HEAD, POST"
        case ("healthz",) | ("openapi.json",):
            offered = "GET, HEAD"
        case ("copies", job) if job:
            offered = "GET, HEAD, DELETE"
        case ("copies", job, "resubmit") if job:
            offered = "POST"
        case _:
            return _problem(Problem("NotFound", f"there is no /{'/'.join(segments)[:100]}"))
    return _problem(Problem("MethodNotAllowed", f"offered are {offered}"), {"Allow": offered})


def _paging(query: Mapping[str, str | list[str]]) -> tuple[str | None, int, str]:
    """status, limit and after of a listing; each may be given once."""
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


def _authenticate(call: events.HttpCall, settings: Settings) -> None:
    """FC has checked the signature of a `function` trigger; an `anonymous` one needs the bearer token."""
    if settings.http_auth == "function":
        return
    if settings.api_token is None:
        raise Refused("Forbidden", "an anonymous HTTP trigger needs API_TOKEN to be set")
    scheme, _, token = (call.header("Authorization") or "").partition(" ")
    given = token.strip().encode(errors="replace")
    if scheme.lower() != "bearer" or not hmac.compare_digest(given, settings.api_token.encode()):
        raise Refused("Unauthorized", "send `Authorization: Bearer` with the function's API_TOKEN")


def _start(call: events.HttpCall, arrival: events.Arrival, control: Control) -> Result:
    def read(moment: datetime) -> Copy:
        return events.read_request(body, _occurrence(call, arrival), moment, arrival)

    body, moment = _read_body(call), _moment(call, arrival)
    key = call.header("Idempotency-Key")
    if key is not None and not key.strip():
        raise Refused("InvalidField", "it is empty: leave it out, or give a text", field="Idempotency-Key")
    return control.start_once(key, read, moment) if key else control.start(read(moment))


def _read_body(call: events.HttpCall) -> bytes:
    if len(call.body) > MAX_BODY * 4 // 3 + 4:
        raise Refused("BodyTooLarge", f"a body has at most {MAX_BODY} bytes")
    _check_form(call)
    return _body(call)


def _check_form(call: events.HttpCall) -> None:
    """Refuse a body that is no JSON, or packed, by the header that says so."""
    sent = call.header("Content-Type")
    if sent is not None and sent.partition(";")[0].strip().lower() != "application/json":
        raise Refused("UnsupportedMediaType", "send application/json", field="Content-Type")
    packed = {each.strip().lower() for each in (call.header("Content-Encoding") or "").split(",")}
    if packed - {"", "identity"}:
        text = "send the body as it is, without a Content-Encoding"
        raise Refused("UnsupportedMediaType", text, field="Content-Encoding")


def _occurrence(call: events.HttpCall, arrival: events.Arrival) -> str:
    return "http:" + (call.header("Idempotency-Key") or call.request_context.request_id or arrival.request_id)


def _body(call: events.HttpCall) -> bytes:
    try:
        body = base64.b64decode(call.body, validate=True) if call.is_base64_encoded else call.body.encode()
    except ValueError:  # no ASCII, no base64, or no Unicode
        raise Refused("InvalidJson", "the body is neither UTF-8 nor base64") from None
    if len(body) > MAX_BODY:
        raise Refused("BodyTooLarge", f"a body has at most {MAX_BODY} bytes")
    return body


def _moment(call: events.HttpCall, arrival: events.Arrival) -> datetime:
    epoch = call.request_context.time_epoch  # milliseconds
    if not (epoch.isascii() and epoch.isdecimal() and len(epoch) == 13):
        return arrival.now
    return datetime.fromtimestamp(int(epoch) / 1000, timezone.utc)


def _begun(result: Result) -> Response:
    if result.error is not None and result.status == "failed":
        return _problem(result.error)
    return _told(result)


def _told(result: Result) -> Response:
    if result.status == "running":
        return _response(202, result, {"Location": f"/copies/{result.job}"})
    return _response(200, result)


def refused(error: OssCopyError) -> Response:
    """The response to a request that could not even be read."""
    return _problem(Problem.of(error))


def _problem(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    if problem.retryable:
        return _response(503, {"error": problem}, {"Retry-After": RETRY_AFTER})
    asking = {"WWW-Authenticate": "Bearer"} if problem.code == "Unauthorized" else {}
    if problem.code == "UnsupportedMediaType" and problem.field == "Content-Encoding":
        asking = {"Accept-Encoding": "identity"}  # as RFC 9110 asks for
    return _response(STATUS.get(problem.code, 422), {"error": problem}, {**asking, **(headers or {})})


def _document() -> Response:
    """The OpenAPI document, made from the types that parse and shipped beside this module."""
    return _response(200, msgspec.Raw(Path(__file__).with_name("openapi.json").read_bytes()))


def _response(status: int, body: object, headers: Mapping[str, str] | None = None) -> Response:
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json", **(headers or {})},
        "isBase64Encoded": False,
        "body": msgspec.json.encode(body).decode(),
    }
