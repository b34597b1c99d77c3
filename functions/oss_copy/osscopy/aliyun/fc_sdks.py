"""FC's two SDKs behind the same questions: fc2, and the SDK of FC 3.0.

Knows how each is called, and what it logs, repeats and raises; not what an answer means for the copy. Each
is imported when it is needed: most invocations submit nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import msgspec

from osscopy.aliyun.fc_context import Invocation, count
from osscopy.model import AsyncTask, Transient, Trigger

# States of a task that has not ended (FC documentation, GetAsyncTask).
OPEN = frozenset({"Enqueued", "Dequeued", "Running", "Retrying", "Stopping"})
MOST_TRIGGERS = 100  # FC gives no more at once, and a function has 50 at most

Untyped: TypeAlias = Any  # fc2 carries no types


class Sdk(msgspec.Struct, frozen=True):
    """The function, and how it is asked: where, and how many seconds an answer is waited for."""

    invocation: Invocation
    endpoint: str
    wait: float


class Answered(msgspec.Struct, frozen=True):
    """The answer to a synchronous invocation; `error_type` is empty if the function came to its end."""

    body: bytes
    error_type: str = ""


class FcRefusal(Exception):
    """An error that FC answered, the same for both SDKs."""

    def __init__(self, status: int, code: str, message: str, request_id: str) -> None:
        if "Signature" in code:  # the gateway may quote all that was signed, the security token too
            message = "FC does not accept the signature of the request"
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code, self.message, self.request_id = status, code, message, request_id

    @property
    def is_duplicate(self) -> bool:
        # Documented as 409; one page has 400, where only a code that says so counts.
        return self.status == 409 or (self.status == 400 and "AlreadyExist" in self.code)

    @property
    def is_about_signature(self) -> bool:
        return self.status in {400, 401, 403} and "Signature" in self.code


class Fc2(Sdk, frozen=True):
    """The function through fc2, on FC 2.0 and on the path of FC 3.0."""

    def submit(self, headers: dict[str, str], payload: bytes) -> None:
        self._ask("POST", "invocations", headers, body=payload)

    def invoke(self, event: bytes) -> Answered:
        given = self._ask("POST", "invocations", {"x-fc-invocation-type": "Sync"}, body=event)
        return Answered(given.content, given.headers.get("x-fc-error-type") or "")

    def task(self, task_id: str) -> AsyncTask:
        given = self._ask("GET", f"async-tasks/{task_id}", {}).json()
        return AsyncTask(given["taskPayload"].encode(), given["status"] in OPEN)

    def triggers(self) -> tuple[Trigger, ...]:
        given = self._ask("GET", "triggers", {}, params={"limit": str(MOST_TRIGGERS)}).json()
        return tuple(
            Trigger(
                each["triggerName"],
                each["triggerType"],
                each.get("sourceArn") or "",
                _text(each["triggerConfig"]),
            )
            for each in given["triggers"]
        )

    def _ask(self, method: str, what: str, headers: dict[str, str], **sent: object) -> Untyped:
        import fc2  # noqa: PLC0415 - costs start-up time that only chains need

        logging.getLogger().addFilter(_is_not_from_fc2)
        fc2.client.retries = 0  # it connects up to six times, half a minute in all, and nobody sees it
        place = self.invocation
        identity, secret, token = place.access_key
        client = fc2.Client(
            endpoint=self.endpoint,
            accessKeyID=identity,
            accessKeySecret=secret,
            securityToken=token or "",
            Timeout=self.wait,
        )
        service = f"/2016-08-15/services/{place.service}" if place.service else "/2023-03-30"
        path = f"{service}/functions/{place.function}/{what}"
        # not its public methods, which know the paths of FC 2.0 alone
        signed = client._build_common_headers(method, path, headers)  # noqa: SLF001 - there is no public way to it
        try:
            return client._do_request(method, path, signed, **sent)  # noqa: SLF001 - there is no public way to it
        except fc2.FcError as error:
            code, message = _read_error(error.message)
            raise FcRefusal(error.status_code, error.err_code or code, message, error.request_id) from error


def _text(config: object) -> str:
    """Return a trigger's configuration as text, which FC 3.0 gives; FC 2.0 gives the object."""
    return config if isinstance(config, str) else msgspec.json.encode(config).decode()


