"""Begins, cancels and resubmits copies for callers who wait for an answer, but not for a long copy.

Knows records and results, and how a key keeps a request from running twice; not how a copy is done or ended.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime

import msgspec

from osscopy import events, plan
from osscopy.copying import outcome, results, start
from osscopy.copying.invocation.context import Context
from osscopy.jobs.journal import RecordJournal
from osscopy.jobs.queries import Queries, no_such_job
from osscopy.jobs.records import create
from osscopy.model import (
    Cancelled,
    Claimed,
    Copy,
    Opened,
    OssCopyError,
    Refused,
    Result,
    Transient,
)

LOOK_SECONDS = 1.2  # what one more question may take: no answer is waited for less than a second


class Control:
    """One invocation's control of copies."""

    def __init__(self, context: Context, journal: RecordJournal) -> None:
        self._context = context
        self._journal = journal
        self._queries = Queries(context, journal)

    def start(self, copy: Copy) -> Result:
        """Begin `copy`; a long one goes on in invocations of its own."""
        try:
            result = start.begin(self._context, copy, inline=False)
        except Transient as error:
            result = self._leave_to_sweep(copy.job, error)
        return self._logged(result)

    def start_once(self, key: str, read: Callable[[datetime], Copy], moment: datetime) -> Result:
        """Begin what `read` makes of the request; if `key` was given before, return how that copy stands.

        The dates in its destination key are those of the first time.
        """
        copy = read(moment)
        self._context.allow(copy.request)
        mine = Claimed(self._context.clock.nonce(), copy.job, moment.isoformat())
        name = f"key/{hashlib.sha256(key.encode()).hexdigest()}"
        claim = self._context.ask(create, self._journal.records, name, mine)
        if claim.job != copy.job and claim.moment is not None:
            copy = read(datetime.fromisoformat(claim.moment))
        if claim.job != copy.job:
            text = "this Idempotency-Key stands for another request"
            raise Refused("IdempotencyKeyReused", text, field="Idempotency-Key")
        copy = msgspec.structs.replace(copy, keep=True, since=None)
        return self.start(copy) if claim.nonce == mine.nonce else self._start_again(copy, claim, moment)

    def _start_again(self, copy: Copy, claim: Claimed, moment: datetime) -> Result:
        """Return how a copy stands that was asked for before; begin it if there is no record of it."""
        known: Result | None
        try:
            known = self._queries.status(copy.job)
        except Transient as error:
            known = self._leave_to_sweep(copy.job, error)
        if known is not None:
            return self._logged(known)
        # what the first request asked of OSS may have taken effect
        first = datetime.fromisoformat(claim.moment) if claim.moment else moment
        since = int(first.timestamp()) - plan.CLOCK_MARGIN
        return self.start(msgspec.structs.replace(copy, since=since))

    def cancel(self, job: str) -> Result:
        """End a copy; it may have ended before, or be `running` until the sweep can end it."""
        done = self._context.ask(self._journal.done, job)
        if done is not None:
            return done.result
        opened = self._context.ask(self._journal.opened, job)
        if opened is None:
            raise no_such_job(job)
        entry = Cancelled(self._context.clock.nonce(), results.iso(self._context.now()))
        self._context.ask(self._journal.cancel, job, entry)
        try:
            done = self._context.ask(self._journal.done, job)
            if done is not None:
                return done.result
            return outcome.cancel(self._context, opened, self._context.ask(self._journal.entered, job))
        except Transient as error:
            return self._leave_to_sweep(job, error)

    def resubmit(self, job: str, occurrence: str, arrival: events.Arrival) -> Result:
        """Ask for the same copy once more, as a job of its own. Refused while the old one runs."""
        done = self._context.ask(self._journal.done, job)
        if done is None:
            self._queries.look(job)
            raise Refused("StillRunning", "this copy has not ended: cancel it first", status=409)
        request, ended = done.request, done.result.finished_at
        since = None if ended is None else int(results.unix(ended))
        job_id = plan.job_id(request, f"{job}:{occurrence}")
        return self.start(Copy(job_id, request, arrival.started_at, since=since, origin=arrival.origin))

    def _leave_to_sweep(self, job: str, error: Transient) -> Result:
        """Return that a copy is running in spite of `error`: one on record as open goes on with the sweep.

        Raises `error` if it is not, or if that cannot be seen.
        """
        opened = self._journal.known_opened(job) or self._look_for_record(job)
        if opened is None:
            raise error
        self._context.log("leftToSweep", job=job, error=str(error))
        return results.opened(opened, self._context.now())

    def _look_for_record(self, job: str) -> Opened | None:
        """Return `open/`, whose write may have had no answer; None if that cannot be seen in time."""
        limits = self._context.limits
        until_killed = self._context.seconds_left() + limits.configured - limits.timeout
        if until_killed < LOOK_SECONDS:
            return None
        try:
            return self._context.ask(self._journal.opened, job)
        except OssCopyError:
            return None

    def _logged(self, result: Result) -> Result:
        told = None if result.caller is msgspec.UNSET else result.caller
        self._context.log("result", job=result.job, status=result.status, error=result.error, caller=told)
        return result
