"""What is asked of a function and what came of it: the record of every invocation, kept for the admin API.

It knows neither processes nor HTTP. Requests and attempts are frozen; an `Invocation` gathers them.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from dataclasses import dataclass, field
from typing import Literal

import msgspec

# `killed`: by SIGKILL from outside; `exited`: the process ended by itself; `lost`: accepted, never delivered.
ASYNC_LIMIT = 128 * 1024  # bytes of the payload of an asynchronous invocation
Outcome = Literal[
    "queued",
    "running",
    "succeeded",
    "function-error",
    "timeout",
    "out-of-memory",
    "killed",
    "exited",
    "throttled",
    "expired",
    "stopped",
    "lost",
]
FAILED: frozenset[Outcome] = frozenset({"function-error", "timeout", "out-of-memory", "killed", "exited"})
OPEN: frozenset[Outcome] = frozenset({"queued", "running"})

TASK_STATUS: dict[Outcome, str] = {  # as AsyncTask.status spells it (API 2023-03-30)
    "queued": "Enqueued",
    "running": "Running",
    "succeeded": "Succeeded",
    "expired": "Expired",
    "stopped": "Stopped",
    "lost": "Enqueued",
}
FAR = 120  # seconds: who waits until nothing is left to do does not wait for what is delayed so long
LOG_LIMIT = 256 * 1024  # bytes of log kept per attempt


class Request(msgspec.Struct, frozen=True):
    """One invocation as it was asked for. `delay` in seconds; `task_id` only in asynchronous ones."""

    request_id: str
    function: str
    event: bytes
    trigger: str  # "api", a trigger's name, or "destination"
    asynchronous: bool
    task_id: str | None = None
    delay: float = 0.0
    qualifier: str = "LATEST"


class Attempt(msgspec.Struct, frozen=True):
    """One run of the handler in one instance. Times in Unix seconds; `body` is the answer or error JSON."""

    start: float
    end: float
    outcome: Outcome
    body: bytes
    logs: bytes
    peak_memory_mb: float
    instance_id: str
    access_key_id: str
    cold: bool

    @property
    def failed(self) -> bool:
        return self.outcome in FAILED


@dataclass
class Invocation:
    """A request with the attempts made so far."""

    request: Request
    submitted: float
    outcome: Outcome = "queued"
    attempts: list[Attempt] = field(default_factory=list)
    running_on: str | None = None
    started: float | None = None
    access_key_id: str | None = None
    throttled: int = 0
    ended: float | None = None
    passed_on: Literal["delivered", "too large"] | None = None  # to the destination of its outcome

    @property
    def open(self) -> bool:
        return self.outcome in OPEN

    @property
    def task_id(self) -> str | None:
        """FC makes the request id the task id of whoever names none."""
        return self.request.task_id or (self.request.request_id if self.request.asynchronous else None)

    def view(self) -> dict[str, object]:
        """What `GET /invocations` shows: the last attempt speaks for all, peak memory is the highest."""
        last = self.attempts[-1] if self.attempts else None
        over = last is not None and not self.open
        return {
            "request_id": self.request.request_id,
            "task_id": self.task_id,
            "function": self.request.function,
            "trigger": self.request.trigger,
            "asynchronous": self.request.asynchronous,
            "event": self.request.event.decode(errors="replace"),
            "event_bytes": len(self.request.event),
            "submitted": self.submitted,
            "start": self.attempts[0].start if self.attempts else self.started,
            "end": self.ended,
            "outcome": self.outcome,
            "result": last.body.decode(errors="replace") if over and last and not last.failed else None,
            "error": last.body.decode(errors="replace") if last and last.failed else None,
            "retries": max(0, len(self.attempts) - 1),
            "throttled": self.throttled,
            "passed_on": self.passed_on,
            "peak_memory_mb": max((attempt.peak_memory_mb for attempt in self.attempts), default=None),
            "access_key_id": self.access_key_id,
            "instance_id": self.running_on or (last.instance_id if last else None),
            "logs": last.logs.decode(errors="replace") if last else "",
            "attempts": [
                {
                    "start": attempt.start,
                    "end": attempt.end,
                    "outcome": attempt.outcome,
                    "peak_memory_mb": attempt.peak_memory_mb,
                    "instance_id": attempt.instance_id,
                    "access_key_id": attempt.access_key_id,
                    "cold": attempt.cold,
                }
                for attempt in self.attempts
            ],
        }


class Journal:
    """Every invocation since the host started, and whether anything is still to be done."""

    def __init__(self) -> None:
        self.invocations: list[Invocation] = []
        self._open = 0
        self._quiet = asyncio.Event()
        self._quiet.set()

    def open(self, request: Request) -> Invocation:
        """A new record, queued as of now."""
        invocation = Invocation(request, time.time())
        self.invocations.append(invocation)
        if request.delay < FAR:
            self._open += 1
            self._quiet.clear()
        return invocation

    def close(self, invocation: Invocation, outcome: Outcome) -> None:
        """The last word about an invocation; a second one is not heard."""
        if not invocation.open:
            return
        invocation.outcome = outcome
        invocation.ended = time.time()
        invocation.running_on = None
        self._open -= invocation.request.delay < FAR
        if not self._open:
            self._quiet.set()

    async def quiet(self) -> None:
        """Wait until nothing is queued, running, or delayed for less than FAR seconds."""
        await self._quiet.wait()


def new_request_id() -> str:
    """A request id as FC 3.0 writes it."""
    digits = uuid.uuid4().hex
    return f"1-{digits[:8]}-{digits[8:16]}-{digits[16:28]}"
