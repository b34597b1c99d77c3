"""Asks the function's HTTP API: for a copy, for what became of it, to end it.

Knows paths and answers (osscopy/web/openapi.json). It must not know how a request is authorized, nor
how a job is shown.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import TypeAlias
from urllib.parse import urlencode

import httpx

from functions.cli.errors import Misused, NoAnswer, ReportedFailure, Status, cause
from functions.cli.service import answers
from functions.cli.service.answers import Answer, Page, Problem
from functions.cli.texts import plain
from osscopy import plan

ATTEMPTS = 5  # of one request that fails for the moment
REFUSED = 2  # ... whose connection is refused: nothing listens there
PATIENCE = 60.0  # seconds for one answer: the function answers within 30
Authorize: TypeAlias = Callable[[str, str], Mapping[str, str]]  # method and URL to headers

_ASKED_WRONGLY = frozenset({400, 405, 413, 415, 422, 501})
_ADVICE = {
    "Unauthorized": "set API_TOKEN to the function's token",
    "NoSuchJob": "`oss-copy ls` shows the jobs on record",
}


def check_job(text: str) -> str:
    """Return the id of a job; raise Misused for a text that no job has."""
    if not re.fullmatch(plan.JOB, text):
        raise Misused(f"{text!r} is no job id: {plan.FORMS[plan.JOB]}; `oss-copy ls` shows them")
    return text


class Api:
    """The HTTP API at one URL."""

    def __init__(
        self,
        url: str,
        authorize: Authorize,
        http: httpx.Client,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._url = url.rstrip("/")
        self._authorize = authorize
        self._http = http
        self._sleep = sleep

    def begin(self, request: Mapping[str, object], key: str) -> Answer:
        """Ask for a job. With the same `key`, an Idempotency-Key, it is the same job however often."""
        return self._job("POST", "/copies", request, {"idempotency-key": key})

    def look(self, job: str) -> Answer:
        return self._job("GET", f"/copies/{check_job(job)}")

    def cancel(self, job: str) -> Answer:
        return self._job("DELETE", f"/copies/{check_job(job)}")

    def resubmit(self, job: str, key: str, *, is_failed_only: bool) -> Answer:
        content = {"only": "failed"} if is_failed_only else None
        return self._job("POST", f"/copies/{check_job(job)}/resubmit", content, {"idempotency-key": key})

    def timeline(self, job: str) -> bytes:
        """Return the timeline of a job as SVG."""
        return self._call("GET", f"/?timeline={check_job(job)}", headers={"accept": "image/svg+xml"})

    def page(self, status: str | None, limit: int, after: str | None) -> Page:
        """Return a page of jobs, of one status if that is given."""
        query = {"status": status, "limit": str(limit), "after": after}
        given = urlencode({name: text for name, text in query.items() if text})
        return answers.page(self._call("GET", f"/copies?{given}"), "GET /copies")

    def _job(
        self,
        method: str,
        path: str,
        content: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        return answers.read(self._call(method, path, content, headers), f"{method} {path}")

    def _call(
        self,
        method: str,
        path: str,
        content: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        """Return the body of one answer; ask again after a lost or throttled one."""
        last, status, attempts = "", None, ATTEMPTS
        for attempt in range(ATTEMPTS):
            if attempt >= attempts:
                break
            try:
                answer = self._send(method, path, content, headers)
            except httpx.ConnectError as error:
                last, attempts = f"cannot be reached: {error}", REFUSED
                self._sleep(0.1)
                continue
            except httpx.TransportError as error:
                last = f"has not answered: {type(error).__name__}: {error}"
                self._sleep(2**attempt * 0.1)
                continue
            if answer.status_code not in {429, 503}:
                return _body(answer, f"{method} {path}")
            last, status = f"has no time: {_told(answer)}", answer.status_code
            after = answer.headers.get("retry-after", "")
            self._sleep(int(after) if after.isdecimal() else 2**attempt)
        advice = "wait, then run the command again" if status else "is it the right URL, and does it run?"
        raise NoAnswer(f"{self._url} {last}; {advice}")

    def _send(
        self,
        method: str,
        path: str,
        content: Mapping[str, object] | None,
        headers: Mapping[str, str] | None,
    ) -> httpx.Response:
        url = self._url + path
        sent = {**(headers or {}), **self._authorize(method, url)}
        try:
            return self._http.request(method, url, json=content, headers=sent, timeout=PATIENCE)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise Misused(f"{self._url!r} is no URL that can be asked: {error}") from error


def _told(answer: httpx.Response) -> str:
    return str(answers.problem(answer.content) or plain(f"{answer.status_code}: {answer.text[:300]}"))


def _body(answer: httpx.Response, asked: str) -> bytes:
    """Return the body of a success; raise ReportedFailure for the error of another answer."""
    found = answers.problem(answer.content)
    if answer.is_success:
        return answer.content
    if found is None:
        text = f"{asked}: {answer.status_code}: {plain(answer.text[:300]) or 'no body'}"
        raise NoAnswer(f"{text}; is that the URL of the function's HTTP trigger?")
    raise ReportedFailure(_advised(found, answer.status_code), _status(found, answer.status_code))


def _status(found: Problem, http_status: int) -> Status:
    told = cause(found.code, http_status, is_retryable=found.retryable)
    return Status.USAGE if told is Status.FAILED and http_status in _ASKED_WRONGLY else told


def _advised(found: Problem, http_status: int) -> str:
    advice = _ADVICE.get(found.code)
    if advice is None and http_status in {401, 403} and "ignature" in f"{found.code} {found.message}":
        advice = (
            "check ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, and this machine's clock"
        )
    return f"{found}; {advice}" if advice else str(found)
