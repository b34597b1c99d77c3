"""The threads that work on the objects of a page, until all have an outcome or time is short.

Knows a clock and a function that works on one object; not what it does.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from osscopy.model.ports import Runtime

T = TypeVar("T")
R = TypeVar("R")


class Pool(Generic[T, R]):
    """Threads that `work` on items; none is begun that may not be done by `until` (monotonic).

    The margin is learnt: half as long again as the slowest one so far.
    """

    def __init__(self, work: Callable[[T], R | None], clock: Runtime, until: float) -> None:
        self._work, self._clock, self._until = work, clock, until
        self._slowest = 0.0
        self._lock = threading.Lock()

    def outcomes(self, items: Sequence[T], threads: int) -> list[R | None]:
        """Return the outcomes in order, None where there is none; raise what stopped the threads."""
        found: list[R | None] = [None] * len(items)
        errors: list[BaseException] = []
        numbers = iter(range(len(items)))

        def run() -> None:
            try:
                while not errors and self._has_time() and (number := self._next(numbers)) is not None:
                    found[number] = self._timed(items[number])
            except BaseException as error:  # noqa: BLE001 - raised below, in the thread that waits
                errors.append(error)

        if items:
            self._clock.together(run, min(threads, len(items)), self._until)
        for error in errors[:1]:
            raise error
        return list(found)

    def _next(self, numbers: object) -> int | None:
        with self._lock:
            return next(numbers, None)  # type: ignore[call-overload, no-any-return]  # an iterator of numbers

    def _has_time(self) -> bool:
        return self._clock.monotonic() + self._slowest * 1.5 < self._until

    def _timed(self, item: T) -> R | None:
        begun = self._clock.monotonic()
        outcome = self._work(item)
        with self._lock:
            self._slowest = max(self._slowest, self._clock.monotonic() - begun)
        return outcome
