"""Everything besides the API that invokes functions: the triggers of what is deployed.

`Sources` listens for HTTP, waits for timers and hears about objects; each becomes an invocation of the host.
"""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timezone

from functions.deploy import schedules
from functions.deploy.props import (
    EventBridgeTrigger,
    Function,
    HttpTrigger,
    OssTrigger,
    TimerTrigger,
    Trigger,
)
from tests.cloud.events import ObjectEvent
from tests.cloud.fc import objects, timers
from tests.cloud.fc.host import FcHost
from tests.cloud.fc.invocation import Invocation
from tests.cloud.fc.web import WebTrigger
from tests.cloud.serving import Listener


class Sources:
    """`batch_seconds` is how long an OSS trigger gathers records into one event; 0 sends each alone."""

    def __init__(self, host: FcHost, region: str, batch_seconds: float = 0.0) -> None:
        self._host = host
        self._region = region
        self.batch_seconds = batch_seconds
        self._triggers: dict[str, tuple[Function, Trigger]] = {}
        self._batches: dict[str, list[ObjectEvent]] = {}
        self._listeners: list[Listener] = []
        self._timers: list[asyncio.Task[None]] = []
        self.urls: dict[str, str] = {}  # of the HTTP triggers, by function

    async def add(self, function: Function) -> None:
        """Put the triggers of a deployed function into service."""
        for trigger in function.triggers:
            self._triggers[trigger.trigger_name] = (function, trigger)
            match trigger:
                case HttpTrigger():
                    listener = Listener(WebTrigger(self._host, function, trigger).app)
                    self.urls[function.function_name] = await listener.start()
                    self._listeners.append(listener)
                case TimerTrigger():
                    if trigger.trigger_config.enable:
                        self._timers.append(asyncio.create_task(self._tick(function, trigger)))
                case EventBridgeTrigger():
                    json.loads(trigger.trigger_config.event_rule_filter_pattern)

    async def stop(self) -> None:
        """No more invocations from here."""
        for timer in self._timers:
            timer.cancel()
        await asyncio.gather(*self._timers, return_exceptions=True)
        await asyncio.gather(*(listener.stop() for listener in self._listeners))

    def fire(self, trigger_name: str, payload: str | None = None) -> Invocation:
        """Fire a timer now, enabled or not, with its own payload or another; KeyError if there is none."""
        function, trigger = self._triggers[trigger_name]
        if not isinstance(trigger, TimerTrigger):
            raise KeyError(trigger_name)
        words = trigger.trigger_config.payload if payload is None else payload
        event = timers.timer_event(trigger_name, words, datetime.now(timezone.utc))
        return self._host.deliver(function.function_name, trigger_name, event)

    def notify(self, event: ObjectEvent) -> None:
        """An object has changed: invoke whoever has a trigger for it."""
        for function, trigger in self._triggers.values():
            match trigger:
                case OssTrigger() if objects.fires(trigger, event):
                    self._gather(function, trigger, event)
                case EventBridgeTrigger():
                    told = objects.cloud_event(event, self._region, self._host.account_id)
                    if objects.selects(trigger, told):
                        words = json.dumps(told, ensure_ascii=False).encode()
                        self._host.deliver(function.function_name, trigger.trigger_name, words)

    def _gather(self, function: Function, trigger: OssTrigger, event: ObjectEvent) -> None:
        batch = self._batches.setdefault(trigger.trigger_name, [])
        batch.append(event)
        if not self.batch_seconds:
            self._send(function, trigger)
        elif len(batch) == 1:
            asyncio.get_running_loop().call_later(self.batch_seconds, self._send, function, trigger)

    def _send(self, function: Function, trigger: OssTrigger) -> None:
        batch = self._batches.pop(trigger.trigger_name)
        words = objects.oss_event(trigger.trigger_name, batch, self._region, self._host.account_id)
        self._host.deliver(function.function_name, trigger.trigger_name, words)

    async def _tick(self, function: Function, trigger: TimerTrigger) -> None:
        config = trigger.trigger_config
        moment = datetime.now(timezone.utc)
        while True:
            moment = schedules.following(config.cron_expression, moment)
            await asyncio.sleep(max(0.0, (moment - datetime.now(timezone.utc)).total_seconds()))
            event = timers.timer_event(trigger.trigger_name, config.payload, moment)
            self._host.deliver(function.function_name, trigger.trigger_name, event)
