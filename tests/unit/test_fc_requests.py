"""Requests to FC as they go over the wire, through both SDKs, and what is made of the answers."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from osscopy.aliyun.fc import FcInvoker, Gateway
from osscopy.aliyun.fc_context import Invocation
from osscopy.model import Failed, OssCopyError, Refused, Transient
from tests.unit.peer import Peer, Told, running

INVOCATION = Invocation("r", "f", "", "cn-x", "1234", 60.0, ("id", "secret", "token"))


@pytest.fixture(scope="module")
def server() -> Iterator[Peer]:
    with running() as peer:
        yield peer


@pytest.fixture
def peer(server: Peer) -> Peer:
    server.tell(Told(202))
    return server


def invoker(
    peer: Peer, gateway: Gateway | None = None, *, service: str = "", seconds: float = 9.0
) -> FcInvoker:
    place = Invocation("r", "f", service, "cn-x", "1234", 60.0, ("id", "secret", "token"))
    return FcInvoker(place, peer.url, gateway or Gateway(), lambda *_, **__: None, lambda: seconds)


def refused(by: type[Gateway] = Gateway) -> Gateway:
    """Return the gateway of an instance that has learnt that fc2's signature is not taken."""
    gateway = by()
    gateway.takes_fc_signature = False
    return gateway


def error(status: int, code: str, message: str = "no") -> Told:
    body = {"ErrorCode": code, "ErrorMessage": message, "Code": code, "Message": message, "RequestId": "R-1"}
    return Told(status, json.dumps(body).encode(), {"Content-Type": "application/json"})


@pytest.mark.parametrize("takes", [True, False], ids=["fc2", "fc3"])
def test_an_invocation_is_asynchronous_named_and_delayed(peer: Peer, takes: bool) -> None:
    gateway = Gateway() if takes else refused()
    assert invoker(peer, gateway).submit("task-1", b"{}", 30)
    asked = peer.last
    assert (asked.method, asked.path) == ("POST", "/2023-03-30/functions/f/invocations")
    assert asked.headers["x-fc-invocation-type"] == "Async"
    assert asked.headers["x-fc-async-task-id"] == "task-1"
    assert asked.headers["x-fc-async-delay"] == "30"
    assert asked.body == b"{}"
    token = "x-fc-security-token" if takes else "x-acs-security-token"
    assert asked.headers[token] == "token"
    invoker(peer, gateway).submit("task-2", b"{}", 0)
    assert "x-fc-async-delay" not in peer.last.headers


def test_on_fc_2_the_service_and_the_older_name_of_the_task_are_used(peer: Peer) -> None:
    invoker(peer, service="s").submit("task-1", b"{}", 0)
    assert peer.last.path == "/2016-08-15/services/s/functions/f/invocations"
    assert peer.last.headers["x-fc-stateful-async-invocation-id"] == "task-1"
    assert "x-fc-async-task-id" not in peer.last.headers


@pytest.mark.parametrize("takes", [True, False], ids=["fc2", "fc3"])
@pytest.mark.parametrize(
    ("told", "accepted"),
    [
        (error(409, "Conflict"), False),
        (error(400, "StatefulAsyncInvocationAlreadyExists"), False),
        (error(400, "InvalidArgument"), Failed),
        (error(429, "ResourceThrottled"), Transient),
        (error(403, "Throttling.User"), Transient),
        (error(500, "InternalServerError"), Transient),
        (error(403, "SecurityTokenExpired"), Transient),
        (error(403, "InvalidAccessKeyID"), Transient),
        (error(413, "TooLarge"), Refused),
        (error(403, "AccessDenied"), Failed),
        (error(404, "FunctionNotFound"), Failed),
        (Told(silent=True), Transient),
        (Told(502, b"<html>"), Transient),
    ],
)
def test_an_answer_is_what_the_caller_should_do(
    peer: Peer, told: Told, accepted: bool | type[OssCopyError], takes: bool
) -> None:
    """A known task id was accepted before, whatever has become of it."""
    peer.tell(told)
    fc = invoker(peer, Gateway() if takes else refused())
    if isinstance(accepted, bool):
        assert fc.submit("task", b"{}", 0) is accepted
    else:
        with pytest.raises(OssCopyError) as caught:
            fc.submit("task", b"{}", 0)
        assert type(caught.value) is accepted


@pytest.mark.parametrize(
    ("told", "throttled", "in_doubt"),
    [
        (error(429, "ResourceThrottled"), True, False),
        (error(500, "InternalServerError"), False, True),
        (error(403, "SecurityTokenExpired"), False, False),
        (Told(silent=True), False, True),
    ],
)
def test_what_fc_may_have_accepted_is_in_doubt(
    peer: Peer, told: Told, throttled: bool, in_doubt: bool
) -> None:
    peer.tell(told)
    with pytest.raises(Transient) as caught:
        invoker(peer).submit("task", b"{}", 0)
    assert (caught.value.throttled, caught.value.in_doubt) == (throttled, in_doubt)


