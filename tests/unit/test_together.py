"""Questions that are asked at once: answers that are judged one by one, and no thread that is not needed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from osscopy import plan
from osscopy.aliyun import oss
from osscopy.app import SystemClock
from osscopy.copying.invocation.context import LEAST_WAIT, Context, Limits
from osscopy.copying.invocation.questions import Question, known
from osscopy.model import Failed, Transient
from osscopy.plan.allowed.options import ANY_OPTION
from tests.unit.engine import fails

T = TypeVar("T")


class Counting(SystemClock):
    """Real threads, counted."""

    def __init__(self) -> None:
        self.threads = 0

    def together(self, work: Callable[[], None], count: int, until: float) -> None:  # type: ignore[override]  # counts
        self.threads += count
        SystemClock.together(work, count, until)


def context(seconds: float = 30.0) -> Context:
    """A context with real threads and `seconds` until it has to submit; its ports are not asked."""
    clock, port = Counting(), _Port()
    limits = Limits(timeout=10.0, configured=10.0, deadline=clock.monotonic() + seconds + 1.5)
    return Context(port, port, port, clock, port, limits, port, ANY_OPTION, port)


class _Port:
    """Stands where a port is, and must not be asked."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was asked for")

    def __call__(self, *_: object, **__: object) -> None:
        raise AssertionError("a port was called")


def threads(of: Context) -> int:
    assert isinstance(of.clock, Counting)
    return of.clock.threads


def test_questions_are_asked_at_the_same_time() -> None:
    meeting = threading.Barrier(3)

    def answering(answer: int) -> Question[int]:
        def question() -> int:
            meeting.wait(timeout=20)  # passes only if all three are being asked
            return answer

        return Question(question)

    asked = [answering(number) for number in (1, 2, 3)]
    context().together(*asked)
    assert [each.get() for each in asked] == [1, 2, 3]


def test_an_error_is_raised_where_its_answer_is_judged_and_hides_no_other() -> None:
    later = threading.Event()

    def waits() -> None:
        assert later.wait(timeout=20)
        raise Failed("First", "in the order of effects")

    def hastens() -> None:
        later.set()
        raise Failed("Second", "earlier by the clock")

    answered, first, second = Question(lambda: 0), Question(waits), Question(hastens)
    context().together(answered, first, second)
    assert answered.get() == 0
    for each, code in ((first, "First"), (second, "Second"), (first, "First")):
        with pytest.raises(Failed, match=code):
            each.get()


def test_an_answer_that_does_not_come_in_time_is_transient() -> None:
    end = threading.Event()
    late = Question(lambda: end.wait(timeout=20))
    prompt = Question(lambda: 1)
    try:
        context(0.05).together(prompt, late)
        assert prompt.get() == 1
        with pytest.raises(Transient, match="NetworkError") as raised:
            late.get()
        assert raised.value.in_doubt
    finally:
        end.set()


def test_an_answer_is_waited_for_however_little_time_is_left() -> None:
    meeting = threading.Barrier(2)
    asked = [Question(lambda: meeting.wait(timeout=LEAST_WAIT) >= 0) for _ in range(2)]
    context(-5.0).together(*asked)
    assert [each.get() for each in asked] == [True, True]


def test_a_question_alone_and_what_is_known_need_no_thread() -> None:
    invocation, alone = context(), Question(threading.get_ident)
    invocation.together()
    invocation.together(known(None), alone, known(7))
    assert alone.get() == threading.get_ident()
    assert threads(invocation) == 0
    invocation.together(Question(lambda: 1), Question(lambda: 2))
    assert threads(invocation) == 2


def test_nothing_is_asked_twice_and_what_nobody_has_asked_is_asked_when_it_is_judged() -> None:
    counted = [0, 0]

    def counting(number: int) -> Question[int]:
        def question() -> int:
            counted[number] += 1
            return number

        return Question(question)

    early, late = counting(0), counting(1)
    context().together(early)
    context().together(early)
    assert not late.is_asked
    assert [early.get(), late.get(), early.get(), late.get()] == [0, 1, 0, 1]
    assert counted == [1, 1]


@pytest.mark.parametrize(
    ("question", "stops"),
    [
        (lambda: None, False),
        (lambda: "done", True),
        (fails(Transient("Busy", "later")), False),
        (fails(Failed("AccessDenied", "no")), True),
    ],
)
def test_who_watches_stops_for_a_yes_and_for_an_error_that_no_retry_changes(
    question: Callable[[], Any], stops: bool
) -> None:
    assert Question(question).asks_to_stop() is stops


def test_the_pages_that_are_asked_for_at_once_are_those_that_oss_shows() -> None:
    assert oss.PAGE == plan.PAGE
