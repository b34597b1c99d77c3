"""The routes of the HTTP API: from a call to a query or a command, and to its response.

Knows paths and methods; not how a request is read, nor how a copy is done.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import msgspec

from osscopy import events
from osscopy.jobs.bulk.start import AlreadyRunning
from osscopy.jobs.control import Control
from osscopy.jobs.many import Many
from osscopy.jobs.queries import Queries, no_such_job
from osscopy.model import (
    Bulk,
    BulkResult,
    Copy,
    Misconfigured,
    OssCopyError,
    Problem,
    Result,
    Status,
)
from osscopy.plan import bulk
from osscopy.plan.allowed.tokens import Caller
from osscopy.settings import Settings
from osscopy.web import requests, responses
from osscopy.web.responses import Response, response


class Work(msgspec.Struct, frozen=True):
    """The queries and controls of one caller, within his scope."""

    caller: Caller
    queries: Queries
    control: Control
    many: Many

    def check_own(self, job: str) -> str:
        """Return the job; Refused if this caller may see his own alone, and it is another's."""
        if self.caller.own:
            found = self.many.look(job) if bulk.is_bulk(job) else self.queries.look(job)
            if found.caller != self.caller.name:
                raise no_such_job(job)
        return job


def answer(
    call: events.HttpCall,
    settings: Settings,
    arrival: events.Arrival,
    work_for: Callable[[Caller], Work],
) -> Response:
    """Return the response to one HTTP request; none waits for a long copy."""
    if call.segments == ("",):
        return _page(call, settings, arrival, work_for)
    try:
        caller = requests.authenticate(call, settings, arrival.now.timestamp())
        requests.check_verb(call, caller)
        asked = msgspec.structs.replace(arrival, origin=caller.origin)
        return _route(call, asked, work_for(caller))
    except AlreadyRunning as error:
        return responses.problem(Problem.of(error), {"Location": f"/copies/{error.job}"})
    except Misconfigured as error:
        return response(500, {"error": Problem.of(error)})
    except OssCopyError as error:
        return responses.refused(error)


def _page(
    call: events.HttpCall, settings: Settings, arrival: events.Arrival, work_for: Callable[[Caller], Work]
) -> Response:
    """Return the page, which is loaded when somebody asks for it; no narrow token opens it."""
    from osscopy.web.page.answers import Jobs, Page  # noqa: PLC0415 - start-up time that only the page needs

    def jobs() -> Jobs:
        work = work_for(requests.FIRST)
        return Jobs(work.queries, work.control, work.many)

    asked = msgspec.structs.replace(arrival, origin=requests.FIRST.origin)
    return Page(call, settings, asked).answer(jobs)


def _route(call: events.HttpCall, arrival: events.Arrival, work: Work) -> Response:
    own = work.caller.name if work.caller.own else None
    match requests.verb(call), call.segments:
        case "POST", ("copies",):
            return responses.begun(_start(call, arrival, work))
        case "GET", ("copies",):
            return response(200, work.queries.page(*requests.paging(call.query_parameters), own))
        case "GET", ("copies", job) if job:
            return response(200, _look(work, work.check_own(requests.job_id(job))))
        case "DELETE", ("copies", job) if job:
            return responses.shown(_cancel(work, work.check_own(requests.job_id(job))))
        case "POST", ("copies", job, "resubmit") if job:
            return responses.begun(_resubmit(call, arrival, work, work.check_own(requests.job_id(job))))
        case _:
            return without_work(call)


def without_work(call: events.HttpCall) -> Response:
    """Return the response to what needs no record: among it, that there is no such path or method."""
    match requests.verb(call), call.segments:
        case "GET", ("healthz",):
            return response(200, {"status": "ok"})
        case "GET", ("openapi.json",):
            return responses.document()
        case _, segments:
            return _not_offered(segments)


def _look(work: Work, job: str) -> Status | BulkResult:
    return work.many.look(job) if bulk.is_bulk(job) else work.queries.look(job)


def _cancel(work: Work, job: str) -> Result | BulkResult:
    return work.many.cancel(job) if bulk.is_bulk(job) else work.control.cancel(job)


def _resubmit(call: events.HttpCall, arrival: events.Arrival, work: Work, job: str) -> Result | BulkResult:
    occurrence = f"http:{requests.name_of(call, arrival, work.caller)}"
    if bulk.is_bulk(job):
        return work.many.resubmit(job, requests.only(call), occurrence, arrival)
    return work.control.resubmit(job, occurrence, arrival)


def _not_offered(segments: tuple[str, ...]) -> Response:
    """Return 405 with what is offered there (RFC 9110 asks for it), or 404."""
    match segments:
        case ("copies",):
            offered = "GET, HEAD, POST"
        case ("healthz",) | ("openapi.json",):
            offered = "GET, HEAD"
        case ("copies", job) if job:
            offered = "GET, HEAD, DELETE"
        case ("copies", job, "resubmit") if job:
            offered = "POST"
        case _:
            return responses.problem(Problem("NotFound", f"there is no /{'/'.join(segments)[:100]}"))
    return responses.problem(Problem("MethodNotAllowed", f"offered are {offered}"), {"Allow": offered})


def _start(call: events.HttpCall, arrival: events.Arrival, work: Work) -> Result | BulkResult:
    body, moment = requests.read_body(call), requests.moment(call, arrival)
    name, key = requests.name_of(call, arrival, work.caller), requests.idempotency_key(call)

    def read(when: datetime) -> Copy | Bulk:
        return events.read_request(body, f"http:{name}", when, arrival)

    asked = read(moment)
    if isinstance(asked, Bulk):
        if asked.request.source.report is not None:
            work.check_own(asked.request.source.report.job)
        return work.many.start_once(name, asked) if key else work.many.start(asked)

    def again(when: datetime) -> Copy:
        copy = read(when)
        return copy if isinstance(copy, Copy) else asked

    return work.control.start_once(name, again, moment) if key else work.control.start(asked)
