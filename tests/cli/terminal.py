"""Somebody who types commands of the program, in this process; and a function that answers as a test says."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import threading
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from functions.cli.__main__ import main
from tests.cloud.client import LocalCloud

OWN = re.compile(r"ALIBABA_CLOUD_.*|OSS_.*|API_TOKEN|FC_.*|XDG_STATE_HOME|AccountID|AccessKey.*")
COPY_JOB, BULK_JOB = "c-" + "1" * 32, "b-" + "2" * 32
TOKEN = "a-token-of-some-length"
TIMES = {"startedAt": "2026-11-22T10:00:00.000Z", "finishedAt": None}

Json = dict[str, Any]


class Said(NamedTuple):
    """What came of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one value on standard output."""
        (line,) = self.out.splitlines()
        return json.loads(line)


class Terminal:
    """Types commands; waits for nothing, and presses Ctrl-C where it would wait if `is_interrupting`."""

    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]
    ) -> None:
        self._patch, self._capture = monkeypatch, capture
        self.is_interrupting = False
        for name in [each for each in os.environ if OWN.fullmatch(each)]:
            monkeypatch.delenv(name)
        self.set(XDG_STATE_HOME=str(folder / "state"))

    def set(self, **variables: str) -> None:
        """Export these."""
        for name, text in variables.items():
            self._patch.setenv(name, text)

    def ask(self, url: str) -> None:
        """Ask the function at this URL, by a token."""
        self.set(OSS_COPY_URL=url, API_TOKEN=TOKEN)

    def use(self, cloud: LocalCloud) -> None:
        """Use this cloud, as its owner; its HTTP trigger takes the token."""
        self.set(
            OSS_COPY_URL=cloud.http_trigger,
            API_TOKEN=TOKEN,
            OSS_ENDPOINT=cloud.oss,
            OSS_COPY_REGION=cloud.region,
            FC_CLIENT_CUSTOM_ENDPOINT=cloud.fc,
            ALIBABA_CLOUD_ACCESS_KEY_ID=cloud.owner.access_key_id,
            ALIBABA_CLOUD_ACCESS_KEY_SECRET=cloud.owner.access_key_secret,
        )

    def types(self, *words: str) -> Said:
        """Type `oss-copy` and these words."""
        self._capture.readouterr()
        code = main(list(words), self._sleep)
        said = Said(code, *self._capture.readouterr())
        assert TOKEN not in said.out + said.err, "the token of the API is shown"
        return said

    def _sleep(self, _seconds: float) -> None:
        if self.is_interrupting:
            raise KeyboardInterrupt


def hidden(text: str) -> list[str]:
    """The characters that a terminal would not show, or would obey; ends of lines and tabs are ours."""
    return [
        each for each in text if each not in "\n\t" and unicodedata.category(each) in {"Cc", "Cf", "Zl", "Zp"}
    ]


def a_copy(key: str = "k", status: str = "succeeded", **further: Any) -> Json:
    """A copy as the function tells it."""
    side = {"bucket": "some-bucket", "key": key, "size": 10, "etag": "E", "crc64": "1"}
    told = {"job": COPY_JOB, "status": status, "source": side, "destination": side, "method": "simple"}
    counts = {"parts": 1, "partsDone": 1, "bytesDone": 10, "lanes": 1, "hops": 1}
    return {**told, "verified": "crc64", **counts, **TIMES, "error": None, **further}


def a_job(status: str = "succeeded", **further: Any) -> Json:
    """A job of many objects as the function tells it."""
    objects = {"total": 3, "succeeded": 3, "skipped": 0, "failed": 0, "missing": 0, "deleted": 0}
    told = {"job": BULK_JOB, "status": status, "objects": objects, "bytes": {"total": 9, "done": 9}}
    counts = {"excluded": 0, "chains": 0, "errors": {}, "ranges": {"open": 0, "done": 1}}
    return {**told, **counts, "report": None, **TIMES, "error": None, **further}


class Function:
    """A function's HTTP trigger: `asked` are requests, `answer` makes the raw answer to one."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[tuple[str, str, Json]] = []
        self.answer: Callable[[str, str, Json], bytes] = lambda _method, _path, _body: raw(200, a_copy())

    @contextlib.contextmanager
    def serving(self) -> Iterator[Function]:
        """Serve on a free port."""
        function = self

        class Handler(BaseHTTPRequestHandler):
            def handle_one_request(self) -> None:
                self.close_connection = True
                self.raw_requestline = self.rfile.readline(65537)
                if self.raw_requestline and self.parse_request():
                    content = self.rfile.read(int(self.headers.get("content-length", "0")))
                    asked = (self.command, self.path, json.loads(content or b"{}"))
                    function.asked.append(asked)
                    self.wfile.write(function.answer(*asked))

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            self.url = f"http://127.0.0.1:{server.server_port}"
            try:
                yield self
            finally:
                server.shutdown()
                thread.join()


def raw(
    status: int, body: Mapping[str, Any] | str, kind: str = "application/json", length: int | None = None
) -> bytes:
    """An answer as it goes over the wire; a wrong `length` makes half an answer of it."""
    content = (body if isinstance(body, str) else json.dumps(body)).encode()
    head = f"HTTP/1.1 {status} Any\r\ncontent-type: {kind}\r\ncontent-length: {length or len(content)}\r\n"
    return f"{head}connection: close\r\n\r\n".encode() + content


def closed_port() -> str:
    """A URL at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


NAMES = (
    "price$5.txt", "$(touch x)", "`touch x`", "${HOME}", "$$", "a;touch x", "a&touch x", "a|touch x", "a>x",
    "!!", "[red]", "[/]", "[link=x]y[/link]", ":smile:", "{name}", "{key}", "{{x}}", "{date:%Y}", "{", "}}{{",
    "'", '"', "it's \"both\"", "back\\slash", "two\nlines", "tab\there", "cr\rhere", "bell\a",
    "\x1b[31mred\x1b[0m", "\x9b31m", "\u202egnp.exe", "\u2066x\u2069", "\u200bzero", "\u2028line",
    "ü/ñ/数据 文件.txt", "😀👩\u200d👧", "%41%2F?#&=+", " blank ", "*?[a-z]", "-rf", "x" * 1023, "数" * 341,
    "a//b/../c/./d", "{" * 300,
)  # fmt: skip
