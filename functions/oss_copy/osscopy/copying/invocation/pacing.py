"""The pace of one batch of requests, shared by its threads.

Knows a clock and `plan.Pace`, which decides; not what the requests are.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from osscopy import plan
from osscopy.model import Transient
from osscopy.model.ports import Runtime

T = TypeVar("T")


class Pacer:
    """Lets threads begin requests when it is their turn, `most` of them in flight at once.

    Where OSS refuses one, all of them wait.
    """

    def __init__(self, clock: Runtime, most: int) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._pace = plan.Pace.begin(most, clock.monotonic(), clock.cpu())

    def run(self, request: Callable[[], T], until: float) -> T:
        """Return the answer to a request begun when it is its turn.

        Transient if that would be at `until` (monotonic) or later; then nothing is asked.
        """
        begun = self._begin(until)
        try:
            answer = request()
        except Transient as error:
            self._tell(begun, error)
            raise
        self._tell(begun, None)
        return answer

    def width(self) -> int:
        """Return how many requests may be in flight now."""
        return self._pace.width(self._clock.monotonic())

    def look(self) -> float | None:
        """Let the width grow as time goes by; return the seconds until the next look, None for no need."""
        with self._lock:
            now = self._clock.monotonic()
            self._pace = self._pace.looked(now, self._clock.cpu())
            return self._pace.patience(now)

    def typical(self) -> float:
        """Return the seconds that an answer takes; 0 if there was none yet."""
        return self._pace.typical

    def is_throttled(self) -> bool:
        """Return whether OSS has refused a request a short time ago."""
        return self._pace.is_throttled(self._clock.monotonic())

    def _begin(self, until: float) -> float:
        """Wait for a turn, and return when that is. Where OSS refuses meanwhile, it is a later one."""
        while True:
            with self._lock:
                now, turn = self._clock.monotonic(), self._pace.opens_at
                if turn < until:
                    self._pace = self._pace.started(now)
            if turn >= until:
                raise Transient(
                    "Throttled", "OSS asks for fewer requests than there is time for", throttled=True
                )
            if turn > now:
                self._clock.sleep(turn - now)
            if turn >= self._pace.closed_until:
                return max(now, turn)

    def _tell(self, begun: float, error: Transient | None) -> None:
        """Count an answer; errors that are no refusals tell nothing of how much OSS takes."""
        if error is None or error.throttled:
            pause = error.pause if error else 0.0
            answer = plan.Answer(begun, self._clock.monotonic(), error is not None, pause)
            with self._lock:
                self._pace = self._pace.answered(answer, self._clock.cpu())
