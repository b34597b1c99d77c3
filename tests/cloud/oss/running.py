"""A real OSS server on a port of its own, in a thread with a loop of its own, for tests."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import oss2
import pytest
import uvloop

from tests.cloud.accounts import Accounts
from tests.cloud.conditions import Conditions, Fault, Weather
from tests.cloud.events import ObjectEvent
from tests.cloud.oss.server import OssServer

T = TypeVar("T")


class Running:
    """The server, what reaches it, and what it told."""

    def __init__(
        self,
        directory: Path,
        *,
        accounts: Accounts | None = None,
        kind: type[OssServer] = OssServer,
        public_host: str | None = None,
    ) -> None:
        self.directory = directory
        self.accounts = accounts or Accounts()
        self.weather = Weather()
        self.events: list[ObjectEvent] = []
        self.killed: list[str] = []
        self.server = kind(
            accounts=self.accounts,
            weather=self.weather,
            data=directory,
            notify=self.events.append,
            kill=self.killed.append,
            public_host=public_host,
        )
        self.url = ""
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def start(self) -> None:
        self.url = asyncio.run_coroutine_threadsafe(self.server.start(), self._loop).result(10)

    def stop(self) -> None:
        if not self._thread.is_alive():
            return
        asyncio.run_coroutine_threadsafe(self.server.stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def do(self, action: Callable[[], T]) -> T:
        """Call a method of the server in its loop."""

        async def call() -> T:
            return action()

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result(30)

    def fail(self, *faults: Fault, latency_ms: float = 0, bandwidth_mb_s: float = 0) -> None:
        self.conditions(Conditions(latency_ms=latency_ms, bandwidth_mb_s=bandwidth_mb_s, faults=faults))

    def conditions(self, conditions: Conditions) -> None:
        self.do(lambda: self.weather.set(conditions))

    def bucket(self, name: str = "src", *, version: str = "v4", create: bool = True) -> oss2.Bucket:
        """An oss2 Bucket signed by the account's owner."""
        owner = self.accounts.owner
        auth = oss2.make_auth(owner.access_key_id, owner.access_key_secret, version)
        if create and name not in self.server.store.buckets:
            self.do(lambda: self.server.create_bucket(name))
        return oss2.Bucket(auth, self.url, name, region="cn-hangzhou")


def refused(action: Callable[..., object], *arguments: object, **options: object) -> tuple[int, str]:
    """Status and code of the error that the action ends in."""
    with pytest.raises(oss2.exceptions.ServerError) as caught:
        action(*arguments, **options)
    return caught.value.status, caught.value.code
