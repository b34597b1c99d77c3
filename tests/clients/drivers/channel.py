"""The part that all drivers of clients in Python share: verbs come as lines of JSON, and so go answers.

A line is `{"verb": "put", "arguments": {...}}`; bytes stand in it as base64 under `{"base64": "..."}`. The
answer is one of `{"done": value}`, `{"refused": {"status": 404, "code": "NoSuchKey"}}` for an error of the
server, and `{"lacks": reason}` where the client has no such call; anything else that a client raises is
`{"broken": traceback}`. It must not know any client. Standard library only.
"""

from __future__ import annotations

import base64
import json
import socket
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Access:
    """The arguments of the verb `connect` for a client of OSS; `style`: path | virtual, `sign`: v1 | v4."""

    endpoint: str
    id: str
    secret: str
    token: str
    bucket: str
    sign: str
    style: str
    region: str


class LacksError(Exception):
    """The client has no such call; the text says which."""


class RefusedError(Exception):
    """The server refused; `code` is empty where the client does not pass it on."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


def serve(name: str, client: object) -> None:
    """Carry out verbs, the methods of `client`, until standard input ends. The first line has its name."""
    _resolve_localhost()
    out = sys.stdout
    sys.stdout = sys.stderr  # what a client prints is no answer
    _say(out, {"client": name})
    for line in sys.stdin:
        _say(out, _answer(client, json.loads(line, object_hook=_bytes)))


def text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def own_metadata(headers: Any) -> dict[str, str]:
    """`x-oss-meta-*` without their prefix."""
    return {
        name.lower()[len("x-oss-meta-") :]: value
        for name, value in dict(headers).items()
        if name.lower().startswith("x-oss-meta-")
    }


def _answer(client: object, request: dict[str, Any]) -> dict[str, Any]:
    verb: Callable[..., Any] | None = getattr(client, request["verb"], None)
    if verb is None:
        return {"lacks": "the client has no such call"}
    try:
        return {"done": verb(**request["arguments"])}
    except LacksError as reason:
        return {"lacks": str(reason)}
    except RefusedError as error:
        return {"refused": {"status": error.status, "code": error.code}}
    except Exception:  # noqa: BLE001 - whatever a client raises is an answer about it
        return {"broken": traceback.format_exc()}


def _say(out: Any, answer: dict[str, Any]) -> None:
    print(json.dumps(answer, default=_base64), file=out, flush=True)


def _bytes(value: dict[str, Any]) -> Any:
    return base64.b64decode(value["base64"]) if value.keys() == {"base64"} else value


def _base64(value: object) -> dict[str, str]:
    if not isinstance(value, bytes):
        raise TypeError(f"{value!r} is nothing that JSON has")
    return {"base64": base64.b64encode(value).decode()}


def _resolve_localhost() -> None:
    """Let names under `.localhost` be this machine, as RFC 6761 asks of resolvers; not every libc does it."""
    right = socket.getaddrinfo

    def resolve(host: Any, *rest: Any, **options: Any) -> Any:
        name = text(host) if isinstance(host, (str, bytes)) else ""
        return right("127.0.0.1" if name.endswith(".localhost") else host, *rest, **options)

    socket.getaddrinfo = resolve
