"""Begins, shows, cancels and resubmits jobs of many objects for callers who wait for an answer.

Knows how a key keeps a request from running twice; not how a job is begun or walked (`bulk`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from typing import Literal

from msgspec.structs import replace

from osscopy import events
from osscopy.jobs.bulk import standing as status, start
from osscopy.jobs.bulk.pages.ahead import ahead
from osscopy.jobs.bulk.tools import Tools
from osscopy.jobs.pictures import many as pictures, walks
from osscopy.jobs.pictures.timelines import Timeline
from osscopy.jobs.queries import no_such_job
from osscopy.jobs.records import create
from osscopy.model import (
    Bulk,
    BulkDone,
    BulkRequest,
    BulkResult,
    BulkSource,
    Claimed,
    Former,
    Overview,
    Refused,
)
from osscopy.plan import bulk


class Many:
    """One invocation's control of jobs of many objects."""

    def __init__(self, tools: Tools, judge: Callable[[BulkRequest], None] | None = None) -> None:
        """`judge` raises Refused for what this caller may not ask for."""
        self._tools = tools
        self._judge = judge

    def start(self, asked: Bulk) -> BulkResult:
        """Begin a job; its walk is an invocation of its own. Raises AlreadyRunning."""
        if self._judge is not None:
            self._judge(asked.request)
        return start.begin(self._tools, asked)

    def start_once(self, key: str, asked: Bulk) -> BulkResult:
        """Begin a job unless `key` was given before; Refused if it was, for another request."""
        context = self._tools.context
        if self._judge is not None:
            self._judge(asked.request)
        mine = Claimed(context.clock.nonce(), asked.job, asked.started_at)
        name = f"key/{hashlib.sha256(key.encode()).hexdigest()}"
        claim = context.ask(create, self._tools.records, name, mine)
        if claim.job != asked.job:
            text = "this Idempotency-Key stands for another request"
            raise Refused("IdempotencyKeyReused", text, field="Idempotency-Key")
        return self.start(asked)

    def look(self, job: str) -> BulkResult:
        """Return how a job stands; Refused without a record of it."""
        tools = self._tools
        found = status.standing(tools.context, tools.records, job, partial(ahead, tools))
        if found is None:
            raise no_such_job(job)
        return found

    def picture(self, job: str) -> pictures.Seen:
        """Return how a job stands and its picture; Refused without a record of it."""
        return pictures.look(self._tools, job)

    def timeline(self, result: BulkResult) -> Timeline:
        """Return when the hops of a job began; Refused where that is forgotten."""
        return walks.timeline(self._tools, result)

    def overview(self, asked: Overview) -> BulkResult:
        """Look at all ranges of a job, and keep what is found for the page."""
        return pictures.overview(self._tools, asked.job)

    def failed_rows(self, job: BulkResult) -> list[dict[str, str]] | None:
        """Return the first rows of what failed or was missing; None as long as there is no report."""
        from osscopy.jobs.pictures.rows import first_rows  # noqa: PLC0415 - start-up time that only the page needs

        return first_rows(self._tools, job)

    def cancel(self, job: str) -> BulkResult:
        """Ask a job to end; it is running until its walkers have."""
        return status.cancel(self._tools.context, self._tools.records, job)

    def resubmit(
        self, job: str, only: Literal["all", "failed"], occurrence: str, arrival: events.Arrival
    ) -> BulkResult:
        """Ask for the same once more, or for what has failed of it, as a job of its own.

        Refused while the old one runs.
        """
        request = self._ended(job).request
        if only == "failed":
            request = replace(request, source=BulkSource(report=Former(job)), delete=False, max_delete=0)
        return self._again(job, request, occurrence, arrival)

    def carry_out(self, job: str, occurrence: str, arrival: events.Arrival) -> BulkResult:
        """Copy what a dry run has shown, as a job of its own: exactly that, where its list is not too long.

        Nothing is deleted, whatever the dry run has shown.
        """
        done = self._ended(job)
        if not done.request.dry_run:
            raise Refused("InvalidField", "this job was no dry run", field="job")
        request = replace(done.request, dry_run=False, delete=False, max_delete=0)
        if done.result.objects.would_copy <= bulk.LISTED and request.versions == "current":
            request = replace(request, source=BulkSource(report=Former(job, "wouldCopy")))
        return self._again(job, request, occurrence, arrival)

    def _ended(self, job: str) -> BulkDone:
        """Return how a job has ended; Refused while it runs, and without a record of it."""
        done = self._tools.of(job).done()
        if done is None:
            self.look(job)
            raise Refused("StillRunning", "this job has not ended: cancel it first", status=409)
        return done

    def _again(self, job: str, request: BulkRequest, occurrence: str, arrival: events.Arrival) -> BulkResult:
        if request.source.report is not None:  # its rows name the versions
            request = replace(request, as_of=None)
        name, origin = bulk.bulk_id(request, f"{job}:{occurrence}"), arrival.origin
        return self.start(Bulk(name, request, arrival.started_at, origin=origin))
