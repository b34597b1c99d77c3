"""The parts that the threads of one invocation take, one after another, until there are no more.

Knows parts and who takes them; not how a part is copied, nor which parts a hop may copy.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence

from osscopy.model import Part
from osscopy.model.ports import Clock

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0  # seconds between two looks for what another thread brings


class Batch:
    """The parts to copy: `parts`, and then what `more` returns until that is nothing.

    One thread at a time calls `more`, as soon as there are parts for less than a quarter of the `threads`, so
    that the others still have some. It is given the seconds that a part takes.
    """

    def __init__(
        self, parts: Sequence[Part], more: Callable[[float], Sequence[Part]], clock: Clock, threads: int
    ) -> None:
        self._queue = deque(parts)
        self._more = more
        self._clock = clock
        self._least = max(1, threads // 4)
        self._lock = threading.Lock()
        self._is_asking = False
        self._is_over = False
        self._in_flight: set[int] = set()

    def __len__(self) -> int:
        return len(self._queue)

    def take(self, slowest: float) -> Part | None:
        """Return the next part to copy; None if there is none to begin. `slowest`: seconds of a part."""
        if self._claims_to_ask():
            self._ask(slowest)
        pause = FIRST_PAUSE
        while (part := self._next()) is None and self._is_asking:
            self._clock.sleep(pause)
            pause = min(LONGEST_PAUSE, 2 * pause)
        return part

    def end(self, part: Part) -> None:
        """Note that nobody works on this part any more."""
        with self._lock:
            self._in_flight.discard(part.number)

    def is_busy(self) -> bool:
        """Return whether a part is in flight, or a thread asks for more."""
        return bool(self._in_flight) or self._is_asking

    def close(self) -> frozenset[int] | None:
        """Let nobody take another part; return the numbers of those in flight, None if none was left."""
        with self._lock:
            is_left = bool(self._queue)
            self._queue.clear()
            self._is_over = True
            return frozenset(self._in_flight) if is_left else None

    def _claims_to_ask(self) -> bool:
        with self._lock:
            claims = len(self._queue) < self._least and not self._is_asking and not self._is_over
            self._is_asking = self._is_asking or claims
            return claims

    def _ask(self, slowest: float) -> None:
        parts: Sequence[Part] = ()
        try:
            parts = self._more(slowest)
        finally:
            with self._lock:
                self._queue.extend(() if self._is_over else parts)
                self._is_over = self._is_over or not parts
                self._is_asking = False

    def _next(self) -> Part | None:
        with self._lock:
            part = self._queue.popleft() if self._queue else None
            self._in_flight.update([part.number] if part else [])
            return part
