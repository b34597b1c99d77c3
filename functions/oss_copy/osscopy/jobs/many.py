"""Begins, shows, cancels and resubmits jobs of many objects for callers who wait for an answer.

Knows how a key keeps a request from running twice; not how a job is begun or walked (`bulk`).
"""

from __future__ import annotations

import hashlib
from functools import partial
from typing import Literal

from msgspec.structs import replace

from osscopy import events
from osscopy.jobs.bulk import standing as status, start
from osscopy.jobs.bulk.pages.ahead import ahead
from osscopy.jobs.bulk.tools import Tools
from osscopy.jobs.queries import no_such_job
from osscopy.jobs.records import create
from osscopy.model import Bulk, BulkResult, BulkSource, Claimed, Former, Refused
from osscopy.plan import bulk


class Many:
    """One invocation's control of jobs of many objects."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def start(self, asked: Bulk) -> BulkResult:
        """Begin a job; its walk is an invocation of its own. Raises AlreadyRunning."""
        return start.begin(self._tools, asked)

    def start_once(self, key: str, asked: Bulk) -> BulkResult:
        """Begin a job unless `key` was given before; Refused if it was, for another request."""
        context = self._tools.context
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

    def cancel(self, job: str) -> BulkResult:
        """Ask a job to end; it is running until its walkers have."""
        return status.cancel(self._tools.context, self._tools.records, job)

    def resubmit(
        self, job: str, only: Literal["all", "failed"], occurrence: str, arrival: events.Arrival
    ) -> BulkResult:
        """Ask for the same once more, or for what has failed of it, as a job of its own.

        Refused while the old one runs.
        """
        done = self._tools.of(job).done()
        if done is None:
            self.look(job)
            raise Refused("StillRunning", "this job has not ended: cancel it first", status=409)
        request = done.request
        if only == "failed":
            request = replace(request, source=BulkSource(report=Former(job)), delete=False, max_delete=0)
        return self.start(Bulk(bulk.bulk_id(request, f"{job}:{occurrence}"), request, arrival.started_at))
