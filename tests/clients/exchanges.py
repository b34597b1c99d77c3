"""Requests that real clients sent, and the answers they got: what is kept of them, and how they are repeated.

A sequence is a scenario as one client played it against an empty server; `recording.py` makes them, and a
test sends them again without any client. The requests keep the signatures that the clients made: the server's
clock shows the moment of the recording, its ids are counted, and its access keys are made up once for all.
"""

from __future__ import annotations

import base64
import gzip
import http.client
import re
import time
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import msgspec

from tests.cloud.accounts import AccessKey, Accounts, Credentials
from tests.cloud.oss.server import OssServer

DIRECTORY = Path(__file__).parent / "exchanges"
KEY = AccessKey("LTAImadeupforexchanges", "made up, for recorded exchanges alone")
# Headers that say nothing of the protocol: who asked, and when and how fast it was answered.
_NOT_ASKED = {"accept", "accept-encoding", "connection", "keep-alive", "user-agent"}
_NOT_ANSWERED = {"connection", "date", "keep-alive", "server", "x-oss-request-id", "x-oss-server-time"}
_ADDRESS = re.compile(r"(127\.0\.0\.1|\blocalhost):\d+")
_PLAIN = re.compile(r"[\n\x20-\x7e]*")
Pairs = tuple[tuple[str, str], ...]


class Request(msgspec.Struct, frozen=True, array_like=True):
    """`at`: Unix seconds; `body`: text, or base64 of gzip after `gzip:`."""

    at: float
    method: str
    target: str
    headers: Pairs
    body: str = ""


class Answer(msgspec.Struct, frozen=True, array_like=True):
    status: int
    headers: Pairs
    body: str = ""


class Exchange(msgspec.Struct, frozen=True, array_like=True):
    """A request and its answer; of what the helper asked, the status of the answer alone."""

    operation: str
    request: Request
    answer: Answer
    by_helper: bool = False


class Sequence(msgspec.Struct, frozen=True):
    """`buckets` are there beforehand, and so many temporary credentials are given out."""

    scenario: str
    buckets: tuple[str, ...]
    issued: int
    exchanges: tuple[Exchange, ...]


class Recorded(msgspec.Struct, frozen=True):
    """Everything of one client."""

    client: str
    sequences: tuple[Sequence, ...]


class MadeUp(Accounts):
    """Accounts whose keys are the same each time."""

    def __init__(self) -> None:
        super().__init__(key=KEY)
        self.issued = 0

    def issue(self, principal: str, seconds: float = 3600) -> Credentials:
        """The next temporary credentials; they do not expire, since the clock stands."""
        del seconds
        self.issued += 1
        name = f"STS.madeup{self.issued}"
        credentials = Credentials(name, "made up as well", principal, security_token=f"token-of-{name}/+=")
        self._known[name] = credentials
        return credentials


class Repeatable(OssServer):
    """A server that can be put back to the moment of a request, and counts its ids."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given, clock=self._now, draw=self._draw)
        self.moment: float | None = None
        self._drawn = count(1)

    def begin(self, buckets: Iterable[str], moment: float) -> None:
        """Forget everything but these buckets, made at `moment`."""
        self.moment = moment
        self._drawn = count(1)
        self.store.buckets.clear()
        for name in buckets:
            self.create_bucket(name)

    def _now(self) -> float:
        return time.time() if self.moment is None else self.moment

    def _draw(self, size: int) -> str:
        return f"{next(self._drawn):0{2 * size}x}"


# -- what is kept --------------------------------------------------------------------------------------------


def _kept(headers: Iterable[tuple[str, str]], without: set[str]) -> Pairs:
    """Those that say something, without this machine's ports."""
    return tuple(
        (name.lower(), _ADDRESS.sub(r"\1", value)) for name, value in headers if name.lower() not in without
    )


def kept_request(
    at: float, method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes
) -> Request:
    return Request(at, method, target, _kept(headers, _NOT_ASKED), packed(body))


