"""Asks FC about the function: where its HTTP trigger is, and what it answers to an event."""

from __future__ import annotations

import io

import msgspec
from alibabacloud_fc20230330 import models
from alibabacloud_fc20230330.client import Client
from darabonba.runtime import RuntimeOptions

from functions.cli.account.sdk_errors import asking_fc, body_of
from functions.cli.errors import ServiceRefused

_LONGEST = 86_500_000  # milliseconds: an invocation takes a day at most
_CONNECT = 10_000


class Invoked(msgspec.Struct, frozen=True):
    """The function's answer. `error_type`: it raised, or FC ended it. `request_id`: for the log."""

    body: bytes
    request_id: str
    error_type: str | None = None


def find_trigger(client: Client, function: str, trigger: str) -> str:
    """Return the URL of the function's HTTP trigger, the public one if there is one."""
    with asking_fc(f"trigger {trigger} of {function}"):
        found: models.Trigger = body_of(client.get_trigger, function, trigger)
    web = found.http_trigger
    url = web and (web.url_internet or web.url_intranet)
    if not url:
        raise ServiceRefused(f"trigger {trigger} of {function} has no URL")
    return str(url)


def invoke(client: Client, function: str, event: bytes, *, is_async: bool) -> Invoked:
    """Invoke the function with this event, byte for byte, and return its answer; asynchronously: none."""
    headers = models.InvokeFunctionHeaders(x_fc_invocation_type="Async" if is_async else "Sync")
    request = models.InvokeFunctionRequest(body=io.BytesIO(event))
    options = RuntimeOptions(read_timeout=_LONGEST, connect_timeout=_CONNECT, autoretry=False)
    with asking_fc(f"function {function}"):
        answer = client.invoke_function_with_options(function, request, headers, options)
        body = answer.body.read() if answer.body else b""
    told = {name.lower(): value for name, value in (answer.headers or {}).items()}
    return Invoked(body, told.get("x-fc-request-id", ""), told.get("x-fc-error-type"))
