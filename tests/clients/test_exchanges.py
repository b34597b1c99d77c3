"""Requests of real clients are answered as they were when they were recorded; no client is needed."""

from __future__ import annotations

import contextlib
import http.client
from collections import Counter
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from tests.cloud.oss.running import Running
from tests.conformance import mutations

from . import exchanges
from .exchanges import Answer, Exchange, MadeUp, Recorded, Repeatable, Request
from .scenarios import PUBLIC_HOST, SCENARIOS

RECORDED = exchanges.read()
LARGEST = 1_000_000  # bytes, of all files


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = Running(
        tmp_path_factory.mktemp("server"), accounts=MadeUp(), kind=Repeatable, public_host=PUBLIC_HOST
    )
    running.start()
    yield running
    running.stop()


def differences(server: Running, recorded: Recorded) -> list[str]:
    """Every exchange whose answer is another one now."""
    repeatable = server.server
    assert isinstance(repeatable, Repeatable)
    accounts = server.accounts
    found = []
    with contextlib.closing(http.client.HTTPConnection(server.url.removeprefix("http://"))) as connection:
        for sequence in recorded.sequences:
            assert isinstance(accounts, MadeUp)
            accounts.issued = 0
            for _ in range(sequence.issued):
                accounts.issue(accounts.owner.principal)
            first = sequence.exchanges[0].request.at
            server.do(lambda names=sequence.buckets, at=first: repeatable.begin(names, at))  # type: ignore[misc]  # mypy infers no default's type
            for number, exchange in enumerate(sequence.exchanges):
                repeatable.moment = exchange.request.at
                answer = exchanges.repeat(connection, exchange.request)
                text = exchanges.difference(exchange, answer)
                if text:
                    request = exchange.request
                    found.append(f"{sequence.scenario}, {number}, {request.method} {request.target}: {text}")
    return found


@pytest.mark.parametrize("client", RECORDED)
def test_what_a_client_sent_is_answered_as_it_was(server: Running, client: str) -> None:
    assert differences(server, RECORDED[client]) == []


def test_a_difference_in_status_header_or_body_is_seen() -> None:
    one = Answer(200, (("etag", "1"),), "<?xml version='1.0'?><A><B>1</B></A>")
    exchange = Exchange("GetObject", Request(0, "GET", "/", ()), one)
    assert exchanges.difference(exchange, replace(one, body="<?xml version='1.0'?>\n<A>\n<B>1</B></A>")) == ""
    for other in (
        replace(one, status=201),
        replace(one, headers=(("etag", "2"),)),
        replace(one, headers=()),
        replace(one, body="<?xml version='1.0'?><A><B>2</B></A>"),
        replace(one, body="other"),
    ):
        assert exchanges.difference(exchange, other) != ""


def test_the_recordings_are_many_and_small() -> None:
    sizes = {path.name: path.stat().st_size for path in exchanges.DIRECTORY.iterdir()}
    assert sum(sizes.values()) <= LARGEST, sizes
    assert len(RECORDED) >= 6
    empty = [
        each.scenario for recorded in RECORDED.values() for each in recorded.sequences if not each.exchanges
    ]
    assert empty == []
    played = Counter(each.scenario for recorded in RECORDED.values() for each in recorded.sequences)
    assert set(played) == set(SCENARIOS), "run: make exchanges"


def test_the_recordings_hold_no_machine_and_no_key_that_is_real() -> None:
    for name, recorded in RECORDED.items():
        for sequence in recorded.sequences:
            for each in sequence.exchanges:
                headers = dict(each.request.headers)
                assert "user-agent" not in headers, (name, sequence.scenario)
                host = headers["host"]
                assert host in {"127.0.0.1", PUBLIC_HOST} or host.endswith(f".{PUBLIC_HOST}"), host


def test_a_server_that_answers_otherwise_is_seen(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    mutations.a_part_does_not_tell_its_md5(monkeypatch)
    found = differences(server, RECORDED["oss-v2"])
    assert found
    assert all("content-md5" in each and "partNumber" in each for each in found), found