def kept_answer(method: str, status: int, headers: Iterable[tuple[str, str]], body: bytes) -> Answer:
    """Without what differs each time; the length is kept where it is that of an object."""
    document = body.startswith(b"<?xml")
    if document:
        body = _ADDRESS.sub(r"\1", _blank(body.decode())).encode()
    shown = []
    for name, value in _kept(headers, _NOT_ANSWERED):
        if name == "content-length" and (document or (method != "HEAD" and not body)):
            continue
        if name == "x-oss-err":
            value = _ADDRESS.sub(r"\1", _blank(base64.b64decode(value).decode()))  # noqa: PLW2901 - told in the clear
        shown.append((name, value))
    return Answer(status, tuple(sorted(shown)), packed(body))


def _blank(document: str) -> str:
    return re.sub(r"<(RequestId|HostId)>[^<]*<", r"<\1><", document)


def packed(body: bytes) -> str:
    """As text where it is short and plain, else compressed."""
    text = body.decode("latin-1")
    if len(body) < 4000 and _PLAIN.fullmatch(text) and not text.startswith("gzip:"):
        return text
    return "gzip:" + base64.b64encode(gzip.compress(body, mtime=0)).decode()


def unpacked(body: str) -> bytes:
    if body.startswith("gzip:"):
        return gzip.decompress(base64.b64decode(body[5:]))
    return body.encode()


def read() -> dict[str, Recorded]:
    """All of them, by client."""
    return {
        path.stem: msgspec.json.decode(path.read_bytes(), type=Recorded)
        for path in sorted(DIRECTORY.glob("*.json"))
    }


def write(name: str, recorded: Recorded) -> None:
    """One exchange a line."""
    sequences = []
    for each in recorded.sequences:
        exchanges = ",\n".join(msgspec.json.encode(one).decode() for one in each.exchanges)
        head = msgspec.json.encode(msgspec.structs.replace(each, exchanges=())).decode()
        sequences.append(head.removesuffix("[]}") + f"[\n{exchanges}\n]}}")
    joined = ",\n".join(sequences)
    client = msgspec.json.encode(recorded.client).decode()
    DIRECTORY.mkdir(exist_ok=True)
    (DIRECTORY / f"{name}.json").write_text(f'{{"client":{client},"sequences":[\n{joined}\n]}}\n')


# -- again ---------------------------------------------------------------------------------------------------


def repeat(connection: http.client.HTTPConnection, request: Request) -> Answer:
    """Send a request as it was sent; the answer, as far as it is kept."""
    body = unpacked(request.body)
    connection.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
    for name, value in request.headers:
        connection.putheader(name, value.encode("latin-1"))
    chunked = ("transfer-encoding", "chunked") in request.headers
    connection.endheaders(iter([body]) if chunked else body or None, encode_chunked=chunked)
    response = connection.getresponse()
    answered = response.read()
    return kept_answer(request.method, response.status, response.getheaders(), answered)


def difference(exchange: Exchange, found: Answer) -> str:
    """Name what differs in status, headers or the parsed body; empty if nothing does."""
    expected = exchange.answer
    if exchange.by_helper and expected.status == found.status:
        return ""
    if expected.status != found.status:
        return f"status {found.status} instead of {expected.status}: {found.body}"
    if expected.headers != found.headers:
        missing, more = set(expected.headers) - set(found.headers), set(found.headers) - set(expected.headers)
        return f"headers {sorted(more)} instead of {sorted(missing)}"
    if _parsed(expected.body) != _parsed(found.body):
        return f"body {found.body} instead of {expected.body}"
    return ""


def _parsed(body: str) -> object:
    raw = unpacked(body)
    if not raw.startswith(b"<?xml"):
        return raw
    try:
        return _tree(ET.fromstring(raw))  # noqa: S314 - our own server's
    except ET.ParseError:  # a key with control characters, which OSS writes as they are
        return raw


def _tree(element: ET.Element) -> tuple[str, str, tuple[object, ...]]:
    return element.tag, (element.text or "").strip(), tuple(_tree(child) for child in element)
