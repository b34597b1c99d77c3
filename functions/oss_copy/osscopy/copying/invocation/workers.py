"""The threads that copy the parts of one batch, until none is left or time is short.

Knows parts, a clock and a function that copies one part; not what an upload is, nor what follows the batch.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence

from osscopy.copying.invocation.retry import Attempts
from osscopy.model import Part, Transient
from osscopy.model.ports import Runtime

EDGE = 0.2  # seconds before the deadline in which an answer is not waited for any more


class Workers:
    """The threads that copy `parts`; no part is started that may not be done by `deadline` (monotonic).

    The margin is learnt: half as long again as the slowest part so far, `expected` seconds at first.
    `fatal`: the first error that no retry would change; it stops all threads. A part whose retries are used
    up is left to the next hop. `watches`: each is asked by a thread beside those that copy; one that answers
    yes stops them.
    """

    def __init__(
        self,
        copy: Callable[[Part], None],
        parts: Sequence[Part],
        *,
        clock: Runtime,
        deadline: float,
        expected: float,
        watches: Sequence[Callable[[], bool]] = (),
    ) -> None:
        self._copy = copy
        self._queue = deque(parts)
        self._watches = deque(watches)
        self._clock = clock
        self._deadline = deadline
        self._slowest = expected
        self._measured = False
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self.copied: list[Part] = []
        self.fatal: BaseException | None = None
        self.last_error: Transient | None = None
        self.throttled = False
        self.retries = 0

    def run(self, threads: int) -> None:
        """Copy, and return when everything is done or `deadline` has come.

        A thread that waits for an answer beyond the deadline is left alone: the part it copies is pinned and
        belongs to this upload, so that it does no harm whenever it takes effect.
        """
        if self._queue:
            count = min(threads, len(self._queue)) + len(self._watches)
            self._clock.together(self._begin, count, self._deadline)
        self._stop.set()

    def raise_fatal(self) -> None:
        """Raise the error that stopped the threads, if there is one."""
        if self.fatal is not None:
            raise self.fatal

    def _begin(self) -> None:
        """Watch, if there is a watch that nobody keeps, or copy parts; each thread calls this once."""
        try:
            watch = self._watches.popleft()
        except IndexError:
            self._work()
        else:
            if watch():
                self._stop.set()

    def _work(self) -> None:
        try:
            while not self._stop.is_set() and self._has_time():
                try:
                    part = self._queue.popleft()
                except IndexError:
                    return
                self._copy_with_retries(part)
        except BaseException as error:  # noqa: BLE001 - handed to the hop, which raises or reports it
            with self._lock:
                self.fatal = self.fatal or error
            self._stop.set()

    def _has_time(self) -> bool:
        return self._clock.monotonic() + self._slowest * 1.5 < self._deadline

    def _copy_with_retries(self, part: Part) -> None:
        attempts = Attempts(self._clock, until=self._deadline)
        begun = 0.0

        def attempt() -> None:
            nonlocal begun
            begun = self._clock.monotonic()
            self._copy(part)

        try:
            attempts.run(attempt)
            self._count(part, self._clock.monotonic() - begun)
        except Transient as error:
            if error.outlasted and self._clock.monotonic() >= self._deadline - EDGE:
                return  # left alone, like a part that no thread waits for
            with self._lock:
                self.last_error = error
        finally:
            with self._lock:
                self.throttled = self.throttled or attempts.throttled
                self.retries += attempts.count - 1

    def _count(self, part: Part, seconds: float) -> None:
        with self._lock:
            self._slowest = max(self._slowest, seconds) if self._measured else seconds
            self._measured = True
            self.copied.append(part)
