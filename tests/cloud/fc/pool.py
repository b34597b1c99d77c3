"""The instances of one function: warm ones reused last in, first out; new ones up to the concurrency limit.

It knows no invocations: it lends instances and takes them back.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque

from functions.deploy.props import Function
from tests.cloud.fc import errors
from tests.cloud.fc.home import Home
from tests.cloud.fc.instance import Instance
from tests.cloud.fc.runtime_api import RuntimeApi

ACCOUNT_LIMIT = 100  # instances per region by default (facts.md §3)


class Pool:
    def __init__(self, function: Function, home: Home, runtime_api: RuntimeApi) -> None:
        self.function = function
        self.limit = (
            ACCOUNT_LIMIT
            if function.concurrency_config is None
            else function.concurrency_config.reserved_concurrency
        )
        self._home = home
        self._runtime_api = runtime_api
        self._idle: list[Instance] = []
        self._busy: set[Instance] = set()
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def instances(self) -> tuple[Instance, ...]:
        return (*self._busy, *self._idle)

    @property
    def full(self) -> bool:
        return len(self._busy) >= self.limit

    async def acquire(self, wait: bool) -> Instance:
        """An instance for one invocation; at the limit wait for one, or FcError 429 ResourceExhausted."""
        while self.full:
            if not wait:
                raise errors.exhausted(self.function.function_name, self.limit)
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                self._pass_on(turn)
                raise
        while self._idle:
            instance = self._idle.pop()
            if instance.usable:
                self._busy.add(instance)
                return instance
            self._forget(instance)
        instance = Instance(self.function, self._home, f"c-{secrets.token_hex(8)}")
        self._runtime_api.instances[instance.id] = instance
        self._busy.add(instance)
        try:
            await instance.start()
        except BaseException:
            await instance.stop()
            self.release(instance)
            raise
        return instance

    def release(self, instance: Instance) -> None:
        """Take an instance back; a dead one is forgotten."""
        self._busy.discard(instance)
        if instance.usable:
            self._idle.append(instance)
        else:
            self._forget(instance)
        self._wake()

    async def stop(self) -> None:
        """End every instance."""
        await asyncio.gather(*(instance.stop() for instance in self.instances))
        for instance in self.instances:
            self._forget(instance)
        self._idle.clear()
        self._busy.clear()

    def _forget(self, instance: Instance) -> None:
        self._runtime_api.instances.pop(instance.id, None)

    def _wake(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return

    def _pass_on(self, turn: asyncio.Future[None]) -> None:
        if turn.done() and not turn.cancelled():
            self._wake()
