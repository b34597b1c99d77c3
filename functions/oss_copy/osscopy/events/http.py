"""Calls by FC's HTTP trigger, as they come. Knows no route: `web` answers them."""

from __future__ import annotations

from urllib.parse import unquote

import msgspec

from osscopy.events.jsons import decode, decode_fields
from osscopy.model import Refused


class HttpLine(msgspec.Struct, frozen=True):
    """The method and the path of a call."""

    method: str
    path: str = "/"


class HttpContext(msgspec.Struct, frozen=True, rename="camel"):
    """The facts of a call that FC adds to it."""

    http: HttpLine
    request_id: str = ""
    time_epoch: str = ""


class HttpCall(msgspec.Struct, frozen=True, rename="camel"):
    """An HTTP request as FC 3.0 hands it to a function; `raw_path` is URL-encoded.

    Header names come as sent or as Go writes them, and a parameter that was repeated comes as a list or as
    its values joined by commas: ask with `header`, `query` and `segments`, which know.
    """

    request_context: HttpContext
    headers: dict[str, str] = {}
    raw_path: str = "/"
    body: str = ""
    is_base64_encoded: bool = msgspec.field(default=False, name="isBase64Encoded")
    query_parameters: dict[str, str | list[str]] = {}

    def header(self, name: str) -> str | None:
        """Return a header's value, whatever its name's case; two values as HTTP joins them."""
        values = [value for sent, value in self.headers.items() if sent.lower() == name.lower()]
        return ", ".join(values) if values else None

    def query(self, name: str) -> tuple[str, ...]:
        """Return the values of a query parameter in their order; none if it was not sent."""
        found = self.query_parameters.get(name, ())
        return (found,) if isinstance(found, str) else tuple(found)

    @property
    def segments(self) -> tuple[str, ...]:
        """The path's segments, each decoded alone: `%2F` is a character of its segment, not a border."""
        return tuple(unquote(segment) for segment in self.raw_path.lstrip("/").split("/"))


def read(event: bytes) -> HttpCall:
    """Read a call."""
    call: HttpCall = decode(event, HttpCall, "")
    return call


def is_http(event: bytes) -> bool:
    """Return whether `event`, which may be one that could not be read, seems to be the HTTP trigger's.

    Callers choose headers and parameters: only the names at the top tell.
    """
    if b'"requestContext"' not in event:
        return False
    try:
        top = decode_fields(event, "")
    except Refused:
        return b'"requestPayload"' not in event
    return "requestContext" in top and "requestPayload" not in top
