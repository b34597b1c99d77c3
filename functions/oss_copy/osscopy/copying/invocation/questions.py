"""A question to OSS and its answer, which may be asked beside others and is judged later.

Knows callables and their answers; not what they ask. Whatever order answers come in, they are judged in the
order in which `get` is called: an error is raised there, and nowhere else.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from osscopy.model import Transient

T = TypeVar("T")


class Question(Generic[T]):
    """One question, asked once: by `ask`, in whatever thread, or by the first `get`."""

    def __init__(self, question: Callable[[], T]) -> None:
        self._question = question
        self._answers: list[T] = []
        self._error: BaseException | None = None
        self.is_asked = False

    def ask(self) -> None:
        """Ask, and keep the answer or the error."""
        self.is_asked = True
        try:
            self._answers.append(self._question())
        except BaseException as error:  # noqa: BLE001 - raised by `get`, in the thread that judges
            self._error = error

    def asks_to_stop(self) -> bool:
        """Ask; return whether there is an answer that is not None, or an error that no retry changes."""
        self.ask()
        has_failed = self._error is not None and not isinstance(self._error, Transient)
        return has_failed or any(answer is not None for answer in self._answers)

    def pursue(self) -> bool:
        """Ask; raise an error that no retry changes. Return False: nothing has to stop for the answer."""
        self.ask()
        if self._error is not None and not isinstance(self._error, Transient):
            raise self._error
        return False

    def get(self) -> T:
        """Return the answer, or raise its error; Transient where it did not come while there was time."""
        if not self.is_asked:
            self.ask()
        if self._error is not None:
            raise self._error
        for answer in self._answers:
            return answer
        raise Transient("NetworkError", "an answer did not come while there was time", in_doubt=True)


def known(answer: T) -> Question[T]:
    """Return a question whose answer is known: nobody is asked."""
    question = Question(lambda: answer)
    question.ask()
    return question


class Round:
    """Questions that threads ask at the same time, one each."""

    def __init__(self, questions: Sequence[Question[Any]]) -> None:
        self._questions = deque(questions)

    def work(self) -> None:
        """Ask one question that nobody has taken yet; each thread calls this once."""
        self._questions.popleft().ask()
