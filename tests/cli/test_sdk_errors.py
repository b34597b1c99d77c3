"""A request that OSS, FC or RAM does not answer ends in a sentence and the next step, not in a traceback."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from alibabacloud_fc20230330 import models
from alibabacloud_ram20150501 import models as ram_models
from darabonba.runtime import RuntimeOptions

from functions.cli.account import review
from functions.cli.account.credentials import Account
from functions.cli.account.differences import NeedsRecreation
from functions.cli.account.sdk_errors import DEPLOYER, asking_fc, asking_oss, asking_ram, body_of, found_in_fc
from functions.cli.errors import NoAnswer, ServiceRefused, Status
from functions.cli.template import Deployment
from tests.cli.deployer import Deployer
from tests.cloud.client import LocalCloud

AGAIN = "then run the command again"
PATIENCE = 300  # milliseconds


def answer(status: int, body: str = "", kind: str = "application/json", length: int | None = None) -> bytes:
    head = f"HTTP/1.1 {status} Any\r\ncontent-type: {kind}\r\ncontent-length: {length or len(body)}\r\n"
    return f"{head}connection: close\r\n\r\n{body}".encode()


@contextlib.contextmanager
def serving(handle: Callable[[BaseHTTPRequestHandler], object]) -> Iterator[str]:
    """Serve on a free port, each request with `handle`."""

    class Handler(BaseHTTPRequestHandler):
        def handle_one_request(self) -> None:
            self.close_connection = True
            self.raw_requestline = self.rfile.readline(65537)
            if self.raw_requestline and self.parse_request():
                self.rfile.read(int(self.headers.get("content-length", "0")))
                handle(self)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def answering(raw: bytes) -> Iterator[str]:
    with serving(lambda request: request.wfile.write(raw)) as url:
        yield url


@contextlib.contextmanager
def closed_port() -> Iterator[str]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@contextlib.contextmanager
def unknown_host() -> Iterator[str]:
    yield "http://nothing.invalid"


@contextlib.contextmanager
def silence() -> Iterator[str]:
    ended = threading.Event()
    with serving(lambda _: ended.wait()) as url:
        try:
            yield url
        finally:
            ended.set()


@contextlib.contextmanager
def no_tls() -> Iterator[str]:
    with answering(answer(200, "{}")) as url:
        yield url.replace("http:", "https:")


def ask_fc(url: str) -> object:
    client, options = account(url).fc("cn-hangzhou", "1"), RuntimeOptions(read_timeout=PATIENCE)
    with asking_fc("function f"):
        return body_of(client.get_function_with_options, "f", models.GetFunctionRequest(), {}, options)


def ask_ram(url: str) -> object:
    client, options = account(url).ram("cn-hangzhou"), RuntimeOptions(read_timeout=PATIENCE)
    with asking_ram():
        return body_of(client.get_role_with_options, ram_models.GetRoleRequest(role_name="r"), options)


def ask_oss(url: str) -> object:
    bucket = account(url).bucket("cn-hangzhou", "some-bucket")
    bucket.timeout = PATIENCE / 1000
    with asking_oss("bucket some-bucket", "oss:GetBucketInfo", DEPLOYER):
        return bucket.get_bucket_info()


def account(url: str) -> Account:
    return Account("some-id", "some-secret", fc_endpoint=url, oss_endpoint=url, ram_endpoint=url)


BROKEN_OFF = answer(200, "{}", length=200)
SERVICES = {"FC": ask_fc, "RAM": ask_ram, "OSS": ask_oss}
UNREACHED: dict[str, Callable[[], contextlib.AbstractContextManager[str]]] = {
    "closed port": closed_port,
    "unknown host": unknown_host,
    "time-out": silence,
    "no TLS": no_tls,
    "no answer": lambda: answering(b""),
    "no HTTP": lambda: answering(b"hello"),
    "broken off": lambda: answering(BROKEN_OFF),
}
UNREAD = {
    "a page": answer(200, "<html>hello", "text/html"),
    "nothing": answer(200),
    "a list": answer(200, "[1]"),
    "null": answer(200, "null"),
    "fields of other types": answer(200, json.dumps({"layers": 7, "Role": 7})),
}
UNREAD_ERRORS = {
    "a gateway's page": answer(502, "<html>bad gateway", "text/html"),
    "a page for what is not there": answer(404, "<html>not here", "text/html"),
    "an error as a list": answer(403, "[1]"),
}


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("fault", UNREACHED)
def test_a_service_that_cannot_be_reached_is_named_with_the_next_step(service: str, fault: str) -> None:
    with UNREACHED[fault]() as url, pytest.raises(NoAnswer) as caught:
        SERVICES[service](url)
    assert f"{service} cannot be reached: " in str(caught.value)
    assert str(caught.value).endswith(AGAIN)


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("content", UNREAD)
def test_an_answer_of_another_form_is_not_taken_for_one(service: str, content: str) -> None:
    with answering(UNREAD[content]) as url, pytest.raises(NoAnswer) as caught:
        SERVICES[service](url)
    assert f"{service} has sent an answer that cannot be read: " in str(caught.value)
    assert str(caught.value).endswith(AGAIN)


@pytest.mark.parametrize("service", ["FC", "RAM"])
@pytest.mark.parametrize("content", UNREAD_ERRORS)
def test_an_error_that_is_not_of_the_service_is_no_refusal(service: str, content: str) -> None:
    with answering(UNREAD_ERRORS[content]) as url, pytest.raises(NoAnswer) as caught:
        SERVICES[service](url)
    assert f"{service} has sent an answer that cannot be read: " in str(caught.value)


@pytest.mark.parametrize("service", ["FC", "RAM"])
@pytest.mark.parametrize("status", [403, 429, 500])
def test_an_error_of_the_service_is_a_refusal_with_its_code(service: str, status: int) -> None:
    content = json.dumps({"Code": "SomeCode", "Message": "some words", "RequestId": "R"})
    with (
        answering(answer(status, content)) as url,
        pytest.raises(ServiceRefused, match=r"SomeCode.*some words"),
    ):
        SERVICES[service](url)


@pytest.mark.parametrize(
    "raw", [UNREAD["null"], UNREAD_ERRORS["a page for what is not there"]], ids=["null", "a page"]
)
def test_a_function_is_not_taken_for_missing_because_fc_cannot_be_read(raw: bytes) -> None:
    """`remove` would say that it is removed."""
    with answering(raw) as url, pytest.raises(NoAnswer), asking_fc("function f"):
        found_in_fc(account(url).fc("cn-hangzhou", "1").get_function, "f", models.GetFunctionRequest())


def test_a_trigger_whose_replacement_is_not_answered_is_named_as_perhaps_missing(
    deployment: Deployment,
) -> None:
    asked: list[str] = []

    def handle(request: BaseHTTPRequestHandler) -> None:
        asked.append(request.command)
        if request.command != "POST":
            request.wfile.write(answer(200, json.dumps({"triggerName": "oss"})))

    moved = NeedsRecreation("oss-copy", "oss", "sourceArn")
    with serving(handle) as url, pytest.raises(NoAnswer) as caught:
        review.mend(account(url).fc("cn-hangzhou", "1"), deployment, [moved], lambda _: None)
    assert asked == ["GET", "DELETE", "POST"]
    assert "FC cannot be reached" in str(caught.value)
    assert "the old trigger is deleted, and the new one may be missing until then" in str(caught.value)


@pytest.mark.parametrize("command", [["deploy"], ["remove", "--confirm"], ["cp", "oss://aaa/b", "oss://ccc"]])
def test_every_command_that_asks_fc_says_that_it_is_not_there(
    deployer: Deployer, own: Path, command: list[str]
) -> None:
    with closed_port() as url:
        deployer.environment["FC_CLIENT_CUSTOM_ENDPOINT"] = url
        done = deployer.run(*command, template=own)
    assert done.returncode == Status.TEMPORARY
    assert "error: " in done.stderr
    assert "FC cannot be reached: " in done.stderr
    assert done.stderr.endswith(
        f"check the network, and FC_CLIENT_CUSTOM_ENDPOINT if you have set it; {AGAIN}\n"
    )
    assert "Traceback" not in done.stderr


def test_an_endpoint_of_another_service_is_no_answer_of_fc(
    deployer: Deployer, cloud: LocalCloud, own: Path
) -> None:
    deployer.environment["FC_CLIENT_CUSTOM_ENDPOINT"] = cloud.oss
    done = deployer.run("cp", "oss://aaa/b", "oss://ccc", template=own)
    assert done.returncode == Status.TEMPORARY
    assert "FC has sent an answer that cannot be read: " in done.stderr, done.stderr
    assert "Traceback" not in done.stderr
