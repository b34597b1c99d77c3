"""Drives the SDKs of FC for Python: aliyun-fc2 (the argument `fc2`) or alibabacloud-fc20230330 (`fc3`)."""

from __future__ import annotations

import base64
import contextlib
import sys
from collections.abc import Iterator
from importlib.metadata import version as version_of
from typing import Any

import fc2
from alibabacloud_fc20230330 import models
from alibabacloud_fc20230330.client import Client
from alibabacloud_tea_openapi.models import Config
from alibabacloud_tea_util.models import RuntimeOptions
from Tea.exceptions import TeaException

from .channel import RefusedError, serve

Headers = dict[str, str]
SERVICE = "any"  # FC 3.0 has no services, and its host of the older API takes every name


class Fc2:
    """The older API: invocations alone, as far as FC 3.0's host answers it."""

    client: Any = None

    def connect(self, *, endpoint: str, id: str, secret: str, token: str, account: str, region: str) -> None:  # noqa: A002 - it is the name on the wire
        del account, region
        self.client = fc2.Client(
            endpoint=endpoint, accessKeyID=id, accessKeySecret=secret, securityToken=token, Timeout=60
        )

    def invoke(self, *, function: str, payload: bytes, headers: Headers) -> dict[str, Any]:
        """The older name of the header for a task id."""
        older = {"x-fc-async-task-id": "x-fc-stateful-async-invocation-id"}
        sent = {older.get(name, name): value for name, value in headers.items()}
        try:
            answer = self.client.invoke_function(SERVICE, function, payload, sent)
        except fc2.FcError as error:
            if error.status_code == 200:  # the function raised, and its error is the answer's body
                return {
                    "body": str(error.message).encode(),
                    "headers": {"x-fc-error-type": "UnhandledInvocationError"},
                }
            raise RefusedError(error.status_code, error.err_code or "") from error
        return {
            "body": answer.data,
            "headers": {name.lower(): value for name, value in answer.headers.items()},
        }


class Fc3:
    """The API of FC 3.0."""

    client: Any = None

    def connect(self, *, endpoint: str, id: str, secret: str, token: str, account: str, region: str) -> None:  # noqa: A002 - it is the name on the wire
        del account
        self.client = Client(
            Config(
                access_key_id=id,
                access_key_secret=secret,
                security_token=token or None,
                endpoint=endpoint.removeprefix("http://"),
                protocol="http",
                region_id=region,
            )
        )

    def invoke(self, *, function: str, payload: bytes, headers: Headers) -> dict[str, Any]:
        asked = models.InvokeFunctionRequest(body=payload)
        sent = models.InvokeFunctionHeaders(
            x_fc_invocation_type=headers.get("x-fc-invocation-type"),
            x_fc_async_task_id=headers.get("x-fc-async-task-id"),
            x_fc_log_type=headers.get("x-fc-log-type"),
        )
        with _refusals():
            answer = self.client.invoke_function_with_options(function, asked, sent, RuntimeOptions())
        body = answer.body.read() if answer.body is not None else b""
        return {"body": body, "headers": {name.lower(): value for name, value in answer.headers.items()}}

    def create(self, *, function: str, code: bytes, handler: str) -> None:
        given = models.CreateFunctionInput(
            function_name=function,
            handler=handler,
            runtime="python3.10",
            memory_size=256,
            cpu=0.25,
            timeout=20,
            code=models.InputCodeLocation(zip_file=base64.b64encode(code).decode()),
        )
        with _refusals():
            self.client.create_function(models.CreateFunctionRequest(body=given))

    def keep_tasks(self, *, function: str) -> None:
        """Asynchronous invocations become tasks, with ids that count."""
        given = models.PutAsyncInvokeConfigInput(async_task=True)
        with _refusals():
            self.client.put_async_invoke_config(function, models.PutAsyncInvokeConfigRequest(body=given))

    def describe(self, *, function: str) -> dict[str, Any]:
        with _refusals():
            found = self.client.get_function(function, models.GetFunctionRequest()).body
        return {"name": found.function_name, "handler": found.handler, "memory": found.memory_size}

    def functions(self, *, prefix: str, page: int) -> list[str]:
        found: list[str] = []
        token = None
        while True:
            asked = models.ListFunctionsRequest(prefix=prefix, limit=page, next_token=token)
            with _refusals():
                answer = self.client.list_functions(asked).body
            found += [each.function_name for each in answer.functions or []]
            token = answer.next_token
            if not token:
                return found

    def remove(self, *, function: str) -> None:
        with _refusals():
            self.client.delete_function(function)

    def task(self, *, function: str, task: str) -> str:
        with _refusals():
            status: str = self.client.get_async_task(function, task, models.GetAsyncTaskRequest()).body.status
        return status

    def tasks(self, *, function: str, prefix: str) -> list[str]:
        with _refusals():
            found = self.client.list_async_tasks(function, models.ListAsyncTasksRequest(prefix=prefix)).body
        return [each.task_id for each in found.tasks or []]

    def stop(self, *, function: str, task: str) -> None:
        with _refusals():
            self.client.stop_async_task(function, task, models.StopAsyncTaskRequest())


@contextlib.contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except TeaException as error:
        raise RefusedError((error.data or {}).get("statusCode", 0), error.code) from error


if __name__ == "__main__":
    if sys.argv[1:] == ["fc2"]:
        serve(f"aliyun-fc2 {version_of('aliyun-fc2')}", Fc2())
    else:
        serve(f"alibabacloud-fc20230330 {version_of('alibabacloud-fc20230330')}", Fc3())
