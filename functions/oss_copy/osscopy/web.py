"""HTTP: requests of the HTTP trigger to commands, results to responses.

Knows routes, statuses and bodies; not how a copy is done: that is a function passed in. Behind HTTP nothing
is raised, since FC would answer with the text of the exception: a transient failure is a 503 with
Retry-After.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any
from urllib.parse import unquote

import msgspec

from osscopy import events
from osscopy.model import Copy, OssCopyError, Problem, Refused, Result
from osscopy.settings import Settings

MAX_BODY = 96 * 1024  # bytes; the request must fit into an asynchronous invocation, which takes 128 KB
RETRY_AFTER = "5"  # seconds

STATUS = {
    "InvalidJson": 400,
    "Unauthorized": 401,
    "Forbidden": 403,
    "NotAllowed": 403,
    "AccessDenied": 403,
    "NoSuchKey": 404,
    "NoSuchVersion": 404,
    "NoSuchBucket": 404,
    "NotFound": 404,
    "MethodNotAllowed": 405,
    "FileAlreadyExists": 409,
    "FileImmutable": 409,
    "InvalidObjectState": 409,
    "SourceChanged": 409,
    "PreconditionFailed": 412,
    "BodyTooLarge": 413,
    "UnsupportedMediaType": 415,
    "VerificationFailed": 500,
    "OutcomeUnknown": 500,
    "NotAvailable": 501,
}  # everything else is a field that cannot be served: 422

Response = dict[str, Any]  # FC's own form: statusCode, headers, isBase64Encoded, body


def answer(
    call: events.HttpCall, settings: Settings, arrival: events.Arrival, copy: Callable[[Copy], Result]
) -> Response:
    """The response to one HTTP request; `copy` begins a copy and does not wait for a long one."""
    try:
        return _route(call, settings, arrival, copy)
    except OssCopyError as error:
        return _problem(Problem.of(error))


def _route(
    call: events.HttpCall, settings: Settings, arrival: events.Arrival, copy: Callable[[Copy], Result]
) -> Response:
    headers = {name.lower(): value for name, value in call.headers.items()}
    _authenticate(headers, settings)
    method, path = call.request_context.http.method.upper(), unquote(call.raw_path)
    match method, path:
        case "POST", "/copies":
            return _result(copy(_read_copy(call, headers, arrival)))
        case "GET" | "HEAD", "/healthz":
            return _response(200, {"status": "ok"})
        case _, "/copies" if method == "GET":
            raise Refused("NotAvailable", "listing copies is not available yet")
        case "GET", "/openapi.json":
            raise Refused("NotAvailable", "the OpenAPI document is not available yet")
        case _, "/copies" | "/healthz" | "/openapi.json":
            raise Refused("MethodNotAllowed", f"{method} {path} is not offered")
        case "GET" | "DELETE", _ if path.startswith("/copies/"):
            raise Refused("NotAvailable", "looking at a copy and cancelling it are not available yet")
        case _, _ if path.startswith("/copies/"):
            raise Refused("MethodNotAllowed", f"{method} {path[:100]} is not offered")
        case _:
            raise Refused("NotFound", f"there is no {path[:100]}")


def _authenticate(headers: Mapping[str, str], settings: Settings) -> None:
    """FC has checked the signature of a `function` trigger; an `anonymous` one needs the bearer token."""
    if settings.http_auth == "function":
        return
    if settings.api_token is None:
        raise Refused("Forbidden", "an anonymous HTTP trigger needs API_TOKEN to be set")
    scheme, _, token = headers.get("authorization", "").partition(" ")
    given = token.strip().encode(errors="replace")
    if scheme.lower() != "bearer" or not hmac.compare_digest(given, settings.api_token.encode()):
        raise Refused("Unauthorized", "send `Authorization: Bearer` with the function's API_TOKEN")


def _read_copy(call: events.HttpCall, headers: Mapping[str, str], arrival: events.Arrival) -> Copy:
    body = _body(call)
    media = headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if media != "application/json":
        raise Refused("UnsupportedMediaType", "send application/json", field="Content-Type")
    key = headers.get("idempotency-key") or call.request_context.request_id or arrival.request_id
    return events.read_request(body, f"http:{key}", _moment(call, arrival), arrival)


def _body(call: events.HttpCall) -> bytes:
    if len(call.body) > MAX_BODY * 4 // 3 + 4:
        raise Refused("BodyTooLarge", f"a body has at most {MAX_BODY} bytes")
    try:
        body = base64.b64decode(call.body, validate=True) if call.is_base64_encoded else call.body.encode()
    except (binascii.Error, UnicodeEncodeError):
        raise Refused("InvalidJson", "the body is neither UTF-8 nor base64") from None
    if len(body) > MAX_BODY:
        raise Refused("BodyTooLarge", f"a body has at most {MAX_BODY} bytes")
    return body


def _moment(call: events.HttpCall, arrival: events.Arrival) -> datetime:
    epoch = call.request_context.time_epoch  # milliseconds
    if not (epoch.isascii() and epoch.isdecimal() and len(epoch) == 13):
        return arrival.now
    return datetime.fromtimestamp(int(epoch) / 1000, timezone.utc)


def _result(result: Result) -> Response:
    if result.status == "running":
        return _response(202, result, {"Location": f"/copies/{result.job}"})
    if result.error is not None and result.status == "failed":
        return _problem(result.error)
    return _response(200, result)


def _problem(problem: Problem) -> Response:
    if problem.retryable:
        return _response(503, {"error": problem}, {"Retry-After": RETRY_AFTER})
    extra = {"WWW-Authenticate": "Bearer"} if problem.code == "Unauthorized" else {}
    return _response(STATUS.get(problem.code, 422), {"error": problem}, extra)


def _response(status: int, body: object, headers: Mapping[str, str] | None = None) -> Response:
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json", **(headers or {})},
        "isBase64Encoded": False,
        "body": msgspec.json.encode(body).decode(),
    }
