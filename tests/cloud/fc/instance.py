"""One instance: a process of its own that runs one invocation at a time, frozen in between.

It knows no queue, no retry and no caller. The process fetches its work from the runtime API (`next`) and
reports there; everything else happens to it: SIGSTOP between invocations, SIGKILL at the timeout, at the
memory limit or when a fault says so, never with a goodbye (facts.md §3).
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from functions.cli.template.props import Function
from tests.cloud.accounts import Credentials
from tests.cloud.fc import memory
from tests.cloud.fc.forks import BOOTSTRAP, Forks, Process, Started
from tests.cloud.fc.home import Home
from tests.cloud.fc.invocation import LOG_LIMIT, Attempt, Outcome

MEASURED_BOOTSTRAP = Path(__file__).with_name("measured.py")
MEASURED = "COVERAGE_PROCESS_CONFIG"  # coverage's own: a process that finds it measures itself
SAMPLE_SECONDS = 0.05  # between looks at the memory of a running instance
START_SECONDS = 30.0  # for the process to ask for work


class Work(msgspec.Struct, frozen=True):
    """What `next` hands out: the metadata headers of the runtime API and the event."""

    request_id: str
    headers: Mapping[str, str]
    event: bytes


class Report(msgspec.Struct, frozen=True):
    """What the process posted: `failed` tells `error` from `response`."""

    failed: bool
    body: bytes


class Instance:
    def __init__(self, function: Function, home: Home, instance_id: str, forks: Forks | None = None) -> None:
        self.function = function
        self._forks = forks
        self.id = instance_id
        self.access_key_id = ""
        self.invocations = 0
        self.frozen = False
        self.initialized = function.instance_lifecycle_config.initializer is None
        self._home = home
        self._inbox: asyncio.Queue[Work | None] = asyncio.Queue()
        self._process: Process | None = None
        self._gone = asyncio.Event()
        self._asked = asyncio.Event()  # the process has fetched the work at hand
        self._report: asyncio.Future[Report] | None = None
        self._output = bytearray()
        self._end_mark = b""
        self._ended = asyncio.Event()  # the end mark was seen in the output
        self._murder: Outcome | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self.die_on_report = False  # a fault: the process is killed the moment it reports

    @property
    def alive(self) -> bool:
        return self._process is not None and not self._gone.is_set()

    @property
    def gone(self) -> bool:
        """Ended, and everything it printed read."""
        return bool(self._tasks) and all(task.done() for task in self._tasks)

    @property
    def usable(self) -> bool:
        """Alive and not on the way out."""
        return self.alive and self._murder is None

    @property
    def python(self) -> str:
        return self._home.python

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def _is_measured(self) -> bool:
        """The host's coverage is measured, and the instance finds the coverage package: the host's own."""
        return MEASURED in os.environ and not self._home.bare and self._home.python == sys.executable

    async def start(self) -> None:
        """Start the process; it asks for work when it is ready."""
        if self._forks is not None and self._home.can_fork and not self._is_measured:
            self._process = await self._forks.start(self._environment(), self._home.code)
        else:
            self._process = await self._start_program()
        self._tasks = [asyncio.create_task(self._read_output()), asyncio.create_task(self._wait())]

    async def _start_program(self) -> Process:
        process = await asyncio.create_subprocess_exec(
            self._home.python,
            "-u",
            "-S" if self._home.bare else "-s",
            str(MEASURED_BOOTSTRAP if self._is_measured else BOOTSTRAP),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=self._environment(),
            cwd=str(self._home.code),
            start_new_session=True,
        )
        return Started(process)

    async def run(
        self, request_id: str, event: bytes, credentials: Credentials, retry: int, qualifier: str
    ) -> Attempt:
        """Run the handler once and say what came of it. After anything but a report the instance is dead."""
        cold = self.invocations == 0
        self.invocations += 1
        self.access_key_id = credentials.access_key_id
        headers = self._headers(request_id, credentials, retry, qualifier)
        initializer = self.function.instance_lifecycle_config.initializer
        before = b""
        if initializer is not None and not self.initialized:
            init = await self._once(
                Work(request_id, headers | {"x-fc-function-type": "1"}, b""), initializer.timeout
            )
            if init.outcome != "succeeded":
                self.kill("killed")
                await _first(self._gone, self._gone, 5.0)
                return msgspec.structs.replace(init, cold=cold)
            self.initialized = True
            before = init.logs
        attempt = await self._once(Work(request_id, headers, event), self.function.timeout)
        return msgspec.structs.replace(attempt, cold=cold, logs=before + attempt.logs)

    def kill(self, outcome: Outcome) -> None:
        """SIGKILL, also to what the function has started. The attempt in progress ends with `outcome`."""
        if self.alive and self.pid is not None:
            self._murder = self._murder or outcome
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)

    async def stop(self) -> None:
        """Kill the process and wait until it is gone."""
        self.kill("killed")
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5)
        for task in self._tasks:
            task.cancel()

    # --- the runtime API calls these ---

    async def next_work(self) -> Work | None:
        """The next invocation, or None when there will be none. Without work the process is frozen."""
        if self._inbox.empty() and self.invocations:
            self._signal(signal.SIGSTOP)
            self.frozen = True
        work = await self._inbox.get()
        self._asked.set()
        return work

    def report(self, request_id: str, report: Report) -> bool:
        """What the process says about `request_id`; False if nobody waits for that any more."""
        if self.die_on_report:
            self.kill("killed")
            return False
        if self._report is None or self._report.done() or self._end_mark != _end_mark(request_id):
            return False
        self._report.set_result(report)
        return True

    # --- one invocation ---

    async def _once(self, work: Work, timeout: float) -> Attempt:
        self._output = bytearray()
        self._end_mark = _end_mark(work.request_id)
        self._ended.clear()
        self._asked.clear()
        self._report = asyncio.get_running_loop().create_future()
        if self.pid is not None:
            memory.forget_peak(self.pid)
        self.thaw()
        self._inbox.put_nowait(work)
        await _first(self._asked, self._gone, START_SECONDS)
        start, begun = time.time(), time.monotonic()
        peak = await self._watch(begun + timeout)
        duration = time.monotonic() - begun
        outcome, body = self._verdict(timeout, duration, peak)
        if self._report.done():
            await _first(self._ended, self._gone, 1.0)  # the log is complete
        else:
            await _first(self._gone, self._gone, 5.0)
        return Attempt(
            start=start,
            end=start + duration,
            outcome=outcome,
            body=body,
            logs=bytes(self._output[-LOG_LIMIT:]),
            peak_memory_mb=round(peak, 1),
            instance_id=self.id,
            access_key_id=self.access_key_id,
            cold=False,
        )

    async def _watch(self, deadline: float) -> float:
        """Wait for the report or the end of the process, enforce time and memory; the peak memory in MB."""
        assert self._report is not None
        gone = asyncio.ensure_future(self._gone.wait())
        either: set[asyncio.Future[Any]] = {self._report, gone}
        peak = 0.0
        try:
            while not self._report.done() and not self._gone.is_set():
                left = deadline - time.monotonic()
                if left <= 0:
                    self.kill("timeout")
                    break
                await asyncio.wait(
                    either,
                    timeout=min(left, SAMPLE_SECONDS),
                    return_when=asyncio.FIRST_COMPLETED,
                )
                peak = max(peak, memory.peak_mb(self.pid or 0))
                if peak > self.function.memory_size:
                    self.kill("out-of-memory")
                    break
        finally:
            gone.cancel()
        return peak

    def _verdict(self, timeout: float, duration: float, peak: float) -> tuple[Outcome, bytes]:
        assert self._report is not None
        if self._report.done() and self._murder is None:
            report = self._report.result()
            return ("function-error" if report.failed else "succeeded"), report.body
        used = f"duration: {duration * 1000:.0f}ms, maxMemoryUsage: {peak:.2f}MB"
        match self._murder:
            case "timeout":
                message = f"Function timed out after {timeout:g} seconds ({used})"
                return "timeout", _error("FunctionTimeoutError", message)
            case "out-of-memory":
                message = f"Process exited unexpectedly before completing request ({used}): out of memory"
                return "out-of-memory", _error("FunctionOOMError", message)
            case None:
                outcome: Outcome = "exited"
            case named:
                outcome = named
        return outcome, _error("", f"Process exited unexpectedly before completing request ({used})")

    # --- the process ---

    def thaw(self) -> None:
        if self.frozen:
            self.frozen = False
            self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self.alive and self.pid is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    async def _wait(self) -> None:
        assert self._process is not None
        await self._process.wait()
        self._gone.set()
        self._inbox.put_nowait(None)

    async def _read_output(self) -> None:
        assert self._process is not None
        while chunk := await self._process.output.read(65536):
            self._output += chunk
            if self._end_mark and self._end_mark in self._output[-len(chunk) - len(self._end_mark) :]:
                self._ended.set()
            if len(self._output) > 4 * LOG_LIMIT:
                del self._output[:-LOG_LIMIT]

    def _environment(self) -> dict[str, str]:
        """What FC gives and the function's own variables: nothing leaks in from the host."""
        function = self.function
        return {
            "PATH": f"{Path(self._home.python).parent}:/usr/local/bin:/usr/bin:/bin",
            "HOME": "/tmp",  # noqa: S108 - the only writable directory of an instance
            "LANG": "C.UTF-8",
            **({MEASURED: os.environ[MEASURED]} if self._is_measured else {}),
            **self._home.environment,
            **function.environment_variables,
            "FC_FUNCTION_NAME": function.function_name,
            "FC_FUNCTION_HANDLER": function.handler,
            "FC_FUNCTION_MEMORY_SIZE": str(function.memory_size),
            "FC_REGION": function.region,
            "FC_ACCOUNT_ID": self._home.account_id,
            "FC_INSTANCE_ID": self.id,
            "FC_FUNC_CODE_PATH": str(self._home.code),
            "FC_LAYER_PATH": ":".join(map(str, self._home.layers)),
            "FC_RUNTIME": function.runtime,
            "FC_RUNTIME_API": f"{self._home.runtime_api}/{self.id}",
            "FC_HOST_PID": str(os.getpid()),
        }

    def _headers(
        self, request_id: str, credentials: Credentials, retry: int, qualifier: str
    ) -> dict[str, str]:
        function = self.function
        initializer = function.instance_lifecycle_config.initializer
        return {
            "x-fc-request-id": request_id,
            "x-fc-function-type": "0",
            "x-fc-function-name": function.function_name,
            "x-fc-function-handler": function.handler,
            "x-fc-function-initializer": initializer.handler if initializer else "",
            "x-fc-function-memory": str(function.memory_size),
            "x-fc-function-timeout": str(function.timeout),
            "x-fc-service-name": self._home.service,
            "x-fc-qualifier": qualifier,
            "x-fc-region": function.region,
            "x-fc-account-id": self._home.account_id,
            "x-fc-retry-count": str(retry),
            "x-fc-access-key-id": credentials.access_key_id,
            "x-fc-access-key-secret": credentials.access_key_secret,
            "x-fc-security-token": credentials.security_token or "",
        }


def _end_mark(request_id: str) -> bytes:
    return f" End RequestId: {request_id}\n".encode()


def _error(kind: str, message: str) -> bytes:
    """FC's answer when the runtime could not speak for itself."""
    error = {"errorMessage": message} | ({"errorType": kind} if kind else {})
    return json.dumps(error).encode()


async def _first(one: asyncio.Event, other: asyncio.Event, seconds: float) -> None:
    """Wait until either event is set, at most so many seconds."""
    waits = {asyncio.ensure_future(event.wait()) for event in {one, other}}
    await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
