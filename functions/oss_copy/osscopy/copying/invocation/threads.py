"""The threads of one batch: as many as the pace says, each doing one task after another.

Knows a clock and a pace; not what the tasks are.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from osscopy.copying.invocation.pacing import Pacer
from osscopy.model.ports import Runtime


class Place:
    """The share of the width that one thread takes. `is_free`: another may take it, though this one waits."""

    is_free = False


class Work(Protocol):
    """Tasks for the threads, which call all of this at once."""

    def step(self, place: Place) -> bool:
        """Do one task; return False if there is no more for this thread. It raises nothing."""

    def waiting(self) -> int:
        """Return how many tasks a thread could begin now."""

    def is_over(self) -> bool:
        """Return whether nothing has to be waited for any more."""

    def look(self) -> float | None:
        """Look at what is under way; return the seconds until the next look, None for no need."""


class Stop:
    """The stop of all threads of a batch: an error, kept as `fatal`, or a watch that says so.

    `wake` is called when something ends that was done beside the tasks.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._event = threading.Event()
        self._beside = 0
        self.wake: Callable[[], None] = lambda: None
        self.fatal: BaseException | None = None

    def set(self) -> None:
        """Let nothing more begin."""
        self._event.set()

    def is_set(self) -> bool:
        """Return whether nothing more is begun."""
        return self._event.is_set()

    def is_busy(self) -> bool:
        """Return whether something beside the tasks has to be waited for."""
        return self._beside > 0

    def fail(self, error: BaseException) -> None:
        """Stop for an error; the first one counts."""
        with self._lock:
            self.fatal = self.fatal or error
        self.set()

    def beside(self, work: Callable[[], object]) -> None:
        """Do this beside the tasks; its error stops them."""
        self._count(1)
        self._run(work)

    def asked_by(self, watch: Callable[[], bool]) -> Callable[[], None]:
        """Return what asks `watch` beside the tasks, and stops them if it answers yes."""
        self._count(1)

        def ask() -> None:
            if watch():
                self.set()

        return lambda: self._run(ask)

    def _run(self, work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - handed to the hop, which raises or reports it
            self.fail(error)
        self._count(-1)
        self.wake()

    def _count(self, more: int) -> None:
        with self._lock:
            self._beside += more


class Threads:
    """Starts threads as the width grows; those that are too many end after their task."""

    def __init__(self, clock: Runtime, pacer: Pacer) -> None:
        self._clock = clock
        self._pacer = pacer
        self._lock = threading.Lock()
        self._signal = clock.signal()
        self._count = 0

    def run(self, work: Work, deadline: float) -> None:
        """Let threads work; return when it is over, or at `deadline` (monotonic)."""
        while True:
            self._signal.clear()
            looks = self._pacer.look(), work.look()
            self._start(work)
            left = deadline - self._clock.monotonic()
            if work.is_over() or left <= 0:
                return
            self._signal.wait(min([left, *(each for each in looks if each is not None)]))

    def free(self, place: Place) -> None:
        """Let another thread take the place of one that waits for an answer that may never come."""
        with self._lock:
            if not place.is_free:
                place.is_free = True
                self._count -= 1
        self.wake()

    def wake(self) -> None:
        """Let `run` look again at what is under way."""
        self._signal.set()

    def _start(self, work: Work) -> None:
        for _ in range(min(self._pacer.width() - self._count, work.waiting())):
            with self._lock:
                self._count += 1
            self._clock.start(lambda: self._work(work, Place()))

    def _work(self, work: Work, place: Place) -> None:
        while work.step(place) and not place.is_free and self._count <= self._pacer.width():
            if work.waiting() and self._count < self._pacer.width():
                self.wake()
        self.free(place)
