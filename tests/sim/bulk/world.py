"""The cloud of a schedule: objects, records and FC in memory, each request a question to the scheduler.

What OSS does with one request at one instant is `tests.unit.engine`'s; here a CopyObject reads when it comes
and writes when it ends, and all that is written to the destination is noted.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from osscopy.model import (
    Attributes,
    CopyRequest,
    Head,
    ObjectPage,
    OssCopyError,
    Pin,
    Transient,
    Written,
)
from tests.unit.engine import DENIED, DST, SRC, Stored
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


@dataclass(frozen=True)
class Wrote:
    """Something that was written to the destination; `crc64` stands for the bytes."""

    crc64: str
    is_ours: bool


@dataclass(frozen=True)
class Removed:
    """A deletion that took effect `at` this time; `stored`: what was there, `born` at that time.

    `is_late`: its invocation began after the cancel.
    """

    key: str
    sent: float
    at: float
    stored: Stored | None
    born: float
    is_late: bool


DESTINATION, STATUS, ETAG, MODIFIED = 3, 4, 9, 14  # fields of a row in a log


class Noting(dict[str, tuple[int, bytes]]):
    """Records; what the logs of a job say of deletions is noted, since they are forgotten in the end."""

    def __init__(self, cloud: SimCloud) -> None:
        super().__init__()
        self._cloud = cloud
        self.planned: dict[str, tuple[str, int]] = {}  # ETag and date, by destination key
        self.told: dict[str, tuple[str, float]] = {}  # the final row, and when it stood

    def __setitem__(self, name: str, record: tuple[int, bytes]) -> None:
        super().__setitem__(name, record)
        if "/log/" not in name:
            return
        for row in json.loads(record[1]).get("rows", ()):
            key, status = row[DESTINATION], row[STATUS]
            if status == "planned":
                self.planned[key] = (row[ETAG], row[MODIFIED])
            elif status in {"deleted", "kept"}:
                self.told[key] = (f"{status} {row[STATUS + 1]}".strip(), self._cloud.time)


class SimCloud(FileCloud):
    """The cloud, whose requests, sleep and threads belong to the scheduler."""

    def __init__(self, schedule: Schedule) -> None:
        super().__init__()
        self._schedule = schedule
        self.noted = self.records = Noting(self)
        self.removed: list[Removed] = []
        self.born: dict[int, tuple[Stored, float]] = {}  # by identity
        self.copies: Counter[str] = Counter()  # of each source key, that took effect
        self.wrote: dict[str, list[Wrote]] = {}  # by destination key
        self._is_ours = False

    def ask(self, name: str, effect: Callable[[], T], about: str = "") -> T:
        return self._schedule.ask(name, effect, about)

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
        if self._schedule.trace is not None:
            self._schedule.say(f"   log {event} {fields}")

    def submit(self, task_id: str, payload: bytes, delay: int) -> bool:
        return self.ask("submit", lambda: self._schedule.accept(task_id, payload, delay), task_id)

    def copy(
        self,
        request: CopyRequest,
        pin: Pin,
        attributes: Attributes,
        timeout: float | None = None,  # noqa: ARG002 - the port's signature
    ) -> Written:
        """Read the source now, and write what was read when the request ends, however late that is."""
        read: Stored | OssCopyError
        try:
            read = self._pinned(request, pin)
        except OssCopyError as error:
            read = error

        def effect() -> Written:
            if request.source.key.removeprefix("in/") in self._schedule.scenario.denied:
                raise DENIED
            if isinstance(read, OssCopyError):
                raise read
            self._forbid(request)
            return self._write(request, read.head, read.tags, attributes, read.head.etag)

        return self.ask("copy", effect, request.source.key)

    def removal(self, bucket: str, key: str) -> Callable[[], None]:
        """Note a deletion when it takes effect, with what it takes away."""
        sent, is_late = self.time, self._schedule.is_late()

        def effect() -> None:
            stored = self.objects.get((bucket, key))
            born = self.born[id(stored)][1] if stored is not None else 0.0
            if key.removeprefix("out/") in self._schedule.scenario.denied:
                raise DENIED
            self.removed.append(Removed(key, sent, self.time, stored, born, is_late))
            self.remove(bucket, key)

        return effect

    def listed(self, name: str, page: ObjectPage) -> ObjectPage:
        """Show a page as it is, or short, or as one that claims to be all there is."""
        objects = page.objects[: (len(page.objects) + 1) // 2]
        match self._schedule.lists(name):
            case "short" if len(page.objects) > 1:
                return ObjectPage(objects, page.seen_at, more=True)
            case "cut":
                return ObjectPage(objects, page.seen_at, more=False)
            case "empty":
                return ObjectPage((), page.seen_at, more=False)
            case "disordered":
                raise Transient("InvalidListing", "keys are not in order")
        return page

    def _write(self, *written: Any) -> Written:
        self._is_ours = True
        try:
            return super()._write(*written)
        finally:
            self._is_ours = False

    def show(self, bucket: str, key: str, stored: Stored) -> Head:
        if bucket == DST:
            self.copies[key] += self._is_ours
            self.wrote.setdefault(key, []).append(Wrote(stored.head.crc64 or "", self._is_ours))
            self.born[id(stored)] = (stored, self.time)
        return super().show(bucket, key, stored)


def lists(cloud: SimCloud, name: str, text: bytes) -> None:
    """Put a manifest there."""
    cloud.files[name] = text
    cloud.put(name, "m", bucket=SRC, size=len(text), etag=f"F{len(text)}")
