"""The POST to a receiver: TLS that is verified, no redirect, no proxy, a few seconds, no word of the URL."""

from __future__ import annotations

import logging
import socket
import time
from pathlib import Path

import pytest

from osscopy.aliyun.hooks import https
from osscopy.model import Transient
from tests.unit.sockets import Authority, Server, answer, reset, says, serving

HERE = "127.0.0.1"
PATH = "/robot/send?access_token=t0ken"


def refused(server: Server, url: str = "") -> str:
    """Ask in vain; what the error says."""
    with pytest.raises(Transient) as caught:
        https.post(url or server.url + PATH, {}, b"{}")
    assert caught.value.in_doubt
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__, "a traceback would show the URL"
    assert "t0ken" not in str(caught.value)
    return str(caught.value)


def test_a_message_is_posted_as_it_is_and_the_answer_is_read(trusting: Authority) -> None:
    with serving(trusting.server(HERE)) as server:
        server.acts = [says(answer(200, b'{"errcode":0}'))]
        told = https.post(server.url + PATH, {"Content-Type": "application/json"}, b'{"a":1}')
    assert told == (200, b'{"errcode":0}')
    (sent,) = server.requests
    head, _, body = sent.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /robot/send?access_token=t0ken HTTP/1.1\r\n")
    assert body == b'{"a":1}'


def test_a_receiver_that_nobody_vouches_for_is_told_nothing(
    trusting: Authority,
    tmp_path: Path,
) -> None:
    with serving(Authority(tmp_path, "other").server(HERE)) as server:
        refused(server)
        assert server.requests == []
    with serving(trusting.server(HERE)) as server:
        assert https.post(server.url + PATH, {}, b"{}")[0] == 200


def test_a_name_that_is_not_in_the_certificate_is_told_nothing(trusting: Authority) -> None:
    with serving(trusting.server("hooks.example.com")) as server:
        refused(server)
        assert server.requests == []


def test_a_redirect_is_not_followed(trusting: Authority) -> None:
    with serving(trusting.server(HERE)) as other, serving(trusting.server(HERE)) as server:
        server.acts = [says(answer(307, Location=f"{other.url}/elsewhere"))]
        assert https.post(server.url + PATH, {}, b"{}")[0] == 307
        assert (len(server.requests), other.connections) == (1, 0)


def test_the_environment_names_no_proxy(trusting: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as proxy, serving(trusting.server(HERE)) as server:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        assert https.post(server.url + PATH, {}, b"{}")[0] == 200
        assert proxy.connections == 0


def test_an_answer_is_waited_for_a_few_seconds_and_asked_for_once(
    trusting: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(https, "SECONDS", 0.5)
    with serving(trusting.server(HERE)) as server:
        server.acts = [server.stall]
        began = time.monotonic()
        assert "Timeout" in refused(server)
        assert time.monotonic() - began < 10
        server.acts = [reset]
        refused(server)
        assert len(server.requests) == 2


def test_of_an_answer_no_more_is_read_than_is_needed(trusting: Authority) -> None:
    with serving(trusting.server(HERE)) as server:
        server.acts = [says(answer(200, b"x" * 1_000_000))]
        _, body = https.post(server.url + PATH, {}, b"{}")
    assert len(body) < 3 * https.MOST


def test_an_answer_that_trickles_in_is_not_waited_for(
    trusting: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(https, "SECONDS", 0.5)

    def trickle(connection: socket.socket, _: bytes) -> bool:
        connection.sendall(answer(200, length=1000))
        for _number in range(200):
            connection.sendall(b"x")
            time.sleep(0.05)
        return False

    with serving(trusting.server(HERE)) as server:
        server.acts = [trickle]
        began = time.monotonic()
        https.post(server.url + PATH, {}, b"{}")
        assert time.monotonic() - began < 5


def test_the_client_s_own_log_does_not_show_the_url(
    trusting: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with serving(trusting.server(HERE)) as server:
        server.acts = [says(b"HTTP/1.1 200 -\r\nno header\r\n\r\n", closes=True), reset]
        https.post(server.url + PATH, {}, b"{}")
        refused(server)
    assert "t0ken" not in caplog.text
