"""The function that HTTP requests come to, in front of the function that copies.

Knows who may ask, and for what: whoever is refused takes no instance of the function that copies. Everything
else is passed on to it as it came, by a synchronous invocation, and its answer is the answer: it reads the
request anew, so that an event which comes past this function has no more power. A copy that it has no
instance for is left to an asynchronous invocation of it. Must not know how a copy is done, nor any record.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec

from osscopy import events, plan
from osscopy.copying import results, submit
from osscopy.model import (
    AsyncTask,
    Copy,
    Failed,
    Misconfigured,
    OssCopyError,
    Problem,
    Result,
    Transient,
)
from osscopy.model.ports import Clock, Copier, Invoker, Log
from osscopy.plan import bulk
from osscopy.plan.allowed.tokens import Caller
from osscopy.settings import Settings
from osscopy.web import requests, responses, routes
from osscopy.web.responses import Response, response

A = TypeVar("A")
T = TypeVar("T")
ANSWER_SECONDS = 15.0  # the longest that an answer is waited for: the function that copies may have to start
PAUSES = (0.2, 0.4, 0.8)  # seconds before the function that copies is asked again for an instance


class Ports(msgspec.Struct, frozen=True):
    """The function that copies, asked synchronously and asynchronously; the time, and the log."""

    copier: Copier
    invoker: Invoker
    clock: Clock
    log: Log


class _Answer(msgspec.Struct, frozen=True, rename="camel"):
    """A response of the function that copies."""

    status_code: int
    headers: dict[str, str]
    body: str
    is_base64_encoded: bool = msgspec.field(default=False, name="isBase64Encoded")


class Door:
    """One HTTP request, `event` as FC has brought it, and its response."""

    def __init__(
        self, event: bytes, call: events.HttpCall, settings: Settings, arrival: events.Arrival, ports: Ports
    ) -> None:
        self._event, self._call, self._settings, self._arrival = event, call, settings, arrival
        self._ports = ports

    def answer(self) -> Response:
        """Return the response; a request that is refused is not passed on."""
        if self._call.segments == ("",):
            return self._page()
        try:
            caller = requests.authenticate(self._call, self._settings, self._arrival.now.timestamp())
            requests.check_verb(self._call, caller)
            return self._route(caller)
        except Misconfigured as error:
            return response(500, {"error": Problem.of(error)})
        except OssCopyError as error:
            return responses.refused(error)

    def _page(self) -> Response:
        """Pass on what a browser asks that may see jobs; who signs in is answered here."""
        from osscopy.web.page.answers import Page  # noqa: PLC0415 - start-up time that only the page needs

        page = Page(self._call, self._settings, self._arrival)
        if (early := page.without_jobs()) is not None:
            return early
        try:
            return self._pass_on()
        except OssCopyError as error:
            return page.error(Problem.of(error))

    def _route(self, caller: Caller) -> Response:
        """Refuse what can be seen to be wrong; pass on the rest."""
        match requests.verb(self._call), self._call.segments:
            case "POST", ("copies",):
                return self._start(caller)
            case "GET", ("copies",):
                requests.paging(self._call.query_parameters)
                return self._pass_on()
            case "GET" | "DELETE", ("copies", job) if job:
                return self._about(caller, requests.job_id(job))
            case "POST", ("copies", job, "resubmit") if job:
                requests.job_id(job)
                if bulk.is_bulk(job):
                    requests.only(self._call)
                return self._about(caller, job)
        return routes.without_work(self._call)

    # --- copies ----------------------------------------------------------------------------------------

    def _start(self, caller: Caller) -> Response:
        """Begin a copy. The job of one that is passed on and of one that is left to FC is the same."""
        call, arrival = self._call, msgspec.structs.replace(self._arrival, origin=caller.origin)
        body, moment = requests.read_body(call), requests.moment(call, arrival)
        name, key = requests.name_of(call, arrival, caller), requests.idempotency_key(call)
        asked = events.read_request(body, f"http:{name}", moment, arrival)
        if not isinstance(asked, Copy):
            caller.judge(asked.request, self._settings.options)
            return self._pass_on()
        requests.allow(self._settings, caller, asked.request)
        try:
            return self._pass_on()
        except Transient as error:
            # which job a key stands for is on record, and only the function that copies reads it
            if key is not None or not call.request_context.request_id:
                raise
            return self._leave(asked, error)

    def _leave(self, copy: Copy, error: Transient) -> Response:
        """Leave a copy to an asynchronous invocation; one that may have been begun is so looked at."""
        copy = submit.queued(copy, in_doubt=error.in_doubt)
        self._ports.invoker.submit(plan.task_id(copy), events.encode(copy), 0)
        self._ports.log("leftToQueue", job=copy.job, error=str(error))
        return responses.shown(self._unbegun(copy))

    def _unbegun(self, copy: Copy) -> Result:
        return results.unopened(copy, "running", self._ports.clock.now(), None)

    def _about(self, caller: Caller, job: str) -> Response:
        """Pass on what is asked about a job; one that FC has queued and nobody has begun is running."""
        given: Response | Transient
        try:
            given = self._pass_on()
        except Transient as error:
            given = error
        if isinstance(given, Transient) or given["statusCode"] == 404:
            match self._queued(caller, job):
                case Copy() as copy if requests.verb(self._call) == "GET":
                    return response(200, self._unbegun(copy))
                case Copy():
                    raise Transient("NotBegun", f"{job} waits for an instance: ask again")
                case AsyncTask():  # it has ended since: it is on record
                    return self._pass_on()
        if isinstance(given, Transient):
            raise given
        return given

    def _queued(self, caller: Caller, job: str) -> Copy | AsyncTask | None:
        """Return a copy that was left to FC: itself as long as it waits or runs, its task afterwards."""
        if bulk.is_bulk(job):
            return None
        first = self._settings.seal.task_id(plan.first_task(job))
        task = self._ask(self._ports.copier.task, first)
        if task is None or not task.is_open:
            return task
        parsed = events.parse(task.event, self._arrival, ())
        (copy,) = parsed.items if isinstance(parsed, events.Batch) else (None,)
        is_his = isinstance(copy, Copy) and (not caller.own or copy.origin.caller == caller.name)
        return copy if isinstance(copy, Copy) and is_his else None

    # --- the function that copies ----------------------------------------------------------------------

    def _pass_on(self) -> Response:
        """Return what the function that copies answers. Transient: it did not, or has no instance."""
        for pause in (*PAUSES, None):
            try:
                return _read(self._ask(self._ports.copier.invoke, self._event))
            except Transient as error:
                if not error.throttled or pause is None:
                    raise
                self._ports.clock.sleep(pause)
        raise AssertionError("the last pause raises")

    def _ask(self, question: Callable[[A], T], about: A) -> T:
        """Ask FC; Misconfigured for a refusal, which is none of the caller's request."""
        try:
            return question(about)
        except Failed as error:
            text = f"INVOKE_FUNCTION: {self._settings.invoke_function}: {error.code}: {error.message}"
            raise Misconfigured("Misconfigured", text, field="INVOKE_FUNCTION") from error


def _read(answer: bytes) -> Response:
    try:
        given = msgspec.json.decode(answer, type=_Answer)
    except msgspec.DecodeError as error:
        raise Transient("BadAnswer", f"the function that copies: {error}", in_doubt=True) from error
    found: Response = msgspec.to_builtins(given)
    return found
