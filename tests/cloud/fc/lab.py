"""A host in a thread of the test process, and the clients that drive it: the SDKs as they are."""

from __future__ import annotations

import asyncio
import textwrap
import threading
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import fc2
import httpx
import msgspec
from alibabacloud_fc20230330 import models as fc_models
from alibabacloud_fc20230330.client import Client as NativeClient
from alibabacloud_tea_openapi.models import Config
from alibabacloud_tea_util.models import RuntimeOptions

from functions.cli.template.props import Function
from tests.cloud.accounts import Accounts, Credentials
from tests.cloud.conditions import Conditions, Fault, Weather
from tests.cloud.fc.host import FcHost
from tests.cloud.fc.invocation import Invocation
from tests.cloud.fc.packages import Grant
from tests.cloud.fc.sources import Sources

T = TypeVar("T")
ROLE = "acs:ram::1234567890123456:role/function"
DEADLINE = 60.0


class Shelf:
    """Where packages are in place of OSS: a dict."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], bytes] = {}

    def read(self, bucket: str, key: str) -> bytes:
        if (bucket, key) not in self.objects:
            raise ValueError("NoSuchKey")
        return self.objects[bucket, key]

    def grant(self) -> Grant:
        raise AssertionError("no test of a lab asks for this")


class Lab:
    """One FC host; `deploy` takes the source of index.py and the props that matter to the test."""

    def __init__(self, root: Path, **options: Any) -> None:
        self.root = root
        self.accounts = Accounts()
        self.weather = Weather()
        self.depot = Shelf()
        self._options: dict[str, Any] = {"retry_pause": 0.01, **options}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self.url = self.wait(self._start())

    async def _start(self) -> str:
        self.host = FcHost(accounts=self.accounts, weather=self.weather, depot=self.depot, **self._options)
        self.sources = Sources(self.host, "cn-hangzhou")
        return await self.host.start()

    def close(self) -> None:
        self.wait(self.sources.stop())
        self.wait(self.host.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run it in the host's loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(DEADLINE * 2)

    def call(self, function: Callable[..., T], *arguments: object) -> T:
        """Call it in the host's loop."""

        async def run() -> T:
            return function(*arguments)

        return self.wait(run())

    def deploy(self, source: str, name: str = "fn", **props: Any) -> Function:
        code = self.root / name
        code.mkdir()
        (code / "index.py").write_text(textwrap.dedent(source), encoding="utf-8")
        given = {
            "functionName": name,
            "region": "cn-hangzhou",
            "runtime": "python3.12",
            "handler": "index.handler",
            "code": name,
            "role": ROLE,
            "memorySize": 256,
            "cpu": 0.25,
            **props,
        }
        function = msgspec.convert(given, Function)
        self.call(self.host.deploy, function, self.root)
        self.wait(self.sources.add(function))
        return function

    # --- clients ---

    def fc2(self, credentials: Credentials | None = None, version: str = "2016-08-15") -> Any:
        who = credentials or self.accounts.owner
        client = fc2.Client(
            endpoint=self.url,
            accessKeyID=who.access_key_id,
            accessKeySecret=who.access_key_secret,
            securityToken=who.security_token or "",
        )
        client.api_version = version
        return client

    def invoke(self, event: bytes = b"", name: str = "fn", **headers: str) -> Any:
        """Through fc2 on the FC 2.0 path; header names are given with underscores."""
        sent = {key.replace("_", "-"): value for key, value in headers.items()}
        return self.fc2().invoke_function("svc", name, event, sent)

    def submit(self, event: bytes = b"", name: str = "fn", **headers: str) -> Any:
        return self.invoke(event, name, **{"x_fc_invocation_type": "Async", **headers})

    def native(self, credentials: Credentials | None = None) -> Any:
        who = credentials or self.accounts.owner
        return NativeClient(
            Config(
                access_key_id=who.access_key_id,
                access_key_secret=who.access_key_secret,
                security_token=who.security_token,
                endpoint=self.url.removeprefix("http://"),
                protocol="http",
                region_id="cn-hangzhou",
            )
        )

    def invoke_native(
        self, event: bytes = b"", credentials: Credentials | None = None, **headers: str
    ) -> Any:
        return self.native(credentials).invoke_function_with_options(
            "fn",
            fc_models.InvokeFunctionRequest(body=event),
            fc_models.InvokeFunctionHeaders(**headers),
            RuntimeOptions(),
        )

    def web(self, method: str, path: str = "/", **options: Any) -> httpx.Response:
        """An unsigned request to the HTTP trigger."""
        return httpx.request(method, self.sources.urls["fn"] + path, timeout=DEADLINE, **options)

    # --- what happened ---

    def conditions(self, *faults: Fault) -> None:
        self.call(self.weather.set, Conditions(faults=faults))

    @property
    def invocations(self) -> list[Invocation]:
        return self.host.journal.invocations

    def settle(self) -> list[Invocation]:
        """All invocations, once nothing is queued, delayed or running."""
        assert self.wait(self.host.quiet(DEADLINE)), f"still open: {[one.view() for one in self.invocations]}"
        return self.invocations

    def until(self, condition: Callable[[], T]) -> T:
        """Wait for a condition, at most the deadline."""
        deadline = time.monotonic() + DEADLINE
        while not (found := condition()):
            assert time.monotonic() < deadline, "the condition did not come true"
            time.sleep(0.005)
        return found
