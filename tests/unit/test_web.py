"""HTTP: routes, statuses, bodies."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Literal

import pytest

from osscopy import events
from osscopy.jobs.bulk.start import AlreadyRunning
from osscopy.jobs.control import Control
from osscopy.jobs.many import Many
from osscopy.jobs.queries import Page, Queries
from osscopy.model import (
    Bulk,
    BulkResult,
    Copy,
    Misconfigured,
    OssCopyError,
    Problem,
    Refused,
    Result,
    Status,
    Transient,
)
from osscopy.settings import Settings, load as settings_of
from osscopy.web import requests, routes

ARRIVAL = events.Arrival("req-1", datetime(2026, 11, 22, 10, 0, tzinfo=timezone.utc))
SAMPLE = json.loads((Path(__file__).parents[1] / "events" / "http.json").read_text())


JOB = "c-" + "0" * 32
MANY = "b-" + "0" * 32


class StubJobs(Control, Queries):
    """Answers as it is told to; the flow tests show what these really do."""

    def __init__(self, result: Result | OssCopyError | None, seen: list[Any]) -> None:
        self._outcome = result
        self.seen = seen

    def _answer(self, *asked: Any) -> Result:
        self.seen.append(asked)
        if isinstance(self._outcome, OssCopyError):
            raise self._outcome
        return self._outcome or Result(JOB, "succeeded")

    def start(self, copy: Copy) -> Result:
        return self._answer("start", copy, None)

    def start_once(self, key: str, read: Callable[[datetime], Copy], moment: datetime) -> Result:
        return self._answer("start", read(moment), key)

    def look(self, job: str) -> Status:
        found = self._answer("look", job)
        return Status(job, found.status, caller=found.caller)

    def cancel(self, job: str) -> Result:
        return self._answer("cancel", job)

    def resubmit(self, job: str, occurrence: str, arrival: events.Arrival) -> Result:
        return self._answer("resubmit", job, occurrence, arrival)

    def page(self, status: str | None, limit: int, after: str, caller: str | None = None) -> Page:
        assert caller is None
        return Page((self._answer("page", status, limit, after),), None)


class StubMany(Many):
    """Jobs of many objects that come to `result`, and what was asked of them."""

    def __init__(self, result: Result | OssCopyError | None, seen: list[Any]) -> None:
        self._outcome = result
        self._seen = seen

    def _answer(self, *asked: Any) -> BulkResult:
        self._seen.append(asked)
        if isinstance(self._outcome, OssCopyError):
            raise self._outcome
        found = self._outcome or Result(MANY, "running")
        return BulkResult(MANY, found.status, caller=found.caller)

    def start(self, asked: Bulk) -> BulkResult:
        return self._answer("start", asked.job, None)

    def start_once(self, key: str, asked: Bulk) -> BulkResult:
        return self._answer("start", asked.job, key)

    def look(self, job: str) -> BulkResult:
        return self._answer("look", job)

    def cancel(self, job: str) -> BulkResult:
        return self._answer("cancel", job)

    def resubmit(
        self, job: str, only: Literal["all", "failed"], occurrence: str, arrival: events.Arrival
    ) -> BulkResult:
        return self._answer("resubmit", job, only, occurrence, arrival)


def send(
    method: str = "POST",
    path: str = "/copies",
    *,
    result: Result | OssCopyError | None = None,
    settings: Settings | None = None,
    seen: list[Any] | None = None,
    **changes: Any,
) -> tuple[int, Any, dict[str, str]]:
    """The status, body and headers of one request; `result` is what the copy comes to."""
    event = {**SAMPLE, "rawPath": path, **changes}
    event["requestContext"] = {**SAMPLE["requestContext"], "http": {"method": method, "path": path}}
    call = events.parse(json.dumps(event).encode(), ARRIVAL, ())
    assert isinstance(call, events.HttpCall)
    jobs = StubJobs(result, [] if seen is None else seen)
    many = StubMany(result, jobs.seen)
    answer = routes.answer(
        call, settings or Settings("state"), ARRIVAL, lambda caller: routes.Work(caller, jobs, jobs, many)
    )
    return answer["statusCode"], json.loads(answer["body"]), answer["headers"]


def failed(code: str, *, retryable: bool = False) -> Result:
    return Result("c-1", "failed", error=Problem(code, "why", retryable=retryable))


def test_a_finished_copy_is_200_with_the_result() -> None:
    status, body, headers = send()
    assert (status, body["status"]) == (200, "succeeded")
    assert headers["Content-Type"] == "application/json"
    assert headers["Cache-Control"] == "no-store"


def test_a_copy_under_way_is_202_with_its_place() -> None:
    status, body, headers = send(result=Result("c-77", "running"))
    assert (status, body["status"], headers["Location"]) == (202, "running", "/copies/c-77")


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("NoSuchKey", 404),
        ("NoSuchBucket", 404),
        ("NotAllowed", 403),
        ("AccessDenied", 403),
        ("PreconditionFailed", 412),
        ("FileAlreadyExists", 409),
        ("FileImmutable", 409),
        ("SourceChanged", 409),
        ("InvalidPartSize", 422),
        ("VerificationFailed", 500),
    ],
)
def test_a_failed_copy_has_the_status_of_its_cause(code: str, status: int) -> None:
    answered, body, _ = send(result=failed(code))
    assert answered == status
    assert body["error"]["code"] == code


def test_a_transient_failure_is_503_with_retry_after() -> None:
    status, body, headers = send(result=Transient("ServiceUnavailable", "busy", request_id="R"))
    assert (status, headers["Retry-After"]) == (503, "5")
    assert body["error"]["retryable"] is True
    assert body["error"]["requestId"] == "R"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("PUT", "/copies", 405),
        ("POST", "/healthz", 405),
        ("GET", "/healthz", 200),
        ("HEAD", "/healthz", 200),
        ("GET", "/copies", 200),
        ("GET", f"/copies/{JOB}", 200),
        ("DELETE", f"/copies/{JOB}", 200),
        ("POST", f"/copies/{JOB}/resubmit", 200),
        ("PUT", f"/copies/{JOB}", 405),
        ("GET", f"/copies/{JOB}/resubmit", 405),
        ("GET", "/copies/c-1", 404),
        ("DELETE", "/copies/%2e%2e", 404),
        ("POST", "/copies/c-1/resubmit", 404),
        ("PUT", "/copies/c-1", 405),
        ("GET", "/copies//resubmit", 404),
        ("GET", f"/copies/{JOB}x", 404),
    ],
)
def test_routes(method: str, path: str, status: int) -> None:
    assert send(method, path)[0] == status


@pytest.mark.parametrize(
    "path", ["/copies%2Fc-1", f"/copies%2F{JOB}", "/x/resubmit", "/copies/", "//copies/x"]
)
def test_a_slash_that_is_encoded_is_no_slash(path: str) -> None:
    assert send("GET", path)[0] == 404


def test_405_says_what_is_offered() -> None:
    for path, offered in (("/copies", "GET, HEAD, POST"), (f"/copies/{JOB}", "GET, HEAD, DELETE")):
        status, _, headers = send("PATCH", path)
        assert (status, headers["Allow"]) == (405, offered)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"headers": {"content-TYPE": "text/plain"}}, 415),
        ({"headers": {}}, 200),
        ({"headers": {"Content-Type": "application/json; charset=utf-8"}}, 200),
        ({"headers": {"Content-Encoding": "gzip"}}, 415),
        ({"headers": {"content-encoding": "identity, br"}, "body": "\x1f"}, 415),
        ({"headers": {"Content-Encoding": "Identity"}}, 200),
        ({"headers": {"Content-Encoding": "gzip"}, "body": "x" * 200_000}, 413),
        ({"body": "\ufeff" + SAMPLE["body"]}, 200),
        ({"body": "{"}, 400),
        ({"body": ""}, 400),
        ({"body": "[]"}, 422),
        ({"body": '{"source": {}}'}, 422),
        ({"body": "!!", "isBase64Encoded": True}, 400),
        ({"body": "x" * 200_000}, 413),
        ({"body": base64.b64encode(b"x" * 100_000).decode(), "isBase64Encoded": True}, 413),
        ({"body": base64.b64encode(SAMPLE["body"].encode()).decode(), "isBase64Encoded": True}, 200),
    ],
)
def test_bodies(changes: dict[str, Any], status: int) -> None:
    assert send(**changes)[0] == status


def test_a_packed_body_is_refused_by_the_header_that_says_so_and_is_told_what_is_taken() -> None:
    status, body, headers = send(headers={"Content-Encoding": "gzip"})
    assert (status, body["error"]["field"]) == (415, "Content-Encoding")
    assert headers["Accept-Encoding"] == "identity"
    status, body, headers = send(headers={"Content-Type": "text/plain"})
    assert (status, body["error"]["field"]) == (415, "Content-Type")
    assert "Accept-Encoding" not in headers


@pytest.mark.parametrize("job", ["c-1", "C-" + "0" * 32, "x" * 200, "c-" + "0" * 33])
def test_an_id_that_no_job_can_have_is_no_such_job_and_no_missing_route(job: str) -> None:
    seen: list[Any] = []
    for method, path in (("GET", ""), ("HEAD", ""), ("DELETE", ""), ("POST", "/resubmit")):
        status, body, _ = send(method, f"/copies/{job}{path}", seen=seen)
        assert (status, body["error"]["code"]) == (404, "NoSuchJob")
        assert job[:100] in body["error"]["message"]
    assert seen == []
    assert send("GET", "/nothing")[1]["error"]["code"] == "NotFound"


def test_the_idempotency_key_names_the_job() -> None:
    seen: list[Any] = []
    send(seen=seen)
    send(seen=seen)
    send(seen=seen, headers={"Idempotency-Key": "order-18"})
    send(seen=seen, headers={})
    assert [key for _, _, key in seen] == ["order-17", "order-17", "order-18", None]
    jobs = [copy.job for _, copy, _ in seen]
    assert jobs[0] == jobs[1]
    assert len(set(jobs)) == 3


def test_an_anonymous_trigger_without_a_token_answers_403_to_everything() -> None:
    anonymous = Settings("state", http_auth="anonymous")
    assert send(settings=anonymous)[0] == 403
    assert send("GET", "/healthz", settings=anonymous)[0] == 403
    assert send("GET", "/nothing", settings=anonymous)[0] == 403


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("Bearer 0123456789abcdef", 200),
        ("bearer 0123456789abcdef", 200),
        ("Bearer 0123456789abcdeF", 401),
        ("Bearer ", 401),
        ("Bearer ü", 401),
        ("Basic 0123456789abcdef", 401),
        ("0123456789abcdef", 401),
    ],
)
def test_an_anonymous_trigger_needs_the_bearer_token(header: str, status: int) -> None:
    settings = Settings("state", http_auth="anonymous", api_token="0123456789abcdef")
    answered, body, _ = send(settings=settings, headers={"AUTHORIZATION": header})
    assert answered == status
    assert "0123456789abcdef" not in json.dumps(body)


@pytest.mark.parametrize("auth", ["function", "anonymous"])
def test_a_token_that_is_set_is_asked_for_whatever_the_trigger_is_said_to_be(auth: Any) -> None:
    settings = Settings("state", http_auth=auth, api_token="0123456789abcdef")
    signature = {"Authorization": "ACS3-HMAC-SHA256 Credential=x"}
    assert send(settings=settings, headers=signature)[0] == 401
    for token, status in (("0123456789abcdef", 200), ("0123456789abcdeF", 401), ("", 401)):
        assert send(settings=settings, headers={**signature, "x-oss-copy-token": token})[0] == status
    bearer = {"Authorization": "Bearer 0123456789abcdef"}
    assert send(settings=settings, headers={**bearer, "x-oss-copy-token": "wrong"})[0] == 401


NARROW = {"name": "narrow", "sha256": hashlib.sha256(b"0123456789abcdef").hexdigest()}


def narrow(**scope: Any) -> Settings:
    """Settings with one token, 0123456789abcdef."""
    tokens = json.dumps([{**NARROW, **scope}])
    return settings_of({"STATE_BUCKET": "state", "API_TOKENS": tokens})


def by_token(method: str, path: str, settings: Settings, **more: Any) -> int:
    bearer = {"Authorization": "Bearer 0123456789abcdef"}
    return send(method, path, settings=settings, headers=bearer, **more)[0]


def test_a_token_may_use_its_methods_alone() -> None:
    looks = narrow(verbs=["GET"])
    assert by_token("GET", f"/copies/{JOB}", looks) == 200
    assert by_token("HEAD", f"/copies/{JOB}", looks) == 200
    assert by_token("POST", "/copies", looks) == 403
    assert by_token("DELETE", f"/copies/{JOB}", looks) == 403
    assert by_token("PUT", "/copies", looks) == 405
    assert send("GET", "/healthz", settings=looks)[0] == 401


def test_a_token_with_its_own_jobs_alone_knows_no_others() -> None:
    mine, others = Result(JOB, "running", caller="token:narrow"), Result(JOB, "running", caller="token:other")
    for result, wanted in ((mine, True), (others, False), (Result(JOB, "running"), False)):
        own = narrow(jobs="own")
        assert (by_token("GET", f"/copies/{JOB}", own, result=result) == 200) == wanted
        assert (by_token("DELETE", f"/copies/{JOB}", own, result=result) == 202) == wanted
        assert (by_token("POST", f"/copies/{JOB}/resubmit", own, result=result) == 202) == wanted
        assert (by_token("GET", f"/copies/{MANY}", own, result=result) == 200) == wanted
        body = json.dumps({"source": {"report": {"job": MANY}}, "destination": {"bucket": "dst"}})
        plain = {"body": body, "isBase64Encoded": False}
        assert (by_token("POST", "/copies", own, result=result, **plain) == 202) == wanted
        assert by_token("GET", f"/copies/{JOB}", narrow(), result=result) == 200


def test_a_key_of_one_s_own_is_none_of_others() -> None:
    seen: list[Any] = []
    send(seen=seen)
    by_token("POST", "/copies", narrow(jobs="own"), seen=seen)
    bearer = {"Authorization": "Bearer 0123456789abcdef", "Idempotency-Key": "order-17"}
    send(settings=narrow(jobs="own"), headers=bearer, seen=seen)
    assert [key for _, _, key in seen] == ["order-17", None, "token:narrow:order-17"]


def test_who_sends_no_token_is_told_how_it_is_sent() -> None:
    settings = Settings("state", http_auth="anonymous", api_token="0123456789abcdef")
    status, _, headers = send(settings=settings)
    assert (status, headers["WWW-Authenticate"]) == (401, "Bearer")


def test_an_empty_idempotency_key_stands_for_nothing() -> None:
    for key in ("", " "):
        status, body, _ = send(headers={"Idempotency-Key": key})
        assert (status, body["error"]["field"]) == (422, "Idempotency-Key")


def test_a_body_is_too_large_before_and_after_it_was_decoded_and_base64_is_base64() -> None:
    blanks = " " * (requests.MAX_BODY + 1)
    assert send(body=blanks, isBase64Encoded=False)[0] == 413
    packed = base64.b64encode(blanks.encode()).decode()
    assert send(body=packed, isBase64Encoded=True)[0] == 413
    whole = base64.b64encode(json.dumps({"source": 5}).encode()).decode()
    assert send(body=whole, isBase64Encoded=True)[0] == 422
    assert send(body="!" + whole, isBase64Encoded=True)[0] == 400


@pytest.mark.parametrize("epoch", ["", "soon", "1795341600", "\u0661" * 13, "-795341600000"])
def test_a_call_without_a_time_comes_when_it_arrives(epoch: str) -> None:
    event = json.loads(json.dumps(SAMPLE))
    event["requestContext"]["timeEpoch"] = epoch
    call = events.parse(json.dumps(event).encode(), ARRIVAL, ())
    assert isinstance(call, events.HttpCall)
    assert requests.moment(call, ARRIVAL) == ARRIVAL.now
    event["requestContext"]["timeEpoch"] = "1795341600000"
    call = events.parse(json.dumps(event).encode(), ARRIVAL, ())
    assert isinstance(call, events.HttpCall)
    assert requests.moment(call, ARRIVAL).timestamp() == 1795341600


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ({}, (None, 50, "")),
        ({"status": "failed", "limit": "7", "after": JOB}, ("failed", 7, JOB)),
        ({"status": "odd"}, None),
        ({"limit": "0"}, None),
        ({"limit": "101"}, None),
        ({"limit": "²"}, None),
        ({"limit": "\u0663"}, None),
        ({"limit": ["1", "2"]}, None),
        ({"after": "x"}, None),
        ({"status": ["running", "failed"]}, None),
        ({"colour": "red"}, None),
    ],
)
def test_a_listing_takes_status_limit_and_after(query: dict[str, Any], asked: tuple[Any, ...] | None) -> None:
    seen: list[Any] = []
    status, _, _ = send("GET", seen=seen, queryParameters=query)
    assert status == (422 if asked is None else 200)
    assert seen == ([] if asked is None else [("page", *asked)])


def test_what_is_not_on_record_is_404_and_a_wrong_configuration_500() -> None:
    assert send("GET", f"/copies/{JOB}", result=Refused("NoSuchJob", "no record"))[0] == 404
    assert send("GET", f"/copies/{JOB}", result=Misconfigured("VersionedStateBucket", "why"))[0] == 500


PREFIX = {"source": {"bucket": "src-bucket", "prefix": "in/"}, "destination": {"bucket": "dst-bucket"}}


def test_a_job_of_many_objects_is_begun_looked_at_cancelled_and_asked_for_again() -> None:
    seen: list[Any] = []
    status, body, headers = send(body=json.dumps(PREFIX), headers={}, seen=seen)
    assert (status, body["status"], headers["Location"]) == (202, "running", f"/copies/{MANY}")
    send(body=json.dumps(PREFIX), headers={"Idempotency-Key": "k"}, seen=seen)
    assert send("GET", f"/copies/{MANY}", seen=seen)[0] == 200
    assert send("DELETE", f"/copies/{MANY}", seen=seen)[0] == 202
    assert send("POST", f"/copies/{MANY}/resubmit", body="", seen=seen)[0] == 202
    send("POST", f"/copies/{MANY}/resubmit", body='{"only": "failed"}', seen=seen)
    assert [each[0] for each in seen] == ["start", "start", "look", "cancel", "resubmit", "resubmit"]
    assert [each[2] for each in (*seen[:2], *seen[4:])] == [None, "k", "all", "failed"]
    assert send("POST", f"/copies/{MANY}/resubmit", body='{"only": "x"}')[0] == 422


def test_a_job_between_the_same_places_is_409_with_the_one_that_runs() -> None:
    status, body, headers = send(body=json.dumps(PREFIX), result=AlreadyRunning(MANY))
    assert (status, body["error"]["code"], headers["Location"]) == (409, "AlreadyRunning", f"/copies/{MANY}")
