"""The function in front: what it answers itself, what it passes on, and what it leaves to the queue."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from osscopy import events, plan
from osscopy.model import AsyncTask, Copy, Failed, OssCopyError, Refused, Transient
from osscopy.plan.keys import first_task
from osscopy.settings import Settings, load
from osscopy.web import door

TOKEN = "a-token-of-some-length"
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=timezone.utc)
SAMPLE = json.loads((Path(__file__).parents[1] / "events" / "http.json").read_text())
BODY = {"source": {"bucket": "src-bucket", "key": "a"}, "destination": {"bucket": "dst-bucket", "key": "b"}}
ENVIRONMENT = {
    "STATE_BUCKET": "state-bucket",
    "ALLOWED_SOURCES": "src-bucket/*",
    "ALLOWED_DESTINATIONS": "dst-bucket/*",
    "API_TOKEN": TOKEN,
    "INVOKE_FUNCTION": "oss-copy",
}
JOB = "c-" + "0" * 32
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
THROTTLED = Transient("ResourceExhausted", "no instance", throttled=True)
LOST = Transient("NetworkError", "no answer", in_doubt=True)


class Fc:
    """The function that copies, as FC answers for it: `says` in this order, the last one for ever."""

    def __init__(
        self, *says: dict[str, Any] | bytes | OssCopyError, task: AsyncTask | OssCopyError | None = None
    ) -> None:
        self._says = list(says)
        self._task = task
        self.asked: list[bytes] = []
        self.submitted: list[tuple[str, bytes]] = []
        self.slept = 0.0

    def invoke(self, event: bytes) -> bytes:
        self.asked.append(event)
        said = self._says.pop(0) if len(self._says) > 1 else self._says[0]
        if isinstance(said, OssCopyError):
            raise said
        return said if isinstance(said, bytes) else json.dumps(said).encode()

    def task(self, task_id: str) -> AsyncTask | None:
        assert task_id == first_task(JOB)
        if isinstance(self._task, OssCopyError):
            raise self._task
        return self._task

    def submit(self, task_id: str, payload: bytes, delay: int) -> bool:
        assert delay == 0
        self.submitted.append((task_id, payload))
        return True

    def sleep(self, seconds: float) -> None:
        self.slept += seconds


def said(code: int = 200, **body: Any) -> dict[str, Any]:
    return {
        "statusCode": code,
        "headers": {"X-Own": "1"},
        "isBase64Encoded": False,
        "body": json.dumps(body),
    }


def send(
    fc: Fc, method: str = "POST", path: str = "/copies", *, settings: Settings | None = None, **changes: Any
) -> tuple[int, dict[str, Any], dict[str, str]]:
    """The status, body and headers of one request, and what it asked of FC is in `fc`."""
    given = {"headers": {"Authorization": f"Bearer {TOKEN}"}, "body": json.dumps(BODY), **changes}
    event = {**SAMPLE, "rawPath": path, "queryParameters": {}, "isBase64Encoded": False, **given}
    event["requestContext"] = {**SAMPLE["requestContext"], "http": {"method": method, "path": path}}
    event["requestContext"] |= changes.get("requestContext", {})
    raw = json.dumps(event).encode()
    arrival = events.Arrival("own-request", NOW)
    call = events.parse(raw, arrival, ())
    assert isinstance(call, events.HttpCall)
    clock: Any = SimpleNamespace(sleep=fc.sleep, now=NOW.timestamp)
    ports = door.Ports(fc, fc, clock, lambda *_, **__: None)
    found = door.Door(raw, call, settings or load(ENVIRONMENT), arrival, ports).answer()
    try:
        body = json.loads(found["body"])
    except ValueError:
        body = {"page": found["body"]}
    assert all(each == raw for each in fc.asked), "it is passed on as it came"
    return found["statusCode"], body, found["headers"]


@pytest.mark.parametrize(
    ("status", "changes"),
    [
        (401, {"headers": {}}),
        (401, {"headers": {"Authorization": "Bearer wrong"}}),
        (401, {"path": "/", "method": "GET", "headers": {}}),
        (
            401,
            {
                "path": "/",
                "headers": FORM,
                "body": "do=start",
            },
        ),
        (404, {"path": "/elsewhere"}),
        (404, {"path": "/copies/c-1", "method": "GET"}),
        (404, {"path": "/copies/c-1/resubmit"}),
        (405, {"method": "PUT"}),
        (405, {"path": "/", "method": "PUT"}),
        (413, {"body": "x" * 200_000}),
        (415, {"headers": {"Authorization": f"Bearer {TOKEN}", "Content-Type": "text/plain"}}),
        (400, {"body": "{"}),
        (422, {"body": "{}"}),
        (422, {"method": "GET", "queryParameters": {"limit": "0"}}),
        (422, {"headers": {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": " "}}),
        (403, {"body": json.dumps({**BODY, "source": {"bucket": "else-bucket", "key": "a"}})}),
        (403, {"body": json.dumps({**BODY, "acl": "public-read"})}),
        (400, {"path": f"/copies/b-{'0' * 32}/resubmit", "body": "{"}),
    ],
)
def test_what_is_refused_takes_no_instance_of_the_function_that_copies(
    status: int, changes: dict[str, Any]
) -> None:
    fc = Fc(said())
    assert send(fc, **changes)[0] == status
    assert (fc.asked, fc.submitted) == ([], [])


def test_an_open_trigger_without_a_token_answers_nobody() -> None:
    fc = Fc(said())
    settings = load({**ENVIRONMENT, "API_TOKEN": "", "HTTP_AUTH_TYPE": "anonymous"})
    assert send(fc, headers={}, settings=settings)[0] == 403
    assert fc.asked == []


@pytest.mark.parametrize("path", ["/healthz", "/openapi.json"])
def test_what_needs_no_record_is_answered_at_once(path: str) -> None:
    fc = Fc(said())
    assert send(fc, "GET", path)[0] == 200
    assert fc.asked == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/copies"),
        ("GET", "/copies"),
        ("HEAD", "/copies"),
        ("GET", f"/copies/{JOB}"),
        ("DELETE", f"/copies/{JOB}"),
        ("POST", f"/copies/{JOB}/resubmit"),
        ("GET", "/"),
    ],
)
def test_the_rest_is_passed_on_and_answered_as_the_other_function_does(method: str, path: str) -> None:
    fc = Fc(said(418, a=1))
    assert send(fc, method, path) == (418, {"a": 1}, {"X-Own": "1"})
    assert len(fc.asked) == 1


def test_who_signs_in_is_answered_at_once() -> None:
    fc = Fc(said())
    status, _, headers = send(fc, path="/", headers=FORM, body=f"do=sign-in&token={TOKEN}")
    assert (status, "Set-Cookie" in headers, fc.asked) == (303, True, [])


def test_an_instance_that_is_there_in_a_moment_is_waited_for() -> None:
    fc = Fc(THROTTLED, THROTTLED, said(200, status="succeeded"))
    assert send(fc)[1] == {"status": "succeeded"}
    assert (fc.submitted, fc.slept) == ([], sum(door.PAUSES[:2]))


@pytest.mark.parametrize("error", [THROTTLED, LOST])
def test_a_copy_without_an_instance_or_an_answer_is_left_to_the_queue(error: Transient) -> None:
    fc = Fc(error)
    status, body, headers = send(fc)
    assert (status, body["status"], headers["Location"]) == (202, "running", f"/copies/{body['job']}")
    assert (body["source"]["key"], body["caller"]) == ("a", "token")
    ((task_id, payload),) = fc.submitted
    copy = only(payload)
    assert (task_id, copy.job, copy.origin.caller) == (plan.task_id(copy), body["job"], "token")
    assert (copy.keep, copy.retried) == (True, error.in_doubt), "one that may have been begun is looked at"
    assert copy.since is not None
    assert len(fc.asked) == (4 if error.throttled else 1)


def only(payload: bytes) -> Copy:
    parsed = events.parse(payload, events.Arrival("later", NOW), ())
    assert isinstance(parsed, events.Batch)
    (copy,) = parsed.items
    assert isinstance(copy, Copy)
    return copy


def test_the_job_is_the_one_that_the_function_that_copies_would_give() -> None:
    """It reads the same event, in an invocation with another request id."""
    fc = Fc(LOST)
    job = send(fc)[1]["job"]
    call = events.parse(fc.asked[0], events.Arrival("another", NOW), ())
    assert isinstance(call, events.HttpCall)
    name = call.request_context.request_id
    asked = events.read_request(
        json.dumps(BODY).encode(), f"http:{name}", NOW, events.Arrival("another", NOW)
    )
    assert asked.job == job


@pytest.mark.parametrize(
    "changes",
    [
        {"headers": {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": "k"}},
        {
            "body": json.dumps(
                {"source": {"bucket": "src-bucket", "prefix": "a/"}, "destination": {"bucket": "dst-bucket"}}
            )
        },
        {"requestContext": {"requestId": ""}},
    ],
    ids=["key", "many", "no name"],
)
def test_what_another_request_may_stand_for_is_not_left_to_the_queue(changes: dict[str, Any]) -> None:
    fc = Fc(THROTTLED)
    status, body, headers = send(fc, **changes)
    assert (status, body["error"]["code"], headers["Retry-After"]) == (503, "ResourceExhausted", "5")
    assert fc.submitted == []


def waiting(*, is_open: bool = True, caller: str = "token") -> AsyncTask:
    fc = Fc(THROTTLED)
    send(fc)
    copy = msgspec.structs.replace(only(fc.submitted[0][1]), job=JOB)
    origin = msgspec.structs.replace(copy.origin, caller=caller)
    return AsyncTask(events.encode(msgspec.structs.replace(copy, origin=origin)), is_open)


NOT_FOUND = said(404, error={"code": "NoSuchJob"})


@pytest.mark.parametrize("answer", [NOT_FOUND, THROTTLED])
def test_a_copy_that_waits_in_the_queue_is_running(answer: dict[str, Any] | Transient) -> None:
    fc = Fc(answer, task=waiting())
    status, body, _ = send(fc, "GET", f"/copies/{JOB}")
    assert (status, body["job"], body["status"]) == (200, JOB, "running")
    status, body, _ = send(Fc(answer, task=waiting()), "DELETE", f"/copies/{JOB}")
    assert (status, body["error"]["code"]) == (503, "NotBegun")


def test_a_job_that_nobody_knows_is_none_and_without_an_instance_nobody_can_tell() -> None:
    assert send(Fc(NOT_FOUND), "GET", f"/copies/{JOB}")[0] == 404
    assert send(Fc(THROTTLED), "GET", f"/copies/{JOB}")[0] == 503
    assert send(Fc(NOT_FOUND), "GET", f"/copies/b-{'0' * 32}")[0] == 404


def test_a_copy_that_has_ended_since_is_looked_at_once_more() -> None:
    fc = Fc(NOT_FOUND, said(200, status="succeeded"), task=waiting(is_open=False))
    assert send(fc, "GET", f"/copies/{JOB}")[1] == {"status": "succeeded"}


def test_a_copy_in_the_queue_is_shown_to_who_may_see_it() -> None:
    digest = sha256(b"narrow").hexdigest()
    entry = json.dumps([{"name": "n", "sha256": digest, "jobs": "own"}])
    settings = load({**ENVIRONMENT, "API_TOKENS": entry})
    headers = {"Authorization": "Bearer narrow"}
    for caller, status in (("token:n", 200), ("token", 404)):
        fc = Fc(NOT_FOUND, task=waiting(caller=caller))
        assert send(fc, "GET", f"/copies/{JOB}", headers=headers, settings=settings)[0] == status


@pytest.mark.parametrize("where", ["invoke", "task"])
def test_a_right_that_is_missing_is_no_fault_of_the_caller(where: str) -> None:
    denied = Failed("AccessDenied", "no: grant fc:X", status=403)
    fc = Fc(denied) if where == "invoke" else Fc(NOT_FOUND, task=denied)
    status, body, _ = send(fc, "GET", f"/copies/{JOB}")
    assert (status, body["error"]["code"], body["error"]["field"]) == (
        500,
        "Misconfigured",
        "INVOKE_FUNCTION",
    )
    assert "grant fc:X" in body["error"]["message"]


@pytest.mark.parametrize("given", [b"null", b"{}", b"<html>"])
def test_an_answer_of_another_form_is_none(given: bytes) -> None:
    status, body, _ = send(Fc(given), "GET", "/copies")
    assert (status, body["error"]["code"]) == (503, "BadAnswer")


def test_a_page_that_cannot_be_passed_on_is_a_page() -> None:
    status, body, _ = send(Fc(THROTTLED), "GET", "/")
    assert (status, "<html" in body["page"]) == (503, True)


def test_a_request_too_large_for_the_queue_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(_: object) -> bytes:
        raise Refused("RequestTooLarge", "no")

    monkeypatch.setattr(events, "encode", refuses)
    assert send(Fc(THROTTLED))[0] == 422
