"""The FC API over HTTP: invocations in both API versions, asynchronous tasks and control of 2023-03-30.

It checks who asks and what is asked, hands it to the host, and words the answer. Paths, headers and answers
are as the SDKs send and expect them (facts.md §3 and §7).
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from functions.cli.template.props import Function
from tests.cloud.conditions import Fault
from tests.cloud.fc import errors
from tests.cloud.fc.control import Asked, Operation
from tests.cloud.fc.invocation import ASYNC_LIMIT, TASK_STATUS, Attempt, Invocation, Request, new_request_id
from tests.cloud.fc.signature import Signed
from tests.cloud.serving import hang_up

if TYPE_CHECKING:
    from tests.cloud.fc.host import FcHost

SYNC_LIMIT = 32 * 1024 * 1024  # bytes of payload
LOG_TAIL = 4 * 1024
LONGEST_DELAY = 3600  # seconds
_TASK_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,127}\Z")
TASK_HEADER = {"2016-08-15": "x-fc-stateful-async-invocation-id", "2023-03-30": "x-fc-async-task-id"}


class Api:
    def __init__(self, host: FcHost) -> None:
        self._host = host
        old, new = "/2016-08-15/services/{service}/functions/{function}", "/2023-03-30/functions/{function}"
        self.app = Starlette(
            routes=[
                self._route("POST", f"{old}/invocations", "2016-08-15", self._invoke),
                self._route("POST", f"{new}/invocations", "2023-03-30", self._invoke),
                self._route("GET", f"{new}/async-tasks", "2023-03-30", self._list_tasks),
                self._route("GET", f"{new}/async-tasks/{{task}}", "2023-03-30", self._get_task),
                self._route("PUT", f"{new}/async-tasks/{{task}}/stop", "2023-03-30", self._stop_task),
                *(self._control(operation) for operation in host.control.operations),
                Route("/{path:path}", self._unknown, methods=_EVERY_METHOD),
            ]
        )

    def _control(self, operation: Operation) -> Route:
        async def handle(call: _Call) -> Response:
            asked = Asked(call.http.path_params, call.http.query_params, call.body)
            for need in self._host.control.needs(operation, asked):
                self._host.authorize(call.principal, need.action, need.resource)
            answer = await operation.handle(asked)
            return Response(status_code=204) if answer.body is None else _json(answer.body)

        limit = self._host.control.body_limit
        return self._route(operation.method, operation.path, operation.version, handle, limit)

    def _route(self, method: str, path: str, version: str, handle: _Handle, limit: int = SYNC_LIMIT) -> Route:
        async def endpoint(request: HttpRequest) -> Response:
            request_id = new_request_id()
            try:
                body = await read_body(request, limit)
                refuse_fc = self._host.refuse_fc_signature and version == "2023-03-30"
                credentials = self._host.verifier.verify(signed(request, body), refuse_fc)
                call = _Call(version, request_id, request, body, credentials.principal)
                response = await handle(call)
            except errors.FcError as exc:
                status = exc.status_as(self._host.weather.readings)
                response = Response(exc.body(version, request_id), status, media_type="application/json")
            response.headers.setdefault("x-fc-request-id", request_id)
            return response

        return Route(path, endpoint, methods=[method])

    async def _invoke(self, call: _Call) -> Response:
        headers = call.http.headers
        request = self._parse(call)
        fault = self._host.strike(request.function)
        if fault and (refusal := await refuse(call.http, fault)):
            return refusal
        if request.asynchronous:
            invocation = self._host.submit(request, fault)
            task_id = request.task_id or request.request_id
            response = Response(status_code=202, headers={TASK_HEADER[call.version]: task_id})
        else:
            invocation = await self._host.invoke(request, fault)
            response = _result(invocation, tail=headers.get("x-fc-log-type") == "Tail")
            response.headers["x-fc-code-checksum"] = self._host.control.checksum(request.function)
        if fault and fault.answer == "lost":
            await hang_up(call.http.scope)
        response.headers["x-fc-request-id"] = request.request_id
        return response

    def _parse(self, call: _Call) -> Request:
        headers = call.http.headers
        qualifier = call.http.query_params.get("qualifier", "LATEST")
        if "service" in call.http.path_params:
            service, _, named = call.http.path_params["service"].partition(".")
            qualifier = named or "LATEST"
            if self._host.service and service != self._host.service:
                raise errors.service_not_found(service)
        function = self._function(call, "InvokeFunction")
        if qualifier != "LATEST":
            raise errors.FcError(404, "AliasNotFound", f"alias '{qualifier}' does not exist")
        kind = headers.get("x-fc-invocation-type", "Sync")
        if kind not in {"Sync", "Async"}:
            raise errors.invalid_argument(f"x-fc-invocation-type is Sync or Async, not '{kind}'")
        asynchronous = kind == "Async"
        if asynchronous and len(call.body) > ASYNC_LIMIT:
            raise errors.too_large(ASYNC_LIMIT)
        return Request(
            request_id=call.request_id,
            function=function.function_name,
            event=call.body,
            trigger="api",
            asynchronous=asynchronous,
            task_id=checked_task_id(headers.get(TASK_HEADER[call.version])) if asynchronous else None,
            delay=checked_delay(headers.get("x-fc-async-delay")) if asynchronous else 0,
            qualifier=qualifier,
        )

    def _function(self, call: _Call, action: str, below: str = "") -> Function:
        """The function that is named; FcError 404, or 403 if the caller's policy leaves the action out.

        `below` is what the action is about if not the function itself (`async-tasks/ID`).
        """
        parameters = call.http.path_params
        function = self._host.runner.function(parameters["function"])
        parts = ["services", parameters["service"]] if "service" in parameters else []
        parts += ["functions", function.function_name]
        parts.append(below or call.http.query_params.get("qualifier", ""))
        resource = self._host.arn(function, "/".join(filter(None, parts)))
        self._host.authorize(call.principal, f"fc:{action}", resource)
        return function

    async def _list_tasks(self, call: _Call) -> Response:
        function = self._function(call, "ListAsyncTasks", "async-tasks/*").function_name
        query = call.http.query_params
        limit = int(query.get("limit", "20"))
        ids = sorted(task_id for name, task_id in self._host.queue.tasks if name == function)
        found = [
            self._task_view(function, task_id, query.get("includePayload") == "true")
            for task_id in ids
            if task_id.startswith(query.get("prefix", "")) and task_id > query.get("nextToken", "")
        ]
        if "status" in query:
            found = [task for task in found if task["status"] == query["status"]]
        answer: dict[str, object] = {"tasks": found[:limit]}
        if len(found) > limit:
            answer["nextToken"] = found[limit - 1]["taskId"]
        return _json(answer)

    async def _get_task(self, call: _Call) -> Response:
        function, task_id = call.http.path_params["function"], call.http.path_params["task"]
        self._function(call, "GetAsyncTask", f"async-tasks/{task_id}")
        return _json(self._task_view(function, task_id, payload=True))

    async def _stop_task(self, call: _Call) -> Response:
        function, task_id = call.http.path_params["function"], call.http.path_params["task"]
        self._function(call, "StopAsyncTask", f"async-tasks/{task_id}")
        if not self._host.queue.stop_task(function, task_id):
            raise _no_task(task_id)
        return _json({})

    def _task_view(self, function: str, task_id: str, payload: bool) -> dict[str, object]:
        task = self._host.queue.tasks.get((function, task_id))
        if task is None:
            raise _no_task(task_id)
        invocation = task.invocation
        first = invocation.attempts[0].start if invocation.attempts else invocation.started
        retrying = invocation.outcome == "queued" and invocation.attempts
        view: dict[str, object] = {
            "taskId": task_id,
            "requestId": invocation.request.request_id,
            "functionArn": f"acs:fc:{self._region(function)}:{self._host.account_id}:functions/{function}",
            "qualifier": invocation.request.qualifier,
            "status": "Retrying" if retrying else TASK_STATUS.get(invocation.outcome, "Failed"),
            "startedTime": int((first or invocation.submitted) * 1000),
            "alreadyRetriedTimes": max(0, len(invocation.attempts) - 1),
            "instanceId": invocation.running_on or "",
        }
        if invocation.ended is not None:
            view["endTime"] = int(invocation.ended * 1000)
            view["durationMs"] = int((invocation.ended - (first or invocation.submitted)) * 1000)
        if payload:
            view["taskPayload"] = invocation.request.event.decode(errors="replace")
        if not invocation.open and invocation.attempts and invocation.attempts[-1].failed:
            view["taskErrorMessage"] = invocation.attempts[-1].body.decode(errors="replace")
        return view

    def _region(self, function: str) -> str:
        return self._host.runner.function(function).region

    async def _unknown(self, request: HttpRequest) -> Response:
        error = errors.path_not_supported(request.method, request.url.path)
        version = "2023-03-30" if request.url.path.startswith("/2023-03-30/") else "2016-08-15"
        return Response(error.body(version, new_request_id()), error.status, media_type="application/json")


class _Call(msgspec.Struct, frozen=True):
    version: str
    request_id: str
    http: HttpRequest
    body: bytes
    principal: str


_Handle = Callable[[_Call], Awaitable[Response]]
_EVERY_METHOD = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]


async def read_body(request: HttpRequest, limit: int) -> bytes:
    """The whole body; FcError EntityTooLarge beyond `limit` bytes, without reading more than that."""
    body = bytearray()
    if int(request.headers.get("content-length", "0")) > limit:
        raise errors.too_large(limit)
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise errors.too_large(limit)
    return bytes(body)


def signed(request: HttpRequest, body: bytes) -> Signed:
    """The request as the signature saw it."""
    return Signed(
        method=request.method,
        raw_path=request.scope["raw_path"].decode("ascii"),
        query=request.scope["query_string"].decode("ascii"),
        headers=dict(request.headers),
        body=body,
    )


async def refuse(request: HttpRequest, fault: Fault) -> Response | None:
    """What the caller sees of a fault that keeps the effect from happening; None if the effect happens."""
    if fault.error == "SignatureNotMatch":
        raise errors.signature_quoted(request.headers)
    if fault.error is not None:
        raise errors.named(fault.error)
    if fault.answer == "reset":
        await hang_up(request.scope)
        return Response(status_code=500)
    if fault.answer == "stall":
        while (await request.receive())["type"] != "http.disconnect":
            pass
        return Response(status_code=500)
    return None


def _result(invocation: Invocation, tail: bool) -> Response:
    attempt: Attempt = invocation.attempts[-1]
    duration = (attempt.end - attempt.start) * 1000
    headers = {
        "x-fc-instance-id": attempt.instance_id,
        "x-fc-invocation-duration": f"{duration:.2f}",
        "x-fc-max-memory-usage": f"{attempt.peak_memory_mb:.2f}",
        "x-fc-invocation-service-version": "LATEST",
    }
    if attempt.failed:
        headers["x-fc-error-type"] = "UnhandledInvocationError"
    if tail:
        headers["x-fc-log-result"] = base64.b64encode(attempt.logs[-LOG_TAIL:]).decode()
    kind = "application/json" if attempt.failed else "application/octet-stream"
    return Response(attempt.body, 200, headers=headers, media_type=kind)


def checked_task_id(text: str | None) -> str | None:
    """The id if FC would take it; FcError InvalidArgument if not."""
    if text is not None and not _TASK_ID.match(text):
        raise errors.invalid_argument(f"the task id '{text}' does not match [A-Za-z_][A-Za-z0-9_-]{{0,127}}")
    return text


def checked_delay(text: str | None) -> float:
    """Seconds; FcError InvalidArgument beyond an hour."""
    if text is None:
        return 0.0
    if not text.isdecimal() or int(text) > LONGEST_DELAY:
        raise errors.invalid_argument(
            f"x-fc-async-delay is between 0 and {LONGEST_DELAY} seconds, not '{text}'"
        )
    return float(text)


def _no_task(task_id: str) -> errors.FcError:
    return errors.FcError(404, "AsyncTaskNotFound", f"async task '{task_id}' does not exist")


def _json(content: dict[str, object]) -> Response:
    return Response(json.dumps(content).encode(), media_type="application/json")
