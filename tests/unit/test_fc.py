"""FC's words: about an invocation they are text, a number, or nothing; its answers become our errors."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace
from typing import Any

import pytest

from osscopy.aliyun.fc import FcInvoker, Gateway
from osscopy.aliyun.fc_context import Invocation, read_context
from osscopy.model import Failed, Misconfigured, OssCopyError, Refused, Transient

KEY = ("id", "secret", None)


def context(**told: object) -> Any:
    function = SimpleNamespace(name="f", timeout=told.get("timeout", 60), memory=told.get("memory", 512))
    return SimpleNamespace(
        request_id="R", region="cn-x", account_id="1", function=function, retry_count=told.get("retries", 0)
    )


@pytest.mark.parametrize("told", ["60", 60, 60.0])
def test_a_timeout_is_a_number_or_text(told: object) -> None:
    assert read_context(context(timeout=told), KEY).timeout == 60


@pytest.mark.parametrize("told", ["", "soon", None, "nan", "inf", "-1"])
def test_a_timeout_that_is_none_names_the_setting(told: object) -> None:
    with pytest.raises(Misconfigured, match="timeout"):
        read_context(context(timeout=told), KEY)


@pytest.mark.parametrize(
    ("told", "count"), [("2", 2), (3, 3), (None, 0), ("many", 0), ("-1", 0), ("\u00b2", 0), ("\u0663", 0)]
)
def test_a_count_that_is_none_is_not_told(told: object, count: int) -> None:
    seen = read_context(context(memory=told, retries=told), KEY)
    assert (seen.memory, seen.retries) == (count, count)


def test_credentials_are_those_of_the_context_or_else_of_the_environment() -> None:
    given = context()
    given.credentials = SimpleNamespace(access_key_id="a", access_key_secret="b", security_token="c")
    assert read_context(given, KEY).access_key == ("a", "b", "c")
    given.credentials = SimpleNamespace(access_key_id="", access_key_secret="", security_token="")
    assert read_context(given, KEY).access_key == KEY
    with pytest.raises(Misconfigured, match="role"):
        read_context(given, None)


def test_credentials_are_those_of_the_context_or_of_the_environment_or_the_role_is_missing() -> None:
    given = SimpleNamespace(access_key_id="other", access_key_secret="s", security_token="")
    old = context()
    old.credentials = given
    assert read_context(old, None).access_key == ("other", "s", None)
    assert read_context(context(), KEY).access_key == KEY
    with pytest.raises(Misconfigured, match="`role`"):
        read_context(context(), None)


@contextmanager
def answering(status: int, body: bytes) -> Iterator[FcInvoker]:
    """A gateway of FC that gives one and the same answer, and who asks it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(status)
            self.send_header("x-fc-request-id", "R")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - the name that http.server looks for

        def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - the name in http.server
            """Write no line for each request."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    here = Invocation("R", "f", "", "cn-x", "1", 60.0, KEY)
    try:
        address = f"http://127.0.0.1:{server.server_port}"
        yield FcInvoker(here, address, Gateway(), lambda *_, **__: None, lambda: 60.0)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "code", "kind", "says"),
    [
        (413, "EntityTooLarge", Refused, "no"),
        (403, "AccessDenied", Failed, "fc:InvokeFunction"),
        (400, "InvalidAccessKeyID", Transient, "no"),
        (400, "InvalidArgument", Failed, "no"),
        (429, "ResourceThrottled", Transient, "no"),
        (503, "ServiceUnavailable", Transient, "no"),
    ],
)
def test_an_error_of_fc_is_ours_by_its_status_and_its_code(
    status: int, code: str, kind: type[OssCopyError], says: str
) -> None:
    body = f'{{"Code": "{code}", "Message": "no"}}'.encode()
    with answering(status, body) as invoker, pytest.raises(OssCopyError) as caught:
        invoker.submit("t", b"{}", 0)
    assert (type(caught.value), caught.value.code) == (kind, code)
    assert says in str(caught.value)
    if isinstance(caught.value, Transient):
        assert (caught.value.throttled, caught.value.in_doubt) == (status == 429, status == 503)


def test_an_error_that_is_no_json_is_one_of_the_network() -> None:
    with answering(400, b"<html>") as invoker, pytest.raises(OssCopyError) as caught:
        invoker.submit("t", b"{}", 0)
    assert caught.value.code == "NetworkError"


def test_an_answer_of_another_form_is_in_doubt() -> None:
    with (
        answering(200, b'{"elsewhere": []}') as invoker,
        pytest.raises(Transient, match="unreadable") as caught,
    ):
        invoker.triggers()
    assert (caught.value.code, caught.value.in_doubt) == ("BadAnswer", True)
