"""Invocations, their threads, and the requests they make, as values that the scheduler keeps.

Knows no time and no cloud; shares no code with the product.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from osscopy.model import Copy, Result
from tests.sim.faults import Fault


@dataclass
class Message:
    """An asynchronous invocation in FC's queue."""

    task: str
    payload: bytes
    tries: int = 0


@dataclass(frozen=True)
class Request:
    """One request: `begin` reads what it needs when it arrives, `apply` is its effect.

    `timeout`: seconds that its answer is waited for, if not as usual.
    """

    name: str
    apply: Callable[[Any], Any]
    begin: Callable[[], Any] | None = None
    timeout: float | None = None


@dataclass(eq=False)
class Join:
    """The wait for threads, until a moment."""

    threads: tuple[Thread, ...]
    until: float


@dataclass(eq=False)
class Thread:
    """One thread of an invocation: a greenlet. `asking`: the request that it waits for."""

    process: Process
    run: Any
    asking: str = ""
    is_late: bool = False  # its first request arrives a little later than those of the others
    joins: Join | None = None
    since: float | None = None  # when it began, of one that began with others


@dataclass(eq=False)
class Process:
    """An invocation. `message` is None for a synchronous one, which nobody repeats."""

    name: str
    began: float
    deadline: float
    timeout: float  # that was configured then
    message: Message | None = None
    job: str = ""  # that it works on
    end: str = ""  # returned | raised | killed
    answers: tuple[Result, ...] = ()
    error: BaseException | None = None
    expired: bool = False
    mislaid: Fault | None = None
    survives: bool = False
    corrupts: bool = False
    is_hop: bool = False
    firsts: set[str] = field(default_factory=set)  # jobs of which it may be the first delivery
    generation: int = 0
    listed_at: float = 0.0
    looked_at: float = 0.0  # at the destination
    part_at: float = 0.0  # when the last answer to a part of its own came
    asked_at: dict[str, float] = field(default_factory=dict)  # when a request of each kind was made last
    ended_at: float = 0.0
    doubt_at: float = 0.0  # when a CopyObject of its own had no answer
    wrote: set[str] = field(default_factory=set)  # jobs that OSS has told it are written
    requests: int = 0
    nonces: int = 0
    is_dead: bool = False  # none of its threads goes on
    threads: list[Thread] = field(default_factory=list)  # its main thread is the first one
    current: Thread | None = None

    def note(self, result: Result) -> Result:
        """As it is logged, whatever becomes of the answer."""
        self.answers = (*self.answers, result)
        return result

    def works_on(self, copy: Copy) -> None:
        """Which copy of a list comes next."""
        if self.job != copy.job:
            self.job, self.looked_at, self.listed_at, self.doubt_at = copy.job, 0.0, 0.0, 0.0
            self.part_at, self.asked_at = 0.0, {}
        came_before = copy.keep or copy.looks or copy.generation or copy.drops or copy.retried
        if not came_before:
            self.firsts.add(copy.job)

    @property
    def answer(self) -> Result | None:
        """What became of the one copy that it was for."""
        return self.answers[0] if len(self.answers) == 1 else None
