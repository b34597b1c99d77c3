"""Requests and responses as OSS means them: which bucket, which key, which parameters.

Path style and virtual-host style meet here; it must not know what any operation does.
"""

from __future__ import annotations

import re
import time
from email.utils import formatdate, parsedate_to_datetime
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, unquote_plus
from xml.etree import ElementTree as ET

import msgspec

from .errors import OssError
from .extents import EMPTY, Content

if TYPE_CHECKING:
    from collections.abc import Iterable

Headers = dict[bytes, bytes]
Tree = tuple[str, "str | int | Iterable[Tree | Markup]"]
_VIRTUAL_HOST = re.compile(
    r"^(?:(?P<bucket>[^:.]+)\.)?(?:localhost|oss-(?P<region>[a-z0-9-]+?)(?:-internal)?\.aliyuncs\.com)(?::\d+)?$"
)
_UNRESERVED = re.compile(r"[A-Za-z0-9_.~/-]*")
_PRIVATE = 0xE000
_CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f]")
_CONTROL = re.compile(r"[\x01-\x08\x0b\x0c\x0e-\x1f]")
_REFERENCE = re.compile(r"&#(?:x([0-9a-fA-F]{1,2})|([0-9]{1,2}));")
_REPLACED = re.compile(r"[\ue001-\ue01f]")
_BUCKET_NAME = re.compile(r"^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$")


class Markup(msgspec.Struct, frozen=True):
    """A piece of a document that is written already."""

    text: str


class Request(msgspec.Struct, frozen=True):
    """A request as it arrived. `bucket` and `key` may be empty; header names are lower-case."""

    method: str
    bucket: str
    key: str
    params: dict[str, str]
    headers: Headers
    region: str  # of the endpoint whose name the Host header carries, "" for an address
    source_ip: str
    virtual: bool = False  # the host names the bucket


class Body(msgspec.Struct, frozen=True):
    content: Content = EMPTY
    md5: bytes = b""

    def bytes(self) -> bytes:
        return b"".join(self.content.chunks(0, self.content.size))


class Call(msgspec.Struct, frozen=True):
    """An authenticated request, ready to be carried out."""

    operation: str
    bucket: str
    key: str
    params: dict[str, str]
    headers: Headers
    body: Body
    request_id: str
    principal: str  # "" for an anonymous caller
    source_ip: str
    region: str = ""
    corrupt: bool = False  # store other bytes than asked for, tell other CRC64s than there are
    forget: bool = False  # answer as if it had happened
    readings: frozenset[str] = frozenset()  # those of which `b` counts

    def header(self, name: bytes) -> str | None:
        """A header's value; bytes beyond ASCII are UTF-8."""
        value = self.headers.get(name)
        return None if value is None else text(value)

    def stored(self, content: Content) -> Content:
        return content.corrupted() if self.corrupt else content

    def number(self, name: str, default: int, low: int, high: int) -> int:
        """A whole-number parameter between `low` and `high`."""
        value = self.params.get(name)
        if not value:
            return default
        if not value.isdecimal() or not low <= int(value) <= high:
            message = f"Argument {name} must be an integer between {low} and {high}."
            raise OssError("InvalidArgument", message, ArgumentName=name, ArgumentValue=value)
        return int(value)


class Response(msgspec.Struct, frozen=True):
    """An answer. `body` is sent as it is; `content` from `start` to `stop` is streamed. `broken_off`: the
    connection closes after `body`, which is less than the headers say.
    """

    status: int = 200
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""
    content: Content | None = None
    start: int = 0
    stop: int = 0
    broken_off: bool = False


def pays(headers: Headers) -> bool:
    """Whether the requester says that it pays."""
    return headers.get(b"x-oss-request-payer", b"").lower() == b"requester"


def traffic_limit(call: Call) -> float:
    """Bytes a second that `x-oss-traffic-limit` (bits: 100 KB/s to 100 MB/s) allows; 0 without one."""
    value = call.header(b"x-oss-traffic-limit") or call.params.get("x-oss-traffic-limit")
    if value is None:
        return 0
    if not value.isdecimal() or not 819_200 <= int(value) <= 838_860_800:
        message = "The traffic limit is between 819200 and 838860800 bit/s."
        raise OssError("InvalidArgument", message, ArgumentName="x-oss-traffic-limit", ArgumentValue=value)
    return int(value) / 8


def text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def parse(
    method: str, raw_path: bytes, query: bytes, headers: Headers, source_ip: str, public_host: str
) -> Request:
    """Find out which bucket and key a request means.

    `BUCKET.<public_host>`, `BUCKET.localhost` and the real endpoints' names are virtual hosts; any other host
    name or address is path style. oss2 sends `%2F` in a key, SDK v2 a plain `/`: both are decoded.
    """
    host = text(headers.get(b"host", b""))
    path = raw_path.decode("latin-1")[1:]
    bucket = region = ""
    if public_host and f".{host.partition(':')[0]}".endswith("." + public_host):
        bucket = host.partition(":")[0][: -len(public_host)].rstrip(".")
    elif match := _VIRTUAL_HOST.match(host):
        bucket, region = match["bucket"] or "", match["region"] or ""
    virtual = bool(bucket)
    if not virtual:
        bucket, _, path = path.partition("/")
        bucket = unquote(bucket)
    try:
        key = unquote(path, errors="strict")
    except UnicodeDecodeError:
        raise OssError("InvalidArgument", "The object name is not UTF-8.", ec="0016-00000004") from None
    return Request(method, bucket, key, parameters(query), headers, region, source_ip, virtual)


