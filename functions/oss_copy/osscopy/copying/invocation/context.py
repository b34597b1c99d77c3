"""The ports and the limits of one invocation; each question is repeated while that may help and time allows.

Knows ports, retries and the time left; not what an answer means for a copy.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

import msgspec

from osscopy import plan
from osscopy.copying.invocation.pacing import Pacer
from osscopy.copying.invocation.questions import Question, Round
from osscopy.copying.invocation.retry import Attempts
from osscopy.copying.invocation.tasks import Tasks
from osscopy.copying.invocation.threads import Threads
from osscopy.model import Copy, CopyRequest, Encrypted, Head, Opened, Pin, Refused
from osscopy.model.ports import Invoker, Journal, Log, Outbox, Runtime, Store
from osscopy.plan.allowed.options import AllowedOptions

P = ParamSpec("P")
T = TypeVar("T")
LEAST_WAIT = 1.0  # seconds for answers, however little time is left


class Limits(msgspec.Struct, frozen=True):
    """The limits of one invocation. `deadline` is monotonic; `timeout` in seconds.

    `page`: parts that one ListParts shows.
    `configured`: the function's timeout. An invocation behind HTTP has less, those that continue its copies
    have all of it.
    """

    timeout: float
    configured: float
    deadline: float
    threshold: int = plan.DEFAULT_THRESHOLD
    parallel: int = 32
    page: int = plan.PAGE
    lanes: int = plan.DEFAULT_LANES

    @property
    def settle(self) -> int:
        """Return T_late: seconds in which a request that timed out may still take effect."""
        return math.ceil(plan.settle_time(self.configured))

    @property
    def part_budget(self) -> float:
        """Return the seconds that one part may take in an invocation that copies parts."""
        return plan.part_budget(self.configured)


class Context:
    """The store, the records, FC and the clock of one invocation. `allow` raises Refused.

    `options`: those that the settings allow. `default_encryption`: that of a bucket, by one request.
    `outbox`: None where nobody is told of outcomes.
    """

    def __init__(
        self,
        store: Store,
        journal: Journal,
        invoker: Invoker,
        clock: Runtime,
        log: Log,
        limits: Limits,
        allow: Callable[[CopyRequest], None],
        options: AllowedOptions,
        default_encryption: Callable[[str], Encrypted | None],
        outbox: Outbox | None = None,
    ) -> None:
        self.store = store
        self.journal = journal
        self.clock = clock
        self.log = log
        self.limits = limits
        self.allow = allow
        self.options = options
        self.default_encryption = default_encryption
        self.outbox = outbox
        self.submit_by = limits.deadline - plan.reserve(limits.timeout)
        self._invoker = invoker
        self._pacer: Pacer | None = None  # of the tasks that are done at once
        self._kept: Pacer | None = None  # of the last ones

    # --- questions -------------------------------------------------------------------------------------

    def ask(self, question: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return the answer to one request, repeated while that may help; Transient if it does not."""
        return self.attempts().run(lambda: question(*args, **kwargs))

    def attempts(self, until: float | None = None) -> Attempts:
        """Return the attempts of a question whose earlier attempts matter; none is begun after `until`."""
        return Attempts(self.clock, until=self.submit_by if until is None else until, pacer=self._pacer)

    def question(self, question: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Question[T]:
        """Return one request as a question, repeated like that of `ask`; it is not asked yet."""
        return Question(lambda: self.ask(question, *args, **kwargs))

    def together(self, *questions: Question[Any]) -> None:
        """Ask those that nobody has asked yet, at once; return when all have an answer, or time is up.

        They must not depend on one another. A single one needs no thread. At least a second is waited.
        """
        due = [each for each in questions if not each.is_asked]
        if len(due) == 1:
            due[0].ask()
        elif due:
            for each in due:
                each.is_asked = True
            until = max(self.submit_by, self.clock.monotonic() + LEAST_WAIT)
            self.clock.together(Round(due).work, len(due), until)

    def at_once(self, tasks: Sequence[Callable[[], None]], until: float | None = None) -> None:
        """Do tasks at once, as many as the pace allows; raise the first error in their order.

        Return when all are done, or at `until` (monotonic), or when there is no time left but to submit: what
        is under way then is left alone. What one batch has learnt of the pace, the next one begins with.
        """
        if len(tasks) == 1:
            return tasks[0]()
        self._kept = self._kept or Pacer(self.clock, self.limits.parallel)
        work, self._pacer = Tasks(tasks), self._kept
        Threads(self.clock, self._pacer).run(work, self.submit_by if until is None else until)
        self._pacer = None
        return work.close()

    def submit(self, task_id: str, payload: bytes, delay: int) -> None:
        """Submit an invocation. A known task id means that it was accepted before."""
        attempts = Attempts(self.clock, until=self.limits.deadline - 0.5)
        fresh = attempts.run(lambda: self._invoker.submit(task_id, payload, delay))
        self.log("submitted", taskId=task_id, bytes=len(payload), delay=delay, fresh=fresh)

    def is_allowed(self, request: CopyRequest) -> bool:
        """Return whether the settings allow its source and its destination."""
        try:
            self.allow(request)
        except Refused:
            return False
        return True

    def is_cancelled(self, job: str) -> bool:
        """Return whether `cancel/` is on record."""
        return self.ask(self.journal.cancelled, job) is not None

    # --- time and threads ------------------------------------------------------------------------------

    def now(self) -> float:
        """Return Unix seconds."""
        return self.clock.now()

    def seconds_left(self) -> float:
        """Return the seconds until the platform kills this invocation."""
        return self.limits.deadline - self.clock.monotonic()

    def wait(self, usual: float) -> float:
        """Return the seconds to wait for an answer: `usual`, or less, so that time is left to hand over."""
        return max(LEAST_WAIT, min(usual, self.submit_by - self.clock.monotonic()))

    def is_short_of_time(self) -> bool:
        """Return whether the next copy of a list is better left to another invocation."""
        return self.seconds_left() < plan.list_reserve(self.limits.timeout)

    def parallel(self, request: CopyRequest) -> int:
        """Return how many threads copy: as many as the request asks for, within the limit."""
        return max(1, min(request.tuning.parallel or self.limits.parallel, self.limits.parallel))

    # --- records ---------------------------------------------------------------------------------------

    def opening(
        self,
        copy: Copy,
        pin: Pin,
        head: Head | None,
        method: plan.Method,
        *,
        in_doubt: bool = False,
        restores: bool = False,
    ) -> Opened:
        """Return the `open/` of a copy that is bound to `pin`, as `head` shows it; it is not written yet.

        `head` None: the source cannot be seen, and the pin is no version of it.
        """
        return Opened(
            self.clock.nonce(),
            copy.job,
            copy.request,
            pin,
            copy.started_at,
            "multipart" if method == "multipart" else "simple",
            copy.follows,
            uncertain=copy.may_land_late,
            seen_at=head.seen_at if head else 0,
            in_doubt=in_doubt,
            settle=self.limits.settle,
            restores=restores,
            origin=copy.origin,
        )