def _read_error(body: str) -> tuple[str, str]:
    """Return code and message: FC 2.0 says ErrorCode and ErrorMessage, FC 3.0 Code and Message."""
    try:
        fields = msgspec.json.decode(body, type=dict[str, str | None])
    except msgspec.MsgspecError:
        return "", body[:300]
    code = fields.get("ErrorCode") or fields.get("Code") or ""
    return code, (fields.get("ErrorMessage") or fields.get("Message") or body)[:300]


def _is_not_from_fc2(record: logging.LogRecord) -> bool:
    """Keep fc2 from logging the headers of failed requests, signature and token included."""
    return "/fc2/" not in record.pathname.replace("\\", "/")


class Fc3(Sdk, frozen=True):
    """The function through the SDK of FC 3.0."""

    def submit(self, headers: dict[str, str], payload: bytes) -> None:
        from alibabacloud_fc20230330 import models  # noqa: PLC0415 - only where fc2 is refused

        asked = models.InvokeFunctionRequest(body=payload)
        given = models.InvokeFunctionHeaders(common_headers=dict(headers))
        with self._client() as (client, options):
            client.invoke_function_with_options(self.invocation.function, asked, given, options)

    def invoke(self, event: bytes) -> Answered:
        from alibabacloud_fc20230330 import models  # noqa: PLC0415 - only where fc2 is refused

        asked = models.InvokeFunctionRequest(body=event)
        given = models.InvokeFunctionHeaders(common_headers={"x-fc-invocation-type": "Sync"})
        with self._client() as (client, options):
            answer = client.invoke_function_with_options(self.invocation.function, asked, given, options)
            body = answer.body.read() if answer.body else b""
        told = {name.lower(): value for name, value in (answer.headers or {}).items()}
        return Answered(body, told.get("x-fc-error-type") or "")

    def task(self, task_id: str) -> AsyncTask:
        from alibabacloud_fc20230330 import models  # noqa: PLC0415 - only where fc2 is refused

        asked = models.GetAsyncTaskRequest()
        with self._client() as (client, options):
            given = client.get_async_task_with_options(self.invocation.function, task_id, asked, {}, options)
        return AsyncTask((given.body.task_payload or "").encode(), given.body.status in OPEN)

    def triggers(self) -> tuple[Trigger, ...]:
        from alibabacloud_fc20230330 import models  # noqa: PLC0415 - only where fc2 is refused

        asked = models.ListTriggersRequest(limit=MOST_TRIGGERS)
        with self._client() as (client, options):
            given = client.list_triggers_with_options(self.invocation.function, asked, {}, options)
        return tuple(
            Trigger(each.trigger_name, each.trigger_type, each.source_arn or "", each.trigger_config)
            for each in given.body.triggers
        )

    @contextmanager
    def _client(self) -> Iterator[tuple[Untyped, Untyped]]:
        """Yield the client and how long it waits; its errors become ours."""
        from alibabacloud_fc20230330.client import Client  # noqa: PLC0415 - only where fc2 is refused
        from alibabacloud_tea_openapi.utils_models import Config  # noqa: PLC0415 - only where fc2 is refused
        from darabonba.exceptions import TeaException  # noqa: PLC0415 - only where fc2 is refused
        from darabonba.runtime import RuntimeOptions  # noqa: PLC0415 - only where fc2 is refused

        identity, secret, token = self.invocation.access_key
        scheme, _, host = self.endpoint.partition("://")
        config = Config(
            access_key_id=identity,
            access_key_secret=secret,
            security_token=token,
            region_id=self.invocation.region,
            endpoint=host,
            protocol=scheme,
        )
        client, wait = Client(config), int(self.wait * 1000)  # ms
        try:
            yield client, RuntimeOptions(connect_timeout=wait, read_timeout=wait, autoretry=False)
        except TeaException as error:  # the root of them all: a lost connection is no DaraException
            raise _refusal(error) from error


def _refusal(error: Exception) -> FcRefusal | Transient:
    status = count(getattr(error, "status_code", 0) or getattr(error, "statusCode", 0))
    if not status:
        return Transient("NetworkError", str(error)[:300], in_doubt=True)
    return FcRefusal(
        status,
        str(getattr(error, "code", "") or ""),
        str(getattr(error, "message", error))[:300],
        str(getattr(error, "request_id", "") or ""),
    )
