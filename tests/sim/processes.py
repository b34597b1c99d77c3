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

    `timeout`: seconds that its answer is waited for, if not as usual. `about`: the part that is copied.
    """

    name: str
    apply: Callable[[Any], Any]
    begin: Callable[[], Any] | None = None
    timeout: float | None = None
    about: tuple[str, int] | None = None


@dataclass(eq=False)
class Task:
    """A copy that an invocation works on, and what it has done for it."""

    job: str
    listed_at: float = 0.0
    looked_at: float = 0.0  # at the destination
    doubt_at: float = 0.0  # when a CopyObject of its own had no answer
    part_at: float = 0.0  # when the last answer to a part came that was not copied before
    asked_at: dict[str, float] = field(default_factory=dict)  # when a request of each kind was made last


@dataclass(eq=False)
class Join:
    """The wait for threads, until a moment."""

    threads: tuple[Thread, ...]
    until: float


@dataclass(eq=False)
class Flag:
    """A flag, and the threads that wait for it to be raised."""

    is_up: bool = False
    waiting: list[tuple[Thread, Wait]] = field(default_factory=list)


@dataclass(eq=False)
class Wait:
    """The wait for a flag, for so many seconds."""

    flag: Flag
    seconds: float


@dataclass(eq=False)
class Thread:
    """One thread of an invocation: a greenlet. `asking`: the request that it waits for, `about` a part."""

    process: Process
    run: Any
    task: Task
    asking: str = ""
    about: tuple[str, int] | None = None
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
    end: str = ""  # returned | raised | killed
    answers: tuple[Result, ...] = ()
    error: BaseException | None = None
    expired: bool = False
    is_squeezed: bool = False  # its parts are throttled
    mislaid: list[Fault] = field(default_factory=list)  # that meet its next submissions
    survives: bool = False
    corrupts: bool = False
    is_hop: bool = False
    firsts: set[str] = field(default_factory=set)  # jobs of which it may be the first delivery
    generation: int = 0
    ended_at: float = 0.0
    copied: set[tuple[str, int] | None] = field(default_factory=set)  # parts that OSS has told it are copied
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

    @property
    def task(self) -> Task:
        """What the thread that runs works on."""
        assert self.current is not None
        return self.current.task

    @property
    def jobs(self) -> set[str]:
        """What it has worked on."""
        return {thread.task.job for thread in self.threads}

    def works_on(self, copy: Copy) -> None:
        """Which copy of a list the thread that runs works on from here on."""
        assert self.current is not None
        if self.task.job != copy.job:
            self.current.task = Task(copy.job)
        came_before = copy.keep or copy.looks or copy.generation or copy.drops or copy.retried
        if not came_before:
            self.firsts.add(copy.job)

    @property
    def answer(self) -> Result | None:
        """What became of the one copy that it was for."""
        return self.answers[0] if len(self.answers) == 1 else None
