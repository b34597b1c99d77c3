"""OSS and FC as the check asks them: within a time, each question with the right that it takes.

Knows time and rights; not which questions are asked, nor what an answer means.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import msgspec

from osscopy.copying.invocation.retry import Attempts
from osscopy.model import Grade, OssCopyError
from osscopy.model.ports import Buckets, Clock, Store

RETRY = 2.0  # seconds: the check reports what is so now

P = ParamSpec("P")
T = TypeVar("T")


class Need(msgspec.Struct, frozen=True):
    """The right that a question takes, in words. `lack`: how bad it is to lack it. `once`: not repeated."""

    right: str
    lack: Grade = "failed"
    once: bool = False


class QuestionFailed(Exception):
    """A question that OSS or FC refused, did not answer, or answered with what cannot be right."""

    def __init__(self, need: Need, error: OssCopyError) -> None:
        super().__init__(str(error))
        self.need, self.error = need, error


class OutOfTime(Exception):
    """The invocation has too little time left for another question."""


class World:
    """OSS, and how long it is asked. `until`: monotonic; what is taken away again is asked later than that.

    `wait`: seconds an answer is waited for; what fails sooner is asked again for as long, and RETRY at most.
    """

    def __init__(self, store: Store, buckets: Buckets, clock: Clock, until: float, wait: float) -> None:
        self.store = store
        self.buckets = buckets
        self.clock = clock
        self._until = until
        self._retry = min(wait, RETRY)

    def ask(self, need: Need, request: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
        """Return the answer, or raise QuestionFailed or OutOfTime."""
        now = self.clock.monotonic()
        if now >= self._until:
            raise OutOfTime
        until = now if need.once else min(self._until, now + self._retry)
        return self._answer(until, need, lambda: request(*args, **named))

    def ask_at_last(self, right: str, request: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
        """Ask for what takes something away again: time is kept for it."""
        until = self.clock.monotonic() + self._retry
        return self._answer(until, Need(right), lambda: request(*args, **named))

    def _answer(self, until: float, need: Need, request: Callable[[], T]) -> T:
        try:
            return Attempts(self.clock, until).run(request)
        except OssCopyError as error:
            raise QuestionFailed(need, error) from error


class Unless:
    """Pass over a refusal with this code: it was expected, or an attempt without an answer succeeded."""

    def __init__(self, code: str) -> None:
        self._code = code

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        return isinstance(error, QuestionFailed) and error.error.code == self._code
