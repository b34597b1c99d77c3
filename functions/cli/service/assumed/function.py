"""The probes of FC: what it answers to events that the deployed function refuses, or that never reach it.

The function copies nothing for them: `{}` is no request.
"""

from __future__ import annotations

import io
import secrets
from collections.abc import Callable, Mapping
from types import MappingProxyType

import fc2
from alibabacloud_fc20230330 import models
from alibabacloud_fc20230330.client import Client
from darabonba.exceptions import ResponseException
from darabonba.runtime import RuntimeOptions

from functions.cli import template
from functions.cli.service.target import Target

NOTHING = b"{}"  # the function refuses it
SECONDS = 60
TOO_LARGE = b" " * (256 << 10) + NOTHING  # of an asynchronous invocation, which takes 128 or 256 KB


class Deployed:
    """The deployed function, as both SDKs ask FC about it."""

    def __init__(self, client: Client, older: fc2.Client, name: str) -> None:
        self.client = client
        self.older = older
        self.name = name

    def submit(self, event: bytes, task_id: str) -> str:
        """Invoke it asynchronously with this task id; return what FC answers."""
        headers = models.InvokeFunctionHeaders(x_fc_invocation_type="Async", x_fc_async_task_id=task_id)
        request = models.InvokeFunctionRequest(body=io.BytesIO(event))
        try:
            answer = self.client.invoke_function_with_options(
                self.name, request, headers, RuntimeOptions(autoretry=False)
            )
        except ResponseException as error:
            return f"refused: {error.status_code} {error.code}"
        return f"taken: {answer.status_code}"


def find(target: Target) -> Deployed:
    """Return the function of the template, as the account may ask about it."""
    account, deployment = target.account(), template.read(target.template, target.environ)
    main = deployment.main
    older = fc2.Client(
        endpoint=account.fc_url(main.region, deployment.account),
        accessKeyID=account.access_key_id,
        accessKeySecret=account.access_key_secret,
        securityToken=account.security_token or "",
        Timeout=SECONDS,
    )
    return Deployed(account.fc(main.region, deployment.account), older, main.function_name)


def task_id_twice(deployed: Deployed) -> str:
    """Submit the same task id twice."""
    task_id = f"oss-copy-assumptions-{secrets.token_hex(8)}"
    first = deployed.submit(NOTHING, task_id)
    return deployed.submit(NOTHING, task_id) if first.startswith("taken") else f"the first one was {first}"


def payload_too_large(deployed: Deployed) -> str:
    """Submit an event that is larger than an asynchronous invocation takes."""
    return deployed.submit(TOO_LARGE, f"oss-copy-assumptions-{secrets.token_hex(8)}")


def fc2_signature(deployed: Deployed) -> str:
    """Invoke it through fc2. The message of a refusal may quote what was signed, and is left out."""
    path, headers = f"/2023-03-30/functions/{deployed.name}/invocations", {"x-fc-invocation-type": "Sync"}
    signed = deployed.older._build_common_headers("POST", path, headers)  # noqa: SLF001 - there is no public way to FC 3.0
    try:
        deployed.older._do_request("POST", path, signed, body=NOTHING)  # noqa: SLF001 - as above
    except fc2.FcError as error:
        return f"refused: {error.status_code} {error.err_code}".rstrip()
    return "taken"


PROBES: Mapping[str, Callable[[Deployed], str]] = MappingProxyType(
    {probe.__name__.replace("_", "-"): probe for probe in (task_id_twice, payload_too_large, fc2_signature)}
)
