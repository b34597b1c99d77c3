"""The HTTP trigger: a URL of its own, the request as an event, the function's answer as a response.

Shapes and rules are those of FC 3.0 for built-in runtimes ("use an HTTP trigger to invoke a function").
"""

from __future__ import annotations

import base64
import binascii
import json
import time
from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import unquote

import msgspec
from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from functions.cli.template.props import HttpTrigger
from tests.cloud.fc import errors
from tests.cloud.fc.api import (
    SYNC_LIMIT,
    checked_delay,
    checked_task_id,
    read_body,
    refuse,
    signed,
)
from tests.cloud.fc.invocation import ASYNC_LIMIT, Attempt, Request
from tests.cloud.serving import hang_up

if TYPE_CHECKING:
    from tests.cloud.fc.host import FcHost

HEADER_LIMIT = 8 * 1024  # bytes of all response headers
_TEXT = ("text/", "application/json", "application/xml", "application/javascript", "application/x-www-form")
_EVERY_METHOD = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]


class _Anything(Convertor[str]):
    """Starlette's `path` leaves out paths with line breaks (`%0A`); FC's gateway passes them on."""

    regex = "(?s:.*)"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("anything", _Anything())


class HttpAnswer(msgspec.Struct, frozen=True, rename="camel"):
    """What a function may return to set status and headers."""

    status_code: int
    headers: dict[str, str] = {}
    body: str | msgspec.Raw = ""
    is_base64_encoded: bool = msgspec.field(name="isBase64Encoded", default=False)


class WebTrigger:
    def __init__(self, host: FcHost, function: str, trigger: HttpTrigger) -> None:
        self._host = host
        self._function = function
        self.trigger = trigger
        self.app = Starlette(routes=[Route("/{path:anything}", self._answer, methods=_EVERY_METHOD)])

    async def _answer(self, http: HttpRequest) -> Response:
        request = self._host.request(self._function, self.trigger.trigger_name, b"")
        try:
            response = await self._handle(http, request)
        except errors.FcError as exc:
            body = exc.body("2023-03-30", request.request_id)
            response = Response(body, exc.status, {"x-fc-error-type": "FcCommonError"}, "application/json")
        response.headers["x-fc-request-id"] = request.request_id
        return response

    async def _handle(self, http: HttpRequest, request: Request) -> Response:
        body = await read_body(http, SYNC_LIMIT)
        self._authorize(http, body)
        methods = self.trigger.trigger_config.methods
        if http.method not in methods:
            raise errors.FcError(405, "MethodNotAllowed", f"the trigger allows {', '.join(methods)}")
        asynchronous = http.headers.get("x-fc-invocation-type", "Sync") == "Async"
        if asynchronous and len(body) > ASYNC_LIMIT:
            raise errors.too_large(ASYNC_LIMIT)
        request = msgspec.structs.replace(
            request, event=self._event(http, body, request.request_id), asynchronous=asynchronous
        )
        if asynchronous:
            request = msgspec.structs.replace(
                request,
                task_id=checked_task_id(http.headers.get("x-fc-async-task-id")),
                delay=checked_delay(http.headers.get("x-fc-async-delay")),
            )
        fault = self._host.strike(request.function)
        if fault and (refusal := await refuse(http, fault)):
            return refusal
        if asynchronous:
            self._host.submit(request, fault)
            response = Response(status_code=202)
        else:
            invocation = await self._host.invoke(request, fault)
            response = _respond(invocation.attempts[-1])
        if fault and fault.answer == "lost":
            await hang_up(http.scope)
        return response

    def _authorize(self, http: HttpRequest, body: bytes) -> None:
        """Whoever is not let in gets 403; jwt is not done here."""
        if self.trigger.trigger_config.disable_url_internet:
            raise errors.FcError(403, "AccessDenied", "the public URL of this trigger is disabled")
        match self.trigger.trigger_config.auth_type:
            case "anonymous":
                return
            case "jwt":
                raise errors.FcError(501, "NotImplemented", "authType jwt is not done by the local cloud")
        if not http.headers.get("authorization", "").startswith("ACS3-HMAC-SHA256 "):
            raise errors.FcError(403, "AccessDenied", "the request is not signed with ACS3-HMAC-SHA256")
        try:
            credentials = self._host.verifier.verify(signed(http, body))
        except errors.FcError as exc:
            raise errors.FcError(403, exc.code, exc.message) from exc
        function = self._host.runner.function(self._function)
        self._host.authorize(credentials.principal, "fc:InvokeFunction", self._host.arn(function))

    def _event(self, http: HttpRequest, body: bytes, request_id: str) -> bytes:
        text = _as_text(http.headers.get("content-type", ""), body)
        now = time.time()
        raw_path = http.scope["raw_path"].decode("ascii")
        domain = http.headers.get("host", "")
        event = {
            "version": "v1",
            "rawPath": raw_path,
            "body": base64.b64encode(body).decode() if text is None else text,
            "isBase64Encoded": text is None,
            "headers": _joined((name.title(), value) for name, value in http.headers.items()),
            "queryParameters": _joined(http.query_params.multi_items()),
            "requestContext": {
                "accountId": self._host.account_id,
                "domainName": domain,
                "domainPrefix": domain.partition(".")[0],
                "http": {
                    "method": http.method,
                    "path": unquote(raw_path),
                    "protocol": f"HTTP/{http.scope['http_version']}",
                    "sourceIp": http.client.host if http.client else "",
                    "userAgent": http.headers.get("user-agent", ""),
                },
                "requestId": request_id,
                "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)),
                "timeEpoch": str(int(now * 1000)),
            },
        }
        return json.dumps(event, ensure_ascii=False).encode()


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Several values of one name become one, with commas."""
    values: dict[str, list[str]] = defaultdict(list)
    for name, value in pairs:
        values[name].append(value)
    return {name: ",".join(several) for name, several in values.items()}


def _as_text(content_type: str, body: bytes) -> str | None:
    """The body as text, or None if its type is binary (or it is not UTF-8): then it travels as base64."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind and not kind.startswith(_TEXT) and not kind.endswith(("+json", "+xml")):
        return None
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None


