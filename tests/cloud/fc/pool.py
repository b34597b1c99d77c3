"""The instances of one function: warm ones reused last in, first out; new ones up to the concurrency limit.

When the function is updated, whoever is at work finishes with what it began with. It knows no invocations: it
lends instances and takes them back.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque

from functions.cli.template.props import Function
from tests.cloud.fc import errors
from tests.cloud.fc.forks import Forks
from tests.cloud.fc.home import Home
from tests.cloud.fc.instance import Instance
from tests.cloud.fc.runtime_api import RuntimeApi

ACCOUNT_LIMIT = 100  # instances per region by default (facts.md §3)


class Pool:
    def __init__(self, function: Function, home: Home, runtime_api: RuntimeApi, forks: Forks) -> None:
        self.function = function
        self.home = home
        self._runtime_api = runtime_api
        self._forks = forks
        self._idle: list[Instance] = []
        self._busy: set[Instance] = set()
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._retired: set[Instance] = set()  # busy ones that end after their invocation
        self._dying: list[Instance] = []  # killed, and perhaps not gone yet

    @property
    def limit(self) -> int:
        config = self.function.concurrency_config
        return ACCOUNT_LIMIT if config is None else config.reserved_concurrency

    @property
    def instances(self) -> tuple[Instance, ...]:
        return (*self._busy, *self._idle)

    @property
    def full(self) -> bool:
        return len(self._busy) >= self.limit

    def renew(self, function: Function, home: Home) -> None:
        """From now on instances run this; those at work finish what they do, idle ones end at once."""
        self.function = function
        self.home = home
        self.retire()

    def reconfigure(self, function: Function) -> None:
        """Triggers, asynchronous settings or the limit have changed: nothing that an instance notices."""
        self.function = function
        for _ in range(len(self._waiting)):
            self._wake()

    def retire(self) -> None:
        """No instance that is here now runs another invocation."""
        self._retired |= self._busy
        for instance in self._idle:
            self._end(instance)
        self._idle.clear()

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
            self._end(instance)
        instance = Instance(self.function, self.home, f"c-{secrets.token_hex(8)}", self._forks)
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
        if instance.usable and instance not in self._retired:
            self._idle.append(instance)
        else:
            self._end(instance)
        self._wake()

    async def stop(self) -> None:
        """End every instance; none is left then."""
        for instance in self.instances:
            self._end(instance)
        await asyncio.gather(*(instance.stop() for instance in self._dying))
        self._idle.clear()
        self._busy.clear()

    def _end(self, instance: Instance) -> None:
        instance.kill("killed")
        self._dying = [*(each for each in self._dying if not each.gone), instance]
        self._retired.discard(instance)
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
