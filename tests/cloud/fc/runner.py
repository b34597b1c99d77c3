"""Runs an invocation once: an instance, fresh credentials, the attempt, its record.

It decides nothing about retries or answers.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from functions.cli.template.props import Function
from tests.cloud.accounts import Accounts, Credentials
from tests.cloud.fc import errors
from tests.cloud.fc.forks import Forks, can_fork
from tests.cloud.fc.home import Home, interpreter, packages, published
from tests.cloud.fc.instance import Instance
from tests.cloud.fc.invocation import Attempt, Invocation, Outcome
from tests.cloud.fc.pool import Pool
from tests.cloud.fc.runtime_api import RuntimeApi

_NOBODY = Credentials(access_key_id="", access_key_secret="", principal="")


class Runner:
    def __init__(self, accounts: Accounts, service: str) -> None:
        self.runtime_api = RuntimeApi()
        self.address = ""  # host:port of the runtime API, known once it listens
        self.environment: Mapping[str, str] = {}  # for functions that do not set these variables themselves
        self._accounts = accounts
        self._service = service
        self._pools: dict[str, Pool] = {}
        self._removed: list[Pool] = []  # of deleted functions: what runs may finish
        self._running: dict[Instance, Invocation] = {}
        self._random = random.Random(0)
        self._forks = Forks()

    def deploy(self, function: Function, root: Path) -> None:
        """Make the function known; `root` is the directory that `code` and the layers are relative to.

        ValueError if the code is not there.
        """
        built = tuple(sorted(root.glob("layers/*/python"))) if function.layers else ()
        python, layers = interpreter(function.runtime, built)
        code = (root / function.code_path).resolve()
        home = self._home(
            python,
            code,
            packages(layers, function.runtime),
            can_fork=bool(function.layers) and not layers and can_fork(),
        )
        if not home.code.is_dir():
            raise ValueError(f"`code`: {home.code} is not a directory")
        self._install(function, home)

    def publish(self, function: Function, code: Path, layers: tuple[Path, ...]) -> None:
        """Make a function known, or anew, whose code and layers (as below /opt) were unpacked from packages.

        What is queued runs with the new code, what runs ends with the old.
        """
        python, used, bare = published(function.runtime, layers)
        places = packages(tuple(layer / "python" for layer in used), function.runtime)
        self._install(function, self._home(python, code, places, bare=bare))

    def renew(self, function: Function, code: Path) -> None:
        """As `publish`, with the interpreter and the layers that it has."""
        home = msgspec.structs.replace(self._pool(function.function_name).home, code=code)
        self._install(function, home)

    def reconfigure(self, function: Function) -> None:
        """Other triggers, asynchronous settings or concurrency: its instances stay."""
        self._pool(function.function_name).reconfigure(function)

    def code(self, name: str) -> Path:
        """The directory of the function's code."""
        return self._pool(name).home.code

    def remove(self, name: str) -> None:
        """Forget the function; what runs may finish."""
        pool = self._pools.pop(name)
        pool.retire()
        self._removed.append(pool)

    def _home(
        self, python: str, code: Path, places: tuple[Path, ...], *, bare: bool = False, can_fork: bool = False
    ) -> Home:
        return Home(
            python=python,
            code=code,
            layers=places,
            account_id=self._accounts.account_id,
            service=self._service,
            runtime_api=self.address,
            bare=bare,
            can_fork=can_fork,
            environment=self.environment,
        )

    def _install(self, function: Function, home: Home) -> None:
        if pool := self._pools.get(function.function_name):
            pool.renew(function, home)
        else:
            self._pools[function.function_name] = Pool(function, home, self.runtime_api, self._forks)

    def function(self, name: str) -> Function:
        """The deployed function; FcError 404 FunctionNotFound."""
        return self._pool(name).function

    def knows(self, name: str) -> bool:
        return name in self._pools

    async def attempt(
        self, invocation: Invocation, *, wait: float | None, killed: bool = False
    ) -> Attempt | None:
        """Run once and record it; at the limit `wait` seconds for an instance, else FcError 429.

        None if that was not long enough.
        `killed` is the fault that ends the instance while it runs, at the latest when it reports.
        """
        request = invocation.request
        pool = self._pool(request.function)
        if wait is not None and pool.full:
            invocation.throttled += 1
        try:
            instance = await asyncio.wait_for(pool.acquire(wait is not None), wait)
        except asyncio.TimeoutError:
            return None
        self._running[instance] = invocation
        try:
            role = instance.function.role
            credentials = self._accounts.issue(role) if role else _NOBODY
            invocation.outcome = "running"
            invocation.running_on = instance.id
            invocation.access_key_id = credentials.access_key_id
            with _deadly(instance, self._random.uniform(0.02, 0.3) if killed else None):
                attempt = await instance.run(
                    request.request_id,
                    request.event,
                    credentials,
                    len(invocation.attempts),
                    request.qualifier,
                )
            invocation.attempts.append(attempt)
            return attempt
        finally:
            del self._running[instance]
            pool.release(instance)

    def kill(self, wanted: Callable[[Invocation], bool], outcome: Outcome = "killed") -> int:
        """SIGKILL the instances that run such invocations; how many there were."""
        victims = [instance for instance, invocation in self._running.items() if wanted(invocation)]
        for instance in victims:
            instance.kill(outcome)
        return len(victims)

    @property
    def functions(self) -> tuple[Function, ...]:
        return tuple(pool.function for pool in self._pools.values())

    @property
    def instances(self) -> tuple[Instance, ...]:
        pools = (*self._pools.values(), *self._removed)
        return tuple(instance for pool in pools for instance in pool.instances)

    async def stop(self) -> None:
        """End every instance."""
        await asyncio.gather(*(pool.stop() for pool in (*self._pools.values(), *self._removed)))
        self._forks.stop()

    def _pool(self, name: str) -> Pool:
        if name not in self._pools:
            raise errors.function_not_found(name)
        return self._pools[name]


class _deadly:  # noqa: N801 - reads as a statement
    def __init__(self, instance: Instance, after: float | None) -> None:
        self._instance = instance
        self._after = after
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> None:
        if self._after is not None:
            self._instance.die_on_report = True
            self._timer = asyncio.get_running_loop().call_later(self._after, self._instance.kill, "killed")

    def __exit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
