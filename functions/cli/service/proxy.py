"""The page on the user's machine: hands a browser's requests on to the function, signed in the user's name.

Listens on 127.0.0.1 alone. Other users of the machine can reach that, and so can pages of other sites in the
user's browser: a request is handed on only if its path is a secret, its Host is the one that is listened on,
and it comes from no other site. What the browser says of itself goes no further.
"""

from __future__ import annotations

import hmac
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import httpx

from functions.cli.errors import DeployerError, Misused
from functions.cli.service.api import Authorize

HOST = "127.0.0.1"
MOST_BODY = 256 * 1024  # bytes
PATIENCE = 60.0  # seconds for one answer
_ASKED = ("accept", "accept-language", "content-type")  # what the function is told of a request
_TOLD = (
    "content-type", "content-security-policy", "cache-control", "referrer-policy", "x-content-type-options",
    "x-frame-options", "cross-origin-opener-policy", "cross-origin-resource-policy", "location",
)  # fmt: skip
_REFUSED = {
    "host": "this page is at 127.0.0.1 alone",
    "secret": "this is not the page's address: take the one that oss-copy has printed, whole",
    "site": "this request comes from another site: open the page and ask there",
}


class Proxy(ThreadingHTTPServer):
    """The server of one page, whose path is `secret`."""

    daemon_threads = True

    def __init__(self, url: str, authorize: Authorize, http: httpx.Client, port: int = 0) -> None:
        super().__init__((HOST, port), _Handler)
        self.url, self.authorize, self.http = url.rstrip("/"), authorize, http
        self.secret = secrets.token_urlsafe(24)

    @property
    def host(self) -> str:
        """Return the Host that a browser names."""
        return f"{HOST}:{self.server_port}"

    @property
    def address(self) -> str:
        """Return the address of the page, with its secret."""
        return f"http://{self.host}/{self.secret}/"

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a browser that has gone away."""


class _Handler(BaseHTTPRequestHandler):
    """One request of a browser."""

    server: Proxy
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "oss-copy", ""
    timeout = 30

    def do_GET(self) -> None:
        self._hand_on()

    def do_HEAD(self) -> None:
        self._hand_on()

    def do_POST(self) -> None:
        self._hand_on()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its own name
        """Log nothing: paths hold the secret."""

    def _hand_on(self) -> None:
        body = self._body()
        if body is None:
            self.close_connection = True
            return self._tell(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "a form has at most 256 KiB")
        why = self._objection()
        if why is not None:
            return self._tell(HTTPStatus.FORBIDDEN, _REFUSED[why])
        _, mark, query = self.path.partition("?")
        try:
            answer = self._asked(f"{self.server.url}/{mark}{query}", body)
        except (httpx.HTTPError, DeployerError) as error:
            return self._tell(HTTPStatus.BAD_GATEWAY, f"the function has not answered: {error}")
        if answer.status_code == HTTPStatus.UNAUTHORIZED:
            text = "the function wants its API_TOKEN: set it, then start this again"
            return self._tell(HTTPStatus.UNAUTHORIZED, text)
        headers = {name: answer.headers[name] for name in _TOLD if name in answer.headers}
        return self._answer(answer.status_code, headers, answer.content)

    def _asked(self, url: str, body: bytes) -> httpx.Response:
        method = "GET" if self.command == "HEAD" else self.command
        told = {name: text for name in _ASKED if (text := self.headers.get(name))}
        sent = {**told, **self.server.authorize(method, url)}
        return self.server.http.request(method, url, content=body, headers=sent, timeout=PATIENCE)

    def _objection(self) -> str | None:
        """Return why a request is not handed on; None if it is."""
        if self.headers.get_all("Host") != [self.server.host]:
            return "host"
        path, _, _ = self.path.partition("?")
        if not hmac.compare_digest(path.encode(errors="replace"), f"/{self.server.secret}/".encode()):
            return "secret"
        site, origin = self.headers.get("Sec-Fetch-Site"), self.headers.get("Origin")
        if site is not None:
            is_own = site == "same-origin" or (self.command != "POST" and site == "none")
        else:
            is_own = origin is None or urlsplit(origin).netloc == self.server.host
        return None if is_own else "site"

    def _body(self) -> bytes | None:
        """Return the body; None for one that is too long, or whose length is not told."""
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not (length.isascii() and length.isdecimal()):
            return None
        return self.rfile.read(int(length)) if len(length) < 8 and int(length) <= MOST_BODY else None

    def _tell(self, status: HTTPStatus, text: str) -> None:
        self._answer(status, {"content-type": "text/plain; charset=utf-8"}, f"{text}\n".encode())

    def _answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, text in headers.items():
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@contextmanager
def serving(url: str, authorize: Authorize, http: httpx.Client, port: int = 0) -> Iterator[Proxy]:
    """Serve the page beside whatever else is done, and yield the server; it ends with the block."""
    try:
        server = Proxy(url, authorize, http, port)
    except OSError as error:
        raise Misused(f"port {port} cannot be listened on: {error.strerror}") from error
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
