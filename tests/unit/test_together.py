"""Questions that are asked at once: answers in order, and the first error by the order of the questions."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from osscopy.app import SystemClock
from osscopy.copying.invocation.context import Context, Limits
from osscopy.model import Failed, Transient


def context(seconds: float = 30.0) -> Context:
    """A context with real threads and `seconds` until it has to submit; its ports are not asked."""
    clock, port = SystemClock(), _Port()
    limits = Limits(timeout=10.0, configured=10.0, deadline=clock.monotonic() + seconds + 1.5)
    return Context(port, port, port, clock, port, limits, port)


class _Port:
    """Stands where a port is, and must not be asked."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was asked for")

    def __call__(self, *_: object, **__: object) -> None:
        raise AssertionError("a port was called")


def test_questions_are_asked_at_the_same_time_and_answered_in_order() -> None:
    meeting = threading.Barrier(3)

    def question(answer: int) -> int:
        meeting.wait(timeout=20)  # passes only if all three are being asked
        return answer

    answers = context().together(lambda: question(1), lambda: question(2), lambda: question(3))
    assert answers == (1, 2, 3)


def test_the_first_question_that_failed_decides_whichever_failed_first() -> None:
    later = threading.Event()

    def first() -> None:
        assert later.wait(timeout=20)
        raise Failed("First", "in the order of effects")

    def second() -> None:
        later.set()
        raise Failed("Second", "earlier by the clock")

    with pytest.raises(Failed, match="First"):
        context().together(lambda: 0, first, second)


def test_an_answer_that_does_not_come_in_time_is_transient() -> None:
    end = threading.Event()
    try:
        with pytest.raises(Transient, match="NoAnswer") as raised:
            context(0.05).together(lambda: 1, lambda: end.wait(timeout=20))
        assert raised.value.in_doubt
    finally:
        end.set()


def test_nothing_is_asked_of_nobody() -> None:
    assert context().together() == ()
