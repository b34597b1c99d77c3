"""What FC answers instead of a result: status, code and message, in the body of either API version.

Codes and messages are those of FC's error code page; where a page and another disagree it is said here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping


class FcError(Exception):
    """A refusal by the platform; a function that fails is no FcError but a result."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message

    def status_as(self, readings: frozenset[str]) -> int:
        """The status; of some codes sources disagree about it. `readings` are those of which `b` counts."""
        reading, status = _DISPUTED.get(self.code, ("", self.status))
        return status if reading in readings else self.status

    def body(self, api_version: str, request_id: str) -> bytes:
        """2016-08-15 says ErrorCode (fc2 reads that), 2023-03-30 says Code (the native SDK reads that)."""
        if api_version == "2016-08-15":
            return json.dumps({"ErrorCode": self.code, "ErrorMessage": self.message}).encode()
        answer = {"RequestId": request_id, "Code": self.code, "Message": self.message}
        return json.dumps(answer).encode()


_DISPUTED = {
    "EntityTooLarge": ("payload-too-large", 400),
    "StatefulAsyncInvocationAlreadyExists": ("task-id-twice", 400),
}
STATUS = {
    "AccessDenied": 403,
    "EntityTooLarge": 413,
    "FunctionNotFound": 404,
    "InternalServerError": 500,
    "InvalidAccessKeyID": 403,
    "InvalidArgument": 400,
    "InvalidSecurityToken": 403,
    "MissingRequiredHeader": 400,
    "PathNotSupported": 400,
    "ResourceExhausted": 429,
    "ResourceThrottled": 503,
    "ServiceNotFound": 404,
    "ServiceUnavailable": 503,
    "SignatureNotMatch": 403,
    "StatefulAsyncInvocationAlreadyExists": 409,
}


def named(code: str) -> FcError:
    """The error with this code, for faults that are injected by name."""
    return FcError(STATUS.get(code, 500), code, "injected by the conditions of the local cloud")


def invalid_argument(message: str) -> FcError:
    return FcError(400, "InvalidArgument", message)


def missing_header(name: str) -> FcError:
    return FcError(400, "MissingRequiredHeader", f"required HTTP header {name} was not specified")


def path_not_supported(method: str, path: str) -> FcError:
    return FcError(400, "PathNotSupported", f"'{method}' against '{path}' is not supported")


def too_large(limit: int) -> FcError:
    """The code page lists EntityTooLarge with status 400, callers report 413: a client must know the code."""
    return FcError(413, "EntityTooLarge", f"payload size exceeds maximum allowed size ({limit} bytes)")


def function_not_found(name: str) -> FcError:
    return FcError(404, "FunctionNotFound", f"function '{name}' does not exist")


def service_not_found(name: str) -> FcError:
    return FcError(404, "ServiceNotFound", f"service '{name}' does not exist")


def signature_not_match() -> FcError:
    return FcError(
        403,
        "SignatureNotMatch",
        "The request signature we calculated does not match the signature you provided. "
        "Check your access key and signing method",
    )


def signature_quoted(headers: Mapping[str, str]) -> FcError:
    """As Alibaba's gateway tells it: with everything that it has calculated the signature from."""
    signed = "\n".join(f"{name}:{value}" for name, value in sorted(headers.items()))
    return FcError(403, "SignatureNotMatch", f"{signature_not_match().message} server StringToSign: {signed}")


def unknown_access_key(access_key_id: str) -> FcError:
    return FcError(403, "InvalidAccessKeyID", f"invalid access key ID '{access_key_id}'")


def not_authorized(action: str, resource: str) -> FcError:
    return FcError(
        403, "AccessDenied", f"the caller is not authorized to perform '{action}' on resource '{resource}'"
    )


def bad_token(message: str) -> FcError:
    """The code of a wrong or expired token is not on FC's page; it is the one of Alibaba's gateway."""
    return FcError(403, "InvalidSecurityToken", message)


def exhausted(function: str, limit: int) -> FcError:
    return FcError(
        429, "ResourceExhausted", f"concurrency of function '{function}' reached its limit {limit}"
    )


def already_submitted(task_id: str) -> FcError:
    """The code is the one that callers of the Go SDK look for; documentation says 409 (one page: 400)."""
    return FcError(
        409, "StatefulAsyncInvocationAlreadyExists", f"stateful async invocation '{task_id}' already exists"
    )
