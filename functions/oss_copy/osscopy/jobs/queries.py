"""What can be asked about copies on record: how one stands, which there are, and to ask for one again.

Knows records and results; how a copy is done or ended it leaves to the engine.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

import msgspec

from osscopy import events, plan
from osscopy.copying import results
from osscopy.copying.invocation.context import Session
from osscopy.copying.outcome import Ending, task_of
from osscopy.copying.start import Engine
from osscopy.jobs import journal
from osscopy.jobs.journal import RecordJournal
from osscopy.model import (
    Cancelled,
    Claimed,
    Copy,
    Failed,
    Misconfigured,
    Opened,
    OssCopyError,
    Problem,
    Refused,
    Result,
    Status,
    Transient,
    UploadGone,
)

R = TypeVar("R", bound=Result)

SCAN = 200  # records looked at for one page: it may hold fewer copies than asked for and still have a next
READERS = 8
LOOK_SECONDS = 1.2  # what one more question may take: no answer is waited for less than a second


class Page(msgspec.Struct, frozen=True):
    """Copies in the order of their jobs; `next` is the job to go on after, None at the end."""

    copies: tuple[Result, ...]
    next: str | None


class Desk:
    """One invocation's answers about copies."""

    def __init__(
        self,
        session: Session,
        engine: Engine,
        ending: Ending,
        journal: RecordJournal,
    ) -> None:
        self._session = session
        self._engine = engine
        self._ending = ending
        self._journal = journal

    def start(self, copy: Copy) -> Result:
        """Begin `copy` without waiting for a long one."""
        return self._told(self._begin(copy))

    def start_once(self, key: str, read: Callable[[datetime], Copy], moment: datetime) -> Result:
        """Begin what `read` makes of the request, unless `key` was given before; then say how it stands.

        The dates in its destination key are those of the first time.
        """
        return self._told(self._start_once(key, read, moment))

    def _begin(self, copy: Copy) -> Result:
        try:
            return self._engine.start(copy, inline=False)
        except Transient as error:
            return self._left_to_sweep(copy.job, error)

    def _left_to_sweep(self, job: str, error: Transient) -> Result:
        """What is told of a copy in spite of `error`: one that is on record as open goes on with the sweep.

        Raises `error` if it is not, or if that cannot be seen.
        """
        opened = self._journal.known_opened(job) or self._ask_opened(job)
        if opened is None:
            raise error
        self._session.log("leftToSweep", job=job, error=str(error))
        return results.opened(opened, self._session.now())

    def _ask_opened(self, job: str) -> Opened | None:
        """`open/`, of which no answer may have come; None if that cannot be seen in time."""
        limits = self._session.limits
        until_killed = self._session.seconds_left() + limits.configured - limits.timeout
        if until_killed < LOOK_SECONDS:
            return None
        try:
            return self._session.ask(self._journal.opened, job)
        except OssCopyError:
            return None

    def _told(self, result: Result) -> Result:
        self._session.log("result", job=result.job, status=result.status, error=result.error)
        return result

    def _start_once(self, key: str, read: Callable[[datetime], Copy], moment: datetime) -> Result:
        copy = read(moment)
        self._session.allow(copy.request)
        mine = Claimed(self._session.clock.nonce(), copy.job, moment.isoformat())
        claim = self._session.ask(self._journal.claim, key, mine)
        if claim.job != copy.job and claim.moment is not None:
            copy = read(datetime.fromisoformat(claim.moment))
        if claim.job != copy.job:
            raise Refused(
                "IdempotencyKeyReused",
                "this Idempotency-Key stands for another request",
                field="Idempotency-Key",
            )
        if claim.nonce != mine.nonce and (known := self._known(copy.job)) is not None:
            return known
        since = None
        if claim.nonce != mine.nonce:  # what the first request asked of OSS may have taken effect
            first = datetime.fromisoformat(claim.moment) if claim.moment else moment
            since = int(first.timestamp()) - plan.CLOCK_MARGIN
        return self._begin(msgspec.structs.replace(copy, keep=True, since=since))

    def _known(self, job: str) -> Result | None:
        """How a copy that was asked for before stands; None if there is no record of it."""
        try:
            return self._status(job)
        except Transient as error:
            return self._left_to_sweep(job, error)

    def look(self, job: str) -> Status:
        """How a copy stands."""
        return _found(self._status(job), job)

    def cancel(self, job: str) -> Result:
        """End a copy; what is answered may be that it had ended before, or that the sweep will end it."""
        return _found(self._cancel(job), job)

    def resubmit(self, job: str, occurrence: str, arrival: events.Arrival) -> Result:
        """Ask for the same copy once more, as a job of its own. Refused while the old one runs."""
        done = self._session.ask(self._journal.done, job)
        if done is None:
            self.look(job)
            raise Refused("StillRunning", "this copy has not ended: cancel it first", status=409)
        request, ended = done.request, done.result.finished_at
        since = None if ended is None else int(results.unix(ended))
        job_id = events.job_id(request, f"{job}:{occurrence}")
        return self.start(Copy(job_id, request, arrival.started_at, since=since))

    def page(self, status: str | None, limit: int, after: str) -> Page:
        """Up to `limit` copies with this status, or any, of jobs after `after`."""
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - start-up time only listings need

        kinds = ("open",) if status == "running" else ("open", "done") if status is None else ("done",)
        names = {job for kind in kinds for job in self._session.ask(self._journal.jobs, kind, after, SCAN)}
        scanned = sorted(names)[:SCAN]
        found: list[Result] = []
        journal.prepare()
        with ThreadPoolExecutor(READERS) as readers:
            for first in range(0, len(scanned), READERS):
                jobs = scanned[first : first + READERS]
                for job, result in zip(jobs, readers.map(self._result, jobs), strict=True):
                    if result is not None and status in {None, result.status}:
                        found.append(result)
                    if len(found) == limit:
                        return Page(tuple(found), job if job != scanned[-1] or len(scanned) == SCAN else None)
        return Page(tuple(found), scanned[-1] if len(scanned) == SCAN else None)

    def _cancel(self, job: str) -> Result | None:
        """End a copy; its result, which may be that it had ended before. None if there is no such job."""
        done = self._session.ask(self._journal.done, job)
        if done is not None:
            return done.result
        opened = self._session.ask(self._journal.opened, job)
        if opened is None:
            return None
        entry = Cancelled(self._session.clock.nonce(), results.iso(self._session.now()))
        self._session.ask(self._journal.cancel, job, entry)
        try:
            done = self._session.ask(self._journal.done, job)
            if done is not None:
                return done.result
            return self._ending.cancel(opened, self._session.ask(self._journal.entered, job))
        except Transient as error:
            return self._left_to_sweep(job, error)

    def _status(self, job: str) -> Status | None:
        """How a copy stands, None if there is no record of it."""
        result = self._so_far(job)
        return None if result is None else _with_rate(result, self._session.now())

    def _result(self, job: str) -> Result | None:
        """What a list shows of a copy: what cannot be read hides no other."""
        try:
            return self._so_far(job, in_list=True)
        except Misconfigured as error:
            if error.code != "UnreadableRecord":
                raise
            self._session.log("unreadableRecord", job=job, error=str(error))
            return None

    def _so_far(self, job: str, *, in_list: bool = False) -> Result | None:
        """The result, or how far a copy has come and the last error that one of its hops has met.

        A list tells the error of a look at the upload, too, and no progress then.
        """
        done = self._session.ask(self._journal.done, job)
        if done is not None:
            return done.result
        opened = self._session.ask(self._journal.opened, job)
        if opened is None:
            return None
        entered = self._session.ask(self._journal.entered, job)
        if entered is None:
            return results.opened(opened, self._session.now())
        hop, problem = self._session.ask(self._journal.noted, job) or (1, None)
        task = msgspec.structs.replace(task_of(opened, entered.upload), hop=hop)
        try:
            there = len(self._session.parts(task, 0, task.upload.parts))
        except UploadGone:  # completed or aborted, and not yet closed
            there = task.upload.parts
        except (Failed, Transient) as error:
            if isinstance(error, Transient) and not in_list:
                raise
            there, problem = 0, Problem.of(error)
        return msgspec.structs.replace(results.under_way(task, there), error=problem)


def _found(known: R | None, job: str) -> R:
    if known is None:
        raise Refused("NoSuchJob", f"there is no record of {job}", status=404)
    return known


def _with_rate(result: Result, now: float) -> Status:
    """`result` with its rate, if it runs and has copied anything."""
    fields = {name: getattr(result, name) for name in Result.__struct_fields__}
    size = result.source.size if result.source else None
    since = result.started_at
    if result.status != "running" or not result.bytes_done or size is None or since is None:
        return Status(**fields)
    rate = max(1, int(result.bytes_done / max(1.0, now - results.unix(since))))
    return Status(**fields, rate=rate, eta_seconds=(size - result.bytes_done) // rate)