def test_a_missing_right_is_named(peer: Peer) -> None:
    peer.tell(error(403, "AccessDenied"))
    with pytest.raises(Failed, match="fc:InvokeFunction"):
        invoker(peer).submit("task", b"{}", 0)
    assert len(peer.asked) == 1
    with pytest.raises(Failed, match="fc:ListTriggers"):
        invoker(peer).triggers()


@pytest.mark.parametrize("takes", [True, False], ids=["fc2", "fc3"])
@pytest.mark.parametrize(
    "told", [error(500, "InternalServerError"), error(502, "BadGateway"), Told(silent=True)]
)
def test_no_sdk_repeats_a_request_that_nobody_sees(peer: Peer, told: Told, takes: bool) -> None:
    """Attempts, pauses and doubts are counted by the engine alone."""
    peer.tell(told)
    fc = invoker(peer, Gateway() if takes else refused())
    for ask in (fc.triggers, lambda: fc.submit("task", b"{}", 0)):
        peer.asked.clear()
        with pytest.raises(Transient):
            ask()
        assert len(peer.asked) == 1


def test_a_gateway_that_refuses_fc2_s_signature_is_asked_by_the_other_sdk_for_good(peer: Peer) -> None:
    gateway = Gateway()
    logged: list[str] = []

    def log(event: str, /, **_: object) -> None:
        logged.append(event)

    peer.tell(error(403, "SignatureNotMatch"), Told(202))
    fc = FcInvoker(INVOCATION, peer.url, gateway, log, lambda: 9.0)
    assert fc.submit("task", b"{}", 0)
    assert (len(peer.asked), gateway.takes_fc_signature, logged) == (2, False, ["gatewayRefusedSignature"])
    assert fc.submit("task-2", b"{}", 0)
    assert len(peer.asked) == 3


def test_on_fc_2_there_is_no_other_sdk(peer: Peer) -> None:
    peer.tell(error(403, "SignatureNotMatch"))
    with pytest.raises(Failed):
        invoker(peer, service="s").submit("task", b"{}", 0)
    assert len(peer.asked) == 1


def test_a_refused_signature_tells_nothing_of_what_was_signed(
    peer: Peer, caplog: pytest.LogCaptureFixture
) -> None:
    peer.tell(error(403, "SignatureNotMatch", "signed: token"))
    with caplog.at_level(logging.DEBUG), pytest.raises(Failed) as caught:
        invoker(peer, refused()).submit("task", b"{}", 0)
    assert "token" not in str(caught.value)
    with caplog.at_level(logging.DEBUG), pytest.raises(Failed):
        invoker(peer, service="s").submit("task", b"{}", 0)
    assert not [each for each in caplog.records if "/fc2/" in each.pathname]


def test_an_answer_of_another_form_is_transient(peer: Peer) -> None:
    peer.tell(Told(200, b'{"triggers": [{}]}', {"Content-Type": "application/json"}))
    with pytest.raises(Transient, match="BadAnswer"):
        invoker(peer).triggers()


@pytest.mark.parametrize("takes", [True, False], ids=["fc2", "fc3"])
def test_triggers_are_read_alike(peer: Peer, takes: bool) -> None:
    trigger: dict[str, Any] = {
        "triggerName": "t",
        "triggerType": "oss",
        "sourceArn": "arn",
        "triggerConfig": "{}",
    }
    body = json.dumps({"triggers": [trigger]}).encode()
    peer.tell(Told(200, body, {"Content-Type": "application/json"}))
    (found,) = invoker(peer, Gateway() if takes else refused()).triggers()
    assert (found.name, found.kind, found.source, found.config) == ("t", "oss", "arn", "{}")


def test_an_acknowledgement_is_not_waited_for_beyond_the_invocation(peer: Peer) -> None:
    fc = invoker(peer, seconds=3.0)
    assert fc._seconds() == 3.0  # noqa: SLF001 - nobody waits so long in a test
    assert invoker(peer, seconds=-1)._seconds() == 1.0  # noqa: SLF001 - as above
    assert invoker(peer, seconds=99)._seconds() == 10.0  # noqa: SLF001 - as above


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        ({"Code": "Throttling.User", "Message": "slow"}, Transient, "Throttling.User"),
        ({"ErrorCode": "Throttling.User", "ErrorMessage": "slow"}, Transient, "Throttling.User"),
        ({"Code": 5}, Failed, "HTTP403"),
        ({}, Failed, "HTTP403"),
    ],
)
def test_errors_of_both_versions_are_read_and_others_told_by_their_status(
    peer: Peer, body: dict[str, Any], kind: type[OssCopyError], code: str
) -> None:
    peer.tell(Told(403, json.dumps(body).encode(), {"Content-Type": "application/json"}))
    with pytest.raises(OssCopyError) as caught:
        invoker(peer).submit("task", b"{}", 0)
    assert (type(caught.value), caught.value.code) == (kind, code)
