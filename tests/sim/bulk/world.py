"""The cloud of a schedule: objects, records and FC in memory, each request a switch to the scheduler.

What OSS does with one request at one instant is `tests.unit.engine`'s; this counts the copies that took
effect.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from tests.unit.engine import DST, Stored
from tests.unit.many import FileCloud

if TYPE_CHECKING:
    from tests.sim.bulk.scheduler import Schedule

T = TypeVar("T")


class SimSignal:
    """A flag of one invocation, whose waits belong to the scheduler. `waiting`: the thread that waits."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self.is_up = False
        self.waiting: Any = None
        self.waits = 0  # so far

    def set(self) -> None:
        self.is_up = True
        self._schedule.raised(self)

    def clear(self) -> None:
        self.is_up = False

    def wait(self, timeout: float) -> None:
        if not self.is_up:
            self._schedule.wait(self, timeout)


class SimCloud(FileCloud):
    """The cloud, whose requests, sleep and threads belong to the scheduler."""

    def __init__(self, schedule: Schedule) -> None:
        super().__init__()
        self._schedule = schedule
        self.copies: Counter[str] = Counter()  # of each source key, that took effect

    def ask(self, name: str, effect: Callable[[], T], about: str = "") -> T:
        self._counts[name] += 1
        found: T = self._schedule.ask(name, effect, about)
        return found

    def sleep(self, seconds: float) -> None:
        self._schedule.sleep(seconds)

    def random(self) -> float:
        return self._schedule.random()

    def nonce(self) -> str:
        return f"n{next(self._numbers)}"

    def start(self, work: Callable[[], None]) -> None:
        self._schedule.start(work)

    def signal(self) -> Any:
        return SimSignal(self._schedule)

    def together(self, work: Callable[[], None], count: int, until: float) -> None:
        self._schedule.together(work, count, until)

    def log(self, event: str, /, **fields: object) -> None:
        self._schedule.say(f"   log {event} {fields}")

    def submit(self, task_id: str, payload: bytes, delay: int) -> bool:
        return self.ask("submit", lambda: self._schedule.accept(task_id, payload, delay), task_id)

    def show(self, bucket: str, key: str, stored: Stored) -> Any:
        if bucket == DST:
            self.copies[key] += 1
        return super().show(bucket, key, stored)
