"""Records what real clients say to the OSS server: `make exchanges`. They are repeated by test_exchanges.py.

Every scenario that is green is played again by each client alone, with oss2 as its helper.
"""

from __future__ import annotations

import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import oss2

from tests.cloud.oss.errors import OssError
from tests.cloud.oss.operations import resolve
from tests.cloud.oss.protocol import parse
from tests.cloud.oss.running import Running

from . import exchanges
from .driving import Driver
from .exchanges import Answer, Exchange, MadeUp, Recorded, Repeatable, Sequence
from .programs import programs
from .scenarios import PUBLIC_HOST, SCENARIOS, Scene
from .table import played, started

if TYPE_CHECKING:
    from uvicorn._types import (
        ASGIReceiveCallable,
        ASGIReceiveEvent,
        ASGISendCallable,
        ASGISendEvent,
        HTTPScope,
        Scope,
    )

# The sisters of a client, which send what it sends, are left out.
_AGENTS = {"oss2": f"aliyun-sdk-python/{oss2.__version__}", "oss-v2": "alibabacloud-python-sdk-v2"}
RECORDED = ("oss2", "oss-v2", "aiooss2", "ossfs", "opendal", "ali-oss")


class Recorder(Repeatable):
    """A server that keeps what passes. Its clock stands while it works on a request."""

    exchanges: list[Exchange]
    helper: str  # how the User-Agent of the helper begins

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        assert scope["type"] == "http"
        self.moment = round(time.time(), 3)
        sent, answered = bytearray(), bytearray()
        status = 0
        shown: list[tuple[str, str]] = []
        held: list[ASGISendEvent] = []

        # before the server may refuse it unread
        arrived = [message async for message in _messages(receive)]
        for message in arrived:
            sent.extend(message["body"] if message["type"] == "http.request" else b"")

        async def hear() -> ASGIReceiveEvent:
            return arrived.pop(0) if arrived else await receive()

        async def tell(message: ASGISendEvent) -> None:
            nonlocal status, shown
            if message["type"] == "http.response.start":
                status = message["status"]
                shown = _text(message["headers"])
            elif message["type"] == "http.response.body":
                answered.extend(message["body"])
            held.append(message)
            if message["type"] == "http.response.body" and not message["more_body"]:
                # before the client hears any of it, and perhaps ends its scenario
                self.exchanges.append(self._exchange(scope, bytes(sent), status, shown, bytes(answered)))
                for each in held:
                    await send(each)

        await super().__call__(scope, hear, tell)

    def _exchange(
        self, scope: HTTPScope, sent: bytes, status: int, shown: list[tuple[str, str]], answered: bytes
    ) -> Exchange:
        assert self.moment is not None
        target = scope["raw_path"].decode("latin-1")
        if scope["query_string"]:
            target += "?" + scope["query_string"].decode("latin-1")
        headers = _text(scope["headers"])
        request = exchanges.kept_request(self.moment, scope["method"], target, headers, sent)
        by_helper = dict(headers).get("user-agent", "").startswith(self.helper)
        answer = exchanges.kept_answer(scope["method"], status, shown, answered)
        if by_helper:
            answer = Answer(status, ())
        return Exchange(self._operation(scope), request, answer, by_helper)

    def _operation(self, scope: HTTPScope) -> str:
        """The operation's name; empty if the request means none."""
        headers = dict(scope["headers"])
        try:
            request = parse(
                scope["method"], scope["raw_path"], scope["query_string"], headers, "", PUBLIC_HOST
            )
            return resolve(request).name
        except OssError:
            return ""


async def _messages(receive: ASGIReceiveCallable) -> AsyncIterator[ASGIReceiveEvent]:
    more = True
    while more:
        message = await receive()
        more = message["type"] == "http.request" and message["more_body"]
        yield message


def _text(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    return [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in headers]


def record(server: Running, drivers: Mapping[str, Driver], client: str) -> Recorded:
    """Every scenario that the client can do, each from the start."""
    assert isinstance(server.server, Recorder)
    recorder, accounts = server.server, server.accounts
    assert isinstance(accounts, MadeUp)
    helper = next(name for name in drivers if name != client)
    recorder.helper = _AGENTS[helper]
    sequences = []
    for name, scenario in SCENARIOS.items():
        bucket = re.sub(r"[^a-z0-9]+", "-", name)[:50].strip("-")
        buckets = (bucket, f"{bucket}-2")
        server.do(lambda buckets=buckets: recorder.begin(buckets, round(time.time(), 3)))  # type: ignore[misc]  # mypy infers no default's type
        recorder.exchanges, accounts.issued = [], 0
        scene = Scene(server, drivers[client], drivers[helper], bucket, make=False)
        if played(scene, scenario, []).state == "green":
            sequences.append(Sequence(name, buckets, accounts.issued, tuple(recorder.exchanges)))
    return Recorded(drivers[client].version, tuple(sequences))


def main() -> int:
    chosen = [each for each in programs() if each.name in RECORDED]
    with tempfile.TemporaryDirectory() as directory:
        server = Running(Path(directory), accounts=MadeUp(), kind=Recorder, public_host=PUBLIC_HOST)
        server.start()
        try:
            with started(chosen, server.url) as drivers:
                for client in drivers:
                    exchanges.write(client, record(server, drivers, client))
        finally:
            server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
