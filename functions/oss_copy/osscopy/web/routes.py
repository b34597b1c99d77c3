"""The routes of the HTTP API: from a call to a query or a command, and to its response.

Knows paths and methods; not how a request is read, nor how a copy is done.
"""

from __future__ import annotations

from datetime import datetime

from osscopy import events
from osscopy.jobs.bulk.start import AlreadyRunning
from osscopy.jobs.control import Control
from osscopy.jobs.many import Many
from osscopy.jobs.queries import Queries
from osscopy.model import Bulk, BulkResult, Copy, Misconfigured, OssCopyError, Problem, Refused, Result
from osscopy.plan import bulk
from osscopy.settings import Settings
from osscopy.web import requests, responses
from osscopy.web.responses import Response, response


def answer(
    call: events.HttpCall,
    settings: Settings,
    arrival: events.Arrival,
    queries: Queries,
    control: Control,
    many: Many,
) -> Response:
    """Return the response to one HTTP request; none waits for a long copy."""
    if call.segments == ("",):
        return _page(call, settings, arrival, queries, control, many)
    try:
        requests.authenticate(call, settings)
        return _route(call, arrival, queries, control, many)
    except AlreadyRunning as error:
        return responses.problem(Problem.of(error), {"Location": f"/copies/{error.job}"})
    except Misconfigured as error:
        return response(500, {"error": Problem.of(error)})
    except OssCopyError as error:
        return responses.refused(error)


def _page(
    call: events.HttpCall,
    settings: Settings,
    arrival: events.Arrival,
    queries: Queries,
    control: Control,
    many: Many,
) -> Response:
    """Return the page, which is loaded when somebody asks for it."""
    from osscopy.web.page.answers import Jobs, Page  # noqa: PLC0415 - start-up time that only the page needs

    return Page(call, settings, arrival, Jobs(queries, control, many)).answer()


def _route(
    call: events.HttpCall, arrival: events.Arrival, queries: Queries, control: Control, many: Many
) -> Response:
    method = call.request_context.http.method.upper()
    match "GET" if method == "HEAD" else method, call.segments:
        case "POST", ("copies",):
            return responses.begun(_start(call, arrival, control, many))
        case "GET", ("copies", job) if bulk.is_bulk(job):
            return response(200, many.look(requests.job_id(job)))
        case "DELETE", ("copies", job) if bulk.is_bulk(job):
            return responses.shown(many.cancel(requests.job_id(job)))
        case "POST", ("copies", job, "resubmit") if bulk.is_bulk(job):
            return responses.begun(_resubmit(call, requests.job_id(job), arrival, many))
        case "GET", ("copies",):
            return response(200, queries.page(*requests.paging(call.query_parameters)))
        case "GET", ("healthz",):
            return response(200, {"status": "ok"})
        case "GET", ("openapi.json",):
            return responses.document()
        case "GET", ("copies", job) if job:
            return response(200, queries.look(requests.job_id(job)))
        case "DELETE", ("copies", job) if job:
            return responses.shown(control.cancel(requests.job_id(job)))
        case "POST", ("copies", job, "resubmit") if job:
            return responses.begun(
                control.resubmit(requests.job_id(job), requests.occurrence(call, arrival), arrival)
            )
        case _, segments:
            return _not_offered(segments)


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


def _start(
    call: events.HttpCall, arrival: events.Arrival, control: Control, many: Many
) -> Result | BulkResult:
    body, moment = requests.read_body(call), requests.moment(call, arrival)
    occurrence = requests.occurrence(call, arrival)
    key = call.header("Idempotency-Key")
    if key is not None and not key.strip():
        raise Refused("InvalidField", "it is empty: leave it out, or give a text", field="Idempotency-Key")
    asked = events.read_request(body, occurrence, moment, arrival)
    if isinstance(asked, Bulk):
        return many.start_once(key, asked) if key else many.start(asked)

    def read(when: datetime) -> Copy:
        again = events.read_request(body, occurrence, when, arrival)
        return again if isinstance(again, Copy) else asked

    return control.start_once(key, read, moment) if key else control.start(asked)


def _resubmit(call: events.HttpCall, job: str, arrival: events.Arrival, many: Many) -> BulkResult:
    only = requests.only(call)
    return many.resubmit(job, only, requests.occurrence(call, arrival), arrival)
