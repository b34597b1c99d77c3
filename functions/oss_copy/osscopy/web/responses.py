"""HTTP responses, in FC's own form.

Knows statuses and headers; not what was asked. Behind HTTP nothing is raised, since FC would answer with the
text of the exception: a transient failure is a 503 with Retry-After.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from osscopy.model import BulkResult, OssCopyError, Problem, Result

RETRY_AFTER = "5"  # seconds

_CODES = {
    400: "InvalidJson",
    401: "Unauthorized",
    403: "Forbidden NotAllowed AccessDenied",
    404: "EmptySource NoSuchKey NoSuchVersion NoSuchBucket SymlinkTargetNotExist NoSuchJob NotFound",
    405: "MethodNotAllowed",
    409: "AlreadyRunning DestinationChanged DestinationInUse FileAlreadyExists FileImmutable "
    "InvalidObjectState SourceChanged StillRunning",
    412: "PreconditionFailed",
    413: "BodyTooLarge",
    415: "UnsupportedMediaType",
    500: "VerificationFailed OutcomeUnknown NotVerified",
    501: "NotAvailable",
}  # everything else is a field that cannot be served: 422
STATUS = {code: status for status, codes in _CODES.items() for code in codes.split()}

Response: TypeAlias = dict[str, Any]  # statusCode, headers, isBase64Encoded, body


def begun(result: Result | BulkResult) -> Response:
    """Return the response to what begins a copy: the error itself where it has failed at once."""
    if result.error is not None and result.status == "failed":
        return problem(result.error)
    return shown(result)


def shown(result: Result | BulkResult) -> Response:
    if result.status == "running":
        return response(202, result, {"Location": f"/copies/{result.job}"})
    return response(200, result)


def refused(error: OssCopyError) -> Response:
    """Return the response to a request that is refused."""
    return problem(Problem.of(error))


def problem(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    if problem.retryable:
        return response(503, {"error": problem}, {"Retry-After": RETRY_AFTER})
    asking = {"WWW-Authenticate": "Bearer"} if problem.code == "Unauthorized" else {}
    if problem.code == "UnsupportedMediaType" and problem.field == "Content-Encoding":
        asking = {"Accept-Encoding": "identity"}  # as RFC 9110 asks for
    return response(STATUS.get(problem.code, 422), {"error": problem}, {**asking, **(headers or {})})


def broken(request_id: str) -> Response:
    """Return the response to what broke and should not: the log says what, under this request id."""
    text = "something went wrong that should not: the function's log has it under this request id"
    return response(500, {"error": Problem("Unexpected", text, request_id)})


def document() -> Response:
    """Return the OpenAPI document, made from the types that parse and shipped beside this module."""
    return response(200, msgspec.Raw(Path(__file__).with_name("openapi.json").read_bytes()))


def response(status: int, body: object, headers: Mapping[str, str] | None = None) -> Response:
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json", "Cache-Control": "no-store", **(headers or {})},
        "isBase64Encoded": False,
        "body": msgspec.json.encode(body).decode(),
    }
