"""An HTTP server in a thread that answers as a test says, and remembers what it was asked."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

DATE = "Sun, 22 Nov 2026 10:00:00 GMT"


@dataclass(frozen=True)
class Asked:
    """A request; names of headers are in lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Told:
    """An answer; `silent`: the connection is closed without one."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    silent: bool = False


class Peer:
    """`url`, what it was `asked`, and its answers in order: the last one stays.

    What is asked at once comes in any order: then the method of a request has its answer.
    """

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answers: list[Told] = [Told()]
        self.of_methods: Mapping[str, Told] = {}
        self.url = ""

    def tell(self, *answers: Told) -> None:
        """Answer so from now on."""
        self.answers, self.of_methods = list(answers), {}
        self.asked.clear()

    def tell_each(self, **answers: Told) -> None:
        """Answer each method so from now on."""
        self.of_methods = answers
        self.asked.clear()

    @property
    def last(self) -> Asked:
        return self.asked[-1]


@contextmanager
def running() -> Iterator[Peer]:
    """Run one on a free port."""
    peer = Peer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            place = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            query = dict(parse_qsl(place.query, keep_blank_values=True))
            peer.asked.append(
                Asked(self.command, unquote(place.path), query, headers, self.rfile.read(length))
            )
            told = peer.of_methods.get(self.command) or (
                peer.answers.pop(0) if len(peer.answers) > 1 else peer.answers[0]
            )
            self.close_connection = True
            if told.silent:
                return
            self.send_response_only(told.status)
            body = b"" if self.command == "HEAD" else told.body
            usual = {"Date": DATE, "x-oss-request-id": "R-1", "Connection": "close"}
            for name, value in {**usual, "Content-Length": str(len(body)), **told.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = answer  # noqa: N815 - the server's names

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True, kwargs={"poll_interval": 0.01})
    thread.start()
    peer.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield peer
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
