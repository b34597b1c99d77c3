"""One request, repeated while that may help.

Knows nothing of OSS or FC: it sees Transient and a clock. Written here, not taken from a library, because the
protocol needs to know whether an earlier attempt may have taken effect, and because time and chance are
passed in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from osscopy import plan
from osscopy.copying.invocation.pacing import Pacer
from osscopy.model import Transient
from osscopy.model.ports import Clock

T = TypeVar("T")


class Attempts:
    """The attempts at one request.

    `in_doubt`: one of them may have taken effect although its answer was lost - a later refusal proves
    nothing. `throttled`: OSS or FC asked for less. `pacer`: the pace of the batch that it belongs to.
    """

    def __init__(self, clock: Clock, until: float, pacer: Pacer | None = None) -> None:
        self._clock = clock
        self._until = until
        self._pacer = pacer
        self.in_doubt = False
        self.throttled = False
        self.count = 0

    def run(self, request: Callable[[], T]) -> T:
        """Return the answer; raise the last Transient after MAX_ATTEMPTS or at `until` (monotonic)."""
        while True:
            try:
                return self.once(request)
            except Transient as error:
                self.pause(error)

    def once(self, request: Callable[[], T]) -> T:
        """Return the answer of one attempt; raise its Transient."""
        self.count += 1
        try:
            return self._pacer.run(request, self._until) if self._pacer else request()
        except Transient as error:
            self.in_doubt = self.in_doubt or error.in_doubt
            self.throttled = self.throttled or error.throttled
            raise

    def pause(self, error: Transient) -> None:
        """Wait before the next attempt; raise `error` where there is to be none."""
        wait = plan.pause(self.count, error, self._clock.random())
        if self.count >= plan.MAX_ATTEMPTS or self._clock.monotonic() + wait >= self._until:
            raise error
        self._clock.sleep(wait)
