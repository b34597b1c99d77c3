"""The rate of a walker's requests: its share of what the job may send a second.

Knows a clock; not what is sent. Slots are handed out evenly, to all threads of the walker.
"""

from __future__ import annotations

import threading

from osscopy.model.ports import Clock


class Rate:
    """Slots for requests, `share` a second; 0: as many as are asked for."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._next = clock.monotonic()
        self.share = 0.0

    def wait(self, requests: int, until: float) -> bool:
        """Wait for the slots of so many requests; False, without waiting, if they come after `until`."""
        if not self.share:
            return True
        with self._lock:
            begin = max(self._next, self._clock.monotonic())
            if begin >= until:
                return False
            self._next = begin + requests / self.share
        if (pause := begin - self._clock.monotonic()) > 0:
            self._clock.sleep(pause)
        return True
