"""Tasks that do not depend on one another, done at once by some threads. Knows nothing of what they do."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence

from osscopy.copying.invocation.threads import Place


class Tasks:
    """The tasks of one batch, each done once, by one thread. After an error none is begun any more."""

    def __init__(self, tasks: Sequence[Callable[[], None]]) -> None:
        self._queue = deque(enumerate(tasks))
        self._lock = threading.Lock()
        self._running = 0
        self._errors: dict[int, BaseException] = {}
        self._is_over = False

    def waiting(self) -> int:
        """Return how many tasks a thread could begin now."""
        return 0 if self._errors or self._is_over else len(self._queue)

    def is_over(self) -> bool:
        """Return whether every task is done, or none will be begun."""
        return not self._running and not self.waiting()

    def look(self) -> float | None:
        """Return None: a task is never begun a second time."""
        return None

    def step(self, place: Place) -> bool:  # noqa: ARG002 - of `threads.Work`
        """Do one task, if there is one."""
        with self._lock:
            if not self.waiting():
                return False
            number, task = self._queue.popleft()
            self._running += 1
        try:
            task()
        except BaseException as error:  # noqa: BLE001 - raised by `close`, in the thread that waits
            self._errors[number] = error
        with self._lock:
            self._running -= 1
        return True

    def close(self) -> None:
        """Let no task begin from here on; raise the error of the first one, in order, that had one."""
        self._is_over = True
        if self._errors:
            raise self._errors[min(self._errors)]
