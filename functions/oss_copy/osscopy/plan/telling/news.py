"""Messages about outcomes: of one job, or of several at once; and which outcomes are told at all.

Knows results; not who reads a message, nor its form.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from osscopy.model import BulkResult, Result
from osscopy.model.values import Count, Value
from osscopy.plan.bulk import is_child

On: TypeAlias = Literal["failed", "all"]  # NOTIFY_ON
Outcome: TypeAlias = Result | BulkResult

NAMED = 100  # jobs that one message names
WINDOW = 30  # seconds: outcomes of one window are told together
DELAY = 5  # seconds after the end of a window, by which the clocks of instances may differ
OWN = 8  # messages of one look about its first page: robots take 20 a minute, of two looks
GIVE_UP = 86_400  # seconds after which a message that nobody takes is given up


class JobEnded(Value, frozen=True, tag_field="event", tag="jobEnded"):
    """One job has ended. `function`, `region`: of the function that tells."""

    function: str
    region: str
    result: Outcome


class JobsEnded(Value, frozen=True, tag_field="event", tag="jobsEnded"):
    """Several jobs have ended: how many, how many of them failed, and the ids of the first ones."""

    function: str
    region: str
    ended: Count
    failed: Count
    jobs: tuple[str, ...]


News: TypeAlias = JobEnded | JobsEnded


class Sender(Value, frozen=True):
    """The function that tells, as messages name it."""

    function: str
    region: str

    def of_one(self, result: Outcome) -> JobEnded:
        return JobEnded(self.function, self.region, result)

    def of_many(self, results: Sequence[Outcome]) -> JobsEnded:
        failed = sum(each.status == "failed" for each in results)
        named = tuple(each.job or "" for each in results[:NAMED])
        return JobsEnded(self.function, self.region, len(results), failed, named)


def is_told(on: On, job: str, status: str, *, by_rule: bool) -> bool:
    """Return whether somebody is to be told that a job has ended with `status`.

    Copies within a job of many objects are told with it. What a rule copies is told if it failed.
    """
    if is_child(job):
        return False
    return status == "failed" or (on == "all" and not by_rule)


def window_of(now: float) -> tuple[int, int]:
    """Return the window of a time (Unix seconds), and the seconds from then until it is told of."""
    window = int(now) // WINDOW
    return window, (window + 1) * WINDOW - int(now) + DELAY


def task_of(window: int) -> str:
    """Return the task id of the look at a window: however many ask for it, FC accepts it once."""
    return f"tell-{window}"
