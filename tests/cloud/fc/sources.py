"""Everything besides the API that invokes functions: the triggers of what is deployed.

`Sources` listens for HTTP, waits for timers and hears about objects; each becomes an invocation of the host.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import datetime, timezone
from urllib.parse import quote

import msgspec

from functions.cli.template.props import (
    EventBridgeTrigger,
    Function,
    HttpTrigger,
    OssTrigger,
    TimerTrigger,
    Trigger,
    schedules,
)
from tests.cloud.events import ObjectEvent
from tests.cloud.fc import objects, timers
from tests.cloud.fc.errors import FcError
from tests.cloud.fc.host import FcHost
from tests.cloud.fc.invocation import Invocation
from tests.cloud.fc.web import WebTrigger
from tests.cloud.serving import Listener

Place = tuple[str, str]  # names of a function and of its trigger
# as a user of FC has seen it; that it comes with status 400 and InvalidArgument is inferred
CONFLICT = (
    "event source 'oss' returned error: Cannot specify overlapping prefix and suffix with same event type."
)
# that it is refused is known, the words are not
NO_BUCKET = "event source 'oss' returned error: The specified bucket does not exist. ({})"


class Sources:
    """`batch_seconds` is how long an OSS trigger gathers records into one event; 0 sends each alone.

    `has_bucket` tells whether OSS has a bucket that a trigger watches.
    """

    def __init__(
        self,
        host: FcHost,
        region: str,
        batch_seconds: float = 0.0,
        has_bucket: Callable[[str], bool] = lambda _: True,
    ) -> None:
        self._host = host
        self._region = region
        self.batch_seconds = batch_seconds
        self._has_bucket = has_bucket
        self._triggers: dict[Place, Trigger] = {}
        self._batches: dict[Place, list[ObjectEvent]] = {}
        self._web: dict[Place, tuple[Listener, WebTrigger]] = {}
        self._timers: dict[Place, asyncio.Task[None]] = {}
        self.urls: dict[str, str] = {}  # of the HTTP triggers, by function
        host.control.sources = self

    async def add(self, function: Function) -> None:
        """Put the triggers of a deployed function into service."""
        for trigger in function.triggers:
            await self.put(function.function_name, trigger)

    async def put(self, function: str, trigger: Trigger) -> None:
        """Put one trigger into service, or change it; an HTTP trigger keeps its URL.

        ValueError if its configuration is wrong, or conflicts with another trigger.
        """
        place = (function, trigger.trigger_name)
        match trigger:
            case OssTrigger():
                if not self._has_bucket(trigger.bucket):
                    raise ValueError(NO_BUCKET.format(trigger.bucket))
                self._check_conflicts(place, trigger)
            case HttpTrigger():
                await self._open(place, trigger)
            case TimerTrigger():
                schedules.check(trigger.trigger_config.cron_expression)
                self._stop_timer(place)
                if trigger.trigger_config.enable:
                    self._timers[place] = asyncio.create_task(self._tick(function, trigger))
            case EventBridgeTrigger():
                json.loads(trigger.trigger_config.event_rule_filter_pattern)
        self._triggers[place] = trigger

    def _check_conflicts(self, place: Place, trigger: OssTrigger) -> None:
        others = (other for there, other in self._triggers.items() if there != place)
        if any(isinstance(other, OssTrigger) and objects.conflict(trigger, other) for other in others):
            raise ValueError(CONFLICT)

    async def remove(self, function: str, trigger_name: str) -> None:
        """Take a trigger out of service."""
        place = (function, trigger_name)
        trigger = self._triggers.pop(place)
        self._stop_timer(place)
        if isinstance(trigger, HttpTrigger):
            listener, _ = self._web.pop(place)
            del self.urls[function]
            await listener.stop()

    async def stop(self) -> None:
        """No more invocations from here."""
        timers_running = list(self._timers.values())
        for timer in timers_running:
            timer.cancel()
        await asyncio.gather(*timers_running, return_exceptions=True)
        await asyncio.gather(*(listener.stop() for listener, _ in self._web.values()))

    def fire(self, trigger_name: str, payload: str | None = None) -> Invocation:
        """Fire a timer now, enabled or not, with its own payload or another.

        KeyError if there is none, or several functions have one of this name.
        """
        places = [place for place in self._triggers if place[1] == trigger_name]
        if len(places) != 1:
            raise KeyError(trigger_name)
        trigger = self._triggers[places[0]]
        if not isinstance(trigger, TimerTrigger):
            raise KeyError(trigger_name)
        words = trigger.trigger_config.payload if payload is None else payload
        event = timers.timer_event(trigger_name, words, datetime.now(timezone.utc))
        return self._host.deliver(places[0][0], trigger_name, event)

    def notify(self, event: ObjectEvent) -> None:
        """An object has changed: invoke whoever has a trigger for it."""
        for place, trigger in self._triggers.items():
            match trigger:
                case OssTrigger() if objects.fires(trigger, event):
                    if self._may_invoke(trigger, place[0]):
                        self._gather(place, event)
                case EventBridgeTrigger():
                    told = objects.cloud_event(
                        event,
                        self._region,
                        self._host.account_id,
                        nested="cloud-event" in self._host.weather.readings,
                    )
                    if objects.selects(trigger, told):
                        words = json.dumps(objects.handed_on(trigger, told), ensure_ascii=False).encode()
                        self._host.deliver(*place, words)

    def _may_invoke(self, trigger: OssTrigger, function: str) -> bool:
        """Whether the role that OSS takes on lets it; if not, the event is lost without a word."""
        resource = self._host.arn(self._host.runner.function(function))
        try:
            self._host.authorize(trigger.invocation_role, "fc:InvokeFunction", resource)
        except FcError:
            return False
        return True

    async def _open(self, place: Place, trigger: HttpTrigger) -> None:
        if place in self._web:
            self._web[place][1].trigger = trigger
            return
        web = WebTrigger(self._host, place[0], trigger)
        listener = Listener(web.app)
        self.urls[place[0]] = await listener.start()
        self._web[place] = (listener, web)

    def _stop_timer(self, place: Place) -> None:
        if timer := self._timers.pop(place, None):
            timer.cancel()

    def _gather(self, place: Place, event: ObjectEvent) -> None:
        batch = self._batches.setdefault(place, [])
        batch.append(event)
        if not self.batch_seconds:
            self._send(place)
        elif len(batch) == 1:
            asyncio.get_running_loop().call_later(self.batch_seconds, self._send, place)

    def _send(self, place: Place) -> None:
        batch = self._batches.pop(place)
        if "event-key" in self._host.weather.readings:
            batch = [msgspec.structs.replace(event, key=quote(event.key)) for event in batch]
        words = objects.oss_event(place[1], batch, self._region, self._host.account_id)
        if place in self._triggers:  # else it was deleted while it gathered
            self._host.deliver(*place, words)

    async def _tick(self, function: str, trigger: TimerTrigger) -> None:
        config = trigger.trigger_config
        moment = datetime.now(timezone.utc)
        while True:
            moment = schedules.following(config.cron_expression, moment)
            await asyncio.sleep(max(0.0, (moment - datetime.now(timezone.utc)).total_seconds()))
            event = timers.timer_event(trigger.trigger_name, config.payload, moment)
            self._host.deliver(function, trigger.trigger_name, event)
