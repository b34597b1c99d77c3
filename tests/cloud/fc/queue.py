"""Asynchronous invocations: accepted at once, delivered at least once, retried, expired, passed on.

It knows neither HTTP nor processes. What FC documents (facts.md §3): a task id is accepted once; a function
error is retried `maxAsyncRetryAttempts` times with growing pauses; at the concurrency limit an invocation
waits; an event older than `maxAsyncEventAgeInSeconds` is discarded; the result goes to the destinations,
if they take so much.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass

from functions.cli.template.props import Destination, Function
from tests.cloud.conditions import Fault, Weather
from tests.cloud.fc import errors
from tests.cloud.fc.invocation import ASYNC_LIMIT, Attempt, Invocation, Journal, Outcome, Request
from tests.cloud.fc.runner import Runner

MESSAGE_LIMIT = 64 * 1024  # of a message of MNS or EventBridge
LATE = 1.0  # seconds that a delayed delivery comes late
LONGEST_PAUSE = 60.0  # seconds between two attempts

PassOn = Callable[[Destination, bytes], None]


@dataclass(frozen=True)
class Task:
    invocation: Invocation
    delivery: asyncio.Task[None]


class Queue:
    """`pause` is the wait before the first retry in seconds, doubled each time; FC takes about a minute."""

    def __init__(
        self, runner: Runner, journal: Journal, weather: Weather, pass_on: PassOn, pause: float = 0.2
    ) -> None:
        self._runner = runner
        self._journal = journal
        self._weather = weather
        self._pass_on = pass_on
        self._pause = pause
        self._deliveries: dict[asyncio.Task[None], Invocation] = {}
        self.tasks: dict[tuple[str, str], Task] = {}  # by function and task id
        self._due = asyncio.Event()

    def submit(self, request: Request, fault: Fault | None = None) -> Invocation:
        """Accept the invocation; FcError 404 for an unknown function, 409 for a task id used before."""
        function = self._runner.function(request.function)
        task_id = request.task_id or request.request_id
        stateful = function.async_invoke_config.async_task
        if stateful and (function.function_name, task_id) in self.tasks:
            raise errors.already_submitted(task_id)
        invocation = self._journal.open(request)
        delivery = self._spawn(invocation, function, fault)
        if stateful:
            self.tasks[function.function_name, task_id] = Task(invocation, delivery)
        if fault and fault.answer == "duplicate":
            self._spawn(self._journal.open(request), function, None)
        return invocation

    def hurry(self) -> None:
        """Deliver at once what is delayed now, as if that time had passed."""
        self._due.set()
        self._due = asyncio.Event()

    def stop_task(self, function: str, task_id: str) -> bool:
        """End a task that is queued or running; False if there is no such task."""
        task = self.tasks.get((function, task_id))
        if task is None:
            return False
        if task.invocation.open:
            self._journal.close(task.invocation, "stopped")
            if not self._runner.kill(lambda invocation: invocation is task.invocation, "stopped"):
                task.delivery.cancel()
        return True

    def forget(self, function: str) -> None:
        """The function is deleted: what is queued for it is dropped, its task ids are free again."""
        for delivery, invocation in self._deliveries.items():
            if invocation.request.function == function and invocation.outcome == "queued":
                delivery.cancel()
        for key in [key for key in self.tasks if key[0] == function]:
            del self.tasks[key]

    async def stop(self) -> None:
        """Forget everything that is queued."""
        for delivery in self._deliveries:
            delivery.cancel()
        await asyncio.gather(*self._deliveries, return_exceptions=True)

    def _spawn(self, invocation: Invocation, function: Function, fault: Fault | None) -> asyncio.Task[None]:
        delivery = asyncio.create_task(self._deliver(invocation, function, fault))
        self._deliveries[delivery] = invocation
        delivery.add_done_callback(self._deliveries.pop)
        return delivery

    async def _deliver(self, invocation: Invocation, function: Function, fault: Fault | None) -> None:
        outcome: Outcome = "stopped"
        try:
            answer = fault.answer if fault else None
            if answer == "drop":
                outcome = "lost"
                return
            await self._wait(invocation.request.delay + (LATE if answer == "delay" else 0))
            outcome = await self._attempts(invocation, function, killed=answer == "kill")
        finally:
            self._journal.close(invocation, outcome)
        self._announce(invocation, function)

    async def _wait(self, seconds: float) -> None:
        if seconds:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._due.wait(), seconds)

    async def _attempts(self, invocation: Invocation, function: Function, killed: bool) -> Outcome:
        config = function.async_invoke_config
        expires = time.time() + config.max_async_event_age_in_seconds
        pause = self._pause
        while True:
            left = expires - time.time()
            attempt = None
            if left > 0:
                attempt = await self._runner.attempt(invocation, wait=left, killed=killed)
            if attempt is None:
                return "expired"
            retries = len(invocation.attempts) - 1
            if not attempt.failed or retries >= config.max_async_retry_attempts or not invocation.open:
                return attempt.outcome
            if not self._runner.knows(function.function_name):  # deleted meanwhile
                return attempt.outcome
            invocation.outcome = "queued"
            await asyncio.sleep(min(pause, LONGEST_PAUSE))
            pause *= 2
            fault = self._weather.strike("invocation", function.function_name)
            killed = fault is not None and fault.answer == "kill"

    def _announce(self, invocation: Invocation, function: Function) -> None:
        config = function.async_invoke_config.destination_config
        succeeded = invocation.outcome == "succeeded"
        destination = config.on_success if succeeded else config.on_failure
        if destination is None or invocation.outcome in {"stopped", "lost"}:
            return
        event = _result_event(invocation, function)
        invocation.passed_on = "delivered" if len(event) <= _limit(destination) else "too large"
        if invocation.passed_on == "delivered":
            self._pass_on(destination, event)


def _limit(destination: Destination) -> int:
    """Bytes that the destination takes: a function those of an asynchronous payload, a queue, topic or event
    bus those of a message. What FC does with more is not documented: here it is dropped, the worst case.
    """
    return MESSAGE_LIMIT if destination.function_name is None else ASYNC_LIMIT


def _result_event(invocation: Invocation, function: Function) -> bytes:
    """What a destination is sent, as FC documents it under "result callback"."""
    last: Attempt | None = invocation.attempts[-1] if invocation.attempts else None
    failed = invocation.outcome != "succeeded"
    event = {
        "timestamp": int(time.time() * 1000),
        "requestContext": {
            "requestId": invocation.request.request_id,
            "functionArn": f"acs:fc:{function.region}::functions/{function.function_name}",
            "condition": {"succeeded": "", "expired": "EventAgeExceeded"}.get(
                invocation.outcome, "RetriesExhausted"
            ),
            "approximateInvokeCount": len(invocation.attempts),
        },
        "requestPayload": invocation.request.event.decode(errors="replace"),
        "responseContext": {
            "statusCode": 200,
            "functionError": "UnhandledInvocationError" if failed else "",
        },
        "responsePayload": last.body.decode(errors="replace") if last else "",
    }
    return json.dumps(event).encode()