def parameters(query: bytes) -> dict[str, str]:
    """The query, decoded; `?acl` is `{"acl": ""}`."""
    params = {}
    if query:
        for pair in query.decode("latin-1").split("&"):
            name, _, value = pair.partition("=")
            if "%" in pair or "+" in pair:
                name, value = unquote_plus(name), unquote_plus(value)
            if name:
                params[name] = value
    return params


def check_bucket_name(name: str) -> None:
    """3-63 lower-case letters, digits and hyphens, no hyphen at either end."""
    if not _BUCKET_NAME.match(name):
        raise OssError("InvalidBucketName", BucketName=name)


def check_key(key: str) -> None:
    """1-1023 bytes of UTF-8; neither `/` nor a backslash in front."""
    if not key or len(key.encode()) > 1023 or key[0] in "/\\" or any(ord(letter) < 32 for letter in key[:1]):
        raise OssError("InvalidObjectName", ObjectName=key)


# -- values in headers and documents ---------------------------------------------------------------------


def etag_header(etag: str) -> bytes:
    return b'"' + etag.encode() + b'"'


def header_value(value: str) -> bytes:
    """A value that came as a parameter and goes into a header."""
    if _CONTROL_CHARACTER.search(value):
        raise OssError("InvalidArgument", "A header cannot hold control characters.")
    return value.encode()


@lru_cache(maxsize=4096)
def _http_date(second: int) -> bytes:
    return formatdate(second, usegmt=True).encode()


def http_date(seconds: float) -> bytes:
    return _http_date(int(seconds))


@lru_cache(maxsize=16384)
def _iso(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(second))


def iso(seconds: float) -> str:
    """As in listings: whole seconds, shown with milliseconds."""
    return _iso(int(seconds))


@lru_cache(maxsize=1024)
def read_date(value: str | None) -> float | None:
    """Unix seconds of an HTTP date; None for none or for what is no date."""
    try:
        return parsedate_to_datetime(value).timestamp() if value else None
    except ValueError:
        return None


def document(root: str, children: str | Iterable[Tree | Markup]) -> bytes:
    """An XML document from (name, text or children) pairs. No xmlns: oss2 could not find the elements."""
    parts = ['<?xml version="1.0" encoding="UTF-8"?>\n']
    _write(root, children, parts)
    return "".join(parts).encode()


def _write(name: str, value: str | int | Iterable[Tree | Markup], parts: list[str]) -> None:
    """As `xml.etree` writes elements, without making them: a page of a listing has ten thousand."""
    if isinstance(value, (str, int)):
        text = str(value)
        parts.append(f"<{name}>{escaped(text)}</{name}>" if text else f"<{name} />")
        return
    begin = len(parts)
    parts.append(f"<{name}>")
    for child in value:
        if isinstance(child, Markup):
            parts.append(child.text)
        else:
            _write(*child, parts)
    if len(parts) == begin + 1:
        parts[begin] = f"<{name} />"
    else:
        parts.append(f"</{name}>")


def escaped(text: str) -> str:
    """`text` as it stands in an element."""
    if "&" in text or "<" in text or ">" in text:
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text


def read_document(body: bytes) -> ET.Element:
    """The root element of an XML body, namespaces dropped.

    Keys may hold control characters, as such or as numeric references, which OSS reads although XML forbids
    them (asserted by Alibaba's SDK tests): they pass the parser as characters of a private area. White space
    before the document is taken.
    """
    try:
        source = _CONTROL.sub(lambda match: chr(_PRIVATE + ord(match[0])), body.decode().lstrip())
        source = _REFERENCE.sub(_referred, source)
        root = ET.fromstring(source.encode())  # noqa: S314 - the local cloud trusts its own tests
    except (ET.ParseError, UnicodeDecodeError):
        raise OssError("MalformedXML") from None
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        if element.text:
            element.text = _REPLACED.sub(lambda match: chr(ord(match[0]) - _PRIVATE), element.text)
    return root


def _referred(match: re.Match[str]) -> str:
    number = int(match[1], 16) if match[1] else int(match[2])
    return chr(_PRIVATE + number) if _CONTROL.fullmatch(chr(number)) else match[0]


def encoder(encoding_type: str | None) -> tuple[list[Tree], _Encode]:
    """What `encoding-type=url` adds to a listing, and how keys are written in it."""
    if not encoding_type:
        return [], _Encode(url=False)
    if encoding_type != "url":
        raise OssError(
            "InvalidArgument",
            "Invalid Encoding Method specified in Request.",
            ArgumentName="encoding-type",
            ArgumentValue=encoding_type,
        )
    return [("EncodingType", "url")], _Encode(url=True)


class _Encode(msgspec.Struct, frozen=True):
    url: bool

    def __call__(self, key: str) -> str:
        return percent_encoded(key) if self.url else key


def percent_encoded(key: str) -> str:
    """As `quote` with nothing safe; most keys have only slashes to encode."""
    return key.replace("/", "%2F") if _UNRESERVED.fullmatch(key) else quote(key, safe="")