def _respond(attempt: Attempt) -> Response:
    """A failure is 502; JSON without `statusCode` is a body, as is anything that is not JSON."""
    if attempt.failed:
        headers = {"x-fc-error-type": "UnhandledInvocationError"}
        response = Response(attempt.body, 502, headers, "application/json")
    else:
        response = _mapped(attempt.body)
    response.headers["content-disposition"] = "attachment"  # of the default domain: browsers save, not show
    return response


def _mapped(result: bytes) -> Response:
    try:
        answer = msgspec.json.decode(result, type=HttpAnswer)
    except msgspec.ValidationError:
        return Response(result, 200, media_type="application/json")
    except msgspec.DecodeError:
        return Response(result, 200, media_type="text/plain")
    body = answer.body.encode() if isinstance(answer.body, str) else bytes(answer.body)
    if answer.is_base64_encoded:
        try:
            body = base64.b64decode(body, validate=True)
        except binascii.Error:
            return _bad_gateway("`body` is not base64")
    if sum(len(name) + len(value) for name, value in answer.headers.items()) > HEADER_LIMIT:
        return _bad_gateway(f"the response headers exceed {HEADER_LIMIT} bytes")
    if not 100 <= answer.status_code <= 599:
        return _bad_gateway(f"statusCode {answer.status_code} is no HTTP status")
    response = Response(body, answer.status_code)
    for name, value in answer.headers.items():
        response.headers[name] = value
    response.headers.setdefault("content-type", "application/json")
    return response


def _bad_gateway(message: str) -> Response:
    body = json.dumps({"errorMessage": message, "errorType": "BadResponse"}).encode()
    return Response(body, 502, {"x-fc-error-type": "UnhandledInvocationError"}, "application/json")
