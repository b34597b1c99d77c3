"""The answers to questions that are asked at once.

Knows callables and their answers; not what they ask.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from osscopy.model import Transient


class Answers:
    """The answers to `questions`, each found by one thread."""

    def __init__(self, questions: Sequence[Callable[[], Any]]) -> None:
        self._questions = deque(enumerate(questions))
        self._count = len(questions)
        self._found: dict[int, Any] = {}
        self._errors: dict[int, BaseException] = {}

    def work(self) -> None:
        """Ask one question that nobody has asked yet; each thread calls this once."""
        number, question = self._questions.popleft()
        try:
            self._found[number] = question()
        except BaseException as error:  # noqa: BLE001 - raised by `all`, in the thread that asked
            self._errors[number] = error

    def all(self) -> tuple[Any, ...]:
        """Return the answers in order; raise the first error, Transient where an answer did not come."""
        for number in range(self._count):
            if number in self._errors:
                raise self._errors[number]
            if number not in self._found:
                raise Transient("NoAnswer", "an answer did not come while there was time", in_doubt=True)
        return tuple(self._found[number] for number in range(self._count))
