"""Answers a browser: which view it asks for, and what a form asks to be done.

Knows queries and controls of jobs; not how a view is drawn. Every error is a page, too.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime

import msgspec

from osscopy import events
from osscopy.jobs.control import Control
from osscopy.jobs.many import Many
from osscopy.jobs.queries import Queries
from osscopy.model import Bulk, BulkResult, Copy, OssCopyError, Problem, Refused, Result
from osscopy.plan import bulk
from osscopy.settings import Settings
from osscopy.web import requests, responses
from osscopy.web.page import asks, document, session
from osscopy.web.page.markup import Child, tag
from osscopy.web.page.shown import lists, many as many_view, one, pieces, reports, timelines
from osscopy.web.page.words import Words, language
from osscopy.web.responses import Response

_VIEWS = frozenset({"status", "after", "job", "report", "timeline", "new"})


class Jobs(msgspec.Struct, frozen=True):
    """The queries and controls of jobs, for one call."""

    queries: Queries
    control: Control
    many: Many


class Page:
    """The page, for one call of a browser."""

    def __init__(self, call: events.HttpCall, settings: Settings, arrival: events.Arrival) -> None:
        self._call, self._settings, self._arrival = call, settings, arrival
        self._jobs: Jobs
        self._words = Words(language(call.header("Accept-Language") or ""))
        self._now = arrival.now.timestamp()
        self._has_session = False
        self._form: dict[str, str] = {}

    def answer(self, jobs: Callable[[], Jobs]) -> Response:
        """Return what the browser shows; `jobs` is called where a job is looked at."""
        if (early := self.without_jobs()) is not None:
            return early
        self._jobs = jobs()
        try:
            return self._do(self._form) if requests.verb(self._call) == "POST" else self._view()
        except OssCopyError as error:
            return self.error(Problem.of(error))

    def without_jobs(self) -> Response | None:
        """Return the answer where no job is looked at, refusals among them; None for who may see jobs."""
        try:
            self._form = asks.read(self._call) if requests.verb(self._call) == "POST" else {}
            if self._form.get("do") == "sign-in":
                held = session.sign_in(self._call, self._settings, self._form.get("token", ""), self._now)
                return document.elsewhere("./", {"Set-Cookie": held})
            self._has_session = session.admit(self._call, self._settings, self._now)
        except OssCopyError as error:
            return self.error(Problem.of(error))
        if requests.verb(self._call) in {"GET", "POST"}:
            return None
        wrong = Problem("MethodNotAllowed", "offered are GET, HEAD and POST")
        return self.error(wrong, {"Allow": "GET, HEAD, POST"})

    # --- views -----------------------------------------------------------------------------------------

    def _view(self) -> Response:
        asked = self._asked()
        if job := asked.get("job"):
            return self._job(requests.job_id(job))
        if job := asked.get("report"):
            return self._report(requests.job_id(job))
        if job := asked.get("timeline"):
            return self._timeline(requests.job_id(job))
        if "new" in asked:
            return self._shown(self._words("New job"), asks.new(self._words, secrets.token_hex(8), {}))
        chosen = {
            name: value for name, value in self._call.query_parameters.items() if name in {"status", "after"}
        }
        status, _, after = requests.paging(chosen)
        page = self._jobs.queries.page(status, lists.SHOWN, after)
        shown = lists.view(self._words, page, status, after, self._now)
        return self._shown(self._words("Jobs"), shown, seconds=lists.seconds(page))

    def _asked(self) -> dict[str, str]:
        """Return what the address names; Refused for a name that no view has."""
        found = {name: self._call.query(name) for name in self._call.query_parameters}
        for name, values in found.items():
            if name not in _VIEWS or len(values) != 1:
                raise Refused(
                    "UnknownField", f"known are {', '.join(sorted(_VIEWS))}, once each", field=name[:40]
                )
        return {name: values[0] for name, values in found.items()}

    def _job(self, job: str) -> Response:
        words, prices = self._words, self._settings.prices
        if bulk.is_bulk(job):
            seen = self._jobs.many.picture(job)
            shown = many_view.view(words, seen.result, seen.picture, seen.request, prices, self._now)
            return self._shown(f"{seen.result.status} {job}", shown, seconds=many_view.seconds(seen.result))
        status = self._jobs.queries.look(job)
        drawn = self._jobs.queries.picture(job, status) if status.method == "multipart" else None
        shown = one.view(words, status, drawn, prices, self._now)
        return self._shown(f"{status.status} {job}", shown, seconds=one.seconds(status))

    def _timeline(self, job: str) -> Response:
        """Return a timeline as a picture of its own."""
        if bulk.is_bulk(job):
            line, names = self._jobs.many.timeline(self._jobs.many.picture(job).result), "Range"
            return document.picture(timelines.drawing(self._words, line, names, alone=True))
        drawn = self._jobs.queries.picture(job, self._jobs.queries.look(job))
        if drawn is None:
            raise Refused(
                "NoSuchJob", f"there is no timeline of {job}: one request, or forgotten", status=404
            )
        return document.picture(timelines.drawing(self._words, drawn.timeline, "Lane", alone=True))

    def _report(self, job: str) -> Response:
        result = self._jobs.many.picture(job).result
        rows = self._jobs.many.failed_rows(result)
        return self._shown(self._words("Report"), reports.view(self._words, result, rows))

    # --- what a form asks for --------------------------------------------------------------------------

    def _do(self, form: dict[str, str]) -> Response:
        match form.get("do"):
            case "start":
                return self._start(form)
            case "sign-out":
                return document.elsewhere("./", {"Set-Cookie": session.sign_out(self._call)})
            case "cancel" | "resubmit" | "carry-out" as what:
                return self._about(what, requests.job_id(form.get("job", "")), form)
        raise Refused("InvalidForm", "this is no form of the page", field="do")

    def _start(self, form: dict[str, str]) -> Response:
        key = f"page:{form.get('key', '')[:100]}"
        try:
            result = self._begun(asks.wanted(form), key)
        except OssCopyError as error:
            problem = Problem.of(error)
        else:
            if result.error is None or result.status != "failed":
                return document.elsewhere(f"./?job={result.job}")
            problem = result.error
        shown = asks.new(self._words, secrets.token_hex(8), form, problem)
        return self._shown(self._words("New job"), shown, status=responses.STATUS.get(problem.code, 422))

    def _begun(self, body: bytes, key: str) -> Result | BulkResult:
        """Begin what is asked for, once for each key."""
        moment = requests.moment(self._call, self._arrival)
        asked = events.read_request(body, key, moment, self._arrival)
        if isinstance(asked, Bulk):
            return self._jobs.many.start_once(key, asked)
        first = asked

        def read(when: datetime) -> Copy:
            again = events.read_request(body, key, when, self._arrival)
            return again if isinstance(again, Copy) else first

        return self._jobs.control.start_once(key, read, moment)

    def _about(self, what: str, job: str, form: dict[str, str]) -> Response:
        """Do what a button of a job says, and show the job that this is about then."""
        many, control = self._jobs.many, self._jobs.control
        arrival = self._arrival
        occurrence = f"http:{requests.name_of(self._call, arrival, requests.FIRST)}"
        if what == "cancel":
            result = many.cancel(job) if bulk.is_bulk(job) else control.cancel(job)
        elif what == "carry-out":
            result = many.carry_out(job, occurrence, arrival)
        elif bulk.is_bulk(job):
            result = many.resubmit(job, "failed" if "only" in form else "all", occurrence, arrival)
        else:
            result = control.resubmit(job, occurrence, arrival)
        return document.elsewhere(f"./?job={result.job or job}")

    # --- the form of an answer -------------------------------------------------------------------------

    def _shown(self, title: str, *body: Child, status: int = 200, seconds: int = 0) -> Response:
        text = document.document(self._words, title, *body, seconds=seconds, session=self._has_session)
        return document.answer(status, text)

    def _is_browser(self) -> bool:
        """Tell whether a person reads what is answered: a program names the one kind that it takes."""
        accepted = self._call.header("Accept") or "*/*"
        return "text/html" in accepted or "*/*" in accepted

    def error(self, problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
        words = self._words
        if not self._is_browser():
            return responses.problem(problem, headers)
        if problem.code == "Unauthorized":
            form = self._call.request_context.http.method.upper() == "POST"
            shown = asks.sign_in(words, problem if form else None)
            told = {"WWW-Authenticate": "Bearer", **(headers or {})}
            return document.answer(401, document.document(words, words("Sign in"), shown), told)
        status = 503 if problem.retryable else responses.STATUS.get(problem.code, 422)
        shown = [
            tag("h1", words("This cannot be shown")),
            pieces.problem(words, problem, pieces.advised(problem.code), "alert"),
        ]
        return document.answer(
            status, document.document(words, str(status), shown, session=self._has_session), headers
        )
