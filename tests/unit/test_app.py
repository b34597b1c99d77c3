"""The wiring of an instance: what an invocation gets, and what the instance keeps."""

from __future__ import annotations

import contextlib
import gzip
import json
import logging
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from osscopy import events
from osscopy.app import App
from osscopy.model import (
    MIB,
    Copy,
    CopyRequest,
    Destination,
    Misconfigured,
    OssCopyError,
    Rest,
    Source,
    Waiting,
)
from osscopy.web import routes
from tests.unit.peer import DATE, Peer, Told, running

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # oss2 drops answers that it has not read
SAMPLES = Path(__file__).parents[1] / "events"
BODY = {"source": {"bucket": "src-bucket", "key": "a"}, "destination": {"bucket": "dst-bucket", "key": "b"}}
MISSING = Told(404, b"<Error><Code>NoSuchKey</Code><Message>no</Message></Error>")


@pytest.fixture
def peer() -> Iterator[Peer]:
    with running() as started:
        yield started


@pytest.fixture
def app(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> App:
    settings = {
        "STATE_BUCKET": "state-bucket",
        "ALLOWED_SOURCES": "src-bucket/*",
        "ALLOWED_DESTINATIONS": "dst-bucket/*",
        "OSS_ENDPOINT": peer.url,
        "INVOKE_ENDPOINT": peer.url,
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return App()


def context(timeout: int = 600, retries: int = 0) -> Any:
    key = SimpleNamespace(access_key_id="id", access_key_secret="secret", security_token="")
    function = SimpleNamespace(name="f", timeout=timeout, memory=512)
    return SimpleNamespace(
        request_id="R", region="cn-x", account_id="1", function=function, credentials=key, retry_count=retries
    )


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_text())


def test_a_call_behind_http_is_planned_for_a_caller_who_waits(app: App, peer: Peer) -> None:
    """CopyObject of such an object fits an invocation of ten minutes, and not a call of ten seconds."""
    shown = {"Content-Length": str(190 * MIB), "ETag": '"AB"', "Last-Modified": DATE}
    shown["x-oss-tagging-count"] = "0"
    peer.tell_each(HEAD=Told(headers=shown), PUT=Told(), GET=MISSING, POST=Told(202))
    call = {**sample("http"), "body": json.dumps(BODY), "headers": {}}
    answer: Any = app.handle(json.dumps(call).encode(), context())
    assert answer["statusCode"] == 202, answer
    assert json.loads(answer["body"])["method"] == "multipart"
    methods = [each.method for each in peer.asked]
    assert [sorted(methods[:2]), sorted(methods[2:4]), methods[4:]] == [
        ["GET", "HEAD"],
        ["GET", "PUT"],
        ["POST"],
    ]


@pytest.mark.parametrize(("name", "asked"), [("f", 0), ("another", 1)])
def test_a_function_asks_another_one_if_it_is_told_to_and_never_itself(
    app: App,  # noqa: ARG001 - it has set the settings
    peer: Peer,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    asked: int,
) -> None:
    """Who names itself would ask itself for ever."""
    monkeypatch.setenv("INVOKE_FUNCTION", name)
    peer.tell_each(GET=MISSING, POST=Told(body=b'{"statusCode": 418, "headers": {}, "body": "{}"}'))
    call = {**sample("http"), "rawPath": f"/copies/c-{'0' * 32}"}
    call["requestContext"] = {**call["requestContext"], "http": {"method": "GET", "path": "/"}}
    answer: Any = App().handle(json.dumps(call).encode(), context())
    assert answer["statusCode"] == (418 if asked else 404)
    assert len([each for each in peer.asked if each.method == "POST"]) == asked


def test_what_fc_delivers_again_is_looked_for_on_record_before_anything_else(app: App, peer: Peer) -> None:
    peer.tell(MISSING)
    for retries, due in ((0, {"open"}), (1, {"open", "done", "up", "cancel"})):
        peer.asked.clear()
        with contextlib.suppress(OssCopyError):  # no record can be written
            app.handle(json.dumps(BODY).encode(), context(retries=retries))
        assert records_read(peer) == due


def records_read(peer: Peer) -> set[str]:
    """The kinds of records of a copy that were read."""
    read = [each for each in peer.asked if each.method == "GET" and "tagging" not in each.query]
    return {each.path.rsplit("/", 2)[1] for each in read}


def test_the_copies_of_a_list_that_fc_delivers_again_are_looked_for_on_record(app: App, peer: Peer) -> None:
    asked = CopyRequest(source=Source("src-bucket", "a"), destination=Destination("dst-bucket", "b"))
    waiting = Waiting((Copy("c-" + "0" * 32, asked, "2026-11-22T10:00:00.000Z"),), time.time())
    for retries, due in ((0, {"open"}), (1, {"open", "done", "up", "cancel"})):
        peer.tell(Told(body=msgspec.json.encode(waiting)), MISSING)
        with contextlib.suppress(OssCopyError):  # no record can be written
            app.handle(events.encode(Rest("l-" + "0" * 32)), context(retries=retries))
        assert records_read(peer) == {"rest", *due}


def test_what_breaks_behind_http_is_told_the_log_and_not_the_caller(
    app: App, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def breaks(*_: object) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr(routes, "answer", breaks)
    monkeypatch.setattr(logging.getLogger("osscopy").handlers[0], "stream", sys.stdout)
    answer: Any = app.handle(json.dumps(sample("http")).encode(), context())
    assert answer["statusCode"] == 500
    error = json.loads(answer["body"])["error"]
    assert (error["code"], error["requestId"], "bug" in error["message"]) == ("Unexpected", "R", False)
    (line,) = [json.loads(each) for each in capsys.readouterr().out.splitlines()]
    assert (line["event"], line["kind"], line["requestId"]) == ("unexpected", "KeyError", "R")
    assert "test_app.py" in line["at"][-1]
    monkeypatch.setattr(events, "parse", breaks)
    with pytest.raises(KeyError):  # FC tries any other event again
        app.handle(json.dumps(BODY).encode(), context())
    assert app.handle(json.dumps(sample("http")).encode(), context())["statusCode"] == 500  # type: ignore[index]  # a response


def test_rules_in_an_object_that_are_kept_packed_are_unpacked_as_far_as_rules_go(
    app: App,  # noqa: ARG001 - it has set the settings
    peer: Peer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COPY_RULES", "oss://state-bucket/rules.json")
    with_object = App()
    bomb, packed = gzip.compress(b" " * 2_000_000), {"Content-Encoding": "gzip"}
    cases = {
        "when it is unpacked": Told(body=bomb, headers=packed),
        "not gzip": Told(body=b"no gzip", headers=packed),
        "more than": Told(body=b" " * 2_000_000),
    }
    for why, told in cases.items():
        peer.tell(told)
        with pytest.raises(Misconfigured, match=why):
            with_object.handle(json.dumps(sample("oss-trigger")).encode(), context())
    peer.tell(Told(body=gzip.compress(b"[]"), headers=packed))
    with_object.handle(json.dumps(sample("oss-trigger")).encode(), context())


def test_rules_in_an_object_are_read_once_an_instance(
    app: App, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COPY_RULES", "oss://state-bucket/rules.json")
    with_object = App()
    peer.tell(Told(body=b"[]"))
    for _ in range(2):
        with_object.handle(json.dumps(sample("oss-trigger")).encode(), context())
    assert [each.path for each in peer.asked] == ["/state-bucket/rules.json"]
    app.handle(json.dumps(sample("oss-trigger")).encode(), context())
    assert len(peer.asked) == 1


def test_an_event_that_fc_gave_up_waits_for_rules_that_cannot_be_read(
    app: App, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any other event is raised: FC tries that again by itself."""
    monkeypatch.setenv("COPY_RULES", "oss://state-bucket/rules.json")
    with_object, fresh = App(), sample("oss-trigger")
    for record in fresh["events"]:
        record["eventTime"] = datetime.now(timezone.utc).isoformat()
    event = json.dumps(fresh)
    peer.tell(MISSING)
    with pytest.raises(Misconfigured, match="COPY_RULES"):
        with_object.handle(event.encode(), context())
    peer.tell(MISSING, Told(202))
    given_up = {"requestContext": {"condition": "RetriesExhausted"}, "requestPayload": event}
    assert with_object.handle(json.dumps(given_up).encode(), context()) == '{"resumed":1}'
    assert peer.last.body == event.encode()
    assert peer.last.headers["x-fc-async-delay"] == "3600"
    assert app is not with_object


def test_an_unknown_event_is_logged_once_an_instance(app: App) -> None:
    event = sample("oss-trigger")
    event["events"] = event["events"][:1]
    event["events"][0]["eventName"] = "ObjectCreated:Teleport"
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]  # it keeps them
    logging.getLogger("osscopy").addHandler(handler)
    try:
        for _ in range(2):
            app.handle(json.dumps(event).encode(), context())
    finally:
        logging.getLogger("osscopy").removeHandler(handler)
    assert [json.loads(each)["name"] for each in lines if "unknownEvent" in each] == [
        "ObjectCreated:Teleport"
    ]
